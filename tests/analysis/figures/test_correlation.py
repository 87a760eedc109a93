from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from analysis.cli.main import main
from analysis.figures.correlation import LABELS, POINTS, VALUES, draw_correlation, plot_correlation
from analysis.numbers.two_inputs import BY_QUADRATURE, expected, merging, missing
from analysis.rows.select import Facet, SelectionError
from bench.interface.plots import Plots
from bench.theory import gradient_correlation
from tests.analysis.conftest import make_cells, write_run


def make_pairs(correlations=(0.0, 0.9), depths=(2, 3, 10, 60), scales=(1.0,), seeds=5, **axes):
    """Two inputs that come together as correlation^(1/L), and gradients that part as 1/L, a little else for each seed."""
    cells = make_cells(depths, scales, seeds, **axes).drop(columns=["log10_output"])
    frame = cells.loc[cells.index.repeat(len(correlations))].reset_index(drop=True)
    frame["correlation"] = np.tile(correlations, len(cells))
    frame["cosine_last"] = 1 - (1 - frame["correlation"]) / frame["depth"] - 0.01 * frame["seed"]
    frame["cosine_grad_first"] = frame["correlation"] / frame["depth"] - 0.01 * frame["seed"]
    return frame


PAIRS = make_pairs(initializers=("he_normal",), activations=("relu",))


def points_of(ax):
    return [
        line for line in ax.lines if line.get_markerfacecolor() == POINTS["markerfacecolor"] and line.get_marker() != "None"
    ]


