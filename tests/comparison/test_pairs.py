"""Tests of pairs of schemes, against the tests of SciPy that they are made of, and against what is known to be equal."""

import numpy as np
import pytest
from scipy.stats import binomtest, t, ttest_1samp, ttest_rel

from bench.comparison.pairs import deaths, distances, spreads, with_deaths

SEEDS = 14


@pytest.fixture
def values():
    generator = np.random.default_rng(0)
    return generator.standard_normal((2, 6, SEEDS)) * [[[1.0]], [[2.0]]] + generator.standard_normal(SEEDS) + 0.7


def test_distances_are_told_apart_where_difference_and_sum_are_both_told_from_0(values):
    first, second = values[0], values[1] - 1.4
    found = distances(first, second, 0.0)
    for pair, (x, y) in enumerate(zip(first, second, strict=True)):
        assert found.p[pair] == pytest.approx(max(ttest_rel(x, y).pvalue, ttest_1samp(x + y, 0).pvalue))
        assert found.better[pair] == (1 if abs(x.mean()) > abs(y.mean()) else -1)


def test_a_seed_that_one_lacks_is_left_out_and_too_few_tell_nothing(values):
    first, second = values.copy()
    first[:, 3] = second[:, 5] = np.nan
    kept = np.delete(values, [3, 5], axis=2)
    np.testing.assert_allclose(distances(first, second, 0.0).p, distances(*kept, 0.0).p)
    np.testing.assert_allclose(spreads(first, second, 0.0).p, spreads(*kept, 0.0).p)
    for seeds in (0, 1):
        assert (distances(*values[..., :seeds], 0.0).p == 1).all()
    assert (spreads(*values[..., :2], 0.0).p == 1).all()


def test_opposite_slopes_are_equally_far_from_0():
    noise = np.random.default_rng(1).standard_normal((1, 32))
    noise -= noise.mean()
    found = distances(1 + 0.01 * noise, -1 + 0.01 * noise[:, ::-1], 0.0)
    assert found.p > 0.9
    assert ttest_rel(1 + 0.01 * noise[0], -1 + 0.01 * noise[0, ::-1]).pvalue < 1e-30  # what signed slopes would say


def test_what_differs_by_rounding_alone_is_equal_and_what_is_not_random_is_told_apart():
    same = np.full((1, 3), 0.25)
    assert distances(same, same + 1e-7, 1e-6).p == 1
    assert distances(same, same + 1e-5, 1e-6).p == 0
    assert distances(same, -same - 1e-7, 1e-6).p == 1
    assert spreads(same, same + 1, 1e-6).p == 1
    moving = np.array([[0.1, 0.2, 0.4, 0.3]])
    assert spreads(moving, moving + 5, 1e-6).p == 1


def test_spreads_are_told_apart_by_mean_distances_from_the_median_and_t_of_one_degree_less(values):
    found = spreads(*values, 0.0)
    for pair, (x, y) in enumerate(zip(*values, strict=True)):
        from_x, from_y = np.abs(x - np.median(x)), np.abs(y - np.median(y))
        assert found.p[pair] == pytest.approx(2 * t.sf(abs(ttest_rel(from_x, from_y).statistic), SEEDS - 2))
        assert found.better[pair] == (1 if from_x.mean() > from_y.mean() else -1)


def test_three_seeds_never_tell_spreads_apart_and_two_have_no_effect():
    """Of three the one in the middle is at 0: a scheme without any spread against one whose others are equally far."""
    flat, spread = np.zeros((1, 3)), np.array([[-1.0, 0.0, 1.0]])
    assert spreads(flat, spread, 0.0).p == pytest.approx(2 * t.sf(2, 1))  # no other three have a larger t
    assert np.isnan(spreads(flat[:, :2], spread[:, :2], 0.0).effects).all()


def test_dead_networks_are_told_apart_by_the_exact_test_of_mcnemar():
    first, second = np.random.default_rng(2).random((2, 20, 30)) < [[[0.5]], [[0.2]]]
    found = deaths(first, second)
    for pair, (x, y) in enumerate(zip(first, second, strict=True)):
        only_x, only_y = int((x & ~y).sum()), int((y & ~x).sum())
        assert found.p[pair] == pytest.approx(binomtest(only_x, only_x + only_y, 0.5).pvalue)
        assert found.better[pair] == np.sign(only_x - only_y)
    assert deaths(first[:1], first[:1]).p == 1


def test_a_number_never_speaks_for_the_scheme_of_which_more_are_dead():
    generator = np.random.default_rng(3)
    near, far = 0.001 * generator.standard_normal((2, 1, 12)) + [[[0.0]], [[1.0]]]
    dead, alive = np.arange(12)[None] < 1, np.zeros((1, 12), bool)
    number = distances(near, far, 0.0)
    np.testing.assert_equal(with_deaths(number, alive, alive), number)
    assert with_deaths(number, dead, alive).p == 1  # one dead of twelve proves nothing, and forbids the rest
    for_fewer = with_deaths(number, alive, dead)
    assert for_fewer.better == -1
    assert for_fewer.p == pytest.approx(2 * number.p)
    all_dead = with_deaths(distances(np.full((1, 12), np.nan), far, 0.0), ~alive, alive)
    assert all_dead.better == 1
    assert all_dead.p == pytest.approx(2 * 0.5**12)
