import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from analysis.cli.main import main
from analysis.figures.curves import draw_curves, plot_curves
from analysis.numbers.mode_law import LAWLESS, describe_law
from analysis.numbers.seed_curves import curve_of, describe_gradients, ends_of
from analysis.rows.select import SelectionError
from bench.theory import aligned_loss, learned_modes
from tests.analysis.conftest import make_curves, make_trained, write_training

CURVES = make_curves()
STEPS = sorted(set(CURVES["step"]))


def one(frame, **wanted):
    """The rows of one network, or of its seeds, in the order of steps."""
    for column, value in wanted.items():
        frame = frame[frame[column] == value]
    return frame.sort_values("step")


def draw(frame, **options):
    """A panel, laid out and drawn as a file would be: what is odd must neither warn nor fail then."""
    ax = plot_curves(frame, **options)
    ax.get_figure(root=True).draw_without_rendering()
    return ax


def lines_of(ax):
    """Without thin ones, which lead to zeros, and marks."""
    return [line for line in ax.lines if line.get_marker() in ("", ".") and line.get_linewidth() > 0.5]


def marks_of(ax, marker):
    return [tuple(point) for line in ax.lines if line.get_marker() == marker for point in np.transpose(line.get_data())]


def bands_of(ax):
    return [artist for artist in ax.collections if isinstance(artist, PolyCollection)]


def texts_of(figure):
    return " ".join(t.get_text() for legend in figure.legends for t in (legend.get_title(), *legend.get_texts()))


def lose(frame, after, **wanted):
    """These networks diverge: no finite number after that step."""
    frame = frame.copy()
    lost = (frame["step"] > after) & np.all([frame[column] == value for column, value in wanted.items()], axis=0)
    frame.loc[lost, ["loss", "accuracy", "log10_grad_first", "log10_grad_middle", "log10_grad_last"]] = np.nan
    return frame


@pytest.mark.parametrize("value", ["loss", "accuracy"])
def test_lines_are_medians_and_bands_reach_from_the_smallest_seed_to_the_largest(value):
    frame = CURVES.assign(
        loss=CURVES["loss"] * (1 + CURVES["seed"] ** 2), accuracy=CURVES["accuracy"] / (1 + CURVES["seed"])
    )
    ax = plot_curves(frame, value=value, depth=8, scales=[0.5], learning_rate=0.1)
    (line,), (band,) = lines_of(ax), bands_of(ax)
    rows = one(frame, depth=8, scale=0.5, learning_rate=0.1).groupby("step")[value]
    np.testing.assert_array_equal(line.get_xdata(), STEPS)
    np.testing.assert_allclose(line.get_ydata(), rows.median())
    corners = band.get_paths()[0].vertices
    for step, low, high in zip(STEPS, rows.min(), rows.max(), strict=True):
        heights = corners[corners[:, 0] == step, 1]
        assert (heights.min(), heights.max()) == pytest.approx((low, high))
    assert (ax.get_yscale() == "log") == (value == "loss")
    assert "median (lines) and smallest to largest (bands) of 3 seeds" in texts_of(ax.figure)


@pytest.mark.parametrize("layer", ["first", "middle", "last"])
def test_gradients_of_a_layer_are_decades(layer):
    ax = plot_curves(CURVES, value=f"log10_grad_{layer}", depth=32, scales=[0.5])
    (line,) = lines_of(ax)
    rows = one(CURVES, depth=32, scale=0.5, learning_rate=0.01).groupby("step")
    np.testing.assert_allclose(line.get_ydata(), rows[f"log10_grad_{layer}"].median())
    assert len(bands_of(ax)) == 1


def test_lines_differ_without_colour():
    lines = lines_of(plot_curves(make_curves(scales=(0.5, 1.0, 1.5, 2.0))))
    assert len(lines) == len({str(line._dash_pattern) for line in lines}) == 4


def test_every_step_is_seen_from_the_one_before_the_first_update_on():
    ax = draw(CURVES)
    low, high = ax.get_xlim()
    assert low < 0 < 199 < high
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1", "10", "100"]
    places = ax.transData.transform([(step, 1.0) for step in (0, 1, 10, 100)])[:, 0]
    assert np.diff(places).min() > 0.3 * np.diff(places).max()  # zero is no further than a decade, and not on top of 1


