"""Shards that are not what was written are measured again, and no reader takes them for rows."""

import json
import os
import shlex
import shutil

import numpy as np
import pandas as pd
import pytest

import bench
from analysis.rows.load import LoadError, load_cells, load_layers
from bench.cli.main import main
from bench.comparison.compare import CompareError
from bench.comparison.compare import load_cells as cells_to_compare
from bench.runs.read import load_rows
from bench.runs.remake import command_of
from bench.settings.ranges import parse

FIRST, SECOND = "cells/chunk-00000.parquet", "cells/chunk-00001.parquet"


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 16
    path.write_bytes(content)


DAMAGES = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "empty": lambda path: path.write_bytes(b""),
    "one bit": flip_a_bit,
    "a copy of another": lambda path: shutil.copy(path.parent / "chunk-00001.parquet", path),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
}


def shards(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.parquet")}


def again(sweep, folder):
    return bench.run(sweep, results=folder.parent, name=folder.name, progress=False)


def test_a_manifest_tells_rows_and_digests(mine):
    manifest = json.loads((mine / "manifest.json").read_text())
    assert manifest["format"] == 2
    assert manifest["total_seconds"] == manifest["seconds"] > 0
    assert set(manifest["shards"]) == set(shards(mine))
    assert sum(entry["rows"] for name, entry in manifest["shards"].items() if name.startswith("cells")) == len(
        load_cells(mine)
    )
    assert not (mine / "shards.jsonl").exists()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_is_damaged_is_refused_by_readers_and_measured_again(sweep, finished, mine, capsys, damage):
    damage(mine / FIRST)
    if (mine / FIRST).is_file():
        for load, error in ((load_cells, LoadError), (cells_to_compare, CompareError)):
            with pytest.raises(error, match=r"is damaged: 1 of 2 shards .*chunk-00000\.parquet") as caught:
                load(mine)
            assert "\n" not in str(caught.value)
    load_layers(mine)  # which are whole
    again(sweep, mine)
    said = capsys.readouterr().err.splitlines()
    assert said[-1].endswith(f"measured again: 1 shards ({FIRST})")
    assert shards(mine) == shards(finished)
    assert json.loads((mine / "manifest.json").read_text())["finished"]


@pytest.mark.parametrize(
    ("known", "line", "least"),
    [
        ({"seconds": 40.0}, None, 40),  # as earlier versions wrote it
        ({"seconds": 40.0, "total_seconds": 90.0}, None, 90),
        ({"total_seconds": 90.0}, {"total_seconds": 250.5}, 250.5),  # a session that was killed after a shard
        ({"total_seconds": "long"}, {"total_seconds": -1.0}, 0),
    ],
)
def test_seconds_are_those_of_all_sessions(sweep, mine, known, line, least):
    manifest = {**json.loads((mine / "manifest.json").read_text()), "seconds": None, "total_seconds": None, **known}
    (mine / "manifest.json").write_text(json.dumps(manifest | {"finished": None}))
    if line is not None:
        (mine / "shards.jsonl").write_text(json.dumps(line) + "\n[1]\n")
    again(sweep, mine)
    manifest = json.loads((mine / "manifest.json").read_text())
    assert 0 < manifest["seconds"] < 30
    assert manifest["total_seconds"] == pytest.approx(least + manifest["seconds"], abs=0.01)


def test_what_is_missing_is_said(sweep, finished, mine, capsys):
    (mine / FIRST).unlink()
    assert len(load_cells(mine)) == len(load_cells(finished)) / 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "1 of 2 shards of cells are missing (chunk-00000.parquet)" in said
    again(sweep, mine)
    assert shards(mine) == shards(finished)


def test_what_is_not_the_run_s_is_not_read(finished, mine, capsys):
    shutil.copy(mine / FIRST, mine / "cells" / "chunk-00002.parquet")
    assert load_cells(mine).equals(load_cells(finished))
    assert "1 files in cells are none of the run's" in capsys.readouterr().err


def test_without_records_rows_are_not_believed(sweep, finished, mine):
    manifest = json.loads((mine / "manifest.json").read_text())
    del manifest["shards"]
    (mine / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(LoadError, match="is damaged: 2 of 2"):
        load_cells(mine)
    again(sweep, mine)
    assert shards(mine) == shards(finished)


@pytest.mark.parametrize("version", [3, "2", True, None, [], 1.5])
def test_formats_of_the_future_are_refused(sweep, mine, version):
    manifest = json.loads((mine / "manifest.json").read_text())
    (mine / "manifest.json").write_text(json.dumps(manifest | {"format": version}))
    with pytest.raises(LoadError, match="its format is"):
        load_cells(mine)
    with pytest.raises(bench.RunError, match="its format is"):
        again(sweep, mine)


def test_a_run_of_format_1_is_read_and_continued(sweep, finished, mine, capsys):
    manifest = json.loads((mine / "manifest.json").read_text())
    del manifest["shards"]
    (mine / "manifest.json").write_text(json.dumps(manifest | {"format": 1}))
    before = (mine / SECOND).stat().st_mtime_ns
    assert load_cells(mine).equals(load_cells(finished))
    again(sweep, mine)
    assert json.loads((mine / "manifest.json").read_text())["format"] == 1  # nothing was to do
    (mine / FIRST).write_bytes(b"")
    again(sweep, mine)
    assert capsys.readouterr().err.count("measured again") == 1
    assert (mine / SECOND).stat().st_mtime_ns == before
    assert shards(mine) == shards(finished)
    assert json.loads((mine / "manifest.json").read_text())["format"] == 2
    assert load_cells(mine).equals(load_cells(finished))


def nested(depth):
    return '{"sweep": ' + "[" * depth + "]" * depth + "}"


@pytest.mark.parametrize(
    "text",
    [nested(100_000), '{"sweep": {"key": ' + "9" * 5000 + "}}", "[]", '{"sweep": 5}', "{half", '{"sweep": {}, "plan": 7}'],
)
def test_a_manifest_that_is_none_is_one_line(sweep, mine, text):
    (mine / "manifest.json").write_text(text)
    with pytest.raises(LoadError, match=r"manifest\.json") as caught:
        load_cells(mine)
    assert "\n" not in str(caught.value)
    with pytest.raises(bench.RunError):
        again(sweep, mine)


def test_only_what_is_wanted_is_read(finished):
    whole = load_layers(finished)
    part = load_layers(finished, columns=["scale", "log10_grad"], filters=[("depth", "in", [9]), ("scale", "==", 0.5)])
    expected = whole[(whole.depth == 9) & (whole.scale == 0.5)][["scale", "log10_grad"]]
    np.testing.assert_array_equal(part, expected)
    assert len(load_layers(finished, filters=[("bias_std", "in", [0.0]), ("scale", "in", [0.5, 1.5])])) == len(whole)
    with pytest.raises(LoadError, match="lacks the columns fun"):
        load_layers(finished, columns=["fun"])


def test_a_kill_leaves_what_is_done_done(sweep, finished, mine):
    """As it lies between two chunks: an unfinished manifest, lines, one of them cut short, and a half of a file."""
    manifest = json.loads((mine / "manifest.json").read_text())
    records = manifest.pop("shards")
    (mine / "manifest.json").write_text(json.dumps(manifest | {"finished": None, "shards": {}}))
    lines = [json.dumps({"shard": name, **record}) for name, record in records.items() if name != FIRST]
    (mine / "shards.jsonl").write_text("\n".join(lines) + '\n{"shard": "cells/chu')
    (mine / "cells" / ".writing-0.parquet").write_bytes(b"half")
    before = (mine / SECOND).stat().st_mtime_ns
    assert len(load_cells(mine)) == len(load_cells(finished)) / 2
    again(sweep, mine)
    assert (mine / SECOND).stat().st_mtime_ns == before
    assert shards(mine) == shards(finished)
    assert sorted(path.name for path in mine.iterdir()) == ["cells", "layers", "manifest.json"]


@pytest.mark.parametrize("table", ["cells", "layers"])
def test_rows_that_were_taken_away_come_back_by_the_command_that_is_named(mine, table):
    """As of a reference that keeps its figures and its manifest: it is finished, and is not said to be anything else."""
    rows = load_rows(mine, "sweep", table)
    shutil.rmtree(mine / table)
    with pytest.raises(LoadError, match=f"the run is finished, and of its {table} the folder keeps only") as error:
        load_rows(mine, "sweep", table)
    program, *words = shlex.split(str(error.value).partition("this makes them again: ")[2])
    assert program == "depthscale"
    assert main([*words, "--quiet"]) == 0
    pd.testing.assert_frame_equal(load_rows(mine, "sweep", table), rows)


def test_numbers_of_a_command_are_a_range_only_where_it_is_these(tmp_path):
    scales = np.linspace(0.5, 2, 7).tolist()
    for given in (scales, scales[:-1], [*scales, 3.0], [0.0, 1.0, 2.0, 3.0], [0.0, 0.1, 1.0, 10.0, 100.0]):
        words = shlex.split(command_of(tmp_path / "run", {"sweep": {"scales": given}}, "sweep"))
        found = words[words.index("--scales") + 1 :]
        assert [value for text in found for value in parse("scales", text, whole=False)] == given
    assert found == ["0.0", "0.1", "1.0", "10.0", "100.0"]
