import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from analysis.cli.main import main
from analysis.figures.boundary import Dimensions, boundary_dimensions, describe, draw_boundary, plot_boundary
from analysis.numbers.box_counting import box_dimension
from analysis.numbers.published import DIMENSIONS
from analysis.numbers.rate_plane import in_log, ranked, rate_plane, zoom_arguments, zoomed
from analysis.rows.select import SelectionError
from bench.settings.ranges import parse
from tests.analysis.conftest import make_trained, write_training

HIDDEN, READOUT = np.geomspace(0.01, 100, 64), np.geomspace(0.1, 1000, 64)


def smooth(x, y):
    """Converges where the product of the rates is small, slowest at the boundary; by a factor of 10 in it."""
    distance = np.log10(x * y) - 0.7
    return np.sign(distance) / (0.1 + np.abs(distance))


def make_boundary(hidden=HIDDEN, readout=READOUT, convergence=smooth):
    """A run of one network over all pairs of rates, with that field of convergence."""
    network = make_trained((8,), (1.0,), (0.1,), seeds=1).drop(columns=["learning_rate", "readout_learning_rate"])
    rates = pd.MultiIndex.from_product([hidden, readout], names=["learning_rate", "readout_learning_rate"])
    frame = network.merge(rates.to_frame(index=False), how="cross")
    frame["convergence"] = convergence(frame["learning_rate"].to_numpy(), frame["readout_learning_rate"].to_numpy())
    return frame.sample(frac=1, random_state=np.random.RandomState(0), ignore_index=True)


MAP = make_boundary()


def mesh_of(ax):
    (mesh,) = [artist for artist in ax.collections if isinstance(artist, QuadMesh)]
    return mesh


def luminance(colour):
    """Of sRGB, from 0 (black) to 1 (white), as it is printed without colour."""
    return float(np.dot(to_rgb(colour), [0.299, 0.587, 0.114]))


def test_a_plane_has_each_network_at_its_rates():
    plane = rate_plane(MAP)
    np.testing.assert_array_equal(plane.x, HIDDEN)
    np.testing.assert_array_equal(plane.y, READOUT)
    np.testing.assert_array_equal(plane.field, smooth(HIDDEN[None, :], READOUT[:, None]))
    assert plane.measured.all()


def test_pixels_are_ranked_among_those_of_their_sign():
    field = np.array([[-10.0, -1.0, np.nan], [0.5, 7.0, 100.0], [-1.0, -np.inf, 0.0]])
    # Converged: 0, then -1 twice, -10, -inf, the slower the nearer to 0. Diverged: a large sum of 1/v is slow.
    expected = [[-0.3, -0.6, np.nan], [1 - 0.5 / 3, 0.5, 0.5 / 3], [-0.6, -0.1, -0.9]]
    np.testing.assert_allclose(ranked(field), expected)
    shades = ranked(rate_plane(MAP).field)
    for half in (shades[shades < 0], shades[shades > 0]):
        counts, _ = np.histogram(np.abs(half), bins=8, range=(0, 1))
        np.testing.assert_allclose(counts, half.size / 8, rtol=0.1)


def test_the_map_is_drawn_at_its_rates():
    ax = plot_boundary(MAP)
    mesh = mesh_of(ax)
    np.testing.assert_allclose(mesh.get_array(), ranked(smooth(HIDDEN[None, :], READOUT[:, None])))
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    half = np.sqrt(HIDDEN[1] / HIDDEN[0])
    assert ax.get_xlim() == pytest.approx((0.01 / half, 100 * half))
    assert ax.get_ylim() == pytest.approx((0.1 / half, 1000 * half))
    assert "hidden" in ax.get_xlabel()
    assert "readout" in ax.get_ylabel()
    assert ax.get_title() == "gaussian, tanh, sgd\nn = 32, $L = 8$, scale 1"


def test_a_window_that_is_evenly_spaced_is_linear():
    ax = plot_boundary(make_boundary(np.linspace(1, 1.2, 9), np.linspace(3, 30, 9)))
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "linear")
    assert ax.get_xlim() == pytest.approx((0.9875, 1.2125))
    narrow = plot_boundary(make_boundary(np.geomspace(1, 8, 9), np.geomspace(0.031, 0.043, 9)))
    assert (narrow.get_xscale(), narrow.get_yscale()) == ("log", "log")
    assert narrow.get_xticks().tolist() == [1, 2, 5]
    assert narrow.get_yticks().tolist() == pytest.approx([0.031, 0.043])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.geomspace(1, 1.01, 256), True),
        (np.linspace(1, 1.01, 256), False),
        (np.linspace(0, 1, 9), False),
        (np.array([1.0, 2.0]), False),
        (np.array([1.0, 2.0, 4.0]), True),
        (np.array([0.01, 0.03, 0.1]), True),
    ],
)
def test_spacing_is_told_apart_also_in_a_narrow_window(values, expected):
    assert in_log(values) is expected


