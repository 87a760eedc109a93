from itertools import pairwise
from xml.etree import ElementTree

import matplotlib as mpl
import ml_dtypes
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PatchCollection, QuadMesh
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure

from analysis.drawing.colours import ABOVE, choose_colours
from analysis.drawing.contours import WIDTH, range_limits
from analysis.drawing.edge import LABEL
from analysis.drawing.save import save_figure
from analysis.figures.heatmap import draw_heatmaps, plot_heatmap
from analysis.numbers.grid import cell_edges, evenly_spaced_in_log, to_grid
from analysis.numbers.statistics import number_range
from analysis.rows.select import SelectionError
from tests.analysis.conftest import make_cells

SMOOTH = make_cells(depths=range(2, 853, 10), scales=np.linspace(0.5, 2.5, 41), seeds=1)


def mesh_of(ax):
    (mesh,) = [artist for artist in ax.collections if isinstance(artist, QuadMesh)]
    return mesh


def patches_of(ax):
    """Cells that have no colour."""
    return [artist for artist in ax.collections if isinstance(artist, PatchCollection) and artist not in above_of(ax)]


def above_of(ax):
    patches = [artist for artist in ax.collections if isinstance(artist, PatchCollection)]
    return [patch for patch in patches if patch.get_hatch() == ABOVE["hatch"]]


def contours_of(ax):
    return [artist for artist in ax.collections if isinstance(artist, QuadContourSet)]


