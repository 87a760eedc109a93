"""Run folders survive kills, refuse what is not theirs, and describe themselves."""

import hashlib
import json
import multiprocessing
import random
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import bench
import bench.sweeps.plan
from bench.runs.folder import RunFolder
from bench.sweeps.runner import contents_of
from tests.tolerance import own_programs

FIELDS = {"activations": ["tanh", "relu"], "depths": [2, 9, 40], "scales": [0.5, 1.5], "widths": [4], "seeds": 3}
KILLED = FIELDS | {"activations": ["tanh"], "seeds": 12 * FIELDS["seeds"]}
KILLS = (3, 12)  # and in make thorough


def measure(fields: dict, results: Path) -> None:
    bench.sweeps.plan.MOST_SEEDS = FIELDS["seeds"]  # many chunks of the same few programs
    bench.run(bench.Sweep(**fields), results=results, progress=False)


@pytest.fixture
def start(tmp_path, monkeypatch):
    """A run in a process of its own, forked from one that has imported everything and started nothing: each begins at once.

    They share a folder of compiled programs, so that kills fall into the work.
    """
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", own_programs(tmp_path))
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__])

    def started(fields: dict, results: Path):
        process = processes.Process(target=measure, args=(fields, results))
        process.start()
        return process

    return started


def ended(process) -> int | None:
    process.join()
    return process.exitcode


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("kills", [KILLS[0], pytest.param(KILLS[1], marks=pytest.mark.thorough)])
def test_killed_at_random_moments_and_resumed_it_is_as_if_nothing_happened(tmp_path, start, kills):
    whole = tmp_path / "whole" / "sweep"
    began = time.monotonic()
    assert ended(start(KILLED, tmp_path / "whole")) == 0
    length = time.monotonic() - began
    results, moments = tmp_path / "killed", random.Random(0)
    folder, progressed = results / "sweep", set()
    for _ in range(kills):
        process = start(KILLED, results)
        # aim at the time in which it measures and writes
        deadline = time.monotonic() + length * 3
        shards = len(list(folder.glob("cells/*.parquet")))
        if moments.random() < 0.7:
            while time.monotonic() < deadline and len(list(folder.glob("cells/*"))) <= shards and process.is_alive():
                time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.02))
        process.kill()
        process.join()
        if folder.exists():
            progressed.add(len(list(folder.glob("cells/*.parquet"))))
            for shard in folder.rglob("[!.]*.parquet"):
                pd.read_parquet(shard)  # complete or absent
    assert len(progressed) > kills // 3
    assert ended(start(KILLED, results)) == 0
    assert files(folder) == files(whole)
    for name in files(whole):
        if name.endswith(".parquet"):
            assert (folder / name).read_bytes() == (whole / name).read_bytes(), name
    cells = pd.read_parquet(folder / "cells")
    assert len(cells) == bench.Sweep(**KILLED).cells
    assert not cells.duplicated(["initializer", "activation", "width", "bias_std", "depth", "scale", "seed"]).any()
    assert json.loads((folder / "manifest.json").read_text())["resumed"]


def test_a_finished_run_is_left_alone(tmp_path):
    sweep = bench.Sweep(**FIELDS)
    folder = bench.run(sweep, results=tmp_path, progress=False)
    before = {name: (folder / name).stat().st_mtime_ns for name in files(folder)}
    assert bench.run(sweep, results=tmp_path, progress=False) == folder
    assert {name: (folder / name).stat().st_mtime_ns for name in files(folder)} == before


def test_the_manifest_says_what_was_measured_by_whom(tmp_path):
    sweep = bench.Sweep(**FIELDS, key=3)
    manifest = json.loads((bench.run(sweep, results=tmp_path, progress=False) / "manifest.json").read_text())
    assert bench.Sweep.from_dict(manifest["sweep"]) == sweep
    assert manifest["key"] == 3
    assert manifest["versions"]["jax"]
    assert manifest["device"]["platform"] == "cpu"
    assert manifest["started"] <= manifest["finished"]
    assert {chunk["activation"] for chunk in manifest["plan"]} == {"tanh", "relu"}
    assert set(manifest["git"] or {"commit": 0, "dirty": 0}) == {"commit", "dirty"}


def test_rows_have_the_columns_of_the_contract(tmp_path):
    folder = bench.run(bench.Sweep(**FIELDS), results=tmp_path, progress=False)
    cell = ["architecture", "initializer", "activation", "width", "bias_std", "input_norm", "depth", "scale", "seed"]
    cells, layers = (pd.read_parquet(folder / kind) for kind in ("cells", "layers"))
    gradients = [f"log10_grad_{which}" for which in ("first", "last", "global", "least", "largest", "per_weight_first")]
    relative = ["log10_relative_first", "log10_relative_last"]
    entries = ["log10_entry_tenth", "log10_entry_median", "log10_entry_largest"]
    assert cells.columns[:9].tolist() == cell
    assert sorted(cells.columns[9:]) == sorted([*gradients, *relative, *entries, "log10_output"])
    assert layers.columns[:10].tolist() == [*cell, "layer"]
    values = ("grad", "delta", "activation", "weight", "relative")
    assert sorted(layers.columns[10:]) == sorted(f"log10_{value}" for value in values)
    assert len(cells) == bench.Sweep(**FIELDS).cells
    assert len(layers) == cells.depth.sum()
    # the two tables agree: first, last, global and output can be read off the layers
    rows = layers.set_index([*cell, "layer"]).sort_index()
    for _, row in cells.iterrows():
        of_cell = rows.loc[tuple(row[name] for name in cell)].sort_index()
        assert of_cell.log10_grad.loc[1] == row.log10_grad_first
        assert of_cell.log10_grad.loc[row.depth - 1] == row.log10_grad_last
        assert of_cell.log10_activation.loc[row.depth] == row.log10_output
        np.testing.assert_equal(of_cell.log10_relative.loc[1], row.log10_relative_first)  # NaN of a dead network
        everything = (10 ** (2 * of_cell.log10_grad)).sum() ** 0.5
        assert abs(10**row.log10_grad_global - everything) <= 1e-9 * everything


