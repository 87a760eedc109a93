"""The command line before it measures anything: quick, and never shadowed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import bench
from bench.cli import recommend
from bench.cli.main import COMMANDS, main
from bench.comparison.recommend_recipes import FRAMEWORKS
from bench.settings.catalog import activations, initializers
from bench.training.optimizers import OPTIMIZERS
from bench.training.specs import OPTIMIZERS as OPTIMIZER_NAMES

SLOW = ("numpy", "jax", "pandas", "scipy", "optax", "pyarrow", "sklearn", "matplotlib", "tqdm", "shtab")
ROOT = Path(__file__).parents[2]
CONSOLE = "from bench.cli.console import depthscale; depthscale()"


def python(*words: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_help_and_list_import_nothing_that_takes_time():
    lines = [*([command, "--help"] for command in COMMANDS), ["--help"], ["sweep", "--nonsense"], ["list"]]
    code = f"""
import sys
from bench.cli.main import main
for words in {lines}:
    status = main(words)
    print("told:", *words, status, *sorted({set(SLOW)} & set(sys.modules)))
"""
    told = [line for line in python("-c", code).stdout.splitlines() if line.startswith("told: ")]
    ends = {"--nonsense": "2", "list": "0 numpy"}
    assert told == [f"told: {' '.join(words)} {ends.get(words[-1], '0')}" for words in lines]


def test_theory_is_imported_without_the_parts_of_scipy_that_take_time():
    code = "import sys; import bench.theory; print(*sorted(sys.modules))"
    imported = set(python("-c", code).stdout.split())
    assert "bench.theory.prediction" in imported
    assert not imported & {"scipy.stats", "scipy.optimize", "scipy.interpolate", "pandas", "jax"}


def test_names_are_read_as_they_are_registered():
    assert initializers() == {name: entry.summary for name, entry in bench.INITIALIZERS.items()}
    assert activations() == {name: entry.summary for name, entry in bench.ACTIVATIONS.items()}
    assert set(OPTIMIZER_NAMES) == set(OPTIMIZERS)
    assert tuple(FRAMEWORKS) == recommend.FRAMEWORKS


@pytest.mark.thorough
@pytest.mark.parametrize("safe", ["", "1"])
def test_the_console_command_knows_the_users_modules_and_is_shadowed_by_none(tmp_path, safe):
    for folder in ("bench", "analysis"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text("raise SystemExit('the wrong one')")
    (tmp_path / "mine.py").write_text("def phi(z):\n    return z\n")
    environment = {"PYTHONSAFEPATH": safe, "PYTHONPATH": str(ROOT)}
    # as pip's script does: the current folder is not on the path
    start = f"import sys; sys.path[:] = filter(None, sys.path); sys.argv[0] = 'depthscale'; {CONSOLE}"
    for words in (["theory", "--activations", "mine:phi", "--scales", "1"], ["--version"]):
        done = python("-c", start, *words, folder=tmp_path, **environment)
        assert (done.returncode, done.stderr) == (0, "")
    wrong = python("-c", start, "plot", "heatmap", "nowhere", folder=tmp_path, **environment)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("depthscale plot heatmap: error: RUN_DIR: ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_shells_complete_commands_options_and_names(shell, capsys):
    assert main(["--print-completion", shell], prog="depthscale") == 0
    printed = capsys.readouterr().out
    options = ("--bias-stds", "orthogonal", "adamw", "smoke", "--learning-rates") if shell != "tcsh" else ()
    for word in ("depthscale", "sweep", "heatmap", *options):
        assert word in printed