def legend_of(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def panels_of(figure):
    return [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]


def test_the_mesh_is_the_seed_medians():
    cells = make_cells(seeds=3)
    drawn = mesh_of(plot_heatmap(cells)).get_array()
    medians = cells.pivot_table("log10_grad_first", "scale", "depth", "median").to_numpy()
    np.testing.assert_array_equal(drawn, medians)


def test_value_and_stat_choose_what_is_drawn():
    cells = make_cells(seeds=3)
    cells["log10_output"] = cells["seed"] * 10.0
    drawn = mesh_of(plot_heatmap(cells, value="log10_output", stat="max")).get_array()
    np.testing.assert_array_equal(drawn, 20.0)


def test_cells_lie_at_their_depth_on_a_log_axis():
    ax = plot_heatmap(make_cells(depths=(2, 8, 128), scales=(0.5, 1.0, 2.5)))
    assert ax.get_xscale() == "log"
    assert ax.get_yscale() == "linear"
    edges = mesh_of(ax).get_coordinates()
    np.testing.assert_allclose(edges[0, :, 0], [1, 4, 32, 512])
    np.testing.assert_allclose(edges[:, 0, 1], [0.25, 0.75, 1.75, 3.25])
    assert ax.get_xlim() == pytest.approx((1, 512))


def test_scales_that_are_spaced_in_log_get_a_log_axis():
    assert evenly_spaced_in_log(np.geomspace(0.01, 10, 7))
    assert not evenly_spaced_in_log(np.linspace(0.5, 2.5, 7))
    assert not evenly_spaced_in_log(np.array([0.0, 1.0, 10.0]))
    assert plot_heatmap(make_cells(scales=(0.1, 1.0, 10.0))).get_yscale() == "log"


def test_cell_edges_of_one_centre_surround_it():
    assert cell_edges(np.array([100.0]), logarithmic=True) == pytest.approx([100 / 2**0.5, 100 * 2**0.5])
    assert cell_edges(np.array([1.0]), logarithmic=False) == pytest.approx([0.9, 1.1])


def test_bfloat16_and_float32_share_a_line_and_float16_has_its_own():
    assert [limit.dtypes for limit in range_limits()] == [("float16",), ("bfloat16", "float32")]
    assert len({str(limit.style) for limit in range_limits()}) == 2


def test_contours_lie_where_the_field_crosses_each_range():
    """The field is (L - 2) log10(scale): at each scale it crosses a level at one depth, which is known."""
    ax = plot_heatmap(SMOOTH)
    ends = [end for dtype in ("float16", "bfloat16") for end in number_range(dtype)]
    contours = contours_of(ax)
    assert sorted(contour.levels[0] for contour in contours) == pytest.approx(sorted(ends), abs=0.01)
    scales = np.unique(SMOOTH["scale"])
    for contour in contours:
        (level,) = contour.levels
        vertices = np.concatenate([path.vertices for path in contour.get_paths()])
        on_rows = [(x, y) for x, y in vertices if np.isclose(y, scales).any()]
        assert len(on_rows) >= 8
        for depth, scale in on_rows:
            assert depth == pytest.approx(2 + level / np.log10(scale), rel=1e-9)


def test_contours_do_not_depend_on_where_colours_end():
    wide, narrow = (contours_of(plot_heatmap(SMOOTH, limit=limit)) for limit in (300, 1))
    assert len(wide) == len(narrow) == 4
    for one, other in zip(wide, narrow, strict=True):
        np.testing.assert_array_equal(one.get_paths()[0].vertices, other.get_paths()[0].vertices)


def test_only_limits_that_are_crossed_are_in_the_legend():
    ax = plot_heatmap(make_cells(depths=(2, 5, 10)))
    assert contours_of(ax) == []
    assert legend_of(ax.figure)[:1] == [LABEL]
    assert "float16" not in "".join(legend_of(ax.figure))
    entries = legend_of(plot_heatmap(SMOOTH).figure)
    assert [entry.split(":")[0] for entry in entries[:2]] == ["float16", "bfloat16 (float32"]


def test_exact_zeros_and_undefined_cells_are_masked_hatched_and_named():
    cells = make_cells(seeds=1)
    cells.loc[(cells["depth"] == 852) & (cells["scale"] == 0.5), "log10_grad_first"] = -np.inf
    cells.loc[(cells["depth"] == 2) & (cells["scale"] == 2.0), "log10_grad_first"] = np.nan
    cells = cells[(cells["depth"] != 10) | (cells["scale"] != 1.0)]  # not measured: neither of both
    ax = plot_heatmap(cells)
    mask = np.ma.getmaskarray(mesh_of(ax).get_array())
    assert np.argwhere(mask).tolist() == [[0, 3], [1, 1], [2, 0]]
    zero, undefined = patches_of(ax)
    corners = [patch.get_paths()[0].vertices.min(axis=0) for patch in (zero, undefined)]
    edges = mesh_of(ax).get_coordinates()
    np.testing.assert_allclose(corners, [edges[0, 3], edges[2, 0]])
    assert len(zero.get_paths()) == len(undefined.get_paths()) == 1
    assert zero.get_hatch() != undefined.get_hatch()
    assert {"exactly zero", "undefined"} <= set(legend_of(ax.figure))
    clean = plot_heatmap(make_cells())
    assert not {"exactly zero", "undefined"} & set(legend_of(clean.figure))
    assert patches_of(clean) == []


def entries_of(rows, matrix):
    """The columns of entries of scale^(L-2) times a matrix."""
    size = np.log10(np.abs(matrix[matrix != 0]))
    growth = (rows["depth"] - 2) * np.log10(rows["scale"])
    quantiles = {"tenth": np.quantile(size, 0.1), "median": np.median(size), "largest": size.max()}
    return {f"log10_entry_{name}": growth + value for name, value in quantiles.items()}


@pytest.mark.parametrize("dtype", ["float16", ml_dtypes.bfloat16])
def test_a_format_ends_where_half_of_the_entries_that_it_is_cast_to_are_zero_or_one_is_infinite(dtype):
    """Against casts of the matrix itself, half of whose rows are off, at every depth of two scales."""
    rng = np.random.default_rng(0)
    matrix = np.outer(rng.normal(size=32) * (np.arange(32) % 2), rng.normal(size=32))
    cells = make_cells(depths=range(2, 853, 2), scales=(0.5, 0.6, 1.4, 1.5), seeds=1)
    cells = cells.assign(**entries_of(cells, matrix))
    name = np.dtype(dtype).name
    lines = contours_of(plot_heatmap(cells))
    thick, thin = ([line for line in lines if (line.get_linewidths()[0] == WIDTH) == is_thick] for is_thick in (True, False))
    for scale, share, found, end in (
        (0.5, 0.5, thick, "underflow"),
        (0.5, 0.1, thin, "underflow"),
        (1.5, None, thick, "overflow"),
    ):
        level = getattr(number_range(name), end)
        (line,) = [line for line in found if line.levels[0] == pytest.approx(level)]
        drawn = next(x for path in line.get_paths() for x, y in path.vertices if np.isclose(y, scale))
        for depth in range(2, 853):
            with np.errstate(over="ignore"):
                cast = (matrix * scale ** (depth - 2)).astype(dtype).astype(float)[1::2]
            if np.isinf(cast).any() if share is None else np.mean(cast == 0) >= share:
                break
        assert drawn == pytest.approx(depth, abs=1)


def test_the_legend_says_whether_entries_or_norms_are_lost():
    cells = SMOOTH.assign(**entries_of(SMOOTH, np.ones((2, 2))))
    entries = legend_of(plot_heatmap(cells).figure)
    assert "float16" in entries
    assert "half of the entries" in " ".join(" ".join(entries).split())
    for value, frame in (("log10_grad_last", cells), ("log10_grad_first", SMOOTH)):
        assert any(entry.startswith("float16: norm below") for entry in legend_of(plot_heatmap(frame, value=value).figure))
    assert any(entry.startswith("float16: number") for entry in legend_of(plot_heatmap(cells, value="log10_output").figure))


def test_an_imbalance_is_the_median_of_ratios_and_no_format_holds_it():
    cells = make_cells(depths=(2, 10, 852), seeds=3, activations=("tanh",))
    rng = np.random.default_rng(0)
    parts = {f"log10_relative_{end}": 100 * rng.normal(size=len(cells)) for end in ("first", "last")}
    cells = cells.assign(**parts).assign(difference=parts["log10_relative_first"] - parts["log10_relative_last"])
    ax = plot_heatmap(cells, value="relative_imbalance")
    np.testing.assert_array_equal(mesh_of(ax).get_array(), cells.pivot_table("difference", "scale", "depth", "median"))
    assert contours_of(ax) == []
    assert "relative" in ax.get_title()
    words = draw_heatmaps(cells, value="relative_imbalance").axes[-1].get_ylabel()
    assert "imbalance" in words
    assert r"\Vert W_{L-1}\Vert" in words


@pytest.mark.parametrize(
    ("activation", "value", "bias", "loss", "critical"),
    [
        ("relu", "relative_imbalance", 0.0, "mse", False),
        ("relu", "log10_relative_first", 0.0, "output", False),
        ("relu", "log10_relative_first", 0.0, "mse", True),
        ("relu", "log10_grad_per_weight_first", 0.0, "output", True),
        ("tanh", "relative_imbalance", 0.0, "output", True),
        ("tanh", "relative_imbalance", 0.1, "output", True),
    ],
)
def test_no_scale_is_critical_where_none_matters(activation, value, bias, loss, critical):
    columns = ("log10_relative_first", "log10_relative_last", "log10_grad_per_weight_first")
    cells = make_cells(depths=(2, 10), scales=(0.5, 3.0), activations=(activation,), bias_stds=(bias,))
    figure = plot_heatmap(cells.assign(**dict.fromkeys(columns, 0.0)), value=value, loss=loss).figure
    assert (LABEL in legend_of(figure)) == critical
    assert any("does not depend on the" in entry for entry in legend_of(figure)) != critical


@pytest.mark.parametrize("value", ["log10_relative_last", "relative_imbalance", "log10_entry_median"])
def test_a_run_without_the_column_is_refused(value):
    with pytest.raises(
        SelectionError, match=f"value: got '{value}', expected a run with log10_.*; this one was measured with"
    ):
        plot_heatmap(make_cells(), value=value)


def test_a_field_that_dies_underflows_between_the_last_gradient_and_the_first_zero():
    cells = make_cells(seeds=1, log10_norm=lambda rows: np.where(rows["depth"] > 50, -np.inf, 0.0) + 0 * rows["scale"])
    contours = contours_of(plot_heatmap(cells))
    assert sorted(c.levels[0] for c in contours) == pytest.approx(
        [number_range(d).underflow for d in ("bfloat16", "float16")]
    )
    for contour in contours:
        depths = contour.get_paths()[0].vertices[:, 0]
        assert ((depths > 10) & (depths < 100)).all()


@pytest.mark.parametrize(
    "axes",
    [{"seeds": 1}, {"depths": (5,)}, {"scales": (1.0,)}, {"depths": (5,), "scales": (1.0,), "seeds": 1}],
    ids=["seed", "depth", "scale", "cell"],
)
def test_one_of_everything_draws(axes):
    ax = plot_heatmap(make_cells(**axes))
    ax.get_figure(root=True).draw_without_rendering()  # lays out, and so warns or fails as a file would
    assert mesh_of(ax).get_array().count() == len(axes.get("depths", range(4))) * len(axes.get("scales", range(3)))


def test_all_cells_undefined_or_zero_draws(tmp_path):
    cells = make_cells(log10_norm=lambda rows: np.where(rows["depth"] > 5, -np.inf, np.nan) + 0 * rows["scale"])
    figure = draw_heatmaps(cells)
    save_figure(figure, tmp_path / "none.svg")
    assert legend_of(figure) == [LABEL, "exactly zero", "undefined"]


def test_colours_are_symmetric_robust_and_say_what_they_clip():
    cells = make_cells(depths=range(2, 22), scales=(1.0, 1.5), log10_norm=lambda rows: 0.2 * rows["depth"])
    cells.loc[cells["depth"] == 21, "log10_grad_first"] = 1e6
    cells.loc[cells["depth"] == 2, "log10_grad_first"] = -3.0
    colours = choose_colours([to_grid(cells, "log10_grad_first", "median")], "median")
    assert colours.norm.vmin == -colours.norm.vmax
    assert 3 <= colours.norm.vmax <= 5
    assert (colours.extend, colours.lowest, colours.highest) == ("max", -3.0, 1e6)
    assert any("data reach 1e+06" in entry for entry in legend_of(plot_heatmap(cells).figure))


def test_colours_never_go_beyond_float32_nor_exaggerate_a_flat_field():
    huge, flat = (
        choose_colours([to_grid(make_cells(log10_norm=norm), "log10_grad_first", "median")], "median")
        for norm in (lambda rows: 300.0 + 0 * rows["depth"], lambda rows: 0 * rows["depth"])
    )
    assert huge.norm.vmax == 40
    assert flat.norm.vmax == pytest.approx(0.1)
    assert flat.extend == "neither"


def test_a_standard_deviation_has_sequential_colours_and_no_ranges():
    ax = plot_heatmap(make_cells(seeds=4, log10_norm=lambda rows: rows["depth"] * rows["seed"] * 1.0), stat="std")
    assert mesh_of(ax).norm.vmin == 0
    assert contours_of(ax) == []


def test_the_whole_figure_has_a_panel_for_each_pair_and_one_colorbar():
    cells = make_cells(initializers=("gaussian", "he_normal"), activations=("tanh", "relu", "linear"))
    figure = draw_heatmaps(cells)
    words = np.array([ax.get_title().split(", ") for ax in panels_of(figure)]).reshape(2, 3, 2)
    assert {len(set(row)) for row in words[:, :, 0]} == {1}
    assert {len(set(column)) for column in words[:, :, 1].T} == {1}
    assert {tuple(pair) for row in words for pair in row} == set(zip(cells["initializer"], cells["activation"], strict=True))
    assert len(figure.axes) == 7
    assert len({mesh_of(ax).norm.vmax for ax in panels_of(figure)}) == 1


def test_several_widths_and_biases_get_panels_that_name_them():
    figure = draw_heatmaps(make_cells(widths=(4, 16), bias_stds=(0.0, 0.1)))
    assert [" ".join(ax.get_title().split()) for ax in panels_of(figure)] == [
        f"gaussian, linear, n = {n}{bias}" for n in (4, 16) for bias in ("", ", bias std 0.1")
    ]


def test_a_pair_that_was_not_measured_leaves_an_empty_place():
    cells = make_cells(initializers=("gaussian", "identity"), activations=("tanh", "relu"))
    figure = draw_heatmaps(cells[(cells["initializer"] != "identity") | (cells["activation"] != "relu")])
    assert sorted(ax.axison for ax in panels_of(figure)) == [False, True, True, True]


def test_labels_say_what_is_drawn():
    cells = make_cells(seeds=8)
    label = draw_heatmaps(cells, value="log10_grad_last").axes[-1].get_ylabel()
    assert "W_{L-1}" in label
    assert r"\partial y" in label
    assert "median of 8 seeds" in label
    assert r"\partial y" not in draw_heatmaps(cells, loss="mse").axes[-1].get_ylabel()


def test_an_axes_that_is_given_is_labelled_and_nothing_global_changes():
    before = dict(mpl.rcParams)
    figure = Figure(layout="constrained")
    plain, titled = figure.subplots(1, 2)
    titled.set(title="mine", xlabel="layers")
    assert plot_heatmap(make_cells(), ax=plain) is plain
    assert (plain.get_title(), plain.get_ylabel()) == ("gaussian, linear", "weight scale")
    assert plain.get_xlabel().startswith("depth")
    plot_heatmap(make_cells(), ax=titled, key=True)
    assert (titled.get_title(), titled.get_xlabel(), titled.get_ylabel()) == ("mine", "layers", "weight scale")
    assert dict(mpl.rcParams) == before


def test_only_an_axes_whose_key_is_asked_for_gets_legend_and_colorbar():
    figure = Figure(layout="constrained")
    without, with_key = figure.subplots(1, 2)
    plot_heatmap(make_cells(), ax=without)
    assert without.get_legend() is None
    assert len(figure.axes) == 2
    plot_heatmap(make_cells(), ax=with_key, key=True)
    assert LABEL in [text.get_text() for text in with_key.get_legend().get_texts()]
    assert len(figure.axes) == 3
    figure.draw_without_rendering()
    legend, panel = with_key.get_legend().get_window_extent(), with_key.get_window_extent()
    assert legend.y1 < panel.y0
    assert legend.y0 >= 0


def test_what_is_larger_than_one_is_hatched_so_that_a_grey_print_shows_it():
    cells = make_cells(depths=(2, 3, 5), scales=(0.1, 1.0, 10.0), seeds=1)
    ax = plot_heatmap(cells)
    (above,) = above_of(ax)
    (run,) = above.get_paths()  # neighbours are one rectangle: depths 3 and 5 at scale 10
    edges = mesh_of(ax).get_coordinates()
    np.testing.assert_allclose(run.vertices.min(axis=0), edges[2, 1])
    np.testing.assert_allclose(run.vertices.max(axis=0), edges[3, 3])
    assert above_of(plot_heatmap(cells, stat="std")) == []


@pytest.mark.parametrize(
    "axes",
    [
        {
            "initializers": ("gaussian", "mypackage.mymodule:my_initializer"),
            "activations": ("tanh", "relu", "gelu", "mypackage.mymodule:my_function"),
        },
        {"widths": (4, 16), "bias_stds": (0.0, 0.1, 0.3)},
        {"initializers": tuple("abcdef"), "widths": (4, 16), "activations": ("tanh", "relu")},
    ],
    ids=["2x4", "3x2", "12x2"],
)
def test_an_ordinary_grid_fits_a_page_and_no_title_lies_on_another(axes):
    figure = draw_heatmaps(make_cells(seeds=1, **axes))
    figure.draw_without_rendering()
    assert figure.get_figheight() <= 9.5
    titles = [ax.title.get_window_extent() for ax in panels_of(figure)]
    for i, title in enumerate(titles):
        assert not any(title.overlaps(other) for other in titles[:i])
        assert title.x0 >= 0
    bodies = [ax.get_window_extent() for ax in panels_of(figure)]
    assert not any(title.overlaps(body) for title in titles for body in bodies)
    assert min(body.height for body in bodies) > 0.3 * figure.dpi


def test_more_than_a_page_holds_is_said():
    """Schemes in rows, each measured with one of four activations."""
    measured = [
        make_cells(
            depths=(2,), seeds=1, initializers=(f"scheme_{i}",), activations=(("tanh", "relu", "gelu", "silu")[i % 4],)
        )
        for i in range(20)
    ]
    figure = draw_heatmaps(pd.concat(measured))
    shown = sum(ax.axison for ax in panels_of(figure))
    assert shown < 20
    assert figure.get_suptitle() == f"the first {shown} of 20 settings"
    assert figure.get_figheight() <= 9.5


def test_a_scheme_whose_bias_differs_by_activation_has_one_row_and_every_column_its_depths():
    cells = [
        make_cells(seeds=1, initializers=("critical",), activations=(activation,), bias_stds=(bias,))
        for activation, bias in (("tanh", 0.0), ("gelu", 0.4), ("silu", 0.7))
    ]
    short = make_cells(seeds=1, activations=("tanh",))
    figure = draw_heatmaps(pd.concat([*cells, short]))
    shown = [ax for ax in panels_of(figure) if ax.axison]
    assert [" ".join(ax.get_title().split()) for ax in shown[:3]] == [
        f"critical, {a}{bias}" for a, bias in (("tanh", ""), ("gelu", ", bias std 0.4"), ("silu", ", bias std 0.7"))
    ]
    assert len({ax.get_subplotspec().rowspan.start for ax in shown[:3]}) == 1
    figure.draw_without_rendering()
    depths = [[label.get_text() for label in ax.get_xticklabels() if label.get_visible()] for ax in shown]
    assert [bool(labels) for labels in depths] == [False, True, True, True]


def test_names_are_written_as_they_are_even_with_marks_of_mathematics(tmp_path):
    name = "mine:a_$x^2$_<b>&"
    ax = plot_heatmap(make_cells(seeds=1, initializers=(name,)))
    save_figure(ax.figure, tmp_path / "names.svg")
    root = ElementTree.parse(tmp_path / "names.svg").getroot()
    assert name in "".join("".join(root.itertext()).split())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [({"value": "log10_grad_frist"}, "did you mean log10_grad_first"), ({"stat": "medain"}, "did you mean median")],
)
def test_unknown_names_are_refused_with_a_hint(arguments, text):
    for draw in (plot_heatmap, draw_heatmaps):
        with pytest.raises(SelectionError, match=text):
            draw(make_cells(), **arguments)


