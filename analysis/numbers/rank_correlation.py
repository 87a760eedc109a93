"""Kendall's rank correlation, also within strata, with an interval that resamples whole settings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

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


def rank_correlation(
    x: np.ndarray,
    y: np.ndarray,
    settings: np.ndarray,
    *,
    strata: np.ndarray | None = None,
    resamples: int = RESAMPLES,
) -> Correlation:
    """Kendall's τ_b of two columns, from -1 to 1, and its 95 % percentile bootstrap interval over settings.

    ::

        τ_b = Σ (C - D) / sqrt(Σ (P - T_x) Σ (P - T_y))

    P pairs of rows, of which C are ordered alike in both columns, D oppositely, T_x and T_y tied in x and y; the sums are
    over strata, and pairs are of rows of one stratum, so that what strata do to both columns does not count. Without
    ``strata`` it is Kendall's own. Networks that have not learned when training ends are all inf, but which of two of them
    would learn first is not known: τ_b leaves such pairs out of C and D and of one factor below, where Spearman's
    correlation counts them as equal. With such ties in one column only, it cannot reach ±1. ``-inf`` and ``inf`` are the
    smallest and the largest value. Source: Kendall (1945), The treatment of ties in ranking problems.

    x, y, settings, strata: [rows], without NaN; rows with the same setting, its seeds, are drawn together, because they are
    alike, and so are of one stratum, within which settings are drawn. The generator is fixed: the same rows in the same
    order have the same interval. NaN: τ_b where no two rows differ in a column, the ends with fewer than two settings,
    and where more than 1 % of the resamples have no correlation.
    """
    if len(x) == 0:
        return Correlation(np.nan, np.nan, np.nan, 0, 0)
    names, first, members = np.unique(settings, return_index=True, return_inverse=True)
    stratum = np.zeros(len(names), int) if strata is None else np.unique(strata[first], return_inverse=True)[1]
    x, y = (np.unique(values, return_inverse=True)[1] for values in (x, y))
    pairs = _pairs(x, y, members, stratum)
    tau, low, high = float(_taus(pairs, np.ones((1, len(names))))[0]), np.nan, np.nan
    if len(names) > 1 and np.isfinite(tau):
        random, drawn = np.random.default_rng(0), np.zeros((resamples, len(names)))
        for members_of in (np.flatnonzero(stratum == each) for each in range(stratum.max() + 1)):
            draws = random.integers(len(members_of), size=(resamples, len(members_of)))
            np.add.at(drawn, (np.arange(resamples)[:, None], members_of[draws]), 1)
        taus = _taus(pairs, drawn)
        if np.isnan(taus).mean() <= UNDEFINED:
            low, high = np.nanquantile(taus, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Correlation(tau, float(low), float(high), len(x), len(names))


def _pairs(x: np.ndarray, y: np.ndarray, members: np.ndarray, stratum: np.ndarray) -> np.ndarray:
    """[3, settings, settings]: C - D, P - T_x and P - T_y of the pairs of rows of two settings, 0 between strata."""
    order = np.argsort(members, kind="stable")
    x, y, starts = x[order], y[order], np.flatnonzero(np.diff(members[order], prepend=-1))
    found = np.empty((3, len(starts), len(starts)))
    for setting, rows in enumerate(np.split(np.arange(len(x)), starts[1:])):
        signs = [np.sign(values[rows, None] - values) for values in (x, y)]
        sums = np.array([signs[0] * signs[1], *map(np.abs, signs)]).sum(axis=1)
        found[:, setting] = np.add.reduceat(sums, starts, axis=1)
    return found * (stratum[:, None] == stratum)


def _taus(pairs: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """[resamples]: τ_b where a setting is drawn so many times. drawn: [resamples, settings]."""
    # copies of a row are tied with one another in both columns, and count in none of the three
    score, x, y = (((drawn @ each) * drawn).sum(axis=1) for each in pairs)
    some = (x > 0) & (y > 0)
    return np.where(some, score / np.sqrt(np.where(some, x * y, 1)), np.nan)
