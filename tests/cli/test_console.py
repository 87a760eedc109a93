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


@pytest.mark.parametrize("words", [*(f"{command} --help" for command in ("", *COMMANDS)), "list"])
def test_help_and_list_import_nothing_that_takes_time(words):
    code = f"""
import sys
from bench.cli.main import main
status = main({words.split()})
slow = {set(SLOW) - ({"numpy"} if words == "list" else set())}
print(status, *sorted({{name.split(".")[0] for name in sys.modules}} & slow))
"""
    assert python("-c", code).stdout.splitlines()[-1] == "0"


def test_names_are_read_as_they_are_registered():
    assert initializers() == {name: entry.summary for name, entry in bench.INITIALIZERS.items()}
    assert activations() == {name: entry.summary for name, entry in bench.ACTIVATIONS.items()}
    assert set(OPTIMIZER_NAMES) == set(OPTIMIZERS)
    assert tuple(FRAMEWORKS) == recommend.FRAMEWORKS


@pytest.mark.parametrize("safe", ["", "1"])
def test_the_console_command_knows_the_users_modules_and_is_shadowed_by_none(tmp_path, safe):
    for folder in ("bench", "analysis"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text("raise SystemExit('the wrong one')")
    (tmp_path / "mine.py").write_text("def phi(z):\n    return z\n")
    environment = {"PYTHONSAFEPATH": safe, "PYTHONPATH": str(ROOT)}
    # as pip's script does: the current folder is not on the path
    start = f"import sys; sys.path[:] = filter(None, sys.path); sys.argv[0] = 'depthscale'; {CONSOLE}"
    for words in (["theory", "--activations", "mine:phi", "--scales", "1"], ["plot", "--help"], ["--version"]):
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
