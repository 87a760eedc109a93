"""Runs are started by settings or by a preset's name, and overwritten only where they are runs."""

import fcntl
import os
import subprocess
import sys

import pytest

import bench
import bench.interface.measuring
from bench.cli.main import main
from tests.interface.conftest import SWEEP

SMALL = bench.Sweep(depths=2, widths=2, scales=1.0, seeds=1)


@pytest.fixture
def presets(monkeypatch):
    """A preset that takes no time."""

    class Preset:
        sweep = SMALL

    monkeypatch.setattr(bench.interface.measuring, "PRESETS", {"small": Preset})


@pytest.mark.usefixtures("presets")
def test_a_preset_is_run_under_its_name(tmp_path):
    run = bench.run("small", results=tmp_path, progress=False)
    assert (run.name, len(run.cells)) == ("small", 1)
    assert bench.run("small", results=tmp_path, name="mine", progress=False).name == "mine"
    assert bench.run(SMALL, results=tmp_path, progress=False).name == "sweep"


@pytest.mark.parametrize(
    ("start", "given", "words"),
    [
        (bench.run, "smoek", "sweep: got 'smoek', expected .*did you mean smoke"),
        (bench.train, "digts", "training: got 'digts', expected .*did you mean digits"),
        (bench.run, 3, "sweep: got 3, expected a bench.Sweep, or the name of a preset: smoke"),
        (bench.train, SMALL, "training: got Sweep.*, expected a bench.Training"),
    ],
)
def test_what_is_no_preset_is_refused_with_the_nearest(tmp_path, start, given, words):
    with pytest.raises(bench.SweepError, match=words):
        start(given, results=tmp_path)
    assert not list(tmp_path.iterdir())


def test_overwriting_replaces_the_run_and_nothing_else(tmp_path, capsys):
    (tmp_path / "beside").mkdir()
    first = bench.run(SMALL, results=tmp_path, name="mine", progress=False)
    (first / "heatmap.png").write_text("of the first")
    other = bench.Sweep(depths=[2, 3], widths=2, seeds=1)
    with pytest.raises(bench.RunError, match=r"^name: .* holds another sweep .*; choose another name, or overwrite=True$"):
        bench.run(other, results=tmp_path, name="mine", progress=False)
    assert main(["sweep", "--run", "mine", "--results", str(tmp_path), "--depths", "2,3", "--seeds", "1"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("bench sweep: error: --run: ")
    assert told.endswith("; choose another name, or --overwrite\n")
    again = bench.run(other, results=tmp_path, name="mine", progress=False, overwrite=True)
    assert len(again.cells) == other.cells
    assert not (again / "heatmap.png").exists()
    assert sorted(os.listdir(tmp_path)) == ["beside", "mine"]
    assert bench.run(SMALL, results=tmp_path, name="new", progress=False, overwrite=True).name == "new"
    command = ["sweep", "--run", "mine", "--results", str(tmp_path), "--depths", "2,3", "--widths", "2", "--seeds", "2"]
    assert main([*command, "--overwrite", "--quiet"]) == 0
    assert len(again.cells) == 2 * other.cells


def test_what_is_no_run_is_never_removed(tmp_path, capsys):
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "diary.txt").write_text("mine")
    run = bench.run(SMALL, results=tmp_path, name="run", progress=False)
    (tmp_path / "link").symlink_to(run)
    for name, words in {"notes": "is not a run", "link": "no folder of its own", "../run": "expected a folder name"}.items():
        with pytest.raises(bench.RunError, match=words):
            bench.run(SMALL, results=tmp_path, name=name, progress=False, overwrite=True)
    assert (notes / "diary.txt").read_text() == "mine"
    capsys.readouterr()
    assert main(["sweep", "--run", "notes", "--results", str(tmp_path), "--overwrite"]) == 2
    assert capsys.readouterr().err.startswith(f"bench sweep: error: --overwrite: '{notes}' is not a run")
    assert len(run.cells) == 1


def test_a_run_that_is_being_written_is_not_removed(tmp_path):
    run = bench.run(SMALL, results=tmp_path, progress=False)
    handle = os.open(run, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with pytest.raises(bench.RunError, match="another process is writing"):
            bench.run(SMALL, results=tmp_path, progress=False, overwrite=True)
    finally:
        os.close(handle)
    assert len(run.cells) == 1


def test_a_training_that_cannot_be_is_refused_before_the_old_one_is_removed(tmp_path):
    training = bench.Training(task="noise:inputs=4,examples=8", loss="cross_entropy")
    old = bench.run(SMALL, results=tmp_path, name="training", progress=False)
    with pytest.raises(bench.SweepError, match=r"^loss: "):
        bench.train(training, results=tmp_path, progress=False, overwrite=True)
    assert len(old.cells) == 1


@pytest.mark.thorough
def test_a_callable_is_measured_and_finished_in_another_process(tmp_path):
    script = (
        "import bench, jax, sys\n"
        "sweep = bench.Sweep(initializers=jax.nn.initializers.normal(0.5), activations=lambda z: z * 2, depths=[2, 3],"
        " widths=2, scales=1.0, seeds=1)\n"
        "print(bench.run(sweep, results=sys.argv[1], progress=False).cells.to_csv())"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    first, second = (subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(2))
    assert first == second
    run = bench.open(tmp_path / "sweep")  # whose names mean nothing to this process
    assert run.cells.activation.str.startswith("lambda-").all()
    assert "lambda-" in repr(run)
    run.plot.heatmap()


def test_importing_is_fast_and_lists_what_there_is():
    script = "import bench, sys; assert not {'jax', 'pandas', 'matplotlib'} & set(sys.modules); print(*dir(bench))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert set(done.stdout.split()) == set(bench.__all__)
    for name in bench.__all__:
        assert getattr(bench, name) is not None
        assert name in str(bench.__doc__)
    assert bench.Sweep(**SWEEP).cells == 24


def test_overwriting_takes_no_file_that_no_run_wrote(tmp_path):
    folder = bench.run(SMALL, results=tmp_path, progress=False).path
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(bench.RunError, match=r"notes\.txt"):
        bench.run(SMALL, results=tmp_path, progress=False, overwrite=True)
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "manifest.json").exists()
