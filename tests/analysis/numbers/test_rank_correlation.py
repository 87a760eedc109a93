import numpy as np
import pytest

from analysis.numbers.rank_correlation import kendall, rank_correlation


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


def test_kendall_is_its_definition_with_ties_zeros_and_networks_that_never_learn():
    x, y, _ = example()
    x = np.append(x, [-np.inf, -np.inf, np.inf])
    y = np.append(y, [np.inf, 3.0, np.inf])
    assert np.isposinf(y).sum() > 20
    assert kendall(x, y) == pytest.approx(by_definition(x, y), abs=1e-12)
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
        taus.append(kendall(x[rows], y[rows]))
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
