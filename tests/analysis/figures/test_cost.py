import numpy as np
import pytest
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from scipy.stats import kendalltau

from analysis.cli.main import main
from analysis.figures.cost import cost_correlations, cost_rows, draw_cost, plot_cost
from analysis.rows.select import SelectionError
from tests.analysis.conftest import make_trained, write_training

STEPS = 200
CELLS = make_trained(
    (2, 4, 8, 16, 32),
    (0.5, 0.8, 1.0, 1.3, 2.0),
    steps_to_target=lambda rows: 20 + 40 * rows["depth"] * abs(rows["scale"] - 1),
)
POSSIBLE = CELLS[CELLS["learning_rate"] == 0.01]
FOUND = cost_correlations(CELLS)


def points_of(ax):
    """[points, 2]: where they are drawn, in order of initializers."""
    return np.concatenate([np.asarray(c.get_offsets()) for c in ax.collections if isinstance(c, PathCollection)])


def crosses_of(ax):
    """[points, 2]: those whose marker is made of lines."""
    marked = [c for c in ax.collections if isinstance(c, PathCollection) and len(c.get_paths()[0].vertices) == 4]
    return np.concatenate([np.asarray(c.get_offsets()) for c in marked]) if marked else np.empty((0, 2))


def legend_of(figure):
    return [t.get_text() for legend in figure.legends for t in (legend.get_title(), *legend.get_texts())]


def words_of(ax):
    return [text.get_text() for text in ax.texts]


def test_rows_are_decades_of_each_setting_at_its_best_rate():
    rows, left_out = cost_rows(CELLS)
    assert (len(rows), left_out) == (75, 0)
    np.testing.assert_array_equal(rows["decades"], rows["log10_grad_first"])
    assert rows.groupby("setting").size().tolist() == [3] * 25
    assert rows.groupby("setting")[["depth", "scale"]].nunique().eq(1).all(axis=None)
    faster = CELLS.assign(steps_to_target=CELLS["steps_to_target"] / (1 + (CELLS["learning_rate"] == 0.1) * CELLS["depth"]))
    assert set(cost_rows(faster)[0]["learning_rate"]) == {0.1, 0.01}  # of those that never learn the smaller


def test_what_depth_does_to_both_is_told_apart_from_what_decades_do():
    """Steps that grow with depth alone: decades grow with depth too, and within a depth they say nothing."""
    by_depth = CELLS.assign(steps_to_target=2.0 * CELLS["depth"] + np.random.default_rng(0).normal(size=len(CELLS)))
    found = cost_correlations(by_depth)
    assert found["all"].low > 0.2
    assert found["depth"].low > 0.8
    assert found["within depths"].low < 0 < found["within depths"].high
    assert [name for name in found if name.startswith("L")] == [f"L = {depth}" for depth in (2, 4, 8, 16, 32)]
    # at one depth it is that depth's own, and of all together within theirs
    alone = cost_correlations(POSSIBLE[POSSIBLE["depth"] == 8])
    assert alone["within depths"] == alone["all"] == alone["L = 8"] == FOUND["L = 8"]
    assert min(FOUND[f"L = {depth}"].tau for depth in (4, 8, 16)) > 0.3


def test_the_ratio_is_of_the_first_layer_and_the_last():
    rows, _ = cost_rows(CELLS.assign(log10_grad_last=-3.0), "ratio")
    np.testing.assert_allclose(rows["decades"], rows["log10_grad_first"] + 3)


def test_what_is_undefined_is_left_out_and_counted():
    cells = POSSIBLE.copy()
    deep = cells["depth"] == 32
    cells.loc[deep & (cells["scale"] == 0.5), ["log10_grad_first", "log10_grad_last", "steps_to_target"]] = np.nan
    cells.loc[deep & (cells["scale"] == 0.8), ["log10_grad_first", "log10_grad_last"]] = -np.inf
    cells.loc[deep & (cells["scale"] == 1.0), "log10_grad_first"] = -np.inf
    rows, left_out = cost_rows(cells)
    assert (len(rows), left_out, np.isneginf(rows["decades"]).sum()) == (72, 3, 6)
    rows, left_out = cost_rows(cells, "ratio")  # zero over zero is no ratio
    assert (len(rows), left_out, np.isneginf(rows["decades"]).sum()) == (69, 6, 3)
    assert "(6 undefined\nare left out)" in legend_of(draw_cost(cells, target="loss=0.1", steps=STEPS, decades="ratio"))[0]
    assert "undefined" not in legend_of(plot_cost(cells[~deep], steps=STEPS).figure)[0]


