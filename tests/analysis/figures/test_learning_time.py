import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import same_color

from analysis.cli.main import main
from analysis.figures.learning_time import draw_learning_times, plot_learning_time
from analysis.numbers.reached import describe_growth, learning_times
from analysis.rows.select import SelectionError
from tests.analysis.conftest import make_trained, write_training

RUN = {"target": "accuracy=0.9", "steps": 200}
NEVER = 1e9


def draw(frame, **options):
    ax = plot_learning_time(frame, **{**RUN, **options})
    ax.get_figure(root=True).draw_without_rendering()
    return ax


def points_of(ax, *, hollow):
    """Medians by the depth that they belong to, within what lines are shifted sideways: depth → height."""
    found = {}
    for line in ax.lines:
        if line.get_marker() not in ("None", "x") and same_color(line.get_markerfacecolor(), "white") == hollow:
            found |= {round(x): y for x, y in zip(*line.get_data(), strict=True) if np.isfinite(y)}
    return found


def bars_of(ax):
    segments = [
        segment for artist in ax.collections if isinstance(artist, LineCollection) for segment in artist.get_segments()
    ]
    return {round(float(segment[0, 0])): tuple(segment[:, 1]) for segment in segments}


def texts_of(figure):
    return " ".join(t.get_text() for legend in figure.legends for t in (legend.get_title(), *legend.get_texts()))


def test_points_are_medians_at_the_best_rate_and_bars_reach_over_all_of_few_seeds():
    frame = make_trained(
        scales=(1.0,), steps_to_target=lambda rows: 30 * rows["learning_rate"] * rows["depth"] + 7 * rows["seed"]
    )
    ax = draw(frame)
    at_best = frame[frame["learning_rate"] == 0.01].groupby("depth")["steps_to_target"]
    assert points_of(ax, hollow=False) == pytest.approx(at_best.median().to_dict())
    assert points_of(ax, hollow=True) == {}
    for depth, rows in at_best:
        assert bars_of(ax)[depth] == pytest.approx((rows.min(), rows.max()))
    assert ax.get_ylabel() == "steps to accuracy 0.9"
    words = texts_of(ax.figure)
    for part in ("scale 1", "median of 3 seeds", "smallest to largest", "best of 2 learning rates", "same seeds"):
        assert part in words
    assert "the largest" not in words


def test_every_network_has_a_rate_of_its_own_and_one_at_the_end_of_the_range_is_said():
    slow = make_trained(
        scales=(1.0,), steps_to_target=lambda rows: np.where((rows["depth"] == 2) == (rows["learning_rate"] == 0.1), 10, 90)
    )
    ax = draw(slow)
    assert points_of(ax, hollow=False) == {2: 10, 8: 10, 32: 10}
    assert "largest of them at 1 of 3 points" in texts_of(ax.figure)
    assert learning_times(slow).set_index("depth")["largest"].to_dict() == {2: True, 8: False, 32: False}


def test_bars_of_six_seeds_and_more_are_95_percent_intervals_by_order_and_the_legend_says_so():
    frame = make_trained(scales=(1.0,), seeds=9, steps_to_target=lambda rows: rows["depth"] + 10 * rows["seed"])
    ax = draw(frame)
    assert bars_of(ax)[8] == (18, 78)
    assert "bars: 95 % interval" in texts_of(ax.figure)


def test_bars_of_five_seeds_go_from_the_smallest_to_the_largest_and_the_legend_says_so():
    frame = make_trained(scales=(1.0,), seeds=5, steps_to_target=lambda rows: rows["depth"] + 10 * rows["seed"])
    ax = draw(frame)
    assert bars_of(ax)[8] == (8, 48)
    assert "bars: smallest to largest" in texts_of(ax.figure)


