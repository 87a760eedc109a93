"""A run is a path, its rows, its figures, and says what it holds."""

import copy
import os
import pickle
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

import bench
from tests.interface.conftest import SWEEP, TRAINING


def test_a_run_is_a_path(runs):
    run = runs["sweep"]
    path = Path(os.fspath(run))
    assert path == run
    assert run == path
    assert run != path.parent
    assert bench.open(str(run)) == run
    assert hash(run) == hash(path)
    assert {run: 1}[path] == 1
    assert isinstance(run / "cells", Path)
    assert str(run) == str(path)
    assert (run.name, run.parent) == ("sweep", path.parent)
    assert sorted(os.listdir(run)) == ["cells", "layers", "manifest.json"]
    assert pickle.loads(pickle.dumps(run)) == copy.copy(run) == run
    with pytest.raises(AttributeError):
        run.cels  # noqa: B018


def test_a_run_holds_its_rows(runs):
    sweep, training = runs["sweep"], runs["training"]
    assert (sweep.kind, training.kind) == ("sweep", "training")
    assert len(sweep.cells) == bench.Sweep(**SWEEP).cells
    assert len(sweep.layers) == sweep.cells.depth.sum()
    pd.testing.assert_frame_equal(sweep.cells, pd.read_parquet(sweep / "cells"))
    assert set(training.curves.step) == {0, 1, 2}
    assert bench.Sweep.from_dict(sweep.manifest["sweep"]) == bench.Sweep(**SWEEP)
    assert training.manifest["training"]["steps"] == TRAINING["steps"]


def test_what_a_run_does_not_hold_is_one_line(runs, tmp_path):
    with pytest.raises(bench.RunError, match=r"^curves: .*sweep, which has cells and layers"):
        runs["sweep"].curves  # noqa: B018
    with pytest.raises(bench.RunError, match=r"^layers: .*training, which has cells and curves"):
        runs["training"].layers  # noqa: B018
    without = bench.run(bench.Sweep(**SWEEP, layers=False), results=tmp_path, progress=False)
    with pytest.raises(ValueError, match="no layers; measure the sweep with its layers"):
        without.layers  # noqa: B018
    assert dir(without.plot) == ["heatmap", "lecture", "remedies"]
    for folder in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(bench.RunError, match=r"^run: .* is not a run: ") as caught:
            bench.open(folder)
        assert "\n" not in str(caught.value)
    for inside in ("manifest.json", "cells"):
        with pytest.raises(bench.RunError, match=f"did you mean '{without}'"):
            bench.open(without / inside)


@pytest.mark.parametrize("kind", ["sweep", "training"])
def test_a_run_says_what_it_holds(runs, kind):
    run = runs[kind]
    text, page = repr(run), run._repr_html_()
    for word in (kind, str(run), "gaussian", "tanh", "cells", "2, ", run.manifest["finished"], "jax 0."):
        assert word in text
        assert word in page
    assert page.count("<tr>") == len(text.splitlines()) - 1


def test_a_folder_that_is_gone_still_has_a_repr(runs, tmp_path):
    gone = type(runs["sweep"])(tmp_path / "<gone>")
    assert "is not a run" in repr(gone)
    assert "&lt;gone&gt;" in gone._repr_html_()


def test_figures_are_found_by_name(runs):
    sweep, training = runs["sweep"].plot, runs["training"].plot
    assert {"heatmap", "profile", "lecture"} <= set(dir(sweep))
    assert {"trainability", "learning_time", "curves", "cost"} <= set(dir(training))
    assert not {"trainability", "phase", "compare"} & set(dir(sweep))
    for name in dir(sweep):
        assert name in repr(sweep)
    with pytest.raises(AttributeError, match="did you mean heatmap"):
        sweep.haetmap  # noqa: B018
    with pytest.raises(AttributeError, match="curves is a figure of a training; of a sweep there are heatmap"):
        sweep.curves  # noqa: B018
    assert "stat" in sweep.heatmap.__doc__


def test_whole_figures_and_single_panels_are_drawn(runs, capsys):
    sweep, training = runs["sweep"].plot, runs["training"].plot
    whole = sweep.heatmap(activations="tanh", stat="std")
    assert isinstance(whole, Figure)
    assert len(training.trainability(scales=[0.5, 1.0]).axes) >= 1
    assert capsys.readouterr().err == ""
    ax = Figure().add_subplot()
    assert sweep.profile(ax=ax, activations="tanh", value="log10_delta", scales=[0.5]) is ax
    assert len(ax.get_lines()) >= 1
    ax = Figure().add_subplot()
    assert training.curves(ax=ax, depth=3) is ax
    ax = Figure().add_subplot()
    assert training.learning_time(ax=ax) is ax  # told steps and target by the manifest


def test_bad_options_of_figures_are_named(runs):
    with pytest.raises(TypeError, match="got an unexpected argument 'sat'; did you mean stat"):
        runs["sweep"].plot.heatmap(sat="std")
    with pytest.raises(ValueError, match=r"^activations: got 'tnah', expected one of .*did you mean tanh"):
        runs["sweep"].plot.heatmap(activations="tnah")
    with pytest.raises(ValueError, match=r"^activations: got 2, expected one for a panel"):
        runs["sweep"].plot.heatmap(ax=Figure().add_subplot())
