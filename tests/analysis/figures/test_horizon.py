"""Horizons: the first depth at which a gradient is lost, of networks made by hand, and how it is drawn."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from analysis.figures.horizon import draw_horizons, plot_horizon
from analysis.numbers.horizon import first_lost, horizons
from analysis.numbers.lost import Measured, lost_of, with_measured
from analysis.rows.select import SelectionError
from tests.analysis.conftest import make_cells

ZERO = {"float16": -7.5, "bfloat16": -38.0}
LARGEST = {"float16": 4.8, "bfloat16": 38.5}


def made(depths=range(2, 41, 2), seeds=3, **changes) -> pd.DataFrame:
    """Entries of scale^(L-2), a tenth of a decade larger for each seed; the format does what they tell."""
    cells = make_cells(tuple(depths), (0.5, 1.0, 2.0), seeds, activations=("tanh",))
    rows = cells.merge(pd.DataFrame({"format": list(ZERO)}), how="cross").assign(loss_scale=1.0)
    median = rows["log10_grad_first"] + 0.1 * rows["seed"]
    rows = rows.assign(log10_entry_median=median, log10_entry_largest=median + 0.5, log10_activation_largest=0.0)
    rows["log10_zero"], rows["log10_largest"] = rows["format"].map(ZERO), rows["format"].map(LARGEST)
    rows["share_zero_first"] = np.where(median <= rows["log10_zero"], 0.75, 0.25)
    rows["share_overflow_first"] = np.where(median + 0.5 > rows["log10_largest"], 0.1, 0.0)
    return rows.assign(**({"output_overflow": 0.0} | changes))


def test_a_gradient_is_lost_at_the_first_depth_at_which_half_of_it_is():
    found = first_lost(made()).set_index(["format", "scale", "seed"])
    assert (found["steps"].dropna() == 0).all()
    log10_2 = np.log10(2)
    for seed in range(3):
        own = 0.11 * seed  # of the norm, and of the entries
        vanishes = next(depth for depth in range(2, 41, 2) if own - (depth - 2) * log10_2 <= -7.5)
        explodes = next(depth for depth in range(2, 41, 2) if own + 0.5 + (depth - 2) * log10_2 > 4.8)
        assert found.loc[("float16", 0.5, seed), "measured"] == vanishes
        assert found.loc[("float16", 2.0, seed), "measured"] == explodes
        assert found.loc[("float16", 1.0, seed), "measured"] == np.inf
        assert found.loc[("bfloat16", 0.5, seed), "measured"] == np.inf


@pytest.mark.parametrize("column", ["share_overflow_first", "output_overflow"])
def test_an_overflow_loses_it_whatever_was_predicted(column):
    found = first_lost(made(**{column: 1.0}))
    assert (found["measured"] == 2).all()
    assert (found["predicted"] > 2).all()
    assert (found["steps"] > 2).all()


def test_networks_without_a_gradient_are_left_out():
    rows = made()
    dead = (rows["seed"] == 0) & (rows["depth"] > 10)
    rows.loc[dead, "share_zero_first"] = np.nan
    rows.loc[dead, ["log10_entry_median", "log10_entry_largest", "log10_grad_first"]] = -np.inf
    found = first_lost(rows)
    assert found.loc[found["seed"] == 0, ["measured", "predicted"]].isna().all(axis=None)
    medians = horizons(found).set_index(["format", "scale"])
    assert (medians["seeds"] == 2).all()
    assert medians.loc[("float16", 0.5), "low"] == found.query("format == 'float16' and scale == 0.5")["measured"].min()


def test_a_loss_scale_moves_what_is_predicted():
    plain, scaled = (horizons(first_lost(made(loss_scale=factor))).set_index(["format", "scale"]) for factor in (1, 2.0**8))
    assert scaled.loc[("float16", 0.5), "predicted"] == plain.loc[("float16", 0.5), "predicted"] + 8
    assert scaled.loc[("float16", 2.0), "predicted"] == plain.loc[("float16", 2.0), "predicted"] - 8


def test_points_lie_on_lines_and_what_is_beyond_is_hollow():
    rows = made(seeds=1)
    ax = plot_horizon(rows)
    found = horizons(first_lost(rows)).query("format == 'float16'").sort_values("scale")
    line, filled, hollow = ax.lines[:3]
    kept = np.isfinite(found["median"].to_numpy())
    np.testing.assert_array_equal(line.get_ydata()[kept], found["median"][kept])
    np.testing.assert_array_equal(filled.get_ydata(), found["median"][kept])
    assert np.all(hollow.get_ydata() > 40)
    assert to_rgba(hollow.get_markerfacecolor()) == to_rgba("white")
    assert any("beyond L = 40" in text.get_text() for text in ax.texts)
    assert "weight scale" in ax.get_xlabel()
    assert "depth" in ax.get_ylabel()


def test_a_panel_for_each_activation_and_none_for_two_at_once():
    rows = made(seeds=2)
    both = pd.concat([rows, rows.assign(activation="relu")], ignore_index=True)
    figure = draw_horizons(both)
    assert [ax.get_title() for ax in figure.axes] == ["gaussian, tanh", "gaussian, relu"]
    text = figure.legends[0].get_title().get_text()
    assert "100 % do at the predicted depth" in " ".join(text.split())
    with pytest.raises(SelectionError, match="activations"):
        plot_horizon(both)


def test_a_map_of_a_precision_run_has_the_lines_that_were_measured():
    rows = made()
    cells = rows.loc[rows["format"] == "float16"].drop(
        columns=[c for c in rows if c[:4] in ("shar", "loss", "form", "outp")]
    )
    cells = cells.drop(columns=["log10_zero", "log10_largest"])
    whole = with_measured(cells, rows)
    assert len(whole) == len(cells)
    lost = lost_of(whole, "log10_grad_first", "median")
    assert isinstance(lost, Measured)
    assert list(lost.shares) == ["float16", "bfloat16"]
    field = lost.shares["float16"].field
    assert set(np.unique(field)) == {0.25, 0.75, 1.0}
    assert not isinstance(lost_of(whole, "log10_grad_last", "median"), Measured)
