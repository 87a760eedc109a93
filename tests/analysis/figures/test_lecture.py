from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.figures.lecture import HEADINGS, draw_lecture, lecture_rows, plot_lecture
from analysis.numbers.closed_form import VALUES, closed_form, relative_deviation
from analysis.numbers.statistics import number_range
from analysis.rows.select import SelectionError
from tests.analysis.conftest import lecture_cells, make_cells

CELLS: Any = lecture_cells()


@pytest.mark.parametrize("value", VALUES)
def test_the_closed_form_is_the_product_of_the_matrices(value):
    """Against the matrices themselves, multiplied out, for readouts that differ from seed to seed."""
    rng = np.random.default_rng(0)
    readouts = [rng.normal(size=2) for _ in range(2)]
    x = np.array([1.0, -1.0])
    cells: Any = lecture_cells(depths=(2, 3, 5), scales=(0.5, 0.9, 1.5))
    expected = []
    for cell in cells.itertuples():
        u = readouts[cell.seed] / np.linalg.norm(readouts[cell.seed])
        back = np.linalg.matrix_power(cell.scale * np.eye(2), cell.depth - 2)
        gradient = np.outer(back.T @ u, x)
        norms = {"log10_output": abs(u @ back @ (cell.scale * x)), "log10_grad_first": np.linalg.norm(gradient)}
        expected.append(np.log10(norms[value]))
    cells[value] = expected
    np.testing.assert_allclose(closed_form(cells, value), expected, atol=1e-13)
    assert relative_deviation(cells, value).max() < 1e-12


@pytest.mark.parametrize("value", VALUES)
def test_a_deviation_is_found_where_it_is_and_of_its_size(value):
    cells: Any = CELLS.copy()
    row = cells.index[(cells["depth"] == 852) & (cells["scale"] == 1.5) & (cells["seed"] == 1)][0]
    cells.loc[row, value] += np.log10(1.001)
    deviation = relative_deviation(cells, value)
    assert deviation[row] == pytest.approx(1e-3, rel=1e-6)
    assert np.delete(deviation, row).max() < 1e-10


def test_scale_zero_is_exactly_zero_and_no_deviation():
    cells: Any = lecture_cells(scales=(0.0, 1.0))
    zero = cells[cells["scale"] == 0]
    assert np.isneginf(closed_form(cells, "log10_output")[zero.index]).all()
    for value in VALUES:
        assert relative_deviation(cells, value).max() < 1e-12
    cells.loc[zero.index, "log10_output"] = -300.0
    assert np.isinf(relative_deviation(cells, "log10_output")).any()


def test_points_are_the_measurement_and_lines_the_closed_form():
    cells: Any = CELLS.copy()
    cells.loc[(cells["depth"] == 152) & (cells["scale"] == 1.0), "log10_output"] = 7.0
    ax: Any = plot_lecture(cells)
    points = [line for line in ax.lines if line.get_marker() == "o"]
    forms = [line for line in ax.lines if line.get_marker() != "o" and len(line.get_xdata()) == 4]
    assert len(points) == len(forms) == 3
    first = cells[cells["seed"] == 0].sort_values("depth")
    for scale, point, form in zip((0.5, 1.0, 1.5), points, forms, strict=True):
        rows = first[first["scale"] == scale].set_index("depth")
        np.testing.assert_array_equal(point.get_ydata(), rows.loc[point.get_xdata(), "log10_output"])
        np.testing.assert_allclose(form.get_ydata(), np.log10(1.3) + (rows.index - 1) * np.log10(scale), atol=1e-12)
    assert 7.0 in points[1].get_ydata()
    assert 7.0 not in forms[1].get_ydata()


def test_scales_and_ranges_are_written_beside_the_lines():
    figure: Any = draw_lecture(CELLS)
    for ax in figure.axes:
        texts = [text.get_text() for text in ax.texts]
        assert {"0.5", "1", "scale 1.5", "float32 range", "float64 ends"} == set(texts)
        (band,) = ax.patches
        assert (band.get_y(), band.get_y() + band.get_height()) == pytest.approx(number_range("float32"))
        assert {152, 852} <= set(ax.get_xticks())
    assert "float64 ends" not in [text.get_text() for text in plot_lecture(lecture_cells(depths=(2, 10))).texts]