def test_correlations_are_of_both_sides_together_and_apart():
    x, y = POSSIBLE["log10_grad_first"].to_numpy(), POSSIBLE["steps_to_target"].to_numpy()
    assert np.isposinf(y).any()
    for side, where in {"all": x == x, "vanishing": x < 0, "exploding": x > 0}.items():
        assert FOUND[side].tau == pytest.approx(kendalltau(np.abs(x[where]), y[where]).statistic)
        assert FOUND[side].rows == where.sum()
        assert FOUND[side].low < FOUND[side].tau < FOUND[side].high
    assert FOUND["all"].settings == 25
    assert FOUND["all"].tau > 0.5


def test_an_exact_zero_is_the_largest_of_all_changes():
    zeros = CELLS["log10_grad_first"] < -5
    deepest = CELLS.assign(log10_grad_first=np.where(zeros, -np.inf, CELLS["log10_grad_first"]))
    far = CELLS.assign(log10_grad_first=np.where(zeros, -400.0, CELLS["log10_grad_first"]))
    assert zeros.any()
    assert cost_correlations(deepest) == cost_correlations(far)


def test_points_are_networks_and_those_that_never_learn_lie_in_the_band_on_top():
    ax = plot_cost(CELLS, steps=STEPS)
    rows, _ = cost_rows(CELLS)
    never = np.isposinf(rows["steps_to_target"])
    points = points_of(ax)
    np.testing.assert_allclose(points[:, 0], rows["decades"], atol=1e-9)
    np.testing.assert_allclose(points[~never, 1], rows["steps_to_target"][~never])
    top = ax.get_ylim()[1]
    assert ((points[never, 1] > STEPS * 1.01) & (points[never, 1] < top)).all()
    assert len(set(points[never, 1].round(6))) == never.sum()
    assert f"not within 200 steps ({never.sum()} of 75 networks)" in words_of(ax)
    assert ax.get_yscale() == "log"
    assert max(ax.get_yticks()) <= STEPS


def test_jitter_is_no_chance_and_does_not_depend_on_the_order_of_rows():
    shuffled = CELLS.sample(frac=1, random_state=np.random.RandomState(1))
    np.testing.assert_array_equal(points_of(plot_cost(CELLS, steps=STEPS)), points_of(plot_cost(shuffled, steps=STEPS)))


def test_zeros_and_overflows_lie_in_bands_of_their_own():
    cells = POSSIBLE.copy()
    cells.loc[(cells["depth"] == 32) & (cells["scale"] == 0.5), "log10_grad_first"] = -np.inf
    cells.loc[(cells["depth"] == 32) & (cells["scale"] == 2.0), "log10_grad_first"] = np.inf
    ax = plot_cost(cells, steps=STEPS)
    x, (rows, _) = points_of(ax)[:, 0], cost_rows(cells)
    finite = rows["decades"][np.isfinite(rows["decades"])]
    low, high = ax.get_xlim()
    assert (low < x[np.isneginf(rows["decades"])]).all()
    assert (x[np.isneginf(rows["decades"])] < finite.min()).all()
    assert (finite.max() < x[np.isposinf(rows["decades"])]).all()
    assert (x[np.isposinf(rows["decades"])] < high).all()
    assert {"exactly zero (3)", "beyond range (3)"} <= set(words_of(ax))
    assert x[np.isneginf(rows["decades"])].max() < min(ax.get_xticks())
    assert max(ax.get_xticks()) < x[np.isposinf(rows["decades"])].min()
    assert not any("exactly" in text or "beyond" in text for text in words_of(plot_cost(CELLS, steps=STEPS)))


def test_diverged_networks_are_crosses():
    cells = CELLS.assign(diverged_at=np.where((CELLS["scale"] == 2) & (CELLS["seed"] < 2), 17.0, np.inf))
    ax = plot_cost(cells, steps=STEPS)
    rows, _ = cost_rows(cells)
    gone = rows[np.isfinite(rows["diverged_at"]) & np.isposinf(rows["steps_to_target"])]
    assert sorted(crosses_of(ax)[:, 0]) == pytest.approx(sorted(gone["decades"]))
    assert len(gone) > 0
    assert "diverged" in legend_of(ax.figure)
    assert len(crosses_of(plot_cost(CELLS, steps=STEPS))) == 0
    assert "diverged" not in legend_of(plot_cost(CELLS, steps=STEPS).figure)