def test_a_curve_is_of_seeds_that_run_and_ends_where_more_than_half_have_diverged():
    frame = lose(lose(CURVES, 20, depth=8, scale=0.5, seed=0), 50, depth=8, scale=0.5, seed=1)
    frame.loc[frame["seed"] == 1, "loss"] *= 3
    rows = one(frame, depth=8, scale=0.5, learning_rate=0.01)
    curve = curve_of(rows, "loss")
    assert curve is not None
    assert curve.steps.tolist() == [0, 1, 2, 5, 10, 20, 50]
    at_50 = rows.loc[rows["step"] == 50].set_index("seed")["loss"]
    assert curve.median[-1] == pytest.approx((at_50[1] + at_50[2]) / 2)
    assert curve.high[-1] == pytest.approx(at_50[1])
    assert [end.step for end in ends_of(rows, "loss")] == [20, 50]
    ax = plot_curves(frame, depth=8, scales=[0.5])
    assert lines_of(ax)[0].get_xdata()[-1] == 50
    last = [rows.loc[(rows["seed"] == seed) & (rows["step"] == step), "loss"].item() for seed, step in ((0, 20), (1, 50))]
    assert sorted(marks_of(ax, "x")) == [(20, pytest.approx(last[0])), (50, pytest.approx(last[1]))]
    assert "a seed diverged" in texts_of(ax.figure)
    assert "undefined" not in texts_of(ax.figure)
    assert "diverged" not in texts_of(plot_curves(CURVES).figure)


def test_half_of_the_seeds_are_enough_for_a_line():
    frame = one(lose(make_curves(seeds=2), 20, seed=0), depth=8, scale=0.5, learning_rate=0.01)
    curve = curve_of(frame, "loss")
    assert curve is not None
    assert curve.steps.tolist() == STEPS
    np.testing.assert_allclose(curve.median[-1], frame.loc[(frame["seed"] == 1) & (frame["step"] == 199), "loss"])


def test_an_exploding_seed_does_not_flatten_the_others():
    frame = lose(CURVES, 2, depth=8, scale=2.0, seed=0)
    frame.loc[(frame["seed"] == 0) & (frame["scale"] == 2.0) & (frame["step"] == 2), "loss"] = 1e30
    ax = plot_curves(frame, depth=8)
    assert ax.get_ylim()[1] < 100
    assert marks_of(ax, "x") == [(2, pytest.approx(ax.get_ylim()[1]))]


def test_a_loss_that_stays_finite_is_inside_however_large():
    frame = CURVES.copy()
    frame.loc[(frame["depth"] == 8) & (frame["scale"] == 2.0) & (frame["step"] == 50), "loss"] = 1e9
    ax = plot_curves(frame, depth=8)
    assert ax.get_ylim()[1] > 1e9
    assert marks_of(ax, "x") == []


@pytest.mark.parametrize("value", ["loss", "accuracy", "log10_grad_first"])
def test_networks_that_are_never_finite_draw_and_are_marked(value):
    for frame in (lose(CURVES, -1, scale=2.0), lose(CURVES, -1, task="digits")):
        ax = draw(frame, value=value, depth=8, scales=[2.0])
        assert lines_of(ax) == []
        assert {step for step, _ in marks_of(ax, "x")} == {0}
        assert "or is undefined" in texts_of(ax.figure)


def test_gradients_that_are_exactly_zero_are_marked_below_all_numbers():
    frame = CURVES.copy()
    dead = (frame["depth"] == 32) & (frame["scale"] == 0.5) & frame["step"].isin([2, 5]) & (frame["seed"] > 0)
    frame.loc[dead, "log10_grad_first"] = -np.inf
    ax = draw(frame, value="log10_grad_first", depth=32)
    marks = marks_of(ax, "v")
    assert [step for step, _ in marks] == [2, 5]
    numbers = np.concatenate([line.get_ydata() for line in lines_of(ax)])
    for _, height in marks:
        assert ax.get_ylim()[0] < height < np.nanmin(numbers)
    assert all(tick > max(height for _, height in marks) for tick in ax.get_yticks())
    assert np.isnan(numbers).sum() == 2
    assert "exactly zero" in texts_of(ax.figure)
    assert "exactly zero" not in texts_of(draw(CURVES, value="log10_grad_first").figure)


