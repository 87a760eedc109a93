import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from analysis.drawing.sheet import PAGE
from analysis.figures.compare import LAYERS, VERDICTS, draw_compare, plot_compare
from analysis.rows.load import LoadError, load_table
from analysis.rows.select import SelectionError
from tests.analysis.conftest import make_cells, make_table, write_run

TABLE = make_table()


def names_of(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def points_of(ax, *markers):
    """{row: (x, line)}."""
    lines = [line for line in ax.lines if line.get_marker() in markers]
    return {round(line.get_ydata()[0]): (line.get_xdata()[0], line) for line in lines}


MEASURED = [marker for marker, *_ in VERDICTS.values()]


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
    measured, theory = points_of(ax, *MEASURED), points_of(ax, "D")
    assert {row: x for row, (x, _) in measured.items()} == (LAYERS * rows["slope"][:4]).to_dict()
    assert {row: x for row, (x, _) in theory.items()} == (LAYERS * rows["predicted"].dropna()).to_dict()
    bars = [bar.get_segments()[0] for bar in ax.collections if isinstance(bar, LineCollection)]
    intervals = {round(bar[0, 1]): bar[:, 0] for bar in bars}
    np.testing.assert_allclose([intervals[row] for row in range(4)], LAYERS * rows.loc[:3, ["slope_low", "slope_high"]])
    bands = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in ax.patches if patch.get_height() < 0.5]
    expected = rows[["predicted_low", "predicted_high"]].dropna()
    np.testing.assert_allclose(sorted(bands), LAYERS * expected.sort_values("predicted_low"))


def test_an_interval_is_seen_however_narrow_it_is_and_theory_hides_none_of_it():
    ax = plot_compare(TABLE.assign(slope_low=TABLE["slope"], slope_high=TABLE["slope"]))
    ax.figure.draw_without_rendering()
    caps = [line for line in ax.lines if line.get_marker() == "|"]
    assert len(caps) == 8
    assert all(cap.get_markersize() > line.get_markersize() for cap in caps for _, line in points_of(ax, *MEASURED).values())
    heights = [line.get_ydata()[0] % 1 for _, line in points_of(ax, *MEASURED).values()]
    assert not set(heights) & {line.get_ydata()[0] % 1 for _, line in points_of(ax, "D").values()}


def test_only_what_differs_is_marked():
    ax = plot_compare(TABLE)
    marker, colour, _ = VERDICTS["differs"]
    assert {row: to_hex(line.get_color()) for row, (_, line) in points_of(ax, marker).items()} == {3: colour}
    assert [entry for entry in legend_of(ax.figure) if "differs" in entry]
    agreeing = TABLE[TABLE["verdict"] == "agrees"]
    assert not [entry for entry in legend_of(plot_compare(agreeing).figure) if "differs" in entry]


@pytest.mark.parametrize("slope", [0.001, 0.05, -2.5])
def test_every_power_of_ten_that_data_reach_has_a_number_and_none_meets_another(slope):
    figure = draw_compare(pd.concat([TABLE, make_table("relu", slope=slope)]))
    figure.draw_without_rendering()
    for ax in figure.axes:
        low, high = ax.get_xlim()
        assert ax.get_xscale() == "symlog"
        assert low < min(0, LAYERS * slope) <= max(0, LAYERS * slope) < high
        ticks = ax.get_xticks().tolist()
        assert {0, -0.1, 0.1, -1} <= set(ticks)
        assert max(ticks) * 10 > high
        assert min(ticks) * 10 < low
        boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
        assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    assert {line.get_visible() for ax in figure.axes for line in ax.get_xgridlines()} == {True}


def test_all_panels_have_one_order_of_schemes_by_their_mean_rank():
    other = make_table("relu").assign(rank=[1.0, 4.0, np.nan, 3.0, 2.0])
    figure = draw_compare(pd.concat([TABLE, other]))
    figure.draw_without_rendering()
    left, right = figure.axes
    assert left.get_ylim() == right.get_ylim()
    # mean ranks: orthogonal 2, lsuv and he_normal, whose slope is larger, 2.5, gaussian 3
    assert names_of(left) == ["orthogonal", "lsuv", "he_normal", "gaussian", "zero"]
    assert {row: words[0] for row, words in texts_of(right).items() if row < 4} == {0: "3", 1: "2", 2: "1", 3: "4"}


def test_a_bias_that_is_the_activation_s_own_is_noted_beside_its_row():
    first = TABLE.assign(bias_std=[0.0, 0.4, 0.0, 0.2, 0.0])
    other = make_table("relu").assign(bias_std=[0.0, 0.7, 0.0, 0.2, 0.0])
    left, right = draw_compare(pd.concat([first, other])).axes
    assert names_of(left) == ["orthogonal bias 0.2", "gaussian", "lsuv", "he_normal", "zero"]
    assert texts_of(left)[1] == "2, bias 0.4"
    assert texts_of(right)[1] == "2, bias 0.7"


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