@pytest.mark.parametrize("decades", ["first", "ratio"])
def test_a_network_that_begins_beyond_the_range_explodes(decades):
    cells, deep = POSSIBLE.copy(), (POSSIBLE["depth"] == 32) & (POSSIBLE["scale"] == 2.0)
    gradients = ["log10_grad_first", "log10_grad_last"]
    cells.loc[deep, [*gradients, "steps_to_target", "diverged_at"]] = [np.nan, np.nan, np.inf, 0.0]
    undefined = (cells["depth"] == 32) & (cells["scale"] == 0.5)
    cells.loc[undefined, [*gradients, "steps_to_target", "diverged_at"]] = np.nan
    rows, left_out = cost_rows(cells, decades)
    assert (len(rows), left_out, np.isposinf(rows["decades"]).sum()) == (72, 3, 3)
    before = cost_correlations(cells[~deep & ~undefined], decades=decades)
    assert cost_correlations(cells, decades=decades)["exploding"].rows == before["exploding"].rows + 3
    ax = plot_cost(cells, steps=STEPS, decades=decades)
    assert "beyond range (3)" in words_of(ax)
    assert len(crosses_of(ax)) == 3


def test_a_target_that_is_met_at_once_is_at_zero_steps():
    ax = plot_cost(CELLS.assign(steps_to_target=np.where(CELLS["depth"] == 2, 0.0, 20.0)), steps=STEPS)
    ax.figure.draw_without_rendering()
    labels = {label.get_text(): tick for label, tick in zip(ax.get_yticklabels(), ax.get_yticks(), strict=True)}
    assert "0.5" not in labels
    assert labels["0"] == pytest.approx(points_of(ax)[:, 1].min())


def test_many_initializers_share_the_last_marker_and_the_legend_is_on_the_page():
    names = tuple(f"initializer_{i:02}" for i in range(23))
    cells = make_trained(tuple(range(2, 12)), initializers=names, seeds=1)
    cells.loc[cells["scale"] == 2, "diverged_at"] = 0.0
    cells.loc[cells["scale"] == 2, "steps_to_target"] = np.inf
    figure = draw_cost(cells, target="accuracy=0.9", steps=STEPS)
    figure.draw_without_rendering()
    assert [entry for entry in legend_of(figure) if "init" in entry or "other" in entry] == [*names[:5], "18 others"]
    (left, bottom), (right, top) = figure.legends[0].get_window_extent().get_points()
    assert 0 <= left < right <= figure.bbox.width
    assert 0 <= bottom < top <= figure.bbox.height
    six = make_trained((2, 8), initializers=names[:6], seeds=1)
    assert set(names[:6]) <= set(legend_of(plot_cost(six, steps=STEPS).figure))


def test_depth_is_lightness_and_the_marker_the_initializer():
    cells = make_trained((2, 8, 32), initializers=("gaussian", "orthogonal"))
    ax = plot_cost(cells, steps=STEPS)
    markers, colours = [], set()
    for collection in (c for c in ax.collections if isinstance(c, PathCollection)):
        markers.append(len(collection.get_paths()[0].vertices))
        colours |= {to_hex(colour) for colour in collection.get_facecolor()}
    assert len(set(markers)) == 2
    assert len(colours) == 3
    assert {"gaussian", "orthogonal", "$L = 2$", "$L = 8$", "$L = 32$"} <= set(legend_of(ax.figure))
    deep = make_trained(tuple(range(2, 32)))
    assert sum(entry.startswith("$L") for entry in legend_of(plot_cost(deep, steps=STEPS).figure)) == 6


def test_the_line_is_the_median_of_as_many_networks_each():
    cells = POSSIBLE[POSSIBLE["scale"] > 1]
    ax = plot_cost(cells, steps=STEPS)
    (line,) = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_linewidth() > 1]
    (band,) = [c for c in ax.collections if isinstance(c, PolyCollection)]
    rows = cells.sort_values("log10_grad_first")
    rows = rows[rows["log10_grad_first"] > 0]
    near, far = np.array_split(rows[["log10_grad_first", "steps_to_target"]].to_numpy(), 2)
    assert line.get_xdata() == pytest.approx([np.median(near[:, 0]), np.median(far[:, 0])])
    assert line.get_ydata()[0] == pytest.approx(np.median(near[:, 1]))
    assert np.isposinf(np.median(far[:, 1]))
    assert STEPS < line.get_ydata()[1] < ax.get_ylim()[1]
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.min() == pytest.approx(np.quantile(near[:, 1], 0.25))


def test_the_figure_names_the_target_and_the_correlations():
    (ax,) = draw_cost(CELLS, target="accuracy=0.9", steps=STEPS).axes
    assert ax.get_ylabel() == "steps to accuracy 0.9"
    assert "partial W_1" in ax.get_xlabel()
    for where, side in (("left", "vanishing"), ("center", "all"), ("right", "exploding")):
        assert f"{side}\n" in ax.get_title(loc=where).replace(": |decades| with steps (95 % interval)", "")
        assert ax.get_title(loc=where).endswith(f"= {FOUND[side]}")
    apart = ax.get_title().splitlines()[0]
    assert f"= {FOUND['within depths']}, of depth itself" in apart
    assert apart.endswith(f"= {FOUND['depth']}")
    given = {side: correlation._replace(tau=-1.0) for side, correlation in FOUND.items()}
    (ax,) = draw_cost(CELLS, target="accuracy=0.9", steps=STEPS, correlations=given).axes
    assert "= −1.00" in ax.get_title()