def test_labels_of_lines_that_end_together_do_not_lie_on_one_another():
    ax: Any = plot_lecture(lecture_cells(depths=(2, 100), scales=(0.99, 0.995, 1.0, 1.005, 1.01)))
    heights = sorted(text.xy[1] for text in ax.texts if text.get_text().removeprefix("scale ")[0] in "01")
    low, high = ax.get_ylim()
    assert len(heights) == 5
    assert np.diff(heights).min() > (high - low) / 25


def test_both_panels_hold_all_their_data():
    figure: Any = draw_lecture(lecture_cells(readout=1e-30, seeds=1))
    low, high = figure.axes[0].get_ylim()
    for ax in figure.axes:
        assert ax.get_ylim() == (low, high)
        data = np.concatenate([line.get_ydata() for line in ax.lines if line.get_marker() == "o"])
        assert low < data.min() < data.max() < high


@pytest.mark.parametrize("axes", [{"scales": (1.5,)}, {"depths": (2,)}, {"scales": (0.0, 0.5)}])
def test_small_runs_draw(axes):
    figure: Any = draw_lecture(lecture_cells(**axes))
    figure.draw_without_rendering()  # lays out, and so warns or fails as a file would
    drawn = {line.get_marker() for ax in figure.axes for line in ax.lines}
    assert "o" in drawn


def test_other_networks_are_refused():
    with pytest.raises(SelectionError, match=r"run: got 'gaussian, linear', expected .* identity"):
        lecture_rows(make_cells())
    blocks: Any = make_cells(initializers=("identity",), architectures=("plain", "residual"))
    assert set(lecture_rows(blocks)["architecture"]) == {"plain"}  # h + W h has another closed form
    with pytest.raises(SelectionError, match=r"run: got 'residual, identity, linear', expected .* architecture plain"):
        lecture_rows(blocks[blocks["architecture"] == "residual"])
    with pytest.raises(SelectionError, match="widths: got 2, expected one for a panel, of 2, 4"):
        lecture_rows(make_cells(initializers=("identity",), widths=(2, 4)))
    with pytest.raises(SelectionError, match=r"input_norms: got 2, expected one for a panel, of 0\.1, 10"):
        lecture_rows(make_cells(initializers=("identity",), input_norms=(0.1, 10.0)))
    with pytest.raises(SelectionError, match="scale above 0"):
        draw_lecture(lecture_cells(scales=(0.0,)))


def test_panels_say_output_and_gradient_also_on_axes_of_the_users_own():
    assert [ax.get_title() for ax in draw_lecture(CELLS).axes] == [HEADINGS["log10_output"], HEADINGS["log10_grad_first"]]
    figure: Any = Figure()
    plain, keyed = figure.subplots(1, 2)
    assert plot_lecture(CELLS, ax=plain) is plain
    assert (plain.get_title(), plain.get_legend()) == (HEADINGS["log10_output"], None)
    plot_lecture(CELLS, value="log10_grad_first", ax=keyed, key=True)
    assert [text.get_text() for text in keyed.get_legend().get_texts()] == ["measured", "closed form"]


def test_the_panels_say_that_outputs_grow_by_one_factor_more_than_gradients():
    titles = [ax.get_title() for ax in draw_lecture(CELLS).axes]
    for value, title in zip(VALUES, titles, strict=True):
        rows = CELLS[(CELLS["scale"] == 1.5) & (CELLS["seed"] == 0)].set_index("depth")
        power = 852 - (rows.loc[852, value] - np.log10({"log10_output": 1.3, "log10_grad_first": 2**0.5}[value])) / np.log10(
            1.5
        )
        assert title.endswith(f"scale$^{{L-{power:.0f}}}$")


def test_the_closed_form_knows_how_long_the_input_is():
    cells = pd.concat([CELLS.assign(input_norm=norm) for norm in (0.1, 10.0)], ignore_index=True)
    for value in VALUES:
        cells[value] += np.log10(cells["input_norm"])
        assert relative_deviation(cells, value).max() < 1e-9
