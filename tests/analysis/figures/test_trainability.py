import numpy as np
import pytest
from matplotlib.collections import PatchCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from analysis.drawing.depth_lines import COLOURS, CORRELATION
from analysis.drawing.sheet import PAGE
from analysis.figures.trainability import LOOKS, draw_trainability, plot_trainability
from analysis.numbers.depth_scales import depth_scales
from analysis.rows.select import Facet, SelectionError
from tests.analysis.conftest import make_trained

STEPS = 200
HOW = {"target": "accuracy=0.9", "steps": STEPS}
DEPTHS, SCALES = (2, 4, 8, 16, 32, 64), (0.4, 0.8, 1.0, 1.2, 2.0)


def cells(**change):
    return make_trained(DEPTHS, SCALES, **change)


def mesh_of(ax):
    (mesh,) = [collection for collection in ax.collections if isinstance(collection, QuadMesh)]
    return np.ma.filled(mesh.get_array(), np.nan).reshape(len(SCALES), len(DEPTHS))


def counted(ax, name):
    """How many cells look like that."""
    return sum(
        len(collection.get_paths())
        for collection in ax.collections
        if isinstance(collection, PatchCollection) and collection.get_hatch() == LOOKS[name].get("hatch")
    )


def labels_of(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def lines_of(ax, colour):
    return [line for line in ax.lines if to_hex(line.get_color()) == to_hex(colour) and len(line.get_xdata()) > 2]


def test_colour_is_the_median_of_the_best_rate():
    def needed(rows):
        return 3 * rows["depth"] / (1 + (rows["learning_rate"] == 0.1)) + rows["seed"]

    ax = plot_trainability(cells(steps_to_target=needed), **HOW)
    expected = np.tile(1.5 * np.array(DEPTHS) + 1, (len(SCALES), 1))
    np.testing.assert_allclose(mesh_of(ax), expected)
    assert counted(ax, "never") == counted(ax, "diverged") == counted(ax, "undefined") == 0
    (mesh,) = [collection for collection in ax.collections if isinstance(collection, QuadMesh)]
    assert (mesh.norm.vmin, mesh.norm.vmax) == (4.0, STEPS)


def test_what_never_learns_diverges_or_is_undefined_is_told_apart():
    frame = cells()
    deep, wild, none = frame["depth"] == 64, frame["scale"] == 2.0, frame["scale"] == 0.4
    frame.loc[deep, "steps_to_target"] = np.inf
    frame.loc[deep & wild & (frame["seed"] < 2), "diverged_at"] = 7.0  # two seeds of three
    frame.loc[deep & (frame["scale"] == 1.2) & (frame["seed"] < 1), "diverged_at"] = 7.0
    frame.loc[(frame["depth"] == 2) & none, "steps_to_target"] = np.nan
    ax = plot_trainability(frame, **HOW)
    assert counted(ax, "diverged") == 1
    assert counted(ax, "undefined") == 1
    assert counted(ax, "never") == len(SCALES) - 1  # at depth 64, less the one that diverged
    labels = labels_of(ax.get_figure(root=True))
    assert "not within 200 steps" in labels
    assert "diverged" in labels
    assert "undefined" in labels
    assert np.isnan(mesh_of(ax)[:, -1]).all()


def test_lines_are_multiples_of_theory_s_depth_scales():
    ax = plot_trainability(cells(), **HOW, correlation=[3.0], gradient=[])
    (line,) = lines_of(ax, COLOURS[CORRELATION])
    depth, scale = line.get_xdata(), line.get_ydata()
    xi_c, _ = depth_scales(Facet("gaussian", "tanh", 32, 0.0, "sgd"), scale.tolist())  # type: ignore[misc]
    inside = np.isfinite(xi_c) & (3 * xi_c < 1000)
    np.testing.assert_allclose(depth[inside], 3 * xi_c[inside])
    assert inside.sum() > 50
    assert np.isfinite(depth).all()
    labels = labels_of(ax.get_figure(root=True))
    assert any("3" in label and "xi_c" in label for label in labels)
    assert not any("Schoenholz" in label or "chi" in label for label in labels)
    both = labels_of(plot_trainability(cells(), **HOW).get_figure(root=True))
    assert any("Schoenholz" in label for label in both)
    assert any(r"12/|\ln\chi_1|" in label for label in both)
    without = plot_trainability(cells(initializers=("lsuv",)), **HOW)
    assert len(without.lines) == 0


def test_contours_are_of_the_initial_gradients():
    with_lines, without = (plot_trainability(cells(), **HOW, contours=wanted) for wanted in (True, False))
    assert any("contours" in label for label in labels_of(with_lines.get_figure(root=True)))
    assert not any("contours" in label for label in labels_of(without.get_figure(root=True)))
    texts = {text.get_text() for text in with_lines.texts}
    assert {"−10", "−1", "1"} <= texts  # from 0.4^62 to 2^62
    lost = cells()
    lost["log10_grad_first"] = -np.inf
    assert not any("contours" in label for label in labels_of(plot_trainability(lost, **HOW).get_figure(root=True)))


def test_axes_fit_the_cells_whatever_theory_says():
    ax = plot_trainability(cells(), **HOW)
    assert ax.get_xscale() == "log"
    assert ax.get_xlim()[0] < 2 < 64 < ax.get_xlim()[1] < 100
    assert ax.get_ylim()[0] < 0.4 < 2 < ax.get_ylim()[1] < 2.5


@pytest.mark.parametrize(
    "axes",
    [
        {"initializers": ("gaussian", "orthogonal")},
        {"activations": ("tanh", "relu"), "optimizers": ("sgd", "adam")},
        {"initializers": ("gaussian",), "activations": ("tanh",)},
    ],
)
def test_a_page_has_a_panel_for_each_setting_and_one_scale_of_colours(axes):
    figure = draw_trainability(cells(**axes), **HOW)
    meshes = [c for ax in figure.axes for c in ax.collections if isinstance(c, QuadMesh) and c.get_array().size == 30]
    assert len(meshes) == np.prod([len(values) for values in axes.values()])
    assert len({(mesh.norm.vmin, mesh.norm.vmax) for mesh in meshes}) == 1
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert len(set(titles)) == len(meshes)


@pytest.mark.parametrize(
    "frame",
    [
        make_trained((4,), (1.0,), (0.1,), 1),
        *(
            pytest.param(frame, marks=pytest.mark.thorough)
            for frame in (
                make_trained((4, 8), (1.0,), (0.1,), 1),
                make_trained(steps_to_target=lambda rows: rows["depth"] * np.inf),
                make_trained(steps_to_target=lambda rows: rows["depth"] * 0),
                make_trained(scales=(0.0, 1.0)),
            )
        ),
    ],
)
def test_little_data_is_drawn_without_complaint(frame):
    figure = draw_trainability(frame, **HOW)
    figure.draw_without_rendering()


def test_one_map_is_of_one_facet():
    with pytest.raises(SelectionError, match="initializers: got 2"):
        plot_trainability(cells(initializers=("gaussian", "orthogonal")), **HOW)


def test_multiples_differ_in_line_and_each_is_written_on_its_own():
    ax = plot_trainability(cells(), **HOW, correlation=[2, 3, 6], gradient=[12], contours=False)
    lines = lines_of(ax, COLOURS[CORRELATION])
    assert len({str(line._dash_pattern) for line in lines}) == 3
    written = {text.get_text(): np.array(text.get_position()) for text in ax.texts}
    assert set(written) == {r"$2\,\xi_c$", r"$3\,\xi_c$", r"$6\,\xi_c$", r"$12/|\ln\chi_1|$"}
    to_axes = ax.transData + ax.transAxes.inverted()
    for line, multiple in zip(lines, (2, 3, 6), strict=True):
        distance = {
            other: np.abs(to_axes.transform(line.get_xydata()) - place).max(axis=1).min() for other, place in written.items()
        }
        assert min(distance, key=distance.__getitem__) == rf"${multiple}\,\xi_c$"


def test_what_is_not_reached_is_hatched_and_no_shade_of_the_map():
    looks = [LOOKS[name]["hatch"] for name in ("never", "diverged", "undefined")]
    assert all(looks)
    assert len(set(looks)) == 3


def test_depth_ticks_are_the_depths_that_were_trained():
    ax = plot_trainability(make_trained((2, 5, 12, 30), SCALES), **HOW)
    assert ax.get_xticks().tolist() == [2, 5, 12, 30]


@pytest.mark.parametrize(
    "axes",
    [
        {"initializers": tuple("abcdef")},
        pytest.param(
            {
                "initializers": ("critical_orthogonal", "b", "c"),
                "optimizers": ("sgd:momentum=0.9", "adam"),
                "widths": (16, 1024),
            },
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_many_settings_fill_one_page_and_titles_never_meet(axes):
    few = make_trained((2, 8), (0.5, 1.0), (0.1,), 1, **axes)
    figure = draw_trainability(few, **HOW, contours=False)
    figure.draw_without_rendering()
    panels = [ax for ax in figure.axes if ax.get_title()]
    assert len(panels) == np.prod([len(values) for values in axes.values()])
    assert figure.get_figheight() <= PAGE
    assert len({ax.get_subplotspec().colspan.start for ax in panels}) > 2
    boxes = [ax.title.get_window_extent() for ax in panels]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    maps = [ax.get_window_extent() for ax in panels]
    assert not any(title.overlaps(box) for title in boxes for box in maps)
    assert min(box.height for box in maps) / figure.dpi > 0.5


def test_an_axes_that_is_given_is_labelled_and_gets_its_key_on_request():
    figure = Figure()
    for ax, key in zip(figure.subplots(1, 2), (False, True), strict=True):
        before = len(figure.axes)
        assert plot_trainability(cells(), **HOW, ax=ax, key=key) is ax
        assert all((ax.get_xlabel(), ax.get_ylabel(), ax.get_title()))
        assert (len(figure.axes) > before) == (ax.get_legend() is not None) == key


def test_no_map_goes_below_scale_0():
    frame = make_trained(DEPTHS, (0.0, 1.0, 2.0), steps_to_target=lambda rows: rows["depth"] + rows["scale"])
    assert plot_trainability(frame, **HOW, correlation=[], gradient=[]).get_ylim() == (0.0, 2.5)
