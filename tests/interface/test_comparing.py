"""Comparisons from Python are those of the command line, and what a folder names is never imported."""

import json
import shutil
import sys

import jax
import numpy as np
import pandas as pd
import pytest

import bench
from bench.cli.main import main

SWEEP = {"initializers": ["he_normal", "orthogonal"], "activations": ["relu"], "depths": [4], "widths": [4], "seeds": 3}
QUICK = {"isometry_seeds": 1}


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    results = tmp_path_factory.mktemp("compared")
    table = bench.compare(bench.Sweep(**SWEEP, scales=1.0), results=results, progress=False, write=True, **QUICK)
    return bench.open(results / "compare"), table


def test_the_table_is_that_of_the_command_line(compared, tmp_path, capsys):
    run, table = compared
    assert run.manifest["sweep"]["depths"] == [2, 4]
    assert table.lyapunov_spread.notna().all()
    words = [f"--{name}" if part is None else str(part) for name, values in SWEEP.items() if isinstance(values, list)
             for part in [None, *values]]  # fmt: skip
    arguments = ["--seeds", "3", "--scales", "1", "--isometry-seeds", "1"]
    assert main(["compare", *words, *arguments, "--results", str(tmp_path)]) == 0
    capsys.readouterr()
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "compare" / "table.csv"), pd.read_csv(run / "table.csv"))
    pd.testing.assert_frame_equal(run.compare(**QUICK), table)
    pd.testing.assert_frame_equal(bench.compare(str(run), **QUICK), table)
    assert "compare" in dir(run.plot)
    run.plot.compare()


def test_it_is_silent_where_no_progress_is_asked_for(compared, capfd):
    compared[0].compare(**QUICK, progress=False)
    assert capfd.readouterr() == ("", "")


def test_without_isometry_it_is_the_rows_alone(compared):
    run, table = compared
    without = run.compare(isometry_seeds=0)
    assert without.lyapunov_spread.isna().all()
    np.testing.assert_array_equal(without.slope, table.slope)


def test_a_run_is_left_as_it_is_unless_its_table_is_to_be_written(compared, tmp_path):
    folder = shutil.copytree(compared[0], tmp_path / "mine")
    for table in folder.glob("table.*"):
        table.unlink()
    run = bench.open(folder)
    before = sorted(path.name for path in folder.iterdir())
    run.compare(**QUICK, progress=False)
    assert sorted(path.name for path in folder.iterdir()) == before
    with pytest.raises(ValueError, match=r"run\.compare\(write=True\)"):
        run.plot.compare()
    run.compare(**QUICK, progress=False, write=True)
    assert {path.name for path in folder.iterdir()} - set(before) == {"table.csv", "table.md", "table.tex"}


def test_a_preset_that_was_run_is_compared_in_a_run_of_its_own(tmp_path, monkeypatch):
    class Preset:
        sweep = bench.Sweep(**SWEEP, scales=1.0)

    for module in ("measuring", "comparing"):
        monkeypatch.setattr(f"bench.interface.{module}.PRESETS", {"small": Preset})
    bench.run("small", results=tmp_path, progress=False)
    assert len(bench.compare("small", results=tmp_path, progress=False, **QUICK)) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small", "small-compare"]


@pytest.mark.parametrize(
    "asked",
    [{"isometry_seeds": -1}, {"isometry_seeds": 10**6}, {"isometry_seeds": 2.5}, {"rank_by": "slop"}, {"rank_by": None}],
)
def test_what_makes_no_sense_is_refused_before_anything_is_measured(compared, tmp_path, asked):
    (name,) = asked
    with pytest.raises(bench.SweepError, match=rf"^{name}: got .*, expected (a whole number|one of slope, imbalance)"):
        compared[0].compare(**asked)
    with pytest.raises(bench.SweepError, match=f"^{name}: "):
        bench.compare(bench.Sweep(**SWEEP), results=tmp_path, **asked)
    assert not list(tmp_path.iterdir())


def test_a_run_of_one_depth_is_blamed_itself(tmp_path, capsys):
    run = bench.run(bench.Sweep(**SWEEP | {"depths": 2}, scales=1.0), results=tmp_path, progress=False)
    with pytest.raises(ValueError, match=r"^run: got one of depths 2, expected 2 and at least one larger"):
        run.compare(**QUICK)
    assert main(["compare", "--from", str(run)]) == 2
    told = capsys.readouterr().err
    assert told == "bench compare: error: --from: got one of depths 2, expected 2 and at least one larger\n"


@pytest.mark.thorough
def test_callables_are_compared_with_theory(tmp_path):
    fields = SWEEP | {"initializers": "he_normal", "scales": 1.0}
    callables = {"own": jax.nn.silu, "given": lambda z: jax.nn.silu(z)}
    own, given = (
        bench.compare(
            bench.Sweep(**fields | {"activations": phi}), results=tmp_path, name=name, progress=False, isometry_seeds=0
        )
        for name, phi in callables.items()
    )
    np.testing.assert_allclose(given.predicted, own.predicted)
    assert own.predicted.notna().all()


def test_what_a_folder_names_is_not_imported(compared, tmp_path, monkeypatch):
    (tmp_path / "planted.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    folder = shutil.copytree(compared[0], tmp_path / "foreign")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sweep"] |= {"initializers": ["planted:init", "he_normal"], "activations": ["planted:phi"]}
    manifest.pop("shards", None)
    manifest["format"] = 1
    (folder / "manifest.json").write_text(json.dumps(manifest))
    for shard in (folder / "cells").glob("*.parquet"):
        cells = pd.read_parquet(shard).assign(activation="planted:phi")
        cells.replace({"initializer": {"orthogonal": "planted:init"}}).to_parquet(shard)
    table = bench.compare(folder, **QUICK)
    assert set(table.verdict) == {"no theory"}
    assert table.lyapunov_spread.isna().all()
    assert "planted:phi" in repr(bench.open(folder))
    assert "planted" not in sys.modules


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"depths": 2}, r"^depths: got 2, expected a depth above 2"), ({"initializers": "he_norml"}, "did you mean he_normal")],
)
def test_what_cannot_be_compared_is_refused(tmp_path, fields, words):
    with pytest.raises(ValueError, match=words):
        bench.compare(bench.Sweep(**SWEEP | fields), results=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_neither_preset_nor_folder_comes_with_the_nearest():
    with pytest.raises(bench.SweepError, match="did you mean smoke"):
        bench.compare("smoek")


def test_a_training_and_an_unfinished_run_are_not_compared(compared, tmp_path):
    manifest = json.loads((compared[0] / "manifest.json").read_text())
    training = {name: value for name, value in manifest.items() if name != "sweep"} | {
        "training": bench.Training().to_dict()
    }
    for changed, words in ((training, "describes no sweep"), (manifest | {"finished": None}, "is not finished")):
        folder = shutil.copytree(compared[0], tmp_path / words)
        (folder / "manifest.json").write_text(json.dumps(changed))
        with pytest.raises(ValueError, match=words):
            bench.compare(folder)
