import numpy as np
import pytest

from analysis.numbers.groups import Groups
from analysis.numbers.median_ends import describe, ends, held, high_end, low_end, name, place


@pytest.mark.parametrize(("count", "k"), [(1, 1), (5, 1), (8, 1), (9, 2), (11, 2), (12, 3), (32, 10)])
def test_the_places_are_those_of_the_sign_test(count, k):
    assert place(count) == k
    assert count < 6 or held(count, k) >= 0.95 > held(count, k + 1)


def test_the_interval_holds_the_median_as_often_as_it_says():
    samples = np.random.default_rng(0).exponential(size=(20_000, 9))
    groups = Groups(np.sort(samples, axis=1).ravel(), np.arange(0, 180_000, 9), np.full(20_000, 9))
    holds = (low_end(groups) <= np.log(2)) & (np.log(2) <= high_end(groups))
    assert abs(holds.mean() - held(9, 2)) < 4 * np.sqrt(0.05 * 0.95 / 20_000)


def test_zeros_are_small_and_what_is_undefined_has_no_interval():
    groups = Groups(np.array([-np.inf, 1.0, 2.0, 0.0, 1.0, np.nan]), np.array([0, 3]), np.array([3, 3]))
    np.testing.assert_array_equal(low_end(groups), [-np.inf, np.nan])
    np.testing.assert_array_equal(high_end(groups), [2.0, np.nan])


def test_an_interval_may_have_an_infinite_end():
    assert ends(np.array([np.inf, 1, 2])) == (1, np.inf)
    assert ends(np.full(8, np.inf)) == (np.inf, np.inf)
    assert ends(np.array([10, 20, 30, 40, np.inf, 50, 60, 70, 80])) == (20, 80)
    assert np.isnan(ends(np.array([1, 2, 3, 4, 5, np.nan]))).all()


def test_it_is_said_in_words():
    assert (name(2), name(5)) == ("smallest to largest", "smallest to largest")
    assert (name(6), name(9)) == ("95 % interval", "95 % interval")
    assert describe(8) == "smallest to largest of 8 seeds, which holds the median in 99.2 % of all such samples"
    assert describe(9).startswith("2. smallest to 2. largest of 9 seeds")
    assert describe(1) == "one seed: no interval"