@pytest.mark.parametrize(
    "cells",
    [
        make_trained(seeds=1),
        make_trained((2,), (1.0,), seeds=1),
        CELLS.assign(steps_to_target=np.inf),
        CELLS.assign(steps_to_target=0.0),
        CELLS.assign(log10_grad_first=0.5),
        CELLS.assign(log10_grad_first=-np.inf),
        CELLS.assign(log10_grad_first=np.nan),
        CELLS.assign(steps_to_target=np.nan, log10_grad_first=np.nan, diverged_at=np.nan),
    ],
    ids=["one seed", "one network", "none learns", "at once", "constant", "dead", "undefined gradients", "undefined"],
)
def test_odd_runs_draw_without_a_warning(cells):
    figure = draw_cost(cells, target="accuracy=0.9", steps=STEPS)
    figure.draw_without_rendering()
    (ax,) = figure.axes
    points = points_of(ax) if len(cost_rows(cells)[0]) else np.empty((0, 2))
    assert len(points) == len(cost_rows(cells)[0])
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert ((left < points[:, 0]) & (points[:, 0] < right) & (bottom < points[:, 1]) & (points[:, 1] < top)).all()


def test_an_axes_that_is_given_is_drawn_on():
    own = plot_cost(CELLS, steps=STEPS).figure.subplots(1, 1)
    assert plot_cost(CELLS, steps=STEPS, ax=own) is own
    assert len(points_of(own)) == 75


def test_other_decades_are_refused():
    with pytest.raises(SelectionError, match=r"decades: got 'rtio', expected one of first, ratio; did you mean ratio"):
        plot_cost(CELLS, steps=STEPS, decades="rtio")


def test_the_command_prints_the_correlations(tmp_path, capsys):
    run = write_training(tmp_path / "run", CELLS)
    assert main(["cost", str(run)]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert captured.err == ""
    assert lines[-1] == str(run / "cost.png")
    for line, (side, correlation) in zip(lines[:-1], FOUND.items(), strict=True):
        assert f": {correlation} " in line
        assert ("of depth with steps to the target: " if side == "depth" else f"to the target, {side}: ") in line
        assert f"{correlation.settings} settings; {correlation.rows} networks" in line


def test_options_of_the_command_reach_the_figure(tmp_path, capsys):
    run = write_training(tmp_path / "run", CELLS.assign(log10_grad_last=CELLS["log10_grad_first"] - 1))
    assert main(["cost", str(run), "--decades", "ratio", "--depths", "2"]) == 0
    assert "exploding: undefined (95 % bootstrap over 5 settings; 15 networks)" in capsys.readouterr().out
    assert main(["cost", str(run), "--decades", "all"]) == 2
    assert "--decades: got 'all'" in capsys.readouterr().err


def test_the_legend_says_what_a_band_means_and_that_places_in_it_mean_nothing():
    never = CELLS.assign(steps_to_target=np.where(CELLS["depth"] == 32, np.inf, CELLS["steps_to_target"]))
    (words,) = [entry for entry in legend_of(plot_cost(never, steps=STEPS).figure) if entry.startswith("band")]
    assert f"not reached\nwithin {STEPS} steps" in words
    assert words.endswith("means nothing")
    all_met = CELLS.assign(steps_to_target=1.0)
    assert not [entry for entry in legend_of(plot_cost(all_met, steps=STEPS).figure) if entry.startswith("band")]


def test_an_axes_that_is_given_is_labelled_and_gets_its_key_on_request():
    for key in (False, True):
        ax = Figure().subplots()
        assert plot_cost(CELLS, steps=STEPS, ax=ax, key=key) is ax
        assert all((ax.get_xlabel(), ax.get_ylabel(), ax.get_title()))
        assert (ax.get_legend() is not None) == key


def test_one_network_is_one():
    ax = plot_cost(make_trained((8,), (1.0,), (0.1,), seeds=1), steps=200)
    assert ax.get_title() == "1 network"
    late = make_trained((8,), (1.0,), (0.1,), seeds=1, steps_to_target=lambda rows: 1000 + 0 * rows["depth"])
    assert "not within 200 steps (1 of 1 network)" in words_of(plot_cost(late, steps=200))
