"""Ranks and intervals: that they err as often as they say and not more, and what they say of known numbers."""

import numpy as np
import pytest
from scipy.stats import binom, expon, norm, ttest_1samp
from scipy.stats import t as student

from bench.comparison.arguments import NUMBERS, check_rank_by
from bench.comparison.pairs import distances, spreads
from bench.comparison.power import seeds_for_deaths, seeds_for_effects
from bench.comparison.ranking import RANK_BY, holm, mean_interval, ranks, seeds_needed
from bench.settings.errors import SweepError

TABLES = 150
MOST_FALSE = int(binom.isf(1e-3, TABLES, 0.05))  # of so many tables, at a level of 5 %


def alive(values: np.ndarray) -> np.ndarray:
    return np.zeros(values.shape, bool)


@pytest.mark.parametrize("seeds", [4, 8, 32])
def test_intervals_cover_as_often_as_they_say(seeds):
    samples = np.random.default_rng(0).standard_normal((2000, seeds))
    covered = sum(low < 0 < high for low, high in map(mean_interval, samples))
    assert binom.ppf(1e-3, 2000, 0.95) <= covered <= binom.isf(1e-3, 2000, 0.95)


def test_an_interval_is_student_s_over_the_seeds_that_have_a_value():
    sample = np.random.default_rng(1).exponential(size=9)
    expected = ttest_1samp(sample, 0).confidence_interval(0.9)
    assert mean_interval(np.append(sample, [np.nan, -np.inf]), confidence=0.9) == pytest.approx(tuple(expected))
    assert np.isnan(mean_interval(np.array([0.5]))).all()
    assert mean_interval(np.array([0.5, 0.5, np.nan])) == (0.5, 0.5)


def draw(kind: str, generator: np.random.Generator, schemes: int, seeds: int) -> np.ndarray:
    """Schemes that are equally far from 0; the seeds of one and the next have half of their noise in common."""
    noise = generator.standard_normal((schemes, seeds)) + generator.standard_normal(seeds)
    if kind == "heavy":
        return noise / np.sqrt(generator.chisquare(3, (schemes, seeds)) / 3)
    return noise + {"around 0": 0.0, "far from 0": 20.0, "on both sides": 20.0 * (-1) ** np.arange(schemes)[:, None]}[kind]


@pytest.mark.parametrize(("schemes", "seeds"), [(12, 8), (12, 16), (2, 4)])
@pytest.mark.parametrize("kind", ["around 0", "far from 0", "on both sides", "heavy"])
def test_equal_schemes_are_told_apart_in_five_tables_of_a_hundred_at_most(kind, schemes, seeds):
    """A percentile bootstrap at 0.05/66 did so in 30 of a hundred."""
    generator = np.random.default_rng(2)
    tables = (draw(kind, generator, schemes, seeds) for _ in range(TABLES))
    assert sum(np.isfinite(ranks("slope", values, alive(values))).any() for values in tables) <= MOST_FALSE


def test_schemes_that_die_as_often_are_not_told_apart_either():
    generator = np.random.default_rng(3)
    false = 0
    for _ in range(TABLES):
        dead = generator.random((5, 16)) < 0.3
        values = np.where(dead, np.nan, 1 + generator.standard_normal((5, 16)))
        false += np.isfinite(ranks("slope", values, dead)).any()
    assert false <= MOST_FALSE


SHAPES = {"normal": norm.isf, "flat": lambda tail: tail, "skewed": expon.isf, "heavy": lambda tail: student.isf(tail, 3)}


@pytest.mark.parametrize("seeds", [4, 8, 32])
@pytest.mark.parametrize("shape", SHAPES)
def test_pairs_of_equal_spread_are_told_apart_as_often_as_they_may_be_at_any_shape(shape, seeds):
    """At 5 % and at what Holm leaves of it to a pair of 12 schemes. Pitman's and Morgan's test: 26 % with heavy tails."""
    generator = np.random.default_rng(4)
    common = np.array([0.0, 0.8])[:, None, None]  # a share of the noise that both schemes of a pair have
    noise = generator.standard_normal((2, 2, 4000, seeds))
    first, second = SHAPES[shape](
        norm.sf(np.sqrt(common) * generator.standard_normal((1, 4000, seeds)) + np.sqrt(1 - common) * noise)
    )
    p = spreads(first.reshape(-1, seeds), second.reshape(-1, seeds), 0.0).p
    for level in (0.05, 0.05 / 66):
        assert (p <= level).sum() <= binom.isf(1e-3, p.size, level)


def test_unequal_spreads_are_told_apart():
    wide = np.random.default_rng(4).standard_normal((3, 32)) * [[1.0], [1.0], [20.0]]
    assert ranks("spread", wide, alive(wide)).tolist() == [1, 1, 3]


def test_ranks_count_the_schemes_that_are_shown_to_be_better():
    noise = 0.01 * np.random.default_rng(5).standard_normal((5, 32))
    noise -= noise.mean(axis=1, keepdims=True)
    values = np.array([0.2, -0.1, 0.1, np.nan, -0.4])[:, None] + noise
    np.testing.assert_array_equal(ranks("slope", values, alive(values)), [3, 1, 1, np.nan, 4])


