"""Statistics of values in groups, by name; numbers in, numbers out.

``-inf`` (exactly zero) and NaN (undefined) are data here: ``-inf`` counts as the smallest of all, and any NaN makes every
statistic of its group NaN. Nothing is left out, and nothing warns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np


class Groups(NamedTuple):
    """Values sorted within their groups, and where each group begins in them."""

    ordered: np.ndarray
    starts: np.ndarray
    counts: np.ndarray


def quantile(groups: Groups, q: float) -> np.ndarray:
    """The q-quantile of each group, interpolated linearly between order statistics (Hyndman & Fan's type 7).

    Between ``-inf`` and a finite value lies ``-inf``: numpy's own interpolation would yield NaN.
    """
    position = q * (groups.counts - 1)
    below = np.floor(position).astype(int)
    above = np.ceil(position).astype(int)
    weight = position - below
    lower, upper = groups.ordered[groups.starts + below], groups.ordered[groups.starts + above]
    with np.errstate(invalid="ignore"):
        between = lower * (1 - weight) + upper * weight
    found = np.where((weight == 0) | (lower == upper), lower, between)
    largest = groups.ordered[groups.starts + groups.counts - 1]
    return np.where(np.isnan(largest), np.nan, found)


def mean(groups: Groups) -> np.ndarray:
    """The mean of each group: ``-inf`` if any value is."""
    with np.errstate(invalid="ignore"):
        return np.add.reduceat(groups.ordered, groups.starts) / groups.counts


def standard_deviation(groups: Groups) -> np.ndarray:
    """The sample standard deviation (n - 1) of each group: NaN for one seed, and where a value is infinite."""
    with np.errstate(invalid="ignore", divide="ignore"):
        residuals = groups.ordered - np.repeat(mean(groups), groups.counts)
        return np.sqrt(np.add.reduceat(residuals**2, groups.starts) / np.where(groups.counts > 1, groups.counts - 1, np.nan))


Statistic = Callable[[Groups], np.ndarray]  # one number for each group
STATISTICS: Mapping[str, Statistic] = MappingProxyType(
    {
        "median": lambda groups: quantile(groups, 0.5),
        "mean": mean,
        "std": standard_deviation,
        "min": lambda groups: quantile(groups, 0.0),
        "max": lambda groups: quantile(groups, 1.0),
        "q10": lambda groups: quantile(groups, 0.1),
        "q25": lambda groups: quantile(groups, 0.25),
        "q75": lambda groups: quantile(groups, 0.75),
        "q90": lambda groups: quantile(groups, 0.9),
    }
)
