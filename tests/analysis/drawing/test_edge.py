import math

import pytest

from analysis.drawing.edge import COLOUR, LABEL, NO_POINT, critical_scale, describe_missing, edge_handle
from analysis.figures.heatmap import draw_heatmaps, plot_heatmap
from analysis.rows.select import Facet
from bench.theory import critical
from tests.analysis.conftest import make_cells
from tests.analysis.figures.test_heatmap import legend_of, panels_of


def edges_of(ax):
    return [line for line in ax.lines if line.get_label() == LABEL]


@pytest.mark.parametrize(
    ("initializer", "activation", "bias_std", "expected"),
    [
        ("gaussian", "tanh", 0.0, 1.0),
        ("gaussian", "relu", 0.0, math.sqrt(2)),
        ("he_normal", "relu", 0.0, 1.0),
        ("torch_linear", "linear", 0.0, math.sqrt(3)),
        ("orthogonal", "relu", 0.0, math.sqrt(2)),
        ("critical", "relu", 0.0, 1.0),
        ("critical", "gelu", critical("gelu").bias_std, 1.0),
        ("identity", "linear", 0.0, 1.0),
        ("gaussian", "tanh", 0.1, 1.1934),
        ("identity", "tanh", 0.0, math.nan),
        ("gaussian", "gelu", 0.0, math.nan),
        ("gaussian", "relu", 0.1, math.nan),
        ("mine:init", "tanh", 0.0, math.nan),
        ("gaussian", "mine:function", 0.0, math.nan),
    ],
)
def test_critical_scales(initializer, activation, bias_std, expected):
    found = critical_scale(Facet(initializer, activation, 64, bias_std))
    assert found.scale == pytest.approx(expected, rel=1e-4, nan_ok=True)
    assert bool(found.missing) == math.isnan(expected)


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [("conv:dims=2", 1.0), *((name, math.nan) for name in ("conv:padding=zero", "conv:skip=true", "normed", "batchnorm"))]
    + [(name, math.nan) for name in ("residual", "transformer:norm=post", "lstm", "mine:block")],
)
def test_only_convolutions_on_a_ring_have_the_critical_scale_of_plain_networks(architecture, expected):
    found = critical_scale(Facet("he_normal", "relu", 64, 0.0, architecture=architecture))
    assert found.scale == pytest.approx(expected, nan_ok=True)
    assert bool(found.missing) == math.isnan(expected)


def test_every_panel_has_the_line_of_its_own():
    figure = draw_heatmaps(make_cells(initializers=("gaussian", "he_normal"), activations=("tanh", "relu", "gelu")))
    heights = {}
    for ax in panels_of(figure):
        heights[ax.get_title()] = [line.get_ydata()[0] for line in edges_of(ax)]
    root = math.sqrt(2)
    assert heights == {
        "gaussian, tanh": [pytest.approx(1)],
        "gaussian, relu": [pytest.approx(root)],
        "gaussian, gelu": [],
        "he_normal, tanh": [pytest.approx(1 / root)],
        "he_normal, relu": [pytest.approx(1)],
        "he_normal, gelu": [],
    }
    assert legend_of(figure).count(LABEL) == 1


def test_the_line_differs_from_those_of_number_types():
    ax = plot_heatmap(make_cells(depths=range(2, 853, 50), seeds=1))
    (line,) = edges_of(ax)
    handle = edge_handle()
    assert line.get_color() == handle.get_color() == COLOUR != "black"
    assert len({str(h.get_linestyle()) + str(h._dash_pattern) for h in ax.figure.legends[0].legend_handles[:3]}) == 3


def test_without_theory_and_out_of_sight_there_is_none():
    for ax in (plot_heatmap(make_cells(), theory=False), plot_heatmap(make_cells(scales=(2.0, 3.0)))):
        assert edges_of(ax) == []
        assert LABEL not in legend_of(ax.figure)
    figure = draw_heatmaps(make_cells(), theory=False)
    assert LABEL not in legend_of(figure)


def notes_of(figure):
    return [" ".join(entry.split()) for entry in legend_of(figure) if entry.startswith("no critical line")]


def test_the_legend_says_why_there_is_no_line():
    axes = {"initializers": ("gaussian", "identity", "mine:init"), "activations": ("tanh", "relu", "gelu")}
    cells = make_cells(depths=(2, 5), scales=(0.5, 1.0, 1.1), seeds=1, **axes)
    assert set(notes_of(draw_heatmaps(cells))) == {
        "no critical line of gelu: no mean-field critical point at this bias",
        "no critical line of identity: mean-field theory is of random weights",
        "no critical line of mine:init: the scheme has no law",
        "no critical line of relu: the critical scale lies outside",
    }
    assert notes_of(plot_heatmap(make_cells(scales=(2.0, 3.0))).figure) == [
        "no critical line: the critical scale lies outside"
    ]
    assert notes_of(draw_heatmaps(make_cells())) == notes_of(draw_heatmaps(cells, theory=False)) == []


@pytest.mark.parametrize(
    ("axes", "where"),
    [
        ({"activations": ("gelu",), "bias_stds": (0.0, 0.5)}, " at bias std 0"),
        ({"activations": ("tanh", "relu"), "bias_stds": (0.0, 0.1, 0.3)}, " of relu at bias std 0.1, 0.3"),
        (
            {"activations": ("tanh", "relu", "gelu"), "bias_stds": (0.0, 0.5)},
            " of gelu at bias std 0; relu at bias std 0.5",
        ),
    ],
)
def test_the_legend_names_the_panels_without_a_line(axes, where):
    (note,) = notes_of(draw_heatmaps(make_cells(seeds=1, **axes)))
    assert note == f"no critical line{where}: no mean-field critical point at this bias"


def test_panels_without_a_line_are_named_by_width_and_initializer_where_these_tell_them_apart():
    panels = [Facet(name, "tanh", width, 0.0) for name in ("a", "b") for width in (4, 16)]
    assert describe_missing({panels[1]: "why", panels[3]: "why"}, panels) == [
        "no critical line at n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}16: why"
    ]
    (both,) = describe_missing({panels[3]: "why"}, panels)
    assert both.split("line ")[1].split() == ["of", "b", "at", "n", "=", "16:", "why"]
    assert describe_missing(dict.fromkeys(panels, "why"), panels) == ["no critical line: why"]


@pytest.mark.parametrize(("activation", "bias_std"), [("relu", 0.1), ("gelu", 0.1), ("silu", 0.5)])
def test_a_critical_scheme_without_a_point_has_a_law_and_no_point(activation, bias_std):
    assert critical_scale(Facet("critical", activation, 64, bias_std)).missing == NO_POINT
