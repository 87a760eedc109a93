import json

import pandas as pd
import pytest

from analysis.rows.load import LoadError, load_cells, load_layers, load_table
from analysis.rows.manifest import load_manifest
from tests.analysis.conftest import make_cells, make_layers, make_table, write_run


def test_rows_of_all_shards_come_back(tmp_path):
    cells, layers = make_cells(), make_layers()
    run = write_run(tmp_path / "run", cells, layers)
    pd.testing.assert_frame_equal(load_cells(run), cells)
    pd.testing.assert_frame_equal(load_layers(run), layers)
    assert load_manifest(run)["sweep"] == {"loss": "output", "precision": "full"}


def test_of_what_rows_say_only_what_is_wanted_is_read(tmp_path):
    cells = make_cells()
    run = write_run(tmp_path / "run", cells)
    names = [name for name in cells if not name.startswith("log10_")]
    assert list(load_cells(run, values=())) == names
    some = load_cells(run, values=["log10_output", "measured by later versions"])
    pd.testing.assert_frame_equal(some, cells[[*names, "log10_output"]], check_like=True)
    with pytest.raises(LoadError, match="lacks the columns log10_output"):
        load_cells(write_run(tmp_path / "other", cells.drop(columns="log10_output")), values=["log10_output"])


def test_shards_that_are_being_written_are_not_read(tmp_path):
    run = write_run(tmp_path / "run", make_cells())
    (run / "cells" / ".writing-chunk-00002.parquet").write_bytes(b"half a file")
    assert len(load_cells(run)) == len(make_cells())


@pytest.mark.parametrize("load", [load_manifest, load_cells, load_layers])
def test_a_folder_that_is_no_run(load, tmp_path):
    with pytest.raises(LoadError, match=r"not a run: it has no manifest\.json") as error:
        load(tmp_path)
    assert str(tmp_path) in str(error.value)


def test_a_run_without_layers_says_how_to_get_them(tmp_path):
    with pytest.raises(LoadError, match="with its layers"):
        load_layers(write_run(tmp_path / "run", make_cells()))


@pytest.mark.parametrize("empty_shard", [False, True])
def test_a_run_without_rows(tmp_path, empty_shard):
    run = write_run(tmp_path / "run", make_cells().iloc[:0] if empty_shard else None)
    with pytest.raises(LoadError, match="no rows"):
        load_cells(run)


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"sweep": 1})])
def test_a_broken_manifest(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(LoadError, match=r"manifest\.json"):
        load_cells(tmp_path)


def test_a_broken_shard_is_one_line(tmp_path):
    run = write_run(tmp_path / "run", make_cells())
    (run / "cells" / "chunk-00001.parquet").write_bytes(b"no parquet at all")
    with pytest.raises(LoadError, match="cannot be read") as error:
        load_cells(run)
    assert "\n" not in str(error.value)


def test_rows_that_lack_a_column(tmp_path):
    with pytest.raises(LoadError, match="lacks the columns scale"):
        load_cells(write_run(tmp_path / "run", make_cells().drop(columns="scale")))


def test_a_table_that_no_comparison_wrote_is_refused(tmp_path):
    run = write_run(tmp_path / "run", make_cells())
    make_table().drop(columns=["slope", "rank"]).to_csv(run / "table.csv")
    with pytest.raises(LoadError, match="lacks the columns rank, slope;"):
        load_table(run)
    make_table().assign(width="wide").to_csv(run / "table.csv")
    with pytest.raises(LoadError, match="lacks the columns width as numbers;"):
        load_table(run)
