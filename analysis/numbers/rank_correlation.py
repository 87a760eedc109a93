"""Kendall's rank correlation, with an interval that resamples whole settings."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.stats import kendalltau

CONFIDENCE = 0.95
RESAMPLES = 1999
UNDEFINED = 0.01  # a share of resamples without a correlation above which there is no interval


class Correlation(NamedTuple):
    """Kendall's τ_b, the ends of its interval, and how many rows and settings it is of; NaN where there are too few."""

    tau: float
    low: float
    high: float
    rows: int
    settings: int

    def __str__(self) -> str:
        if np.isnan(self.tau):
            return "undefined"
        interval = "no interval" if np.isnan(self.low) else f"{self.low:.2f} to {self.high:.2f}"
        return f"{self.tau:.2f} ({interval})".replace("-", "−")


def kendall(x: np.ndarray, y: np.ndarray) -> float:
    """Kendall's τ_b of two columns, from -1 to 1; NaN for fewer than two rows, and where a column is constant.

    ::

        τ_b = (C - D) / sqrt((P - T_x) (P - T_y))

    P pairs of rows, of which C are ordered alike in both columns, D oppositely, T_x and T_y tied in x and y. Networks that
    have not learned when training ends are all inf, but which of two of them would learn first is not known: τ_b leaves
    such pairs out of C and D and of one factor below, where Spearman's correlation counts them as equal. With such ties in
    one column only, it cannot reach ±1. ``-inf`` and ``inf`` are the smallest and the largest value. Source: Kendall (1945),
    The treatment of ties in ranking problems.
    """
    if len(x) < 2 or np.all(x == x[0]) or np.all(y == y[0]):
        return float("nan")
    found: Any = kendalltau(x, y)
    return float(found.statistic)


def rank_correlation(x: np.ndarray, y: np.ndarray, settings: np.ndarray, *, resamples: int = RESAMPLES) -> Correlation:
    """Kendall's τ_b and its 95 % percentile bootstrap interval over settings.

    x, y, settings: [rows], without NaN; rows with the same setting, its seeds, are drawn together, because they are alike.
    The generator is fixed: the same rows in the same order have the same interval. Its ends are NaN with fewer than two
    settings, and where more than 1 % of the resamples have no correlation.
    """
    names, members = np.unique(settings, return_inverse=True)
    if len(x) == 0:
        return Correlation(np.nan, np.nan, np.nan, 0, 0)
    order = np.argsort(members, kind="stable")
    blocks = np.split(order, np.cumsum(np.bincount(members))[:-1])
    tau, low, high = kendall(x, y), np.nan, np.nan
    if len(names) > 1 and np.isfinite(tau):
        # scipy.stats.bootstrap warns of resamples without a correlation, which are rare here and no fault.
        draws = np.random.default_rng(0).integers(len(names), size=(resamples, len(names)))
        chosen = (np.concatenate([blocks[block] for block in draw]) for draw in draws)
        taus = np.array([kendall(x[rows], y[rows]) for rows in chosen])
        if np.isnan(taus).mean() <= UNDEFINED:
            low, high = np.nanquantile(taus, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Correlation(tau, float(low), float(high), len(x), len(names))
