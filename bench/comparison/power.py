"""How many seeds would tell two schemes apart, if they differ by what was measured."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from scipy.stats import binom, nct, t

POWER = 0.8
MOST = 10**6  # seeds, or seeds of which one scheme alone is dead: more are no answer
MOST_DEAD = 10**4


def seeds_for_effects(effects: np.ndarray, level: float, power: float = POWER, *, lost: int = 1) -> float:
    """Seeds with which two-sided t-tests at that level find all these effects, means over standard deviations.

    The statistic of n seeds follows the noncentral t law with n - ``lost`` degrees of freedom and noncentrality effect · √n.
    Several are taken as independent, as those of sums and differences of equally spread normal numbers are: of a scheme
    near 0 both are as far from significance, and are not found together as often as each. inf: not a million, or no effects;
    NaN: an effect is not known.
    """
    if np.isnan(effects).any():
        return np.nan
    if not (effects.size and (effects > 0).all()):
        return np.inf

    def found(seeds: int) -> float:
        freedom = seeds - lost
        return float(nct.sf(t.isf(level / 2, freedom), freedom, effects * np.sqrt(seeds)).prod())

    fewest = lost + 1
    seeds = fewest + bisect_left(range(fewest, MOST + 1), power, key=found)
    return float(seeds) if seeds <= MOST else np.inf


def seeds_for_deaths(only_one: int, only_other: int, seeds: int, level: float, power: float = POWER) -> float:
    """Seeds with which McNemar's test at that level finds the shares of dead networks that so many seeds had; or inf.

    only_one, only_other: seeds on which one of the two alone is dead.
    """
    differ = only_one + only_other
    if only_one == only_other:
        return np.inf
    counts = np.arange(1, MOST_DEAD)
    critical = binom.isf(level / 2, counts, 0.5)  # more than so many of them are significant
    enough = np.flatnonzero(binom.sf(critical, counts, max(only_one, only_other) / differ) >= power)
    return float(np.ceil(counts[enough[0]] * seeds / differ)) if enough.size else np.inf
