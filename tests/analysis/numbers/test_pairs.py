import numpy as np
import pytest

from analysis.numbers.calibration import ERRORS, calibrated
from analysis.numbers.pairs import pair_dimension, pair_distances
from tests.perf.boundary import CURVES, ESTIMATORS, brownian

ROWS, COLUMNS = np.indices((256, 256))


def test_distances_are_a_power_of_two_or_half_more_to_a_16th_of_the_side():
    expected = {8: [], 16: [2, 3, 4], 64: [2, 3, 4], 96: [2, 3, 4, 6], 256: [2, 3, 4, 6, 8, 12, 16]}
    assert {side: pair_distances(side).tolist() for side in expected} == expected


def test_pairs_are_counted_one_by_one_and_an_unknown_pixel_is_no_partner():
    field = np.random.default_rng(0).choice([-1.0, 0.0, 1.0, np.nan], size=(20, 31))
    found = pair_dimension(field)
    shares = {0: [], 1: []}
    for axis, values in ((0, field), (1, field.T)):
        for r in (2, 3, 4):
            pairs = [(one, other) for column in values.T for one, other in zip(column[:-r], column[r:], strict=True)]
            known = [(one > 0, other > 0) for one, other in pairs if not np.isnan([one, other]).any()]
            shares[axis].append(np.mean([one != other for one, other in known]))
    counts = [field.size * np.array(shares[axis]) / np.array([2, 3, 4]) ** 2 for axis in (0, 1)]
    slopes = [-np.polyfit(np.log([2, 3, 4]), np.log(count), 1)[0] for count in counts]
    assert found.slope == pytest.approx(max(slopes))
    np.testing.assert_allclose(found.counts, counts[int(np.argmax(slopes))])


@pytest.mark.parametrize(
    "field", [COLUMNS - 100.5, ROWS * 0.37 - COLUMNS + 60.2, ROWS - COLUMNS], ids=["vertical", "slanted", "diagonal"]
)
def test_a_straight_line_has_dimension_one(field):
    found = pair_dimension(field)
    assert found.slope == pytest.approx(1, abs=0.04)  # of n pixels, n - r have a partner at r
    assert found.fit < 0.01


def test_signs_by_chance_fill_the_plane():
    assert pair_dimension(np.random.default_rng(0).normal(size=(256, 256))).slope == pytest.approx(2, abs=0.02)


def test_the_rougher_axis_is_found_whichever_it_is():
    """A Brownian graph is smooth along one axis: there P(r) ∝ r, and r^½ along the other."""
    field = brownian(256, np.random.default_rng(1))
    found = pair_dimension(field)
    assert found.slope == pytest.approx(1.5, abs=0.13)
    assert pair_dimension(field.T)[:4] == found[:4]


@pytest.mark.parametrize(
    "field",
    [np.ones((64, 64)), np.full((64, 64), np.nan), ROWS[:8, :8] - 3.5, ROWS[:1] - 3.5],
    ids=["one side", "unknown", "small", "thin"],
)
def test_a_map_without_a_boundary_or_too_small_is_nan_and_does_not_warn(field):
    found = pair_dimension(field)
    assert np.isnan([found.slope, found.error, found.fit, found.median]).all()
    assert str(found) == "undefined"


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_printed_error_covers_curves_of_known_dimension(name):
    """By other draws than those of the calibration, at its smallest size; the error that is fitted alone does not."""
    covered, by_fit, count = 0, 0, 0
    for known, draw in CURVES.values():
        found = [ESTIMATORS[name](draw(64, np.random.default_rng([7, seed]))) for seed in range(4)]
        off = np.abs([each.slope - known for each in found])
        covered += sum(off <= [each.error for each in found])
        by_fit += sum(off <= [each.fit for each in found])
        count += len(found)
        assert np.mean([each.slope - known for each in found]) == pytest.approx(0, abs=calibrated(name, 64))
    assert covered >= 0.95 * count - 1
    assert by_fit < 0.7 * count


def test_calibration_is_of_the_largest_map_that_is_not_larger():
    assert calibrated("pairs", 255) == ERRORS["pairs"][128]
    assert calibrated("boxes", 4000) == ERRORS["boxes"][256]
    assert np.isnan(calibrated("pairs", 63))
    for errors in ERRORS.values():
        assert list(errors.values()) == sorted(errors.values(), reverse=True)  # more pixels are never worse