def test_one_dead_seed_pulls_the_band_down_and_not_the_line():
    frame = CURVES.copy()
    dead = (frame["depth"] == 32) & (frame["scale"] == 0.5) & (frame["step"] == 5) & (frame["seed"] == 0)
    frame.loc[dead, "log10_grad_first"] = -np.inf
    ax = plot_curves(frame, value="log10_grad_first", depth=32, scales=[0.5])
    assert marks_of(ax, "v") == []
    assert all(np.isfinite(line.get_ydata()).all() for line in lines_of(ax))
    corners = bands_of(ax)[0].get_paths()[0].vertices
    assert corners[corners[:, 0] == 5, 1].min() == pytest.approx(ax.get_ylim()[0])


def test_all_gradients_zero_and_losses_of_zero_draw():
    zeros = dict.fromkeys(("log10_grad_first", "log10_grad_middle", "log10_grad_last"), -np.inf)
    frame = CURVES.assign(loss=np.where(CURVES["step"] > 10, 0.0, CURVES["loss"]), **zeros)
    assert {step for step, _ in marks_of(draw(frame, value="loss"), "v")} == {20, 50, 100, 199}
    assert {step for step, _ in marks_of(draw(frame, value="log10_grad_first"), "v")} == set(STEPS)
    draw_curves(frame, depths=[8]).draw_without_rendering()


def test_one_seed_one_depth_and_one_step_draw():
    ax = draw(make_curves(depths=(4,), scales=(1.0,), learning_rates=(0.1,), seeds=1))
    assert bands_of(ax) == []
    assert "1 seed" in texts_of(ax.figure)
    ax = draw(make_curves(seeds=1, recorded=(0,)))
    assert len(marks_of(ax, ".")) == 3


def test_by_default_the_largest_depth_four_spread_scales_and_the_middle_rate():
    frame = make_curves(scales=tuple(np.linspace(0.5, 2.5, 9)), learning_rates=(0.01, 0.03, 0.1), seeds=1)
    ax = plot_curves(frame)
    assert len(lines_of(ax)) == 4
    assert "gaussian, tanh, L = 32" in ax.get_title()
    assert "learning rate 0.03 (of 0.01, 0.03, 0.1)" in ax.get_title()
    assert "scale 2.5 scale 1.75 scale 1.25 scale 0.5" in texts_of(ax.figure)
    several = [frame.assign(readout_learning_rate=rate) for rate in (0.01, 0.02, 0.03, 0.04)]
    assert "readout" not in plot_curves(pd.concat(several, ignore_index=True)).get_title()
    frame["readout_learning_rate"] *= 2
    assert "learning rate 0.03 (readout 0.06)" in plot_curves(frame).get_title()


def test_no_panel_has_more_than_four_lines():
    frame = lose(make_curves((8,), (0.5, 1.0, 1.5, 2.0, 2.5), seeds=2), -1, scale=0.5)
    figure = draw_curves(frame)
    figure.draw_without_rendering()
    assert max(len(lines_of(ax)) for ax in figure.axes) <= 4
    (left, bottom), (right, top) = figure.legends[0].get_window_extent().get_points()
    assert 0 <= left < right <= figure.bbox.width
    assert 0 <= bottom < top < figure.axes[0].get_window_extent().y0
    for function in (plot_curves, draw_curves):
        with pytest.raises(SelectionError, match="scales: got 5, expected up to 4"):
            function(frame, scales=[0.5, 1.0, 1.5, 2.0, 2.5])


def test_an_axes_that_is_given_is_labelled_and_gets_its_key_on_request():
    for key in (False, True):
        ax = Figure().subplots()
        assert plot_curves(CURVES, ax=ax, key=key) is ax
        assert all((ax.get_xlabel(), ax.get_ylabel(), ax.get_title()))
        assert (ax.get_legend() is not None) == key


def test_rows_are_depths_and_columns_are_quantities():
    figure = draw_curves(make_curves(depths=(2, 4, 8, 16, 32)))
    figure.draw_without_rendering()
    panels = np.array(figure.axes).reshape(3, 5)
    assert [ax.get_title(loc="left") for ax in panels[:, 0]] == ["L = 2", "L = 8", "L = 32"]
    assert "loss" in panels[0, 0].get_ylabel()
    assert "accuracy" in panels[0, 1].get_ylabel()
    assert "partial W_l" in panels[0, 2].get_ylabel()
    assert [ax.get_title().split(",")[0] for ax in panels[0, 2:]] == ["first layer", "middle", "last hidden"]
    assert len({ax.get_ylim() for ax in panels[:, 0]}) == 1
    assert len({ax.get_ylim() for ax in panels[:, 2]}) == 3
    rows = one(CURVES, depth=32, scale=0.5, learning_rate=0.01).groupby("step")["loss"].median()
    np.testing.assert_allclose(lines_of(panels[2, 0])[0].get_ydata(), rows)
    assert "gaussian, tanh, sgd, n = 32, learning rate 0.01 (of 0.01, 0.1)" in figure.get_suptitle()


