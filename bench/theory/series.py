"""Averages over pairs as power series in their correlation: many layers at a time, where the series converges.

With h_k the normalized Hermite polynomials, a_k = E φ(√q x) h_k(x) and x ~ N(0, 1),

    E φ(z)φ(z′) = Σ a_k² c^k        E φ′(z)φ′(z′) = Σ (k + 1) a_{k+1}² c^k / q

(Mehler's formula; Poole et al. 2016 and Daniely et al. 2016, arXiv 1602.05897, call the first φ's dual). At c = 1 they are
averages over one input, and what of these is missing in a finite sum tells whether it has converged.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from bench.theory.moments import tabulated
from bench.theory.nonlinearities import Nonlinearity
from bench.theory.pairs import Pair

ORDERS = 800
NODE_STEP, FARTHEST = 0.05, 14.0  # of x: e^(-14²/4) is 10^-21
CONVERGED = 1e-8  # of what a sum may miss


class Series(NamedTuple):
    """Coefficients a_k² and (k + 1) a_{k+1}² / q, [layers, orders], and for which layers both sums are whole."""

    values: np.ndarray
    slopes: np.ndarray
    whole: np.ndarray

    def pair(self, layer: int, one_minus_c: float) -> Pair:
        """The averages at a layer and 0 ≤ 1 - c ≤ 2, as :func:`bench.theory.pairs.pair`."""
        k = np.arange(self.values.shape[1])
        # |c|^k - 1 without cancellation near |c| = 1; odd powers of a negative c are negative
        distance = min(one_minus_c, 2 - one_minus_c)
        with np.errstate(divide="ignore", invalid="ignore"):
            short = np.where(k > 0, np.expm1(k * np.log1p(-distance)), 0.0)
        negative = (one_minus_c > 1) & (k % 2 == 1)
        lost = np.where(negative, 2 + short, -short)  # 1 - c^k
        values, slopes = self.values[layer], self.slopes[layer]
        return Pair(float(values @ (1 - lost)), float(values @ lost), float(slopes @ (1 - lost[:-1])))


def series(phi: Nonlinearity, log_q: np.ndarray) -> Series:
    """The series at lengths ln q; those of activations with kinks converge too slowly, and are not whole."""
    weights, x = _hermite()
    sizes = np.exp(np.clip(log_q, -700, 700) / 2)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        coefficients = phi.function(sizes[:, None] * x) @ weights
        values = coefficients**2
        slopes = np.arange(1, ORDERS) * values[:, 1:] / sizes[:, None] ** 2
        known = tabulated(phi)(log_q)
        missing = [
            np.abs(part.sum(axis=1) * np.exp(-log) - 1) for part, log in zip((values, slopes), known[:2], strict=True)
        ]
    return Series(values, slopes, (np.maximum(*missing) < CONVERGED) & np.isfinite(missing[0]))


@cache
def _hermite() -> tuple[np.ndarray, np.ndarray]:
    """h_k(x) times the normal density and the step, [nodes, orders], and nodes."""
    x = np.arange(-FARTHEST, FARTHEST + NODE_STEP / 2, NODE_STEP)
    half = np.exp(-(x**2) / 4) / (2 * np.pi) ** 0.25  # of the density, so that no polynomial leaves the float range
    found = [half, x * half]
    for k in range(1, ORDERS - 1):
        found.append((x * found[k] - np.sqrt(k) * found[k - 1]) / np.sqrt(k + 1))
    return NODE_STEP * (np.stack(found, axis=1) * half[:, None]), x
