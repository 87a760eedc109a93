import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure

from analysis.figures.phase import POINT, plot_phase
from analysis.numbers.phase_plane import phase_plane
from analysis.rows.select import SelectionError
from bench.theory import fixed_point

TANH = phase_plane("tanh", np.linspace(0.5, 3, 26), np.linspace(0, 1, 11))
RELU = phase_plane("relu", np.linspace(0.5, 3, 26), np.linspace(0, 1, 11))


def legend_of(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def words_of(ax):
    return {text.get_text().split("\n")[0] for text in ax.texts}


def points_of(ax):
    return [line.get_xydata()[0].tolist() for line in ax.lines if line.get_marker() == POINT["marker"]]


@pytest.mark.parametrize("activation", ["linear", "tanh", "relu", "selu", "gelu", "softplus", "sine"])
def test_a_plane_holds_what_the_fixed_points_are(activation):
    weight_stds, bias_stds = [0.6, 1.0, 1.3, 1.7, 2.4], [0.0, 0.05, 0.3, 0.9]
    frame = phase_plane(activation, weight_stds, bias_stds)
    assert len(frame) == 20
    for row in frame.itertuples():
        exact = fixed_point(activation, row.weight_std, row.bias_std)
        assert row.q == pytest.approx(exact.q, rel=1e-3)
        assert row.chi1 == pytest.approx(exact.chi1, rel=1e-4)
        if abs(math.log(exact.chi1)) > 1e-2:
            assert row.xi_grad == pytest.approx(exact.xi_grad, rel=1e-2)


def test_lengths_vanish_stay_and_explode():
    frame = phase_plane("relu", [1.0, math.sqrt(2), 2.0], [0.0, 0.5]).set_index(["weight_std", "bias_std"])
    assert frame["q"].tolist() == pytest.approx([0, 0.5, 2, math.inf, math.inf, math.inf], rel=1e-4)
    assert frame["chi1"].tolist() == pytest.approx([0.5, 0.5, 1, 1, 2, 2])
    assert np.isposinf(frame["xi_grad"]).tolist() == [False, False, True, True, False, False]


def test_colours_are_depth_scales_on_the_plane():
    ax = plot_phase(TANH)
    (mesh,) = [artist for artist in ax.collections if isinstance(artist, QuadMesh)]
    drawn = TANH.pivot_table(index="bias_std", columns="weight_std", values="xi_grad")
    np.testing.assert_array_equal(np.minimum(mesh.get_array(), 1e300), np.minimum(drawn, 1e300))
    assert (ax.get_xlim(), ax.get_ylim()) == ((0.5, 3), (0, 1))
    assert (r"\sigma_w" in ax.get_xlabel(), r"\sigma_b" in ax.get_ylabel()) == (True, True)


def test_the_edge_of_chaos_is_where_chi_is_one():
    (edge,) = [c for c in plot_phase(TANH).collections if isinstance(c, QuadContourSet)]
    assert to_hex(edge.get_edgecolor()[0]) == "#000000"
    for weight_std, bias_std in np.concatenate([path.vertices for path in edge.get_paths()])[::3]:
        assert fixed_point("tanh", weight_std, bias_std).chi1 == pytest.approx(1, abs=0.03)


def test_phases_are_named_where_they_are():
    assert words_of(plot_phase(TANH)) == {"ordered", "chaotic"}
    ordered = TANH[TANH["weight_std"] < 0.95]
    assert words_of(plot_phase(ordered)) == {"ordered"}
    for text in plot_phase(TANH).texts:
        chi1 = fixed_point("tanh", *text.get_position()).chi1
        assert (chi1 < 1) == text.get_text().startswith("ordered")


def test_where_lengths_explode_nothing_is_called_chaotic():
    """ReLU and GELU without a bias: inputs that are alike stay alike."""
    assert words_of(plot_phase(RELU)) == {"ordered", "exploding"}
    assert words_of(plot_phase(phase_plane("gelu", np.linspace(0.5, 3, 26), [0.0, 0.05, 0.1]))) == {"ordered", "exploding"}
    assert not any("chaos" in entry for entry in legend_of(plot_phase(RELU).figure))
    assert any("chaos" in entry for entry in legend_of(plot_phase(TANH).figure))


def test_exploding_lengths_are_hatched_and_named():
    (hatched,) = [c for c in plot_phase(RELU).collections if isinstance(c, QuadContourSet) and c.filled]
    assert hatched.hatches == ["////"]
    assert min(x for path in hatched.get_paths() for x, _ in path.vertices) > math.sqrt(2) - 0.1
    assert any("explode" in entry for entry in legend_of(plot_phase(RELU).figure))
    assert not any("explode" in entry for entry in legend_of(plot_phase(TANH).figure))


def test_the_critical_point_is_marked_with_its_numbers():
    ax = plot_phase(RELU)
    assert points_of(ax) == [pytest.approx([math.sqrt(2), 0])]
    assert any(r"\sigma_w = 1.414$, $\sigma_b = 0$" in entry for entry in legend_of(ax.figure))
    outside = plot_phase(phase_plane("sigmoid", [1, 2, 3], [0, 1]))
    assert points_of(outside) == []
    assert "(outside)" in legend_of(outside.figure)[-1]


def test_an_activation_without_a_critical_point_draws():
    frame = phase_plane("softplus", [0.5, 1, 2], [0, 1])
    ax = plot_phase(frame)
    ax.get_figure(root=True).draw_without_rendering()
    assert points_of(ax) == []


def test_an_axes_that_is_given_is_labelled_and_gets_its_key_if_asked():
    figure = Figure(layout="constrained")
    plain, keyed = figure.subplots(1, 2)
    assert plot_phase(RELU, ax=plain) is plain
    assert (plain.get_title(), plain.get_legend()) == ("relu: phases of mean-field theory", None)
    assert "weights" in plain.get_xlabel()
    plot_phase(TANH, ax=keyed, key=True)
    assert keyed.get_legend() is not None
    assert len(figure.axes) == 3


def test_a_function_of_the_users_own():
    frame = phase_plane("jax.numpy:tanh", [0.8, 1.5], [0.1, 0.5])
    expected = phase_plane("tanh", [0.8, 1.5], [0.1, 0.5])
    np.testing.assert_allclose(frame["chi1"], expected["chi1"], rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("tahn", [1, 2], [0, 1]), "activation: got 'tahn'.*did you mean tanh"),
        (("no_such_module:function", [1, 2], [0, 1]), "activation: got 'no_such_module:function'"),
        (("tanh", [1], [0, 1]), "weight_stds: got .*two or more numbers above 0"),
        (("tanh", [0, 1], [0, 1]), "weight_stds: got .*above 0"),
        (("tanh", [1, 2], [-1, 1]), "bias_stds: got .*from 0 on"),
        (("tanh", [1, math.nan], [0, 1]), "weight_stds"),
    ],
)
def test_what_spans_no_plane_is_refused(arguments, text):
    with pytest.raises(SelectionError, match=text):
        phase_plane(*arguments)


def test_one_plane_refuses_several_activations():
    with pytest.raises(SelectionError, match="activation: got 2"):
        plot_phase(pd.concat([TANH, RELU]))


def test_an_activation_of_ones_own_that_raises_is_one_line():
    def broken(_z):
        raise ZeroDivisionError("not today")

    with pytest.raises(SelectionError, match=r"^activation: .*not today"):
        phase_plane(broken, [0.5, 1.0], [0.0, 1.0])