def test_one_panel_refuses_several_facets():
    with pytest.raises(SelectionError, match="activations: got 2"):
        plot_heatmap(make_cells(activations=("tanh", "relu")))


@pytest.mark.parametrize(("schemes", "shared"), [(5, False), (11, True)])
def test_many_low_rows_share_one_label_in_their_middle(schemes, shared):
    names = tuple("abcdefghijk"[:schemes])
    figure = draw_heatmaps(make_cells(depths=(2, 5), seeds=1, initializers=names, activations=("tanh", "relu")))
    figure.draw_without_rendering()
    assert figure.get_supylabel() == ("weight scale" if shared else "")
    own = [ax.yaxis.label for ax in panels_of(figure) if ax.get_ylabel()]
    assert len(own) == (0 if shared else schemes)
    boxes = sorted((label.get_window_extent() for label in own), key=lambda box: box.y0)
    assert all(below.y1 < above.y0 for below, above in pairwise(boxes))
    if shared:
        (label,) = [text for text in figure.texts if text.get_text() == "weight scale"]
        bodies = [ax.get_window_extent() for ax in panels_of(figure)]
        middle = (min(body.y0 for body in bodies) + max(body.y1 for body in bodies)) / 2
        box = label.get_window_extent()
        assert (box.y0 + box.y1) / 2 == pytest.approx(middle, abs=0.2 * figure.dpi)
        assert box.x1 < min(body.x0 for body in bodies)