def test_what_never_reaches_the_target_is_hollow_in_the_band_and_bars_may_end_there():
    def steps(rows):
        deep = np.where(rows["depth"] == 32, NEVER, 20)
        return np.where((rows["depth"] == 8) & (rows["seed"] == 2), NEVER, deep)

    ax = draw(make_trained(scales=(1.0,), steps_to_target=steps))
    assert points_of(ax, hollow=False) == {2: 20, 8: 20}
    ((depth, height),) = points_of(ax, hollow=True).items()
    assert depth == 32
    assert 200 < height < ax.get_ylim()[1]
    assert bars_of(ax)[8] == pytest.approx((20, height))
    (band,) = ax.patches
    assert (band.get_y(), band.get_y() + band.get_height()) == pytest.approx((200, ax.get_ylim()[1]))
    assert [text.get_text() for text in ax.texts] == ["not within 200 steps"]


def test_a_median_beyond_with_a_fast_seed_has_a_bar_down_to_it():
    ax = draw(make_trained(depths=(4,), scales=(1.0,), steps_to_target=lambda rows: np.where(rows["seed"] == 0, 33, NEVER)))
    assert bars_of(ax)[4][0] == 33
    assert bars_of(ax)[4][1] == points_of(ax, hollow=True)[4] > 200


@pytest.mark.parametrize("depths", [(2, 8, 32), (16,)])
def test_a_run_that_never_learns_draws(depths):
    ax = draw(make_trained(depths=depths, steps_to_target=lambda rows: 0 * rows["depth"] + NEVER))
    assert set(points_of(ax, hollow=True)) == set(depths)
    assert points_of(ax, hollow=False) == {}


def test_divergence_is_told_from_slowness():
    frame = make_trained(
        initializers=("gaussian", "orthogonal"), scales=(1.0,), steps_to_target=lambda rows: rows["depth"] * 0 + NEVER
    )
    lost = (frame["initializer"] == "gaussian") & (frame["depth"] == 32)
    frame.loc[lost, ["diverged_at", "final_train_loss"]] = [7.0, np.nan]
    ax = draw(frame)
    crosses = [round(x) for line in ax.lines if line.get_marker() == "x" for x in line.get_xdata()]
    assert crosses == [32]
    assert "most seeds diverged" in texts_of(ax.figure)


def test_single_seeds_and_targets_met_at_once_draw():
    ax = draw(make_trained(scales=(1.0,), seeds=1, steps_to_target=lambda rows: rows["depth"] - 2))
    assert "1 seed" in texts_of(ax.figure)
    ax.get_figure(root=True).draw_without_rendering()
    heights = points_of(ax, hollow=False)
    assert heights[8] == 6
    assert ax.get_ylim()[0] < heights[2] < 1
    (label,) = [label.get_text() for label in ax.get_yticklabels() if label.get_position()[1] == heights[2]]
    assert label == "0"


def test_an_undefined_scheme_is_named_and_the_others_are_drawn():
    frame = make_trained(initializers=("gaussian", "sparse"), scales=(1.0,))
    frame.loc[frame["initializer"] == "sparse", ["steps_to_target", "final_train_loss", "diverged_at"]] = np.nan
    ax = draw(frame)
    assert "undefined: sparse" in texts_of(ax.figure)
    assert set(points_of(ax, hollow=False)) == {2, 8, 32}
    assert describe_growth(learning_times(frame), 200)[1] == "sparse, tanh, scale 1: undefined"


def test_initializers_differ_in_colour_and_shape_and_scales_in_line_style():
    frame = make_trained(initializers=("gaussian", "identity", "orthogonal"))
    lines = [line for line in draw(frame, scales=[0.5, 2.0]).lines if line.get_marker() != "None"]
    filled = [line for line in lines if len(line.get_xdata()) and not same_color(line.get_markerfacecolor(), "white")]
    assert len({(line.get_color(), line.get_linestyle()) for line in filled}) == 6
    assert len({line.get_color() for line in filled}) == len({line.get_marker() for line in filled}) == 3


def test_by_default_the_scale_nearest_to_one():
    ax = draw(make_trained(scales=(0.5, 0.9, 1.2)))
    assert "scale 0.9" in texts_of(ax.figure)
    assert points_of(ax, hollow=False)[2] == pytest.approx(2 * 2 / 0.9 + 1)


