import numpy as np
import pytest
from scipy.stats import kendalltau

from analysis.numbers.rank_correlation import rank_correlation


def example(settings=40, seeds=3, *, seed=0):
    """Rows that are alike within a setting, a third of which never learn."""
    rng = np.random.default_rng(seed)
    names = np.repeat(np.arange(settings), seeds)
    x = rng.normal(size=settings)[names] + 0.01 * rng.normal(size=len(names))
    y = x + rng.normal(size=settings)[names]
    return x, np.where(y > 0.5, np.inf, np.round(y, 1)), names


def by_definition(x, y):
    """τ_b, pair by pair."""
    agree = tied_x = tied_y = pairs = 0
    for i in range(len(x)):
        for j in range(i):
            order_x, order_y = ((values[i] > values[j]) * 1 - (values[i] < values[j]) for values in (x, y))
            agree += order_x * order_y
            tied_x += order_x == 0
            tied_y += order_y == 0
            pairs += 1
    return agree / np.sqrt((pairs - tied_x) * (pairs - tied_y))


def kendall(x, y):
    """Every row a setting of its own, without an interval."""
    return rank_correlation(np.asarray(x), np.asarray(y), np.arange(len(x)), resamples=1).tau


def test_kendall_is_its_definition_with_ties_zeros_and_networks_that_never_learn():
    x, y, _ = example()
    x = np.append(x, [-np.inf, -np.inf, np.inf])
    y = np.append(y, [np.inf, 3.0, np.inf])
    assert np.isposinf(y).sum() > 20
    assert kendall(x, y) == pytest.approx(by_definition(x, y), abs=1e-12)
    assert kendall(x, y) == pytest.approx(kendalltau(x, y).statistic, abs=1e-12)
    assert kendall(np.array([0, 1, 2, 3]), np.array([1, 2, np.inf, np.inf])) == pytest.approx(5 / np.sqrt(6 * 5))


@pytest.mark.parametrize(
    ("x", "y"),
    [([], []), ([1], [1]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [np.inf] * 3), ([-np.inf, -np.inf], [1, 2])],
)
def test_what_has_no_order_has_no_correlation_and_does_not_warn(x, y):
    found = rank_correlation(np.array(x, float), np.array(y, float), np.arange(len(x)))
    assert np.isnan([found.tau, found.low, found.high]).all()
    assert (found.rows, found.settings) == (len(x), len(x))
    assert str(found) == "undefined"


def test_seeds_of_a_setting_are_drawn_together():
    """Copies of every row say nothing new: the interval stays; drawn one by one, they would narrow it by √4."""
    x, y, names = example(seeds=1)
    once = rank_correlation(x, y, names)
    copies = rank_correlation(np.repeat(x, 4), np.repeat(y, 4), np.repeat(names, 4))
    assert copies[:3] == pytest.approx(once[:3], abs=1e-12)
    assert (copies.rows, copies.settings) == (160, 40)
    alone = rank_correlation(np.repeat(x, 4), np.repeat(y, 4), np.arange(160))
    assert alone.high - alone.low < 0.65 * (once.high - once.low)


def test_the_interval_is_that_of_resampled_settings():
    x, y, names = example()
    found = rank_correlation(x, y, names)
    rng = np.random.default_rng(7)
    taus = []
    for _ in range(1500):
        rows = np.concatenate([np.flatnonzero(names == name) for name in rng.integers(40, size=40)])
        taus.append(kendalltau(x[rows], y[rows]).statistic)
    # Two bootstraps of some 2000 resamples differ in their ends by 0.02 or so.
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(taus, [0.025, 0.975])), abs=0.03)
    assert found.low < found.tau < found.high
    assert rank_correlation(x, y, names) == found


def test_names_of_settings_do_not_matter_and_need_no_order():
    x, y, names = example()
    order = np.random.default_rng(1).permutation(len(x))
    found = rank_correlation(x[order], y[order], names[order])
    assert found[:3] == pytest.approx(rank_correlation(x, y, names)[:3], abs=1e-12)


def test_too_few_settings_have_no_interval():
    x, y, _ = example()
    one = rank_correlation(x, y, np.zeros(len(x)))
    assert one.tau == pytest.approx(kendall(x, y))
    assert np.isnan([one.low, one.high]).all()
    assert "no interval" in str(one)
    # One network of twenty learned: a third of the resamples do not hold it and have nothing to order.
    rare = rank_correlation(np.arange(20.0), np.where(np.arange(20) == 3, 5.0, np.inf), np.arange(20))
    assert np.isfinite(rare.tau)
    assert np.isnan([rare.low, rare.high]).all()


def test_it_reads_well():
    assert str(rank_correlation(*example())._replace(tau=-0.5, low=-0.625, high=0.25)) == "−0.50 (−0.62 to 0.25)"


def test_what_strata_do_to_both_columns_does_not_count():
    """x and y rise from stratum to stratum and have nothing to do with one another within: only the pooled τ_b is large."""
    rng = np.random.default_rng(0)
    strata = np.repeat(np.arange(6), 60)
    x, y = (strata + 0.3 * rng.normal(size=360) for _ in range(2))
    names = np.repeat(np.arange(120), 3)
    pooled, within = rank_correlation(x, y, names), rank_correlation(x, y, names, strata=strata)
    assert pooled.low > 0.7
    assert within.low < 0 < within.high
    assert (within.rows, within.settings) == (360, 120)
    # and a relation within strata is found, though strata hide it
    hidden = rank_correlation(x, x - 3 * strata, names, strata=strata)
    assert hidden.tau == pytest.approx(1)
    assert rank_correlation(x, x - 3 * strata, names).tau < 0


def test_within_strata_is_the_sum_over_strata_by_definition():
    x, y, names = example()
    strata = (names % 3) * 10.0
    within = rank_correlation(x, y, names, strata=strata)
    score = of_x = of_y = 0.0
    for stratum in (0, 10, 20):
        rows = np.flatnonzero(strata == stratum)
        for i in rows:
            for j in rows[rows < i]:
                order_x, order_y = ((values[i] > values[j]) * 1 - (values[i] < values[j]) for values in (x, y))
                score, of_x, of_y = score + order_x * order_y, of_x + abs(order_x), of_y + abs(order_y)
    assert within.tau == pytest.approx(score / np.sqrt(of_x * of_y), abs=1e-12)
    assert rank_correlation(x, y, names, strata=np.ones(len(x))) == rank_correlation(x, y, names)


def test_settings_are_drawn_within_their_strata():
    """A stratum of one setting is in every resample: with one setting in each there is nothing to draw."""
    x, y = np.random.default_rng(0).normal(size=(2, 40))
    strata = np.repeat(np.arange(5), 8)
    found = rank_correlation(x, y, strata, strata=strata)
    assert (found.low, found.high) == pytest.approx((found.tau, found.tau))