def test_no_map_goes_below_scale_0():
    ax = plot_heatmap(make_cells(scales=(0.0, 1.0, 2.0), log10_norm=lambda rows: rows["depth"] + 0 * rows["scale"]))
    assert ax.get_ylim() == (0.0, 2.5)
    np.testing.assert_allclose(mesh_of(ax).get_coordinates()[:, 0, 1], [0, 0.5, 1.5, 2.5])


@pytest.mark.parametrize("value", ["log10_grad_first", "log10_output"])
def test_each_input_norm_has_a_panel_with_its_own_numbers(value):
    cells = make_cells(input_norms=(0.1, 1.0, 10.0), log10_norm=lambda rows: np.log10(rows["input_norm"]))
    panels = panels_of(draw_heatmaps(cells, value=value))
    drawn = {ax.get_title().replace("\n", " "): np.unique(mesh_of(ax).get_array()).tolist() for ax in panels}
    assert drawn == {f"gaussian, linear, inputs {norm:g} √n": [np.log10(norm)] for norm in (0.1, 1.0, 10.0)}


def test_what_is_not_the_usual_is_said_of_a_single_panel_too():
    (ax,) = panels_of(draw_heatmaps(make_cells(input_norms=(10.0,), bias_stds=(0.1,))))
    assert ax.get_title().replace("\n", " ") == "gaussian, linear, bias std 0.1, inputs 10 √n"


def test_no_line_of_a_number_type_runs_down_to_scale_zero():
    """There gradients are exactly zero, or, at depth 2, do not depend on the scale: nothing crosses a range between."""
    cells = make_cells(depths=(2, 3, 4, 10, 100), scales=np.linspace(0.5, 2, 7), seeds=1)
    zero = cells[cells["scale"] == 0.5].assign(scale=0.0)
    zero["log10_grad_first"] = np.where(zero["depth"] == 2, 0.3, -np.inf)
    lines = contours_of(plot_heatmap(cells))
    with_zero = contours_of(plot_heatmap(pd.concat([cells, zero])))
    assert len(lines) == len(with_zero) == 2
    for one, other in zip(lines, with_zero, strict=True):
        np.testing.assert_array_equal(one.get_paths()[0].vertices, other.get_paths()[0].vertices)
    assert contours_of(plot_heatmap(pd.concat([cells[cells["scale"] == 2], zero]))) == []
