"""A plan before the run: what it counts is what is done, it writes nothing, and what would not fit is refused."""

import math
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest

import bench
from bench.cli.main import main
from bench.engine import measure
from bench.engine.gradients import DEPTHS, FIXED, LANES
from bench.interface.planning import contents_of
from bench.networks import batches
from bench.networks import seeds as seeds_of_networks
from bench.networks.segments import LAYERS
from bench.runs import estimate, speed
from bench.runs.folder import RunFolder
from bench.settings.units import amount, bytes_in
from bench.sweeps import plan as planning
from bench.sweeps import shapes
from bench.sweeps.cost import plan_of, tiles_of, work_of
from bench.sweeps.shapes import seeds_at_once, shape_of
from bench.training import runner as training_runner
from bench.training.plan import plan as chunks_of_training
from bench.training.tasks import load_task

Sweep: Any = bench.Sweep  # of lists, arrays and single values, which it settles
Training: Any = bench.Training
SPEED = speed.Speed(product=1e-10, entry=1e-9, tracing=0.1)
SMALL = ["--depths", "2", "20", "--scales", "1", "--widths", "4", "--seeds", "3"]


@pytest.fixture(autouse=True)
def _known_device(monkeypatch):
    monkeypatch.setattr(estimate, "speed_here", lambda _dtype: SPEED)


@pytest.mark.parametrize("fixed", [True, False])
@pytest.mark.parametrize(
    "settings",
    [
        {"depths": [2, 20, 21, 40, 50], "scales": np.linspace(0.5, 1, 33), "seeds": 1},
        {"depths": [2, 5], "scales": [1.0], "seeds": 67, "activations": ["tanh", "relu"]},
        {"depths": [100], "scales": [1.0], "seeds": 3},
    ],
)
def test_what_is_counted_is_what_the_engine_is_given(tmp_path, monkeypatch, settings, fixed):
    """Arithmetic and calls, in shapes of CPUs and in those that follow the sweep."""
    for module in (shapes, seeds_of_networks):
        monkeypatch.setattr(module, "shapes_are_fixed", lambda: fixed)
    sweep = Sweep(**settings, widths=4, layers=False)
    shape = shape_of(sweep, len(sweep.scales), 4)
    done = []

    def counting(module, name, times):
        original = getattr(module, name)

        def programs(*arguments, **options):
            program = original(*arguments, **options)

            def call(first, *others):
                done.append(times * math.prod(first.weights.shape) if times else 0)  # layers, seeds, width, width
                return program(first, *others)

            return call

        monkeypatch.setattr(module, name, programs)

    counting(measure, "forward_program", shape.lanes)
    counting(measure, "backward_program", shape.lanes * shape.depths)
    counting(batches, "segment_program", 0)
    plan, (work, _) = bench.plan(sweep), work_of(sweep)
    bench.run(sweep, results=tmp_path, progress=False)
    assert plan.multiply_adds == sum(done)
    assert work.calls == len(done)
    forward = max(sweep.depths) - 1
    lanes = len(sweep.scales) * sweep.seeds * len(sweep.activations)
    assert plan.useful_multiply_adds == 16 * lanes * (forward + sum(depth - 1 for depth in sweep.depths))
    assert plan.cells == sweep.cells


def test_shapes_that_are_full_are_not_padded():
    sweep = Sweep(depths=[1 + LAYERS, 1 + 2 * LAYERS], scales=np.linspace(0.5, 1, LANES), widths=64, seeds=4)
    full = Sweep(depths=[1 + LAYERS], scales=sweep.scales, widths=64, seeds=4)
    # the forward pass is shared; of the backward pass's four depths one is used
    assert bench.plan(full).padding == pytest.approx((1 + DEPTHS) / 2)
    assert 1 < bench.plan(sweep).padding < bench.plan(full).padding