def test_input_norms_have_panels_of_their_own_since_they_have_ranks_of_their_own():
    ones, tens = TABLE.assign(input_norm=1.0), TABLE.assign(input_norm=10.0, rank=TABLE["rank"].to_numpy()[::-1])
    figure = draw_compare(pd.concat([ones, tens]))
    figure.draw_without_rendering()
    assert [ax.get_title() for ax in figure.axes] == ["tanh, inputs 1 √n", "tanh, inputs 10 √n"]
    for ax, table in zip(figure.axes, (ones, tens), strict=True):
        shown = dict(zip(names_of(figure.axes[0]), (texts_of(ax)[row] for row in range(5)), strict=True))
        ranks = table.set_index("initializer")["rank"].dropna()
        assert {name: shown[name][0] for name in ranks.index} == ranks.map("{:.0f}".format).to_dict()
    assert [ax.get_title() for ax in draw_compare(tens).axes] == ["tanh, inputs 10 √n"]


def test_a_table_without_theory_or_without_any_slope_draws():
    for rows in (TABLE[TABLE["verdict"] == "no theory"], TABLE[TABLE["verdict"] == "undefined"]):
        plot_compare(rows).get_figure(root=True).draw_without_rendering()


def test_an_axes_that_is_given_is_drawn_on():
    for key in (False, True):
        own = Figure().subplots()
        assert plot_compare(TABLE, ax=own, key=key) is own
        assert own.get_xlabel()
        assert own.get_title() == "tanh"
        assert (own.get_legend() is not None) == key


def test_one_panel_refuses_several():
    with pytest.raises(SelectionError, match=r"activations: got \['relu', 'tanh'\]"):
        plot_compare(pd.concat([TABLE, make_table("relu")]))
    with pytest.raises(SelectionError, match=r"input_norms: got \[1\.0, 2\.0\], expected one for a panel"):
        plot_compare(pd.concat([TABLE.assign(input_norm=norm) for norm in (1.0, 2.0)]))


def test_a_table_comes_back_from_its_file(tmp_path):
    run = write_run(tmp_path / "run", make_cells())
    with pytest.raises(LoadError, match=r"no table\.csv; .*depthscale compare"):
        load_table(run)
    TABLE.to_csv(run / "table.csv", index=False)
    pd.testing.assert_frame_equal(load_table(run), TABLE)
    TABLE.iloc[:0].to_csv(run / "table.csv", index=False)
    with pytest.raises(LoadError, match="no rows"):
        load_table(run)
    (run / "table.csv").write_text("")
    with pytest.raises(LoadError, match="cannot be read"):
        load_table(run)


@pytest.mark.parametrize("panels", [9, 20])
def test_many_panels_fit_on_a_page_or_are_refused(panels):
    table = pd.concat([make_table(f"function_{i}") for i in range(panels)])
    assert draw_compare(table).get_figheight() <= PAGE
    many = pd.concat([table.assign(initializer=table["initializer"] + str(i)) for i in range(20)])
    with pytest.raises(SelectionError, match="initializers: got 100, expected up to"):
        draw_compare(many)


def test_a_long_name_leaves_room_for_the_panels():
    long = TABLE.assign(initializer=[f"my.own_package.module:$initializer^_{i}" for i in range(5)])
    figure = draw_compare(pd.concat([long, long.assign(activation="relu")]))
    figure.draw_without_rendering()
    assert min(ax.get_window_extent().width for ax in figure.axes) > 0.28 * figure.bbox.width


def test_where_nothing_is_told_apart_rows_are_in_the_order_of_their_slopes_and_the_legend_says_so():
    untold = TABLE.assign(rank=np.nan, rank_by="spread")
    ax = plot_compare(untold)
    assert names_of(ax) == ["orthogonal", "gaussian", "lsuv", "he_normal", "zero"]
    assert texts_of(ax)[0] == "–"
    (title,) = [legend.get_title().get_text() for legend in ax.figure.legends]
    assert "rank by spread (1 + schemes shown to be better; –: none told apart)" in title
    (title,) = [legend.get_title().get_text() for legend in plot_compare(TABLE).figure.legends]
    assert "rank by slope (1 + schemes shown to be better)" in title


def test_every_architecture_has_rows_of_its_own_and_a_gate_says_so():
    rows = TABLE[TABLE["initializer"] == "zero"].assign(architecture="residual2:init=rezero", verdict="gated", dead=0.0)
    beside = TABLE[TABLE["initializer"] == "gaussian"].assign(architecture="pre_layernorm", verdict="mean field")
    beside[["predicted_low", "predicted_high"]] = np.nan
    ax = plot_compare(pd.concat([TABLE.assign(architecture="plain"), rows, beside]))
    named = [label.get_text() for label in ax.get_yticklabels()]
    assert len(named) == len(set(named)) == len(TABLE) + 2
    words = [text.get_text() for text in ax.texts]
    assert "gated: 0 by design" in words
    assert "measured, beside mean field" in [text.get_text() for text in ax.figure.legends[0].get_texts()]