def test_selu_s_plus_and_minus_are_a_tie():
    """The slopes of `truncated` and `critical` at width 128 and depth 852 with 32 seeds: +0.0044 and -0.0049 a layer."""
    noise = np.random.default_rng(6).standard_normal((3, 32))
    noise = (noise - noise.mean(axis=1, keepdims=True)) / noise.std(axis=1, ddof=1, keepdims=True)
    values = np.array([0.00440, -0.00488, -0.00341])[:, None] + np.array([0.00125, 0.00088, 0.0005])[:, None] * noise
    assert ranks("slope", values, alive(values)).tolist() == [2, 2, 1]


def test_a_scheme_is_ranked_behind_those_of_which_fewer_die_however_good_its_slope_is():
    noise = 0.001 * np.random.default_rng(7).standard_normal((4, 32))
    values = np.array([0.0, 1.0, 2.0, 0.0])[:, None] + noise
    dead = np.arange(32) < np.array([16, 0, 0, 32])[:, None]
    found = ranks("slope", np.where(dead, np.nan, values), dead)
    assert found.tolist() == [3, 1, 2, 4]
    assert ranks("dead", 0 * values, dead).tolist() == [3, 1, 1, 4]


def test_two_seeds_tell_nothing_and_the_number_that_would_do_is_told():
    values = np.array([[0.1, 0.11], [0.9, 0.98], [0.5, 0.56]])
    assert np.isnan(ranks("slope", values, alive(values))).all()
    assert 3 <= seeds_needed("slope", values, alive(values)) <= 8
    assert np.isnan(seeds_needed("slope", values[:, :1], alive(values[:, :1])))
    assert seeds_needed("slope", np.array([[0.1, 0.3], [0.3, 0.1]]), alive(values[:2])) == np.inf
    assert np.isnan(ranks("slope", values[:1], alive(values[:1]))).all()
    assert np.isnan(seeds_needed("spread", values, alive(values)))  # two seeds are equally far from their median


@pytest.mark.parametrize(("effect", "level"), [(0.5, 0.05), (1.2, 0.05 / 66), (6.0, 0.05 / 66)])
def test_so_many_seeds_find_an_effect_four_times_in_five(effect, level):
    generator = np.random.default_rng(8)

    def found(seeds: int) -> int:
        return int((ttest_1samp(effect + generator.standard_normal((4000, seeds)), 0, axis=1).pvalue <= level).sum())

    seeds = int(seeds_for_effects(np.array([effect]), level))
    assert found(seeds) >= binom.ppf(1e-3, 4000, 0.8)
    assert found(seeds - 1) <= binom.isf(1e-3, 4000, 0.8)
    assert seeds_for_effects(np.array([0.0]), level) == seeds_for_effects(np.array([1e-6]), level) == np.inf


@pytest.mark.parametrize("nearest", [0.0, 0.05, 0.5])
def test_so_many_seeds_tell_distances_apart_four_times_in_five(nearest):
    """Near 0 sums and differences both have to be told from it: of either alone, 65 % would be."""
    level, generator = 0.05 / 6, np.random.default_rng(9)
    distances_apart = np.array([1.0, 2 * nearest + 1.0]) / np.sqrt(2)  # in standard deviations of differences and sums
    seeds = int(seeds_for_effects(distances_apart, level))

    def found(count: int) -> int:
        first, second = generator.standard_normal((2, 4000, count)) + np.array([nearest, nearest + 1.0])[:, None, None]
        return int((distances(first, second, 0.0).p <= level).sum())

    assert found(seeds) >= binom.ppf(1e-3, 4000, 0.8)
    assert found(seeds - 1) <= binom.isf(1e-3, 4000, 0.8)


@pytest.mark.parametrize("level", [0.05, 0.05 / 66])
@pytest.mark.parametrize("ratio", [1.5, 2.0, 5.0])
def test_so_many_seeds_tell_spreads_apart_four_times_in_five(ratio, level):
    """Of normal numbers, whose distances are not: noncentral t is near their law, not equal to it."""
    generator = np.random.default_rng(10)
    half = norm.expect(np.abs)  # E|x|
    effect = half * (ratio - 1) / np.sqrt((1 - half**2) * (ratio**2 + 1))
    seeds = int(seeds_for_effects(np.array([effect]), level, lost=2))

    def found(count: int) -> float:
        first, second = generator.standard_normal((2, 4000, count)) * np.array([1.0, ratio])[:, None, None]
        return float((spreads(first, second, 0.0).p <= level).mean())

    assert 0.77 <= found(seeds) <= 0.88
    assert found(seeds * 2 // 3) < 0.7


def test_so_many_seeds_find_a_share_of_dead_networks():
    """All of one scheme's networks die and none of the other's: 2 · 2^-n has to be below the level."""
    assert seeds_for_deaths(5, 0, 5, 0.05) == 6
    assert seeds_for_deaths(2, 0, 8, 0.05) == 24
    assert seeds_for_deaths(2, 2, 8, 0.05) == np.inf


def test_holm_s_correction():
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.5, 0.9])).tolist() == [1.0, 1.0]


def test_numbers_to_rank_by_are_named():
    assert tuple(map(check_rank_by, RANK_BY)) == NUMBERS
    with pytest.raises(SweepError, match=r"rank_by: got 'slop', expected one of slope, .* did you mean slope"):
        check_rank_by("slop")