@pytest.mark.parametrize("seeds", [1, 2, 8, 60, 128, 130, 300, 1000])
def test_an_accelerator_is_given_no_more_seeds_than_there_are(monkeypatch, seeds):
    devices = [SimpleNamespace(platform="gpu")] * 2
    monkeypatch.setattr(jax, "local_devices", lambda: devices)
    sweep = Sweep(seeds=seeds, widths=64)
    sides = [tiles_of(sweep, chunk) for chunk in planning.plan(sweep)]
    assert seeds <= sum(side.batches * side.seeds for side in sides) <= max(2, 1.5 * seeds)
    assert max(side.seeds for side in sides) <= 2 * 8192 / 64


@pytest.mark.parametrize("seeds", [1, 900, 5000])
def test_nor_cells_to_train(monkeypatch, seeds):
    device = SimpleNamespace(platform="gpu", device_kind="one", memory_stats=lambda: None)
    monkeypatch.setattr(jax, "local_devices", lambda: [device] * 2)
    training = Training(depths=[4], widths=32, scales=[1.0], learning_rates=[0.1], steps=64, seeds=seeds)
    assert 1 <= bench.plan(training).padding <= (2 if seeds == 1 else 1.1)


def test_nor_does_their_number_depend_on_what_is_left(monkeypatch):
    """As for a worker that is given one chunk, and after a kill."""
    training = Training(depths=[4], widths=32, scales=[1.0], learning_rates=[0.1], steps=64, seeds=9000)
    chunks, asked = chunks_of_training(training), []

    def cells_per_device(_training, cells, *_others):
        asked.append(cells)
        raise KeyboardInterrupt

    monkeypatch.setattr(training_runner, "cells_per_device", cells_per_device)
    for left in (chunks, chunks[-1:]):
        with pytest.raises(KeyboardInterrupt):
            next(training_runner.train_chunks(training, load_task(training.task), left))
    assert asked == [9000, 9000]


def test_on_cpus_shapes_do_not_depend_on_the_sweep():
    assert {seeds_at_once(Sweep(seeds=seeds), seeds, 16) for seeds in (1, 3, 1000)} == {8}
    assert {shape_of(Sweep(depths=[2, depth]), lanes, 16) for depth in (3, 900) for lanes in (1, 33)} == {FIXED}


GRIDS = {
    "many seeds": {"scales": [1.0, 1.5], "depths": [2, 129, 257], "seeds": 1000},
    "many lanes": {"scales": np.linspace(0.5, 1, 41).tolist(), "depths": np.geomspace(2, 852, 32).astype(int), "seeds": 8},
    "many schemes": {"initializers": ["lecun_normal", "orthogonal"], "scales": [1.0], "depths": [65, 129], "seeds": 32},
    "blocks": {"architectures": "residual", "scales": [0.9, 1.0], "depths": [65, 129, 257], "seeds": 8},
    "blocks of one depth": {"architectures": "residual:alpha=1/L", "scales": [1.0], "depths": [65, 129], "seeds": 8},
}


@pytest.mark.parametrize("grid", GRIDS)
def test_an_accelerator_does_no_more_than_one_and_a_half_times_what_is_useful(monkeypatch, grid):
    monkeypatch.setattr(jax, "local_devices", lambda: [SimpleNamespace(platform="gpu")])
    work, _ = work_of(Sweep(**{"widths": 64, "activations": "tanh", "initializers": "gaussian"} | GRIDS[grid]))
    # blocks are computed once more as they are walked back
    assert 1 <= work.padded / work.useful <= (2 if grid == "blocks" else 1.5)


@pytest.mark.parametrize("architecture", ["plain", "residual"])
def test_rows_do_not_depend_on_shapes_beyond_rounding(tmp_path, monkeypatch, architecture):
    """Shapes as an accelerator has them, on this device."""
    fields = {"activations": "tanh", "widths": 4, "depths": [2, 60, 64], "scales": [0.9, 1.0, 1.1], "seeds": 3}
    sweep = Sweep(**fields, architectures=architecture, correlations=0.5 if architecture == "plain" else [], dtype="float64")
    fixed = bench.run(sweep, results=tmp_path, name="fixed", progress=False)
    for module in (shapes, seeds_of_networks):
        monkeypatch.setattr(module, "shapes_are_fixed", lambda: False)
    shape = shape_of(sweep, 3, 4, architecture)
    assert (seeds_at_once(sweep, 3, 4, architecture), shape.lanes) == (3, 3)
    assert shape[1:] == ((1, 2) if architecture == "plain" else (DEPTHS - 1, 1))
    found = bench.run(sweep, results=tmp_path, name="found", progress=False)
    for table in ("cells", "layers", *(["pairs"] if architecture == "plain" else [])):
        pd.testing.assert_frame_equal(getattr(found, table), getattr(fixed, table), rtol=1e-9, atol=1e-9)