def test_both_sides_are_told_apart_without_colour():
    mesh = mesh_of(plot_boundary(MAP))
    shade = {place: luminance(mesh.cmap(mesh.norm(place))) for place in (-0.99, -0.5, -0.01, 0.01, 0.5, 0.99)}
    assert shade[0.01] - shade[-0.01] > 0.6  # where they meet
    assert shade[-0.99] > shade[-0.5] > shade[-0.01]
    assert shade[0.01] > shade[0.5] > shade[0.99]
    blue, red = (to_rgb(mesh.cmap(mesh.norm(place))) for place in (-0.99, 0.99))
    assert blue[2] > blue[0]
    assert red[0] > red[2]


def test_the_colours_are_explained():
    ax = plot_boundary(MAP)
    (bar,) = ax.child_axes
    assert [label.get_text() for label in bar.get_yticklabels()] == ["learns\nfast", "slowly", "slowly", "diverges\nfast"]
    assert bar.get_ylim() == (-1, 1)


def test_pixels_that_are_not_trained_yet_are_blank_and_counted():
    some = MAP.iloc[1000:]
    ax = plot_boundary(some)
    assert np.ma.getmaskarray(mesh_of(ax).get_array()).sum() == 1000
    assert "3096 of 4096 pixels" in ax.get_title()
    figure = draw_boundary(some)
    figure.draw_without_rendering()
    assert "3096 of 4096 pixels" in figure.axes[0].get_title()
    undefined = MAP.assign(convergence=MAP["convergence"].where(MAP.index > 10))
    ax = plot_boundary(undefined)
    assert ax.get_title().endswith("\ndotted: undefined")
    assert "dotted" not in plot_boundary(MAP).get_title()
    dotted = [artist for artist in ax.collections if not isinstance(artist, QuadMesh)]
    assert [len(artist.get_paths()) for artist in dotted] == [11]


def test_the_dimension_of_a_smooth_boundary_is_one_and_of_chance_two():
    signs = np.random.default_rng(0).normal(size=4096)
    for smooth_one, chance in zip(
        boundary_dimensions(MAP), boundary_dimensions(make_boundary(convergence=lambda *_: signs)), strict=True
    ):
        assert smooth_one.slope == pytest.approx(1, abs=0.05)
        assert chance.slope > 1.9


def test_the_second_panel_has_both_counts_and_fits_beside_the_published_range():
    left, right = draw_boundary(MAP).axes
    boxes, pairs = boundary_dimensions(MAP)
    lines = {line.get_label().split(" (")[0].split(",")[0]: line for line in right.lines}
    for name, found, sizes in (("boxes", boxes, [1, 2, 4, 8, 16]), ("pairs", pairs, [2, 3, 4])):
        np.testing.assert_array_equal(lines[name].get_xdata(), sizes)
        np.testing.assert_array_equal(lines[name].get_ydata(), found.counts)
        (fit,) = [line for line in right.lines if line.get_color() == lines[name].get_color() and line is not lines[name]]
        slope = -np.diff(np.log(fit.get_ydata())) / np.diff(np.log(fit.get_xdata()))
        np.testing.assert_allclose(slope, found.slope)
        # Least squares: the deviations in log N add up to zero.
        assert np.log(fit.get_ydata() / found.counts).sum() == pytest.approx(0, abs=1e-9)
    (band,) = right.collections
    ends = band.get_paths()[0].vertices
    heights = np.sort(ends[ends[:, 0] == 16, 1])[[0, -1]]
    np.testing.assert_allclose(np.log(boxes.counts[0] / heights) / np.log(16), sorted(DIMENSIONS, reverse=True))
    assert right.get_title() == f"dimension (95 %)\nof pairs {pairs}, of boxes {boxes}"
    assert left.get_title(loc="left") == "a"
    low, high = right.get_ylim()
    assert low < min(boxes.counts.min(), pairs.counts.min()) < boxes.counts.max() < high
    full = Dimensions(box_dimension(np.ones((64, 64), bool)), pairs)
    assert draw_boundary(MAP, dimensions=full).axes[1].get_title().endswith("boxes 2.00 ± 0.35")


@pytest.mark.parametrize("convergence", [lambda x, y: -x * y, lambda x, y: x * y, lambda x, y: np.nan * x * y])
def test_a_map_without_a_boundary_draws_and_says_so(convergence):
    figure = draw_boundary(make_boundary(HIDDEN[:8], READOUT[:8], convergence))
    figure.draw_without_rendering()
    assert "too small a boundary" in figure.axes[1].texts[0].get_text()


def test_the_smallest_map_draws():
    draw_boundary(make_boundary([1.0, 2.0], [0.1, 0.2])).draw_without_rendering()
    draw_boundary(make_boundary(HIDDEN[:8], [0.0, 1e-3, 5.0], lambda x, y: x - y)).draw_without_rendering()


def test_a_window_holds_its_ends():
    window = (HIDDEN[10], HIDDEN[20], READOUT[3] * 0.99, READOUT[9] * 1.01)
    plane = rate_plane(zoomed(MAP, window))
    np.testing.assert_array_equal(plane.x, HIDDEN[10:21])
    np.testing.assert_array_equal(plane.y, READOUT[3:10])


