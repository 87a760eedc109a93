"""Pages of trainings, comparisons, probes, of runs with layers, and of several runs."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bench
from analysis.cli.main import main
from analysis.numbers.statistics import seed_statistic
from analysis.report.in_formats import add_formats
from analysis.report.packed import unpack
from tests.analysis.conftest import make_cells, make_curves, make_layers, make_table, make_trained, write_run, write_training
from tests.analysis.report.conftest import Page

REFERENCE = Path(__file__).parents[3] / "results" / "reference"


def page_of(*folders, target):
    assert main(["report", *map(str, folders), "--no-theory", "--out", str(target)]) == 0
    return Page(target.read_text())


def series_at(run, column, facet, row, place):
    """The points of a cell, and its values there."""
    series, lattice = run["series"], run["map"]
    lengths = [len(points) for points in series["points"]]
    first = (facet * len(lattice["y"]["values"]) + row) * sum(lengths) + sum(lengths[:place])
    values = unpack(series["values"][column]["median"])
    return series["points"][place], values[first : first + lengths[place]]


@pytest.fixture
def trained(tmp_path):
    axes = {"initializers": ("gaussian", "orthogonal")}
    cells = make_trained(**axes, steps_to_target=lambda rows: 30 * rows["depth"] / rows["scale"] + rows["seed"])
    curves = make_curves(**axes)
    run = write_training(tmp_path / "run", cells, curves)
    return cells, curves, page_of(run, target=tmp_path / "page.html")


def test_a_training_shows_when_the_target_is_reached(trained):
    cells, _, page = trained
    found = page.data["runs"][0]["map"]
    keys = [*(menu["column"] for menu in found["menus"]), "scale", "depth"]
    assert keys[:2] == ["learning_rate", "initializer"]
    median = page.array(found["values"]["steps_to_target"]["median"], found)
    expected = seed_statistic(cells, "steps_to_target", by=keys)
    np.testing.assert_allclose(np.sort(median.ravel()), np.sort(expected.to_numpy()), rtol=1e-6)
    assert np.isposinf(median).any()
    assert f"{np.isfinite(expected).sum()} of {len(expected)} settings reach the target accuracy=0.9" in page.text


def test_a_cell_of_a_training_has_its_learning_curve(trained):
    _, curves, page = trained
    run = page.data["runs"][0]
    lattice = run["map"]
    facet = lattice["facets"].index([1, 0])
    steps, losses = series_at(run, "loss", facet, 2, 1)
    rows = curves.query("learning_rate == 0.1 and initializer == 'gaussian' and scale == 2 and depth == 8")
    expected = rows.groupby("step")["loss"].median()
    assert steps == expected.index.tolist()
    np.testing.assert_allclose(losses, expected, rtol=1e-6)


def test_a_cell_of_a_run_with_layers_has_its_profile_thinned_to_both_ends(tmp_path):
    layers = make_layers(depths=(3, 200), scales=(0.5, 2.0))
    run = write_run(tmp_path / "run", make_cells(depths=(3, 200), scales=(0.5, 2.0)), layers)
    found = page_of(run, target=tmp_path / "page.html").data["runs"][0]
    points, values = series_at(found, "log10_delta", 0, 1, 1)
    assert (points[0], points[-1], len(points)) == (1, 200, 60)
    expected = layers.query("scale == 2 and depth == 200").groupby("layer")["log10_delta"].median().loc[points]
    np.testing.assert_allclose(values, expected, rtol=1e-6)


def test_profiles_of_several_architectures_are_told_apart_and_those_without_cells_left_out(tmp_path):
    """As of a run that has lost a shard of its cells, and none of its layers."""
    cells, layers = (
        pd.concat([make(depths=(3, 6), scales=(0.5, 2.0)).assign(architecture=name) for name in names], ignore_index=True)
        for make, names in ((make_cells, ("plain", "residual")), (make_layers, ("rnn", "plain", "residual")))
    )
    second = layers["architecture"] == "residual"
    layers.loc[second, "log10_delta"] += 7
    found = page_of(write_run(tmp_path / "run", cells, layers), target=tmp_path / "page.html").data["runs"][0]
    rows = layers.query("scale == 2 and depth == 6").groupby(["architecture", "layer"])["log10_delta"].median()
    for facet, name in enumerate(("plain", "residual")):
        points, values = series_at(found, "log10_delta", facet, 1, 1)
        np.testing.assert_allclose(values, rows[name].loc[points], rtol=1e-6)


def test_a_comparison_is_a_table_with_numbers_to_sort_by(tmp_path):
    run = write_run(tmp_path / "run", make_cells())
    table = make_table()
    table.to_csv(run / "table.csv")
    page = page_of(run, target=tmp_path / "page.html")
    assert len(page.find("table")) == 1
    sorted_by = [float(cell["data-sort"]) for cell in page.find("td") if "data-sort" in cell]
    for slope in 100 * table["slope"].dropna():
        assert any(np.isclose(slope, number) for number in sorted_by)
    assert len(page.find("svg")) == table["slope"].notna().sum()
    for words in ("he_normal", "differs", "no theory", "Theory agrees with 2 of 3 slopes"):
        assert words in page.text


def test_a_comparison_that_kept_only_its_table_has_a_page(tmp_path):
    page = page_of(REFERENCE / "compare", target=tmp_path / "page.html")
    rows = pd.read_csv(REFERENCE / "compare" / "table.csv")
    assert len(page.find("tr")) == 1 + len(rows)
    assert "keeps no rows of cells" in page.text


def test_a_probe_shows_every_parameter(tmp_path):
    page = page_of(REFERENCE / "probe", target=tmp_path / "page.html")
    assert "has 25 parameters, probed with 4 seeds: 13 vanishing, 12 healthy" in page.text
    assert len(page.find("tr")) == 1 + 25
    assert "layers[11].kernel" in page.text


def test_what_number_formats_make_of_a_probed_model_is_two_tables():
    names = {"format": ["float16", "float16", "bfloat16", "bfloat16"], "path": ["b", "a"] * 2, "layer": [2, 1] * 2}
    shares = {
        "share_zero": [0.5, 0.1, 0, 0],
        "share_overflow": [0.25, 0, 0, 0],
        "share_subnormal": 0.0,
        "entries": [30, 10] * 2,
    }
    errors = {"norm_error": [-0.9, 0.1, np.nan, 0.01], "angle": [np.nan, 30, 2, 1], "loss": 0.5, "loss_scale": 8.0}
    counts = {"entries": [30, 10] * 2}
    whole = {"log2_scale_low": [3, 3, np.nan, np.nan], "log2_scale_high": [9, 9, np.nan, np.nan], "lost_at_best": 0.0}
    firsts = {"beyond": ["model.py:3", "model.py:3", "", ""], "lost_forward": "", "lost_backward": ""}
    seeds = [pd.DataFrame(names | counts | shares | errors | whole | firsts).assign(seed=seed) for seed in range(2)]
    part = {"tables": [], "findings": []}
    add_formats(part, pd.concat(seeds, ignore_index=True))
    formats, parameters = ([[cell["text"] for cell in row] for row in table["rows"]] for table in part["tables"])
    first = ["float16", "0.5", "2^3", "40", "0", "18.8", "−90", "30", "2^3 to 2^9", "0", "model.py:3", "–", "–"]
    assert formats[0] == first
    assert formats[1][8] == "none"
    assert parameters == [["1", "a", "10", "30", "0", "1"], ["2", "b", "75", "–", "0", "2"]]
    assert "float16, at a loss scale of 2^3, loses 58.8 %" in part["findings"][0]


def test_several_runs_say_what_differs_and_by_how_much(tmp_path):
    axes = {"initializers": ("gaussian", "orthogonal")}
    runs = [
        write_run(tmp_path / f"n{width}", make_cells(widths=(width,), **axes, log10_norm=size), sweep={"widths": [width]})
        for width, size in ((4, lambda rows: 0.1 * rows["seed"]), (8, lambda rows: 0.1 * rows["seed"] + rows["scale"]))
    ]
    page = page_of(*runs, target=tmp_path / "page.html")
    found = page.data["runs"][2]
    change = page.array(found["map"]["values"]["log10_grad_first"]["median"], found["map"])
    np.testing.assert_allclose(change, np.broadcast_to(np.array([[0.5], [1.0], [2.0]]), change.shape), rtol=1e-6)
    low = page.array(found["map"]["values"]["log10_grad_first"]["low"], found["map"])
    np.testing.assert_allclose(low, change - 0.2, rtol=1e-5)
    assert "24 cells are in both runs (n8 minus n4" in page.text
    assert "by a factor of 10 or more in 16 of them" in page.text
    assert "widths [4] [8]" in page.text


@pytest.mark.parametrize("axis", ["depths", "scales"])
def test_runs_of_one_depth_or_scale_stand_beside_each_other(tmp_path, axis):
    runs = [write_run(tmp_path / name, make_cells(**{axis: (2,)})) for name in ("one", "two")]
    assert "cells are in both runs" in page_of(*runs, target=tmp_path / "page.html").text


def test_the_imbalance_of_two_runs_is_compared_though_it_is_no_column(tmp_path):
    cells = make_cells().assign(log10_relative_first=lambda rows: rows["depth"] / 100, log10_relative_last=0.0)
    runs = [
        write_run(tmp_path / name, cells.assign(log10_relative_first=times * cells["log10_relative_first"]))
        for name, times in (("one", 1), ("two", 3))
    ]
    found = page_of(*runs, target=tmp_path / "page.html").data["runs"][2]["map"]
    change = np.array(unpack(found["values"]["relative_imbalance"]["median"]))
    np.testing.assert_allclose(change, np.tile(np.array([2, 10, 100, 852]) / 50, 3), rtol=1e-6)


def test_many_runs_that_share_nothing_stand_beside_each_other_without_a_word_on_it(tmp_path):
    names = ("gaussian", "orthogonal", "lsuv")
    runs = [write_run(tmp_path / name, make_cells(initializers=(name, f"{name}2"))) for name in names]
    page = page_of(*runs, target=tmp_path / "page.html")
    assert [run["id"] for run in page.data["runs"]] == ["run0", "run1", "run2"]


def test_a_run_beside_itself_differs_by_nothing_also_where_it_is_zero(tmp_path):
    run = write_run(tmp_path / "run", make_cells(log10_norm=lambda rows: rows["depth"].where(rows["scale"] > 1, -np.inf)))
    page = page_of(run, run, target=tmp_path / "page.html")
    found = page.data["runs"][2]["map"]
    change = page.array(found["values"]["log10_grad_first"]["median"], found)
    assert (change == 0).all()
    assert "All settings of the two runs are the same" in page.text


@pytest.mark.usefixtures("trained")
def test_runs_of_two_kinds_stand_beside_each_other(tmp_path):
    sweep = write_run(tmp_path / "sweep", make_cells())
    page = page_of(sweep, tmp_path / "run", target=tmp_path / "page.html")
    assert "Only runs of one kind" in page.text
    assert [run["map"] is not None for run in page.data["runs"]] == [True, True, False]


def test_a_run_writes_its_own_page(tmp_path):
    run = write_run(tmp_path / "run", make_cells())
    assert bench.open(run).report(theory=False) == run / "report.html"
    assert Page((run / "report.html").read_text()).data["runs"][0]["map"]["theory"] is None


@pytest.mark.parametrize("kept", [True, False])
def test_a_run_without_rows_is_refused_in_one_line(kept, tmp_path, capsys):
    run = write_run(tmp_path / "run", make_cells())
    for shard in (run / "cells").glob("*"):
        shard.unlink()
    if not kept:
        manifest = json.loads((run / "manifest.json").read_text())
        (run / "manifest.json").write_text(json.dumps({**manifest, "finished": None}))
    assert main(["report", str(run)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (run / "report.html").exists()


@pytest.mark.thorough
def test_the_page_of_the_atlas_is_below_three_megabytes(tmp_path):
    assert main(["report", str(REFERENCE / "atlas"), "--out", str(tmp_path / "page.html")]) == 0
    assert (tmp_path / "page.html").stat().st_size < 3e6
