"""From rows to a number with its 95 % interval over seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.numbers.median_ends import held, place
from analysis.papers.claim import Estimate

CONFIDENCE, NORMAL = 0.95, 1.96


def exactly(value: float) -> Estimate:
    """A number that has no seeds."""
    return Estimate(float(value), float(value), float(value))


def mean_over_seeds(values: Any) -> Estimate:
    """The mean and Student's interval of it. values: one a seed; of one alone the interval is everything."""
    from scipy.stats import t

    values = np.asarray(values, float)
    middle, count = float(values.mean()), len(values)
    if count < 2:
        return Estimate(middle, -np.inf, np.inf)
    half = float(t.ppf((1 + CONFIDENCE) / 2, count - 1) * values.std(ddof=1) / np.sqrt(count))
    return Estimate(middle, middle - half, middle + half)


def mean_of_positive(values: Any) -> Estimate:
    """The mean of positive numbers of long tails, and its bootstrap interval (the resamples are always the same)."""
    values = np.asarray(values, float)
    means = np.random.default_rng(0).choice(values, (2000, len(values))).mean(axis=1)
    low, high = np.quantile(means, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return Estimate(float(values.mean()), float(low), float(high))


def median_over_seeds(values: Any) -> Estimate:
    """The median, and the two seeds that hold it with 95 % (:mod:`analysis.numbers.median_ends`).

    values: one a seed, inf too. Not even the extremes of fewer than six seeds are as sure: their interval is everything.
    NaN may be any number: it counts as the smallest at the lower end and as the largest at the upper one.
    """
    values = np.asarray(values, float)
    unknown, k = np.isnan(values), place(len(values), CONFIDENCE)
    middle = float(np.median(values[~unknown])) if not unknown.all() else np.nan
    if held(len(values), k) < CONFIDENCE:
        return Estimate(middle, -np.inf, np.inf)
    low, high = (np.sort(np.where(unknown, end, values)) for end in (-np.inf, np.inf))
    return Estimate(middle, float(low[k - 1]), float(high[-k]))


def variance_over_seeds(values: Any) -> Estimate:
    """The variance of what differs between (many) seeds; its error by the fourth moment, √((m₄ - m₂²) / n)."""
    values = np.asarray(values, float)
    squares, variance = (values - values.mean()) ** 2, float(values.var(ddof=1))
    half = NORMAL * float(squares.std() / np.sqrt(len(values)))
    return Estimate(variance, variance - half, variance + half)


def quotient(above: Estimate, below: Estimate) -> Estimate:
    """Of two positive numbers that were measured independently; their relative errors add in squares."""
    value = above.value / below.value
    error = math.hypot(*((each.high - each.low) / each.value / 2 for each in (above, below)))
    return Estimate(value, value * math.exp(-error), value * math.exp(error))


def share(count: int, total: int) -> Estimate:
    """``count`` of ``total``, and Clopper and Pearson's interval of the share, which is exact."""
    from scipy.stats import binomtest

    low, high = binomtest(int(count), int(total)).proportion_ci(CONFIDENCE, method="exact")
    return Estimate(count / total, float(low), float(high))


def by_seed(frame: pd.DataFrame, number: Callable[[pd.DataFrame], Any]) -> np.ndarray:
    """[seeds]: what ``number`` makes of the rows of each seed."""
    return np.array([number(rows) for _, rows in frame.groupby("seed", sort=True)])


def slopes(frame: pd.DataFrame, y: str, x: str = "depth", *, log_x: bool = False) -> np.ndarray:
    """[seeds]: the slope of the column y against x (against log10 of x), by least squares."""
    along = np.log10 if log_x else np.asarray

    def slope(rows: pd.DataFrame) -> float:
        return float(np.polyfit(along(rows[x].to_numpy(float)), rows[y].to_numpy(float), 1)[0])

    return by_seed(frame, slope)


def wide(frame: pd.DataFrame, y: str, columns: Sequence[str] | str) -> pd.DataFrame:
    """[seeds, …]: the column y, a row a seed and a column for each value of ``columns``."""
    return frame.pivot_table(index="seed", columns=columns, values=y, dropna=False)