def test_gradients_of_one_row_share_an_axis_also_where_some_are_zero():
    frame = CURVES.copy()
    frame.loc[(frame["depth"] == 32) & (frame["step"] == 5), "log10_grad_first"] = -np.inf
    figure = draw_curves(frame, depths=[8, 32])
    for row in np.array(figure.axes).reshape(2, 5):
        assert len({ax.get_ylim() for ax in row[2:]}) == 1
    assert len(marks_of(figure.axes[7], "v")) == 3


def test_without_classes_there_is_no_accuracy():
    figure = draw_curves(CURVES, loss="mse", depths=[8])
    assert len(figure.axes) == 4
    assert not any("accuracy" in ax.get_ylabel() for ax in figure.axes)


def test_settings_share_the_page_and_what_is_left_out_is_said():
    figure = draw_curves(make_curves((2, 32), initializers=("gaussian", "orthogonal"), seeds=1))
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert len(figure.axes) == 20
    assert {"gaussian, tanh, L = 2", "orthogonal, tanh, L = 32"} <= set(titles)
    assert "settings" not in figure.get_suptitle()
    many = make_curves(initializers=("gaussian", "orthogonal"), activations=("tanh", "relu", "gelu", "silu"), seeds=1)
    figure = draw_curves(many)
    assert len(figure.axes) == 30
    assert {title[-6:] for title in (ax.get_title(loc="left") for ax in figure.axes) if title} == {"L = 32"}
    assert "the first 6 of 8 settings" in figure.get_suptitle()
    with pytest.raises(SelectionError, match="depths: got 2, expected up to 1, which a page has room for"):
        draw_curves(many, depths=[2, 8])


def test_what_the_frame_does_not_hold_is_refused():
    with pytest.raises(SelectionError, match=r"scales: got 0\.7, .*the nearest is 0\.5"):
        plot_curves(CURVES, scales=[0.7])
    with pytest.raises(SelectionError, match=r"depths: got 7, .*the nearest is 8"):
        draw_curves(CURVES, depths=[7])
    with pytest.raises(SelectionError, match=r"learning_rates: got 0\.2"):
        plot_curves(CURVES, learning_rate=0.2)
    with pytest.raises(SelectionError, match=r"value: got 'los'.*did you mean loss"):
        plot_curves(CURVES, value="los")
    with pytest.raises(SelectionError, match="initializers: got 2"):
        plot_curves(make_curves(initializers=("gaussian", "identity")))


def test_the_command_draws_the_selection(tmp_path, capsys, monkeypatch):
    drawn = []
    monkeypatch.setattr("analysis.drawing.save.save_figure", lambda figure, path, **_: drawn.append(figure) or path)
    run = str(write_training(tmp_path / "run", make_trained(), make_curves(), loss="mse"))
    assert main(["curves", run, "--depths", "2", "8", "--scales", "0.5", "--learning-rates", "0.1"]) == 0
    assert len(drawn[0].axes) == 8
    assert "learning rate 0.1" in drawn[0].get_suptitle()
    assert main(["curves", run, "--learning-rates", "0.1", "0.01"]) == 2
    assert "--learning-rates: got [0.1, 0.01], expected one" in capsys.readouterr().err


def aligned_curves(**change):
    """Curves that follow the law of two modes, s = 2 and 1, of networks of 2 and 5 matrices."""
    axes = {"initializers": ("orthogonal",), "activations": ("linear",)}
    frame = make_curves((2, 5), (0.5, 0.9), (0.01, 0.1), **axes).assign(task="saxe:aligned=true,values=2/1", **change)
    for (depth, scale, rate), rows in frame.groupby(["depth", "scale", "learning_rate"]):
        modes = learned_modes([2, 1], start=scale**depth, matrices=depth, times=rate * np.array(STEPS))
        loss = dict(zip(STEPS, ((np.array([2, 1]) - modes) ** 2).sum(axis=1) / 2, strict=True))
        frame.loc[rows.index, "loss"] = rows["step"].map(loss)
    return frame