def test_what_would_be_lost_or_mixed_up_is_refused(tmp_path):
    sweep = bench.Sweep(**FIELDS)
    folder = bench.run(sweep, results=tmp_path, name="mine", progress=False)
    other = bench.Sweep(**FIELDS | {"seeds": 4})
    with pytest.raises(bench.RunError, match=r"another sweep \(seeds differ\)"):
        bench.run(other, results=tmp_path, name="mine", progress=False)
    for name in ("../mine", "a/b", "", ".", "..", ".hidden", "/tmp/x"):
        with pytest.raises(bench.RunError, match="expected a folder name"):
            bench.run(sweep, results=tmp_path, name=name, progress=False)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "thesis.txt").write_text("precious")
    with pytest.raises(bench.RunError, match="is not a run"):
        bench.run(sweep, results=tmp_path, name="notes", progress=False)
    assert files(tmp_path / "notes") == ["thesis.txt"]
    (tmp_path / "file").write_text("")
    with pytest.raises(bench.RunError, match=r"^results: .*cannot be written"):
        bench.run(sweep, results=tmp_path / "file", name="mine", progress=False)
    with pytest.raises(bench.RunError, match=r"^name: .*file is a file; choose another name"):
        bench.run(sweep, results=tmp_path, name="file", progress=False)
    for damaged in ("{half", "[]", '{"sweep": 5}'):
        (folder / "manifest.json").write_text(damaged)
        for overwrite in (False, True):
            with pytest.raises(
                bench.RunError, match=r"cannot be read: .*remove the folder yourself, or choose another name"
            ):
                bench.run(sweep, results=tmp_path, name="mine", progress=False, overwrite=overwrite)


def test_two_processes_do_not_write_one_run(tmp_path):
    sweep = bench.Sweep(**FIELDS)
    held = RunFolder(tmp_path, "mine", contents_of(sweep))
    with pytest.raises(bench.RunError, match="another process"):
        bench.run(sweep, results=tmp_path, name="mine", progress=False)
    held.close()
    (tmp_path / "mine" / "cells" / ".writing-chunk-00000.parquet").write_text("half")  # as a kill leaves it
    assert files(bench.run(sweep, results=tmp_path, name="mine", progress=False)) == files(
        bench.run(sweep, results=tmp_path, name="other", progress=False)
    )


def test_what_an_earlier_version_began_is_refused_as_that(tmp_path):
    """Without fields that there are now, or columns: rows of two versions would be no table."""
    run = bench.run(bench.Sweep(**FIELDS), results=tmp_path, progress=False)
    manifest = json.loads((run / "manifest.json").read_text())
    old = {name: value for name, value in manifest["sweep"].items() if name not in ("input_norms", "correlations")}
    (run / "manifest.json").write_text(json.dumps(manifest | {"sweep": old}))
    earlier = (
        "was begun by an earlier version of depthscale, {}, and cannot be .* compared; to measure it again, choose another"
    )
    for again in (bench.Sweep(**FIELDS), bench.Sweep(**FIELDS, correlations=0.5)):
        with pytest.raises(bench.RunError, match=earlier.format("which knew no input_norms, correlations")):
            bench.run(again, results=tmp_path, progress=False)
    with pytest.raises(bench.RunError, match=r"holds another sweep \(depths, input_norms, correlations differ\); choose"):
        bench.run(bench.Sweep(**FIELDS | {"depths": 2}), results=tmp_path, progress=False)
    (run / "manifest.json").write_text(json.dumps(manifest | {"sweep": manifest["sweep"] | {"warp": 9}}))
    with pytest.raises(bench.RunError, match="was begun by a later version of depthscale, which knows warp too"):
        bench.run(bench.Sweep(**FIELDS), results=tmp_path, progress=False)
    lost, *shards = sorted((run / "cells").glob("*.parquet"))
    for shard in shards:
        pd.read_parquet(shard).drop(columns="log10_relative_first").to_parquet(shard)
        manifest["shards"][f"cells/{shard.name}"]["sha256"] = hashlib.sha256(shard.read_bytes()).hexdigest()
    lost.unlink()
    (run / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(bench.RunError, match=earlier.format("whose cells lack log10_relative_first")):
        bench.run(bench.Sweep(**FIELDS), results=tmp_path, progress=False)
    assert not lost.exists()
    assert len(run.cells) > 0


def test_measured_numbers_are_written_without_a_dictionary(tmp_path):
    """It took half of the time of writing, and made files larger."""
    shard = next((bench.run(bench.Sweep(**FIELDS), results=tmp_path, progress=False) / "layers").glob("*.parquet"))
    group = pq.ParquetFile(shard).metadata.row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    assert {each.path_in_schema for each in columns if each.has_dictionary_page} == {
        *("architecture", "initializer", "activation", "width", "depth", "seed", "layer")
    }
