"""The dimension of a boundary from pairs of pixels that lie on different sides of it: the uncertainty exponent."""

from __future__ import annotations

import numpy as np

from analysis.numbers.power_law import Dimension, fitted

NEAREST = 2  # pixels: nearer pairs do not see what is finer than a pixel
SHARE, FEWEST = 16, 3  # the farthest pair is a 16th of the map apart; distances that a fit needs at least


def pair_distances(side: int) -> np.ndarray:
    """2, 3, 4, 6, 8, 12, … pixels to a 16th of the side, and three of them on any map of 16 pixels or more."""
    every = np.sort([first << power for power in range(30) for first in (NEAREST, NEAREST + 1)])
    farthest = max(side // SHARE, every[FEWEST - 1] if side >= SHARE else 0)
    return every[every <= farthest]


def pair_dimension(field: np.ndarray) -> Dimension:
    """The dimension of the line between positive and other pixels [rows, columns], along the axis on which it is rougher.

    ::

        P(r) ∝ r^(2 - dimension),   N(r) = pixels · P(r) / r²

    P(r): of the pairs of pixels that are r apart along one axis, the share with different signs; NaN is no partner. It is
    the uncertainty exponent of Grebogi, McDonald, Ott & Yorke (1983), Final state sensitivity: how often an error of r in
    one parameter changes the outcome. N(r) is a count of boxes, so that slopes compare. The smaller exponent of both axes
    wins in the limit r → 0 and is the boundary's; each axis is fitted alone, so that the other's pairs do not blur it.
    ``sizes`` and ``counts`` are the distances and N(r) along the rougher axis. NaN on a map without a boundary.
    """
    distances = pair_distances(min(field.shape))
    known, positive = ~np.isnan(field), field > 0
    found = [
        fitted(distances, _counts(known.T, positive.T, distances), "pairs", min(field.shape)),
        fitted(distances, _counts(known, positive, distances), "pairs", min(field.shape)),
    ]
    return max(found, key=lambda dimension: -np.inf if np.isnan(dimension.slope) else dimension.slope)


def _counts(known: np.ndarray, positive: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """[distances]: N(r) along the first axis."""
    shares = []
    for r in distances.tolist():
        both = known[r:] & known[:-r]
        shares.append((both & (positive[r:] != positive[:-r])).sum() / max(both.sum(), 1))
    return positive.size * np.array(shares) / distances**2.0
