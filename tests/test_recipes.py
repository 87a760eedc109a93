"""The recipes of docs/architecture.md, each followed in a copy of the project: one entry or one file is enough."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# file → (what stands there, what is put in front of it)
ENTRIES = {
    "bench/networks/initializers.py": [
        (
            '    Initializer("he_gaussian", ',
            '    Initializer("half", "N(0, 1/(2 fan_in)), not truncated", GAUSSIAN, math.sqrt(0.5)),\n',
        ),
    ],
    "bench/theory/ensembles.py": [('    "he_gaussian": ', '    "half": Ensemble("iid", 0.5**0.5),\n')],
    "bench/networks/activations.py": [('    Activation("sine", ', '    Activation("arctan", "arctan z", jnp.arctan),\n')],
    "bench/theory/nonlinearities.py": [
        ('    Nonlinearity("sine", ', '    Nonlinearity("arctan", np.arctan, lambda z: 1 / (1 + z**2)),\n'),
    ],
    "bench/training/specs.py": [('    "momentum": ', '    "heavy": Named("sgd", {"momentum": 0.99}),\n')],
    "bench/sweeps/presets.py": [
        (
            '        "lecture": ',
            '        "tiny": SweepPreset("one network", depths=(2,), scales=(1.0,), widths=(2,), seeds=1),\n',
        ),
    ],
    "bench/training/tasks.py": [
        (
            "def noise(",
            "def zeros(*, inputs: int = 4, examples: int = 8) -> Task:\n"
            "    x = np.ones((examples, inputs))\n"
            "    return Task(x, x[:, :1] * 0, x, x[:, :1] * 0)\n\n\n",
        ),
    ],
}
FIGURE = '''
import argparse
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from analysis.drawing.command import Command
from analysis.rows.load import load_cells

def plot_dots(frame, *, ax=None) -> Axes:
    """A dot for each cell."""
    ax = Figure().add_subplot() if ax is None else ax
    ax.plot(frame["depth"], frame["log10_grad_first"], ".")
    return ax

FIGURE = Command(
    summary="a dot for each cell",
    example="python -m analysis dots results/smoke",
    draw=lambda arguments, manifest: plot_dots(load_cells(arguments.run_dir)).get_figure(root=True),
    add_options=lambda parser: None,
)
'''
ARCHITECTURE = '''
from bench.networks.architectures.architecture import Architecture

def doubled() -> Architecture:
    """phi(W h) twice."""
    return Architecture("doubled", lambda h, weights, step: 2 * step.phi(weights["W"](h)))
'''
SCRIPT = """
import bench, analysis.cli.main, bench.cli.main, pathlib
from matplotlib.figure import Figure
from bench.theory import fixed_point
assert bench.cli.main.main(["list"]) == 0
words = ["--initializers", "half", "--activations", "arctan", "--depths", "2", "9", "--widths", "8", "--seeds", "2"]
assert bench.cli.main.main(["compare", *words, "--results", "r", "--isometry-seeds", "0"]) == 0
run = bench.open("r/compare")
table = run.compare(isometry_seeds=0)
assert table.verdict.isin(["agrees", "differs"]).all(), table.verdict
assert abs(fixed_point("arctan", 0.5**0.5, 0.0).chi1 - 0.5) < 1e-9
assert analysis.cli.main.main(["dots", "r/compare", "--out", "dots.svg"]) == 0
assert pathlib.Path("dots.svg").exists()
assert "dots" in dir(run.plot)
run.plot.dots(ax=Figure().add_subplot())
assert len(bench.run("tiny", results="r").cells) == 1
bench.Sweep(architectures="doubled")
trained = ["--optimizers", "heavy", "--depths", "2", "--task", "zeros"]
trained += ["--loss", "mse", "--target", "loss=0.1", "--steps", "2"]
assert bench.cli.main.main(["train", *trained, "--results", "r"]) == 0
"""


def insert(path: Path, before: str, text: str) -> None:
    source = path.read_text(encoding="utf-8")
    assert source.count(before) == 1, f"{before!r} in {path.name}"
    path.write_text(source.replace(before, text + before), encoding="utf-8")


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """A copy in which every recipe has been followed, and what its commands printed."""
    copy = tmp_path_factory.mktemp("copy")
    for house in ("bench", "analysis"):
        shutil.copytree(ROOT / house, copy / house, ignore=shutil.ignore_patterns("__pycache__"))
    for file, entries in ENTRIES.items():
        for before, text in entries:
            insert(copy / file, before, text)
    tasks = copy / "bench/training/tasks.py"
    tasks.write_text(tasks.read_text() + '\nTASKS["zeros"] = zeros\nSUMMARIES["zeros"] = "targets that are all 0"\n')
    (copy / "analysis/figures/dots.py").write_text(FIGURE)
    (copy / "bench/networks/architectures/doubled.py").write_text(ARCHITECTURE)
    environment = os.environ | {"PYTHONPATH": str(copy)}
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=copy, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.thorough
@pytest.mark.parametrize(
    "line",
    [
        "half N(0, 1/(2 fan_in)), not truncated",
        "arctan arctan z",
        "zeros targets that are all 0",
        "tiny one network",
    ],
)
def test_what_a_recipe_adds_is_listed(followed, line):
    assert line in [" ".join(printed.split()) for printed in followed.splitlines()]
    assert "heavy, " in followed


def test_the_page_names_every_file_that_a_recipe_touches():
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    for file in ENTRIES:
        assert file in page
        assert (ROOT / file).exists()
