"""A run from somebody else is data: nothing that it names is imported."""

import json
import sys

import pytest

import bench
from analysis.rows.load import load_cells
from bench.cli.main import main

PAYLOAD = "payload_of_a_run:function"


@pytest.fixture
def foreign(mine, tmp_path, monkeypatch):
    """A run whose manifest names a module that leaves a trace when it is imported, with the module within reach."""
    (tmp_path / "payload_of_a_run.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'w')\nfunction = abs\n")
    monkeypatch.syspath_prepend(tmp_path)
    manifest = json.loads((mine / "manifest.json").read_text())
    manifest["sweep"]["activations"] = ["tanh", PAYLOAD]
    manifest["sweep"]["initializers"] = ["gaussian", PAYLOAD]
    (mine / "manifest.json").write_text(json.dumps(manifest))
    return mine


def test_what_a_manifest_names_is_a_label(foreign, tmp_path, capsys):
    assert main(["compare", "--from", str(foreign), "--isometry-seeds", "1"]) in (0, 2)
    assert "Traceback" not in capsys.readouterr().err
    assert len(load_cells(foreign))
    assert bench.open(foreign).manifest["sweep"]["activations"] == ["tanh", PAYLOAD]
    with pytest.raises(bench.SweepError, match="in this process"):
        bench.Sweep.from_dict(bench.open(foreign).manifest["sweep"])
    assert not (tmp_path / "trace").exists()
    assert "payload_of_a_run" not in sys.modules
