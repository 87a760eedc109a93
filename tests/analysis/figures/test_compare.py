import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from analysis.figures.compare import DIFFERS, draw_compare, plot_compare
from analysis.rows.load import LoadError, load_table
from analysis.rows.select import SelectionError
from tests.analysis.conftest import make_cells, make_table, write_run

TABLE = make_table()


def names_of(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def points_of(ax, marker):
    """{row: (x, line)}."""
    lines = [line for line in ax.lines if line.get_marker() == marker]
    return {int(line.get_ydata()[0]): (line.get_xdata()[0], line) for line in lines}


def texts_of(ax):
    return {round(text.get_position()[1]): text.get_text() for text in ax.texts}


def legend_of(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_rows_are_the_schemes_by_rank_and_undefined_ones_come_last_by_name():
    ax = plot_compare(TABLE)
    assert names_of(ax) == ["orthogonal", "gaussian", "lsuv", "he_normal", "zero"]
    assert texts_of(ax) == {0: "1", 1: "2", 2: "3, 1 dead", 3: "4 ≠", 4: "undefined: 8 of 8 seeds dead"}
    low, high = ax.get_ylim()
    assert low > 4 > 0 > high  # the best on top


def test_points_and_intervals_are_the_measurement_and_diamonds_and_bands_theory():
    ax = plot_compare(TABLE)
    rows = TABLE.sort_values("rank").reset_index()
    measured, theory = points_of(ax, "o"), points_of(ax, "D")
    assert {row: x for row, (x, _) in measured.items()} == rows["slope"][:4].to_dict()
    assert {row: x for row, (x, _) in theory.items()} == rows["predicted"].dropna().to_dict()
    intervals = [line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 2 and line.get_ydata()[0] in (2, 3)]
    np.testing.assert_array_equal(intervals, rows.loc[2:3, ["slope_low", "slope_high"]])
    bands = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in ax.patches]
    expected = rows[["predicted_low", "predicted_high"]].dropna()
    np.testing.assert_allclose(bands, expected)


def test_only_what_differs_is_marked():
    ax = plot_compare(TABLE)
    colours = {row: to_hex(line.get_color()) for row, (_, line) in points_of(ax, "o").items()}
    assert [row for row, colour in colours.items() if colour == DIFFERS] == [3]
    assert [entry for entry in legend_of(ax.figure) if "differs" in entry]
    agreeing = TABLE[TABLE["verdict"] == "agrees"]
    assert not [entry for entry in legend_of(plot_compare(agreeing).figure) if "differs" in entry]


def test_one_axis_holds_slopes_of_every_size_on_both_sides():
    figure = draw_compare(pd.concat([TABLE, make_table("relu", slope=0.3)]))
    for ax in figure.axes:
        low, high = ax.get_xlim()
        assert ax.get_xscale() == "symlog"
        assert low == -high < -0.3
        assert 0 in ax.get_xticks()


def test_panels_are_activations_and_widths():
    figure = draw_compare(pd.concat([make_table(a, width=n) for n in (16, 64) for a in ("tanh", "relu")]))
    figure.draw_without_rendering()
    assert [ax.get_title() for ax in figure.axes] == [f"{a}, n = {n}" for n in (16, 64) for a in ("tanh", "relu")]
    odd = draw_compare(pd.concat([make_table(a) for a in ("tanh", "relu", "gelu")]))
    odd.draw_without_rendering()
    assert [ax.get_title() for ax in odd.axes if ax.axison] == ["tanh", "relu", "gelu"]
    assert [bool(ax.get_xlabel()) for ax in odd.axes] == [False, True, True, False]
    assert [ax.get_title() for ax in draw_compare(TABLE).axes] == ["tanh"]


def test_scales_and_biases_are_named_where_they_vary():
    table = pd.concat([TABLE, TABLE.assign(scale=1.5, bias_std=0.1)])
    assert {"gaussian × 1", "gaussian × 1.5 bias 0.1"} <= set(names_of(plot_compare(table)))


def test_a_table_without_theory_or_without_any_slope_draws():
    for rows in (TABLE[TABLE["verdict"] == "no theory"], TABLE[TABLE["verdict"] == "undefined"]):
        plot_compare(rows).get_figure(root=True).draw_without_rendering()


def test_an_axes_that_is_given_is_drawn_on():
    own = plot_compare(TABLE).figure.subplots(1, 1)
    assert plot_compare(TABLE, ax=own) is own


def test_one_panel_refuses_several():
    with pytest.raises(SelectionError, match=r"activations: got \['relu', 'tanh'\]"):
        plot_compare(pd.concat([TABLE, make_table("relu")]))


def test_a_table_comes_back_from_its_file(tmp_path):
    run = write_run(tmp_path / "run", make_cells())
    with pytest.raises(LoadError, match=r"no table\.csv; .*python -m bench compare"):
        load_table(run)
    TABLE.to_csv(run / "table.csv", index=False)
    pd.testing.assert_frame_equal(load_table(run), TABLE)
    TABLE.iloc[:0].to_csv(run / "table.csv", index=False)
    with pytest.raises(LoadError, match="no rows"):
        load_table(run)
    (run / "table.csv").write_text("")
    with pytest.raises(LoadError, match="cannot be read"):
        load_table(run)