def test_a_panel_for_each_activation_and_optimizer_on_the_same_axes():
    frame = make_trained(activations=("relu", "tanh"), optimizers=("adam", "sgd"), scales=(1.0,))
    figure = draw_learning_times(frame, **RUN)
    figure.draw_without_rendering()
    panels = [ax for ax in figure.axes if ax.axison]
    assert {ax.get_title() for ax in panels} == {"relu, adam", "relu, sgd", "tanh, adam", "tanh, sgd"}
    assert len({(*ax.get_xlim(), *ax.get_ylim()) for ax in panels}) == 1
    assert all(set(points_of(ax, hollow=False)) == {2, 8, 32} for ax in panels)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(SelectionError, match=r"scales: got 0\.7, .*the nearest is 0\.5"):
        plot_learning_time(make_trained(), scales=[0.7], **RUN)
    with pytest.raises(SelectionError, match="activations: got 2, expected one for a panel"):
        plot_learning_time(make_trained(activations=("tanh", "relu")), **RUN)
    with pytest.raises(SelectionError, match="scales: got 5, expected up to 4"):
        draw_learning_times(make_trained(scales=(1, 2, 3, 4, 5)), scales=[1, 2, 3, 4, 5], **RUN)


def test_growth_is_the_deepest_time_over_the_shallowest_and_what_is_never_reached_is_named():
    frame = make_trained(
        activations=("linear",),
        initializers=("gaussian", "he_normal", "orthogonal"),
        scales=(1.0,),
        steps_to_target=lambda rows: np.where(rows["initializer"] == "orthogonal", 30, rows["depth"] * 8) + rows["seed"],
    )
    lines = describe_growth(learning_times(frame), 200)
    assert lines == [
        "gaussian, linear, scale 1: 17 steps at L = 2, 65 at L = 8, ratio 3.82; not within 200 steps at L = 32"
        " (Saxe et al. 2014: grows with depth)",
        "he_normal, linear, scale 1: 17 steps at L = 2, 65 at L = 8, ratio 3.82; not within 200 steps at L = 32",
        "orthogonal, linear, scale 1: 31 steps at L = 2, 31 at L = 32, ratio 1 (Saxe et al. 2014: does not grow with depth)",
    ]
    others = describe_growth(learning_times(make_trained(activations=("linear", "tanh"), scales=(1.0, 2.0))), 200)
    assert [line.partition(":")[0] for line in others if "Saxe" in line] == ["gaussian, linear, scale 1"]
    never = make_trained(scales=(1.0,), steps_to_target=lambda rows: rows["depth"] + NEVER)
    assert describe_growth(learning_times(never), 200) == ["gaussian, tanh, scale 1: at no depth within 200 steps"]
    fast = make_trained(scales=(1.0,), steps_to_target=lambda rows: rows["depth"] / rows["learning_rate"])
    (line,) = describe_growth(learning_times(fast), 10_000)
    assert line.endswith(
        "ratio 4; not within 10000 steps at L = 32; a rate above the run's largest might be faster at L = 2, 8"
    )


def test_the_command_prints_the_growth_and_reads_the_target_from_the_run(tmp_path, capsys):
    frame = make_trained(steps_to_target=lambda rows: rows["depth"] + rows["seed"])
    run = write_training(tmp_path / "run", frame, target="loss=0.05")
    assert main(["learning-time", str(run), "--scales", "0.5", "--out", str(tmp_path / "x.svg")]) == 0
    growth, path = capsys.readouterr().out.splitlines()
    assert growth == "gaussian, tanh, scale 0.5: 3 steps at L = 2, 33 at L = 32, ratio 11"
    assert path == str(tmp_path / "x.svg")
    assert main(["learning-time", str(run), "--scales", "0.6"]) == 2
    assert "the nearest is 0.5" in capsys.readouterr().err


def test_rows_are_not_changed():
    frame = make_trained(scales=(1.0,))
    before = frame.copy()
    draw(frame)
    pd.testing.assert_frame_equal(frame, before)