def test_a_plan_of_a_training_counts_its_steps():
    training = Training(depths=[4], widths=8, scales=[1.0], learning_rates=[0.1], steps=10, batch=16, seeds=1)
    plan, longer = bench.plan(training), bench.plan(Training(**(training.to_dict() | {"steps": 20})))
    weights = 8 * (64 + 10) + 2 * 8 * 8
    assert longer.useful_multiply_adds - plan.useful_multiply_adds == pytest.approx(3 * weights * 16 * 10)
    assert (plan.cells, plan.chunks) == (1, len(chunks_of_training(training)))
    assert plan.padding > 10  # one network of the many that go together


@pytest.mark.parametrize(
    "settings",
    [
        Sweep(depths=[2, 5], scales=[1.0], widths=4, seeds=1),  # files, hardly a row
        Sweep(depths=[2, 20, 50], scales=np.linspace(0.5, 1, 31), widths=4, seeds=6),  # rows
        Sweep(depths=[2, 5], scales=[0.5, 1.0], widths=4, seeds=2, layers=False, activations=["tanh", "relu"]),
        pytest.param(
            Training(depths=[2], scales=[0.5], learning_rates=[0.1], widths=4, seeds=4, steps=5),
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_disk_is_what_files_take(tmp_path, settings):
    expected = bench.plan(settings).disk_bytes
    measure_it: Any = bench.run if isinstance(settings, bench.Sweep) else bench.train
    run = measure_it(settings, results=tmp_path, progress=False)
    taken = sum(path.stat().st_size for path in run.path.rglob("*") if path.is_file())
    assert taken / 1.3 < expected < 1.3 * taken


@pytest.mark.parametrize("command", [["sweep", *SMALL], ["compare", *SMALL], ["train", *SMALL, "--steps", "5"]])
def test_a_dry_run_says_it_and_writes_nothing(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    assert main([*command, "--dry-run"]) == 0
    out = capsys.readouterr().out
    for word in ("cells", "chunks", "useful", "padding", "time", "compile", "memory", "disk"):
        assert word in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["sweep", "compare", "train"])
@pytest.mark.parametrize(
    "where", [["--run", "a/b"], ["--run", ""], ["--results", ""], ["--results", "file"], ["--results", "y" * 300]]
)
def test_a_dry_run_refuses_the_names_and_folders_that_a_run_does(tmp_path, monkeypatch, capsys, command, where):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    told = set()
    for dry in ([], ["--dry-run"]):
        assert main([command, *SMALL, *where, *dry]) == 2
        told.add(capsys.readouterr().err)
    assert len(told) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_dry_run_refuses_a_folder_that_holds_something_else_as_the_run_does(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    contents = contents_of(Sweep(depths=[2, 20], scales=[1.0], widths=4, seeds=3))
    with closing(RunFolder("results", "sweep", contents)) as folder:
        folder.begin()
    (tmp_path / "results" / "notes").mkdir()
    (tmp_path / "results" / "notes" / "thesis.txt").write_text("")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for command, reason in {
        ("sweep", "--seeds", "4"): "holds another sweep (seeds differ); choose another name, or --overwrite",
        ("compare", "--run", "sweep"): "holds another sweep (initializers, activations, layers differ); choose another name",
        ("train", "--run", "sweep"): "holds another training (",
        ("train", "--run", "notes"): "exists and is not a run; choose another name",
    }.items():
        told = set()
        for dry in ([], ["--dry-run"]):
            assert main([command[0], *SMALL, *command[1:], *dry]) == 2
            captured = capsys.readouterr()
            assert captured.out == ""
            told.add(captured.err)
        (line,) = told
        assert line.startswith(f"bench {command[0]}: error: --run: results/")
        assert reason in line
    for command in (["sweep"], ["sweep", "--seeds", "4", "--overwrite"], ["sweep", "--run", "other"], ["compare"]):
        assert main([command[0], *SMALL, *command[1:], "--dry-run"]) == 0
        told = capsys.readouterr()
        assert told.out.startswith("A comparison, not run:" if command == ["compare"] else "A sweep, not run:")
        assert told.err == ""
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_dry_run_says_what_is_measured_already(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    bench.run(Sweep(depths=[2, 20], scales=[1.0], widths=4, seeds=3), progress=False)
    assert main(["sweep", *SMALL, "--dry-run"]) == 0
    told = capsys.readouterr()
    assert "1 chunks" in told.out
    assert told.err == "measured already: 1 of 1 chunks in results/sweep\n"


@pytest.mark.parametrize("command", ["sweep", "compare", "train"])
@pytest.mark.parametrize(
    "asked",
    [
        ["--precision", "tf32"],
        ["--run", "notes", "--overwrite"],
        ["--run", "dangling"],
        ["--results", "dangling"],
        ["--results", "/proc/xx"],
    ],
)
def test_a_dry_run_refuses_what_a_run_does(tmp_path, monkeypatch, capsys, command, asked):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results" / "notes").mkdir(parents=True)
    (tmp_path / "results" / "notes" / "thesis.txt").write_text("")
    for place in (tmp_path, tmp_path / "results"):
        (place / "dangling").symlink_to("nowhere")
    before, told = set(tmp_path.rglob("*")), set()
    for dry in ([], ["--dry-run"]):
        assert main([command, *SMALL, *asked, *dry]) == 2
        told.add(capsys.readouterr().err)
    assert len(told) == 1
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("command", [["sweep", *SMALL], ["compare", *SMALL], ["train", *SMALL]])
@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_what_may_take_less_than_it_needs_is_refused(tmp_path, monkeypatch, capsys, command, dry):
    monkeypatch.chdir(tmp_path)
    assert main([*command, *dry, "--max-memory", "10kB"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--max-memory: got '10 kB', expected more: " in line
    assert "takes about" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", ["much", "-1GB", "0", "4 XB", "nan", True])
def test_what_is_no_amount_of_memory(given):
    with pytest.raises(bench.SweepError, match=r"max_memory: got .*expected an amount"):
        bench.plan(Sweep(), max_memory=given)


@pytest.mark.parametrize("given", ["smok", 3, bench.Precision()])
def test_what_cannot_be_planned(given):
    with pytest.raises(bench.SweepError, match=r"^what: got .*the name of a preset"):
        bench.plan(given)


@pytest.mark.parametrize("count", [1, 999, 4_000_000_000, 1_230_000])
def test_amounts_are_read_as_they_are_written(count):
    assert bytes_in(amount(count)) == bytes_in(count) == count


@pytest.mark.parametrize("name", [*bench.PRESETS, *bench.TRAININGS])
def test_presets_have_plans(name):
    plan = bench.plan(name)
    assert plan.padding >= 1
    assert plan.seconds > 0
    assert plan.disk_bytes > 0
    assert str(plan.chunks) in repr(plan)


def test_a_device_is_measured_once(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = []
    monkeypatch.setattr(speed, "measured", lambda dtype: found.append(dtype) or SPEED)
    assert speed.speed_here("float32") == speed.speed_here("float32") == SPEED
    assert found == ["float32"]
    (file,) = (tmp_path / "depthscale").iterdir()
    for damage in ("{", "[1]", '{"product": -1.0, "entry": 1.0, "tracing": 1.0}'):
        file.write_text(damage)
        assert speed.speed_here("float32") == SPEED
    assert len(found) == 4


def test_it_is_measured_by_the_engine():
    found = speed.measured("float32")
    assert 0 < found.product < found.entry < 1e-6
    assert plan_of(Sweep()).seconds > 0
