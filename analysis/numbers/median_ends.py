"""An interval of a median that assumes nothing of the distribution: from one seed to another, in order of size.

Of n independent values the k-th smallest and the k-th largest hold the median of their distribution between them with
probability 1 - 2 P(B < k), where B is binomial(n, 1/2) (Thompson 1936).
"""

from __future__ import annotations

import math

import numpy as np

from analysis.numbers.groups import Groups

CONFIDENCE = 0.95


def place(count: int, confidence: float = CONFIDENCE) -> int:
    """The largest k whose interval holds the median with that probability; 1 where not even the extremes do."""
    k = 1
    while k + 1 <= (count + 1) // 2 and held(count, k + 1) >= confidence:
        k += 1
    return k


def held(count: int, k: int) -> float:
    """With which probability the k-th smallest and the k-th largest of so many values have the median between them."""
    return 1 - 2 * sum(math.comb(count, below) for below in range(k)) / 2**count


def low_end(groups: Groups) -> np.ndarray:
    """The k-th smallest value of each group; NaN where any is."""
    return _nan_where_any(groups, groups.ordered[groups.starts + _places(groups) - 1])


def high_end(groups: Groups) -> np.ndarray:
    """The k-th largest value of each group; NaN where any is."""
    return _nan_where_any(groups, groups.ordered[groups.starts + groups.counts - _places(groups)])


def ends(values: np.ndarray) -> tuple[float, float]:
    """The k-th smallest and the k-th largest of one sample, inf too; NaN where any is."""
    groups = Groups(np.sort(values), np.array([0]), np.array([len(values)]))
    return float(low_end(groups)[0]), float(high_end(groups)[0])


def name(count: int) -> str:
    """What a figure calls the interval of so many seeds: of fewer than six it holds the median less often than that."""
    if held(count, place(count)) >= CONFIDENCE:
        return f"{100 * CONFIDENCE:.0f} % interval"
    return "smallest to largest"


def describe(count: int) -> str:
    """What the interval of so many seeds is, in words."""
    if count < 2:
        return "one seed: no interval"
    k = place(count)
    ends = "smallest to largest" if k == 1 else f"{k}. smallest to {k}. largest"
    return f"{ends} of {count} seeds, which holds the median in {100 * held(count, k):.3g} % of all such samples"


def _places(groups: Groups) -> np.ndarray:
    counts, where = np.unique(groups.counts, return_inverse=True)
    return np.array([place(int(count)) for count in counts])[where]


def _nan_where_any(groups: Groups, values: np.ndarray) -> np.ndarray:
    largest = groups.ordered[groups.starts + groups.counts - 1]  # NaN is sorted last
    return np.where(np.isnan(largest), np.nan, values)