def texts_of(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


@pytest.mark.parametrize("value", VALUES)
def test_points_are_medians_and_bands_their_quantiles(value):
    ax = plot_correlation(PAIRS, value=value)
    bands = [artist for artist in ax.collections if isinstance(artist, PolyCollection)]
    rows = PAIRS.assign(drawn=1 - PAIRS[value] if value == "cosine_last" else PAIRS[value])
    for correlation, points, band in zip((0.0, 0.9), points_of(ax), bands, strict=True):
        seeds = rows[rows["correlation"] == correlation].groupby("depth")["drawn"]
        np.testing.assert_array_equal(points.get_xdata(), [2, 3, 10, 60])
        np.testing.assert_allclose(points.get_ydata(), seeds.median())
        heights = band.get_paths()[0].vertices
        for depth in (2, 60):
            at = heights[heights[:, 0] == depth, 1]
            assert (at.min(), at.max()) == pytest.approx((seeds.quantile(0.1)[depth], seeds.quantile(0.9)[depth]))
    assert ax.get_xscale() == "log"
    assert ax.get_yscale() == ("log" if value == "cosine_last" else "linear")
    assert ax.get_ylabel() == LABELS[value]


@pytest.mark.parametrize(
    ("activation", "depths"), [("relu", (2, 3, 9, 40)), ("tanh", (2, 5, 12, 300)), ("elu", (2, 5, BY_QUADRATURE + 1))]
)
def test_each_depth_of_a_line_is_theory_of_a_network_of_that_depth(activation, depths):
    facet = Facet("glorot_normal", activation, 64, 0.1)
    found = expected(facet, 1.3, 0.5, depths)
    for depth, apart, gradients in zip(depths, *found, strict=True):
        if activation == "elu" and depth > BY_QUADRATURE:
            assert np.isnan([apart, gradients]).all()
            continue
        law = gradient_correlation(activation, 1.3, 0.1, depth, 0.5)
        assert (apart, gradients) == pytest.approx((1 - law.forward[-1], law.backward[0]), rel=1e-9)


def test_theory_says_nothing_of_what_it_does_not_know():
    known = Facet("he_normal", "relu", 64, 0.0)
    for facet in (
        known._replace(activation="mine:function"),
        known._replace(initializer="identity"),
        known._replace(initializer="lsuv"),
        known._replace(width=1),
        known._replace(bias_std=0.1, input_norm=2.0),
        known._replace(activation="tanh", input_norm=2.0),
        known._replace(architecture="residual"),
    ):
        assert np.isnan(expected(facet, 1.0, 0.5, [2, 5])).all()
        figure = draw_correlation(
            make_pairs((0.9,), **{f"{name}s": (value,) for name, value in facet._asdict().items() if value})
        )
        said = " ".join(" ".join(texts_of(figure)).split())
        assert f"no theory: {missing(facet)}" in said
        assert "lines: theory" not in said
    assert np.isfinite(expected(known, 1.0, 0.5, [2, 5])).all()
    assert missing(known) == ""


def test_without_a_bias_relu_does_not_know_how_long_its_inputs_are():
    facet = Facet("he_normal", "relu", 64, 0.0)
    for norm in (0.1, 10.0):
        np.testing.assert_array_equal(
            expected(facet._replace(input_norm=norm), 1.0, 0.5, [2, 5]), expected(facet, 1.0, 0.5, [2, 5])
        )


def test_where_a_line_of_theory_ends_is_said():
    for depths, activation, ends in (
        ((2, 200), "elu", True),
        ((2, 9), "elu", False),
        ((2, 200), "tanh", False),
        ((2, 200), "relu", False),
    ):
        said = texts_of(draw_correlation(make_pairs((0.9,), depths, activations=(activation,))))
        assert any("followed to" in text for text in said) == ends


def test_networks_without_an_angle_are_said_to_have_none_and_no_law():
    dead = PAIRS.assign(scale=0.0, cosine_last=np.nan, cosine_grad_first=np.nan)
    figure = draw_correlation(dead)
    assert [text.get_text() for ax in figure.axes for text in ax.texts] == ["every angle is of zeros"] * 2
    assert not any("ReLU:" in text for text in texts_of(figure))


def test_one_input_twice_is_nowhere_apart_and_does_not_stretch_the_axis():
    twice = PAIRS[PAIRS["correlation"] == 0.9].assign(correlation=1.0, cosine_last=1 - 1.2e-7, cosine_grad_first=1.0)
    both = pd.concat([PAIRS, twice], ignore_index=True)
    assert draw_correlation(both).axes[0].get_ylim() == draw_correlation(PAIRS).axes[0].get_ylim()
    assert any("correlation 1 (one input: 0 apart)" in text for text in texts_of(draw_correlation(both)))
    figure = draw_correlation(twice)
    assert [text.get_text() for ax in figure.axes for text in ax.texts] == ["nothing is apart beyond rounding"]
    assert not any("ReLU:" in text for text in texts_of(figure))


def test_relu_merges_inputs_as_its_law_says_and_parts_their_gradients_faster():
    """1 - c falls as 9π²/(2 l²), and so each layer multiplies the gradients' cosine by 1 - arccos(c)/π ≈ 1 - 3/l."""
    facet, depths = Facet("he_normal", "relu", 64, 0.0), [2001, 4001]
    apart, gradients = expected(facet, 1.0, 0.5, depths)
    np.testing.assert_allclose(apart, merging(np.array(depths)), rtol=0.02)
    assert gradients[1] / gradients[0] == pytest.approx(1 / 8, rel=0.02)


def test_the_law_of_relu_is_drawn_where_it_holds_and_dead_networks_are_counted():
    assert any("9" in text and "ReLU" in text for text in texts_of(draw_correlation(PAIRS)))
    for axes in ({"activations": ("tanh",)}, {"activations": ("relu",), "bias_stds": (0.1,)}):
        assert not any("ReLU" in text for text in texts_of(draw_correlation(make_pairs(**axes))))
    dead = PAIRS.assign(cosine_last=PAIRS["cosine_last"].where(PAIRS["seed"] > 0))
    figure = draw_correlation(dead)
    assert any(f"8 of {len(dead)} angles are of zeros" in " ".join(text.split()) for text in texts_of(figure))
    kept = dead[(dead["seed"] > 0) & (dead["correlation"] == 0.9)].groupby("depth")["cosine_last"]
    np.testing.assert_allclose(points_of(figure.axes[0])[1].get_ydata(), 1 - kept.median())


def test_more_than_can_be_told_apart_is_refused():
    with pytest.raises(SelectionError, match="SELECTION: got '8 networks', expected up to 6"):
        plot_correlation(make_pairs(scales=tuple(np.arange(1.0, 9.0)), seeds=1))
    with pytest.raises(SelectionError, match="correlations: got 5, expected up to 4"):
        plot_correlation(make_pairs(correlations=(0, 0.1, 0.2, 0.3, 0.4), seeds=1))
    with pytest.raises(SelectionError, match="value: got 'cosine'"):
        plot_correlation(PAIRS, value="cosine")


def test_an_axes_that_is_given_is_drawn_on():
    plain, keyed = Figure().subplots(1, 2)
    assert plot_correlation(PAIRS, ax=plain) is plain
    assert plain.get_legend() is None
    plot_correlation(PAIRS, ax=keyed, key=True)
    assert keyed.get_legend() is not None


def test_what_is_rounding_is_no_point_and_the_end_of_a_band():
    pairs = PAIRS.assign(cosine_last=1 - np.where(PAIRS["depth"] == 60, 10.0 ** (-15 + PAIRS["seed"]), 0.1))
    ax = plot_correlation(pairs[pairs["correlation"] == 0.9])
    (points,) = points_of(ax)
    assert np.isfinite(points.get_ydata()).tolist() == [True, True, True, False]
    heights = ax.collections[0].get_paths()[0].vertices
    at = heights[heights[:, 0] == 60, 1]
    assert (at.min(), at.max()) == pytest.approx((1e-12, 0.6e-11 + 0.4e-12), rel=0.1)
    assert ax.get_ylim()[0] == pytest.approx(1e-12)


def test_networks_of_one_unit_have_no_band_between_1_and_minus_1():
    pairs = make_pairs(initializers=("he_normal",), activations=("relu",)).assign(width=1)
    figure = draw_correlation(pairs)
    assert not [band for ax in figure.axes for band in ax.collections if isinstance(band, PolyCollection)]
    assert not [text for text in texts_of(figure) if "of the seeds" in text]


def test_inputs_nearly_alike_are_drawn_and_named():
    pairs = make_pairs(correlations=(0.5, 0.9999999), seeds=1, initializers=("he_normal",), activations=("relu",))
    figure = draw_correlation(pairs)
    assert np.isfinite(points_of(figure.axes[0])[1].get_ydata()).all()  # 1e-7 apart and less
    assert "inputs at correlation 0.9999999" in texts_of(figure)


def test_python_chooses_correlations_as_the_command_line_does(tmp_path):
    run = SimpleNamespace(path=tmp_path, kind="sweep", manifest={"sweep": {}}, pairs=PAIRS)
    ax = Plots(run).correlation(ax=Figure().add_subplot(), correlations=0.9)
    assert len(points_of(ax)) == 1


def test_a_run_is_drawn_at_the_scale_nearest_to_one_and_its_chosen_correlations(tmp_path, capsys):
    pairs = make_pairs(scales=(0.5, 1.1, 2.0), depths=(2, 5), activations=("relu",))
    run = write_run(tmp_path / "run", make_cells(activations=("relu",)))
    assert main(["correlation", str(run)]) == 2
    assert "--correlations" in capsys.readouterr().err
    (run / "pairs").mkdir()
    pairs.to_parquet(run / "pairs" / "chunk-00000.parquet")
    assert main(["correlation", str(run), "--correlations", "0.9"]) == 0
    assert (run / "correlation.png").stat().st_size > 0
    assert main(["correlation", str(run), "--input-norms", "2"]) == 2
    assert "--input-norms: got [2.0], expected a run with the column input_norm" in capsys.readouterr().err
    assert main(["correlation", str(run), "--correlations", "0.3"]) == 2
    assert "--correlations: got 0.3" in capsys.readouterr().err