@pytest.mark.parametrize("spacing", [np.geomspace, np.linspace])
def test_a_window_can_be_trained_with_as_many_pixels(spacing):
    cells = make_boundary(spacing(0.5, 8, 24), spacing(1, 20, 48))
    words = zoom_arguments(cells, (1.25, 2.5, 3.125, 12.0000001)).split()
    assert words[::2] == ["--learning-rates", "--readout-learning-rates"]
    for text, (first, last, count) in zip(words[1::2], ((1.25, 2.5, 24), (3.125, 12.0000001, 48)), strict=True):
        np.testing.assert_allclose(parse("learning_rates", text, whole=False), spacing(first, last, count), rtol=1e-9)


@pytest.mark.parametrize("window", [(0, 1, -5, 10), (1, 1000, 10, np.inf), (0, 1e9, 0, 1e9)])
def test_a_window_that_reaches_beyond_the_run_is_trained_as_far_as_it_is_drawn(window):
    plane = rate_plane(zoomed(MAP, window))
    words = zoom_arguments(MAP, window).split()
    for text, rates in zip(words[1::2], (plane.x, plane.y), strict=True):
        values = parse("learning_rates", text, whole=False)
        assert len(values) == 64
        assert min(values) == pytest.approx(rates[0], rel=0.2)
        assert max(values) == pytest.approx(rates[-1], rel=0.2)
        assert min(values) >= 0.01
        assert max(values) <= 1000


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        (make_trained(seeds=1), "depths: got 3, expected one for a map, of 2, 8, 32"),
        (make_trained((8,), (1.0,)), "seed: got 3, expected one for a map, of 0, 1, 2"),
        (make_trained((8,), seeds=1), "scales: got 3"),
        (make_trained((8,), initializers=("gaussian", "orthogonal")), "initializers: got 2"),
        (MAP[MAP["readout_learning_rate"] == READOUT[0]], r"readout_learning_rates: got '0\.1', expected two or more"),
    ],
)
def test_what_is_no_map_is_refused(cells, text):
    with pytest.raises(SelectionError, match=text):
        draw_boundary(cells)


@pytest.mark.parametrize("window", [(200, 300, 1, 2), (2, 1, 1, 100), (0.01, 0.011, 1, 100), (np.nan, 1, 1, 100)])
def test_a_window_beside_the_map_is_refused(window):
    with pytest.raises(SelectionError, match=r"zoom: .*two or more learning_rates, which go from 0\.01 to 100"):
        zoomed(MAP, window)


def test_the_command_prints_dimension_and_how_to_train_a_window(tmp_path, capsys):
    other = MAP.assign(seed=1, convergence=-MAP["convergence"] * np.random.default_rng(0).choice([-1, 1], len(MAP)))
    run = write_training(tmp_path / "run", pd.concat([MAP, other]))
    assert main(["boundary", str(run)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.splitlines() == [
        *describe(boundary_dimensions(MAP)),
        str(run / "boundary.png"),
    ]
    window = ["0.1", "1", "2", "200"]
    assert main(["boundary", str(run), "--seed", "1", "--zoom", *window, "--out", str(tmp_path / "zoom.svg")]) == 0
    pairs, boxes, how, file = capsys.readouterr().out.splitlines()
    found = boundary_dimensions(zoomed(other, (0.1, 1, 2, 200)))
    assert str(found.pairs) in pairs
    assert "too small for an error" in pairs  # 16 pixels high
    assert f"{found.boxes} (median of local slopes {found.boxes.median:.2f}" in boxes
    assert "--learning-rates 0.1:1:64log --readout-learning-rates 2:200:64log" in how
    assert file == str(tmp_path / "zoom.svg")
    assert main(["boundary", str(run), "--seed", "7"]) == 2
    assert capsys.readouterr().err.endswith("--seed: got 7, expected one of 0, 1\n")
    assert main(["boundary", str(run), "--zoom", "1", "2", "1", "1"]) == 2
    assert "--zoom: got '1 2 1 1'" in capsys.readouterr().err


def test_both_panels_of_a_figure_are_as_high_and_fill_its_width():
    figure = draw_boundary(MAP)
    figure.draw_without_rendering()
    left, right = (ax.get_window_extent() for ax in figure.axes)
    assert left.height == pytest.approx(right.height, rel=0.02)
    assert left.width + right.width > 0.7 * figure.bbox.width
    lowest, highest = figure.axes[1].get_ylim()
    counts = np.concatenate([found.counts for found in boundary_dimensions(MAP)])
    assert highest / lowest < 4 * counts.max() / counts.min()  # what is drawn takes the axis


def test_an_axes_that_is_given_is_labelled_and_gets_its_key_on_request():
    for key in (False, True):
        ax = Figure().subplots()
        assert plot_boundary(MAP, ax=ax, key=key) is ax
        assert all((ax.get_xlabel(), ax.get_ylabel(), ax.get_title()))
        assert len(ax.child_axes) == key
