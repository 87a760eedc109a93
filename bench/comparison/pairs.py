"""Whether two schemes can be told apart on the same seeds: by distance from 0, by spread, by shares of dead networks.

Seeds are the only independent axis, and schemes share them: every test is of what the two schemes do seed by seed. The tests
take all pairs at once, as arrays [pairs, seeds] of the first and of the second scheme of each pair.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import binom, t


class Tested(NamedTuple):
    """Of each pair: the p-value of no difference; which is better, 1 the second, -1 the first, 0 neither; and the effects.

    effects: [statistics that all have to be significant, pairs], t over √seeds, which more seeds would multiply by their own
    root; NaN where there are too few for a statistic. lost: how many degrees of freedom less than seeds t has.
    """

    p: np.ndarray
    better: np.ndarray
    effects: np.ndarray
    lost: int = 1


def distances(first: np.ndarray, second: np.ndarray, rounding: float) -> Tested:
    """Is one mean further from 0 than the other, |μ₁| ≠ |μ₂|? An intersection-union test.

    |μ₁| = |μ₂| holds where μ₁ = μ₂ or μ₁ = -μ₂, so both have to be rejected, by Student's t for the mean of the differences
    and of the sums; p is the larger one (Berger, Technometrics 24 (1982) 295). A difference below ``rounding`` is none; NaN
    is a seed that one of the two lacks. At least 2 seeds.
    """
    difference, of_difference = _t_test(first - second, rounding)
    total, of_sum = _t_test(first + second, rounding)
    p = np.maximum(of_difference.p, of_sum.p)
    effects = np.concatenate([of_difference.effects, of_sum.effects])
    return Tested(p, np.sign(difference * total), effects)  # the first is further: mean₁² - mean₂² > 0


def spreads(first: np.ndarray, second: np.ndarray, rounding: float) -> Tested:
    """Is the mean distance from the median larger with one of them? A paired t-test of |x - median(x)| - |y - median(y)|.

    Levene's test with medians (Brown and Forsythe, Journal of the American Statistical Association 69 (1974) 364), of pairs
    (Wilcox, Psychometrika 54 (1989) 305): unlike a test of variances it holds its level where outliers abound. Here t has
    two degrees of freedom less than seeds, with which it does from 4 seeds on: one of the distances is no news, as the seed
    in the middle is at 0, or the two there are equally far. NaN is a seed that one of the two lacks; a mean difference below
    ``rounding`` is none. At least 3 seeds, and 3 never tell anything at 5 %.
    """
    known = np.isfinite(first + second)
    from_first, from_second = (_from_median(np.ma.array(values, mask=~known)) for values in (first, second))
    return _t_test(from_first - from_second, rounding, lost=2)[1]


def deaths(first: np.ndarray, second: np.ndarray) -> Tested:
    """Is a larger share of one scheme's networks dead? McNemar's exact test: of the seeds where one of the two is dead.

    first, second: booleans. There are no ``effects``: the law is binomial.
    """
    only_first, only_second = discordant(first, second)
    p = np.minimum(2 * binom.cdf(np.minimum(only_first, only_second), only_first + only_second, 0.5), 1.0)
    return Tested(p, np.sign(only_first - only_second).astype(float), np.empty((0, *p.shape)))


def discordant(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """On how many seeds the first scheme alone is dead, and on how many the second alone."""
    return (first & ~second).sum(axis=-1), (second & ~first).sum(axis=-1)


def with_deaths(number: Tested, first: np.ndarray, second: np.ndarray) -> Tested:
    """One test of each pair: by shares of dead networks, or by a number of the seeds on which both live.

    The number speaks for a scheme only where no larger share of its networks is dead. Both p-values are valid for the dead
    that there are, so twice the smaller one is (Bonferroni). Where no seed is dead with one alone, the number decides, and
    the dead where too few seeds live with both.
    """
    dead, (only_first, only_second) = deaths(first, second), discordant(first, second)
    allowed = dead.better * number.better >= 0
    p = np.where(allowed, number.p, 1.0)
    unknown = np.isnan(number.effects).any(axis=0)
    both = np.where(unknown, dead.p, np.minimum(2 * np.minimum(p, dead.p), 1.0))
    p = np.where(only_first + only_second > 0, both, p)
    better = np.where(dead.better != 0, dead.better, number.better)
    return Tested(p, better, np.where(allowed, number.effects, 0.0), number.lost)


def _from_median(values: np.ma.MaskedArray) -> np.ma.MaskedArray:
    """How far each seed is from the median over seeds."""
    return np.abs(values - np.ma.median(values, axis=-1, keepdims=True))


def _t_test(values: np.ndarray, rounding: float, lost: int = 1) -> tuple[np.ndarray, Tested]:
    """The means over seeds, and Student's two-sided test of whether they are further from 0 than ``rounding``."""
    known = np.ma.masked_invalid(values)
    count = known.count(axis=-1)
    mean = known.mean(axis=-1).filled(0.0)
    deviation = np.ma.filled(known.std(axis=-1, ddof=1), np.nan)
    beyond = np.maximum(np.abs(mean) - rounding, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.where(beyond > 0, beyond / deviation, 0.0)  # inf where all seeds are equal
    enough = count > lost
    p = np.where(enough, 2 * t.sf(effect * np.sqrt(count), np.maximum(count - lost, 1)), 1.0)
    return mean, Tested(p, np.sign(mean), np.where(enough, effect, np.nan)[None], lost)