def test_the_law_of_modes_is_drawn_over_the_losses_of_aligned_networks():
    frame = aligned_curves()
    ax = plot_curves(frame, depth=5, learning_rate=0.1)
    dashed = [line for line in lines_of(ax) if line.get_color() == "black"]
    assert len(dashed) == 2
    for line, scale in zip(dashed, (0.5, 0.9), strict=True):
        expected = aligned_loss([2, 1], start=scale**5, matrices=5, times=0.1 * np.asarray(line.get_xdata()))
        np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-9)
        assert (line.get_xdata()[0], line.get_xdata()[-1]) == (0, STEPS[-1])
    assert "Saxe" in texts_of(ax.get_figure(root=True))
    for other in (aligned_curves(optimizer="adam"), aligned_curves(clip=1.0), frame.assign(task="saxe:values=2/1"), CURVES):
        plain = plot_curves(other, depth=max(other["depth"]), learning_rate=0.1)
        assert not [line for line in lines_of(plain) if line.get_color() == "black"]
    assert not [line for line in lines_of(plot_curves(frame, value="accuracy")) if line.get_color() == "black"]


def test_the_command_prints_how_far_losses_are_from_the_law_of_their_modes(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("analysis.drawing.save.save_figure", lambda _, path, **__: path)
    frame = aligned_curves()
    off = (frame["depth"] == 5) & (frame["scale"] == 0.9) & (frame["learning_rate"] == 0.1) & (frame["step"] == 5)
    first = frame.loc[(frame["depth"] == 5) & (frame["scale"] == 0.9) & (frame["step"] == 0), "loss"].iloc[0]
    frame.loc[off & (frame["seed"] == 1), "loss"] += 0.034 * first
    run = write_training(tmp_path / "run", make_trained(), frame, loss="mse")
    assert main(["curves", str(run)]) == 0
    assert "within" not in capsys.readouterr().out.splitlines()[0]
    assert main(["curves", str(run), "--learning-rates", "0.1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9
    for line in lines[4:8]:
        wanted = 3.4 if line.startswith("orthogonal, linear, L = 5, scale 0.9, learning rate 0.1:") else 0
        assert float(line.split("within ")[1].split(" %")[0]) == pytest.approx(wanted, abs=1e-6)
    assert main(["curves", str(write_training(tmp_path / "other", make_trained(), CURVES))]) == 0
    assert "within" not in capsys.readouterr().out


def test_how_the_first_gradient_fares_is_said_in_a_line_for_each_depth_and_scale():
    frame = make_curves((8, 32), (0.5, 2.0), (0.1,), initializers=("gaussian", "orthogonal"))
    lines = describe_gradients(frame)
    assert len(lines) == 8
    # 0.01 · seed + (L - 2) log10 scale, which comes back to 0 as 1/(1 + step)
    (line,) = [line for line in lines if line.startswith("orthogonal, tanh, L = 32, scale 0.5: ")]
    assert "10^-9.0 at step 0, 10^-0.0 at step 199; least 10^-9.0 at 0, most 10^-0.0 at 199" in line
    assert describe_gradients(frame.assign(loss=np.nan)) == []
    zero = describe_gradients(
        frame.assign(log10_grad_first=np.where(frame["step"] > 50, -np.inf, frame["log10_grad_first"]))
    )
    assert not any("inf" in line for line in zero)
    assert all("exactly 0 at step 199; least exactly 0 at 100" in line for line in zero)


def test_each_initializer_is_held_against_the_law_by_its_name_and_those_without_one_are_named():
    """Pooled, one that is off would be said of both; and one optimizer without a law would hide that of the other."""
    orthogonal, adam = aligned_curves(), aligned_curves(optimizer="adam")
    identity = orthogonal.assign(initializer="identity", loss=1.1 * orthogonal["loss"])
    lines = describe_law(pd.concat([orthogonal, identity], ignore_index=True))
    within = [float(line.split("within ")[1].split(" %")[0]) for line in lines]
    assert [line.split(",")[0] for line in lines] == ["orthogonal"] * 8 + ["identity"] * 8
    assert within == pytest.approx([0] * 8 + [10] * 8, abs=1e-6)
    both = pd.concat([orthogonal, adam], ignore_index=True)
    assert describe_law(both)[8:] == [f"orthogonal, linear, adam: {LAWLESS}"]
    for frame, said in ((both, True), (orthogonal, False), (CURVES, False)):
        texts = " ".join(texts_of(draw_curves(frame, loss="mse", depths=[max(frame["depth"])])).split())
        assert ("no law of modes" in texts) == said
