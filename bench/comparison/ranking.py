"""Which schemes are shown to be better than which: all pairs tested, the level kept for all of them together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from scipy.stats import t

from bench.comparison.pairs import Tested, deaths, discordant, distances, spreads, with_deaths
from bench.comparison.power import seeds_for_deaths, seeds_for_effects

CONFIDENCE = 0.95
ROUNDING = 1e-6  # decades per layer: the accuracy of a measured norm, per layer of depth

# What schemes can be ranked by → the test of a pair; None: by dead networks alone, which come first in the others too.
RANK_BY: Mapping[str, Callable[[np.ndarray, np.ndarray, float], Tested] | None] = MappingProxyType(
    {"slope": distances, "imbalance": distances, "relative_imbalance": distances, "spread": spreads, "dead": None}
)


class Interval(NamedTuple):
    """Ends of a confidence interval; NaN where there are too few seeds for one."""

    low: float
    high: float


def mean_interval(values: np.ndarray, *, confidence: float = CONFIDENCE) -> Interval:
    """Student's interval of the mean over seeds; values: [seeds], those that are not finite left out.

    Seeds that are all equal, as those of networks without randomness are, have an interval of no width.
    """
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return Interval(np.nan, np.nan)
    half = t.isf((1 - confidence) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return Interval(float(values.mean() - half), float(values.mean() + half))


def holm(p: np.ndarray) -> np.ndarray:
    """p-values, each corrected for all of them (Holm, Scandinavian Journal of Statistics 6 (1979) 65)."""
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.maximum.accumulate(np.minimum(p[order] * np.arange(len(p), 0, -1), 1.0))
    return corrected


def ranks(by: str, values: np.ndarray, dead: np.ndarray, *, rounding: float = ROUNDING) -> np.ndarray:
    """The ranks of a group of schemes that share their seeds: 1 + the number of schemes that are shown to be better.

    by: a name of :data:`RANK_BY`. values: [schemes, seeds], of each seed what is ranked by, NaN where there is none: for
    ``spread`` what spreads, for ``dead`` anything. dead: [schemes, seeds], whether the gradient is exactly zero. rounding:
    differences below it are none.

    A pair is told apart by its shares of dead networks, or by its number where no larger share of the better one is dead
    (:mod:`bench.comparison.pairs`), at 5 % for all pairs together (Holm). NaN for all where no pair is told apart, and for
    schemes with neither a value nor a dead network. If any is, schemes of which no network lives come after all others.
    """
    found = np.full(len(values), np.nan)
    ranked = _ranked(values, dead)
    values, dead = values[ranked], dead[ranked]
    first, second, tested = _tested(by, values, dead, rounding)
    told = (holm(tested.p) <= 1 - CONFIDENCE) & (tested.better != 0)
    if told.any():
        rank = 1.0 + np.bincount(np.where(tested.better > 0, first, second)[told], minlength=len(ranked))
        none_live = dead.all(axis=1)
        rank[none_live] = np.maximum(rank[none_live], 1 + (~none_live).sum())
        found[ranked] = rank
    return found


def seeds_needed(by: str, values: np.ndarray, dead: np.ndarray, *, rounding: float = ROUNDING) -> float:
    """How many seeds would tell the first scheme of such a group from the last, if they differ by what was measured.

    With 80 % power, at the level that all pairs leave to one; inf: not a million; NaN: there is no pair, or too few seeds.
    """
    ranked = _ranked(values, dead)
    values, dead = values[ranked], dead[ranked]
    seeds = dead.shape[1]
    if len(ranked) < 2 or seeds < 2:
        return np.nan
    first, second, tested = _tested(by, values, dead, rounding)
    ends = np.sort(np.lexsort((sizes(by, values), dead.mean(axis=1)))[[0, -1]])
    (place,) = np.flatnonzero((first == ends[0]) & (second == ends[1]))
    level = (1 - CONFIDENCE) / len(first)
    only_one, only_other = map(int, discordant(*dead[ends]))
    if only_one + only_other and RANK_BY[by] is not None:
        level /= 2
    of_deaths = seeds_for_deaths(only_one, only_other, seeds, level)
    of_number = seeds_for_effects(tested.effects[:, place], level, lost=tested.lost)
    return of_number if np.isinf(of_deaths) else float(np.fmin(of_deaths, of_number))


def sizes(by: str, values: np.ndarray) -> np.ndarray:
    """What schemes are ordered by within a rank, [schemes]: |mean|, or for ``spread`` the standard deviation."""
    known = np.ma.masked_invalid(values)
    measured = known.std(axis=1, ddof=1) if by == "spread" else np.abs(known.mean(axis=1))
    return np.ma.filled(measured, np.nan)


def _ranked(values: np.ndarray, dead: np.ndarray) -> np.ndarray:
    """The schemes that are defined."""
    return np.flatnonzero(np.isfinite(values).any(axis=1) | dead.any(axis=1))


def _tested(by: str, values: np.ndarray, dead: np.ndarray, rounding: float) -> tuple[np.ndarray, np.ndarray, Tested]:
    """The first and the second scheme of each pair, and their test."""
    first, second = np.triu_indices(len(values), 1)
    test = RANK_BY[by]
    if test is None:
        return first, second, deaths(dead[first], dead[second])
    number = test(values[first], values[second], rounding)
    return first, second, with_deaths(number, dead[first], dead[second])
