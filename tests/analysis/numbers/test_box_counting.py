import math

import numpy as np
import pytest

from analysis.numbers.box_counting import boundary_pixels, box_counts, box_dimension, box_sizes

ROWS, COLUMNS = np.indices((256, 256))


def triangle(side=256):
    """Sierpinski's triangle: Pascal's triangle, odd numbers."""
    rows, columns = np.indices((side, side))
    return (rows & columns) == 0


def carpet(levels=5):
    """Sierpinski's carpet: eight of nine squares, again and again."""
    pixels = np.ones((1, 1), dtype=bool)
    for _ in range(levels):
        pixels = np.block([[pixels, pixels, pixels], [pixels, ~pixels & False, pixels], [pixels, pixels, pixels]])
    return pixels


def koch(side, levels=9):
    """Koch's curve: four thirds of every piece, again and again, finer than the pixels."""
    ends = np.array([0, 1], dtype=complex)
    for _ in range(levels):
        start, third = ends[:-1], np.diff(ends) / 3
        pieces = [start, start + third, start + third * (1 + np.exp(1j * np.pi / 3)), start + 2 * third]
        ends = np.append(np.stack(pieces, axis=1).ravel(), ends[-1])
    pixels = np.zeros((side, side), dtype=bool)
    pixels[tuple(np.minimum(part * side, side - 1).astype(int) for part in (ends.imag + 0.2, ends.real))] = True
    return pixels


@pytest.mark.parametrize(
    ("pixels", "sizes", "expected", "tolerance"),
    [
        (ROWS == 100, None, 1, 1e-9),
        (ROWS == COLUMNS, None, 1, 1e-9),
        (np.ones((256, 256), bool), None, 2, 1e-9),
        (triangle(), None, math.log(3) / math.log(2), 1e-9),
        (carpet(), [1, 3, 9, 27, 81], math.log(8) / math.log(3), 1e-9),
        # Its pieces do not fit the boxes, so that counts are a power law only on average.
        (koch(1024), None, math.log(4) / math.log(3), 0.03),
    ],
    ids=["line", "diagonal", "square", "triangle", "carpet", "koch"],
)
def test_dimensions_that_are_known(pixels, sizes, expected, tolerance):
    found = box_dimension(pixels, sizes)
    assert found.slope == pytest.approx(expected, abs=tolerance)
    assert found.median == pytest.approx(expected, abs=2 * tolerance)
    assert found.fit <= tolerance


@pytest.mark.parametrize(
    "field",
    [
        COLUMNS - 100.5,
        ROWS * 0.37 - COLUMNS + 60.2,
        (ROWS - 128.0) ** 2 + (COLUMNS - 128.0) ** 2 - 90.2**2,
    ],
    ids=["vertical", "slanted", "circle"],
)
def test_a_smooth_boundary_has_dimension_one(field):
    found = box_dimension(boundary_pixels(field))
    assert found.slope == pytest.approx(1, abs=0.05)  # pixels: a slanted line is a staircase
    assert found.fit < 0.05


def test_signs_by_chance_fill_the_plane():
    signs = np.random.default_rng(0).normal(size=(256, 256))
    assert box_dimension(boundary_pixels(signs)).slope == pytest.approx(2, abs=0.05)


def test_boundary_pixels_are_where_the_sign_changes():
    rng = np.random.default_rng(0)
    field = rng.choice(
        [-np.inf, -2.0, -1.0, 0.0, 1.0, np.inf, np.nan], size=(30, 20), p=[0.05, 0.4, 0.3, 0.1, 0.1, 0.02, 0.03]
    )
    found = boundary_pixels(field)
    for i in range(30):
        for j in range(20):
            corners = field[i : i + 2, j : j + 2].ravel()
            expected = not np.isnan(corners).any() and 0 < (corners > 0).sum() < len(corners)
            assert found[i, j] == expected
    assert 0 < found.sum() < found.size


def test_boxes_are_counted_one_by_one():
    pixels = np.random.default_rng(0).random((37, 50)) < 0.03
    sizes = [1, 2, 4, 8]
    expected = [sum(pixels[i : i + s, j : j + s].any() for i in range(0, 32, s) for j in range(0, 48, s)) for s in sizes]
    assert box_counts(pixels, sizes).tolist() == expected


def test_sizes_are_powers_of_two_to_a_quarter_of_the_side():
    assert [box_sizes(side) for side in (3, 4, 8, 63, 64)] == [[], [1], [1, 2], [1, 2, 4, 8], [1, 2, 4, 8, 16]]


def test_what_has_no_dimension_is_nan_and_does_not_warn():
    for pixels in (np.zeros((64, 64), bool), np.ones((3, 3), bool), np.ones((7, 7), bool), np.ones((1, 64), bool)):
        found = box_dimension(pixels)
        assert np.isnan([found.slope, found.error, found.fit, found.median]).all()
        assert str(found) == "undefined"
    two = box_dimension(np.ones((8, 8), bool))
    assert (two.slope, two.sizes.tolist(), two.counts.tolist()) == (pytest.approx(2), [1, 2], [64, 16])
    assert np.isnan(two.fit)  # two points always lie on a line
    assert str(two) == "2.00"
