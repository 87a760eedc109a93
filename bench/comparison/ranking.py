"""Which scheme keeps gradients most constant with depth, and which cannot be told apart: bootstrap over seeds.

Seeds are the only independent axis: rows that share seeds share their random numbers, so differences are taken seed by seed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.stats import bootstrap

CONFIDENCE = 0.95
ROUNDING = 1e-6  # decades per layer: the accuracy of a measured norm, per layer of depth


class Interval(NamedTuple):
    """Ends of a confidence interval; NaN where there are too few seeds for one."""

    low: float
    high: float


def mean_interval(
    values: np.ndarray, generator: np.random.Generator, *, confidence: float = CONFIDENCE, resamples: int = 9999
) -> Interval:
    """The percentile bootstrap interval of the mean over seeds; values: [seeds], those that are not finite left out."""
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return Interval(float("nan"), float("nan"))
    if np.ptp(values) == 0:
        return Interval(float(values[0]), float(values[0]))
    found: Any = bootstrap(
        (values,),
        np.mean,
        n_resamples=resamples,
        batch=2048,
        confidence_level=confidence,
        method="percentile",
        rng=generator,
    )
    return Interval(*map(float, found.confidence_interval))


def ranks(slopes: np.ndarray, generator: np.random.Generator, *, resamples: int = 9999) -> np.ndarray:
    """The rank of each scheme: 1 where the mean slope is nearest to 0; float, NaN for schemes without a slope.

    slopes: [schemes, seeds], decades per layer, NaN for a seed without one. In order of |mean slope|, a scheme shares the
    rank of the first of the group before it unless the paired bootstrap interval of their difference excludes 0, at a
    confidence that is corrected for all pairs (Bonferroni): 1 - 0.05 / (schemes · (schemes - 1) / 2). Else it opens the
    next group, whose rank counts the schemes before it. Where so few seeds
    could all differ in one direction by chance at that level, 2^(1 - seeds) > 1 - confidence, nothing is told apart.
    """
    known = {place: row[np.isfinite(row)] for place, row in enumerate(slopes)}
    order = sorted((place for place, row in known.items() if row.size), key=lambda place: abs(known[place].mean()))
    pairs = max(len(order) * (len(order) - 1) // 2, 1)
    confidence = 1 - (1 - CONFIDENCE) / pairs
    found = np.full(len(slopes), np.nan)
    first = order[0] if order else 0
    rank = 1
    for place, scheme in enumerate(order):
        if _differ(slopes[scheme] - slopes[first], generator, confidence, resamples):
            first, rank = scheme, place + 1
        found[scheme] = rank
    return found


def _differ(differences: np.ndarray, generator: np.random.Generator, confidence: float, resamples: int) -> bool:
    """Whether the mean of the paired differences is told from 0, beyond float32's rounding of a slope."""
    count = int(np.isfinite(differences).sum())
    if count < 2 or 2.0 ** (1 - count) > 1 - confidence:  # so many differences have one sign by chance alone
        return False
    low, high = mean_interval(differences, generator, confidence=confidence, resamples=resamples)
    return bool(low > ROUNDING or high < -ROUNDING)
