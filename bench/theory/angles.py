"""Two inputs: how the correlation of their activations changes with depth, and of their gradients."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bench.theory.arguments import checked
from bench.theory.meanfield import LARGEST, trajectory
from bench.theory.nonlinearities import Nonlinearity, nonlinearity
from bench.theory.pairs import CLOSED, Pair, pair
from bench.theory.series import Series, series

AT_ONCE = 1024  # layers whose series are held
SETTLED = 1e-12  # relative, of q and 1 - c: the next layer is the last one again


class GradientCorrelation(NamedTuple):
    """Arrays [layers]: of pre-activations z_l, and of the gradients δ_l = ∂y/∂z_l at the largest depth."""

    forward: np.ndarray
    backward: np.ndarray


@checked
def gradient_correlation(
    activation: Any, weight_std: float, bias_std: float, depth: int, correlation: float
) -> GradientCorrelation:
    """Shattered gradients (Balduzzi et al. 2017, arXiv 1702.08591): correlations of two inputs of norm √n, n → ∞.

    With c_0 = ``correlation`` of the inputs, c_1 = (σ_w² c_0 + σ_b²) / q_1 and

        c_{l+1} = (σ_w² E φ(z)φ(z′) + σ_b²) / q_{l+1}
        cos(δ_l, δ_l′) = Π_{k ≥ l} E φ′(z_k)φ′(z_k′) / E φ′(z_k)²

    for l = 1 … L-1, L = ``depth`` ≥ 2. Both are NaN where lengths leave the float range, and for σ above 10^60. Raises
    ValueError for arguments that cannot be.
    """
    phi = nonlinearity(activation)
    if max(weight_std, bias_std) > LARGEST:
        return GradientCorrelation(*np.full((2, depth - 1), np.nan))
    lengths, factors = trajectory(phi, weight_std, bias_std, depth - 1)
    forward, ratios = np.full(depth - 1, np.nan), np.full(depth - 1, np.nan)
    shortfall = 1 - correlation  # 1 - c, times q, keeps its digits near c = 1
    gap, averages = weight_std**2 * shortfall, _Averages(phi, lengths)
    for layer in range(depth - 1):
        q = float(np.exp(lengths[layer]))
        if not (np.finfo(float).tiny < q < np.finfo(float).max):
            break
        delta = float(np.clip(gap / q, 0.0, 2.0))
        forward[layer] = 1 - delta
        found = averages(layer, q, delta)
        ratios[layer] = weight_std**2 * found.slope / np.exp(factors[layer])
        gap = weight_std**2 * found.half_square
    return GradientCorrelation(forward, np.cumprod(ratios[::-1])[::-1])


def is_quick(phi: Nonlinearity) -> bool:
    """Whether a layer takes no quadrature but where it saturates: averages have a closed form, or a series converges."""
    return phi.negative_slope is not None or phi.name in CLOSED or not phi.kinks


class _Averages:
    """Averages over pairs layer by layer: by series where they converge, and where nothing changes the last ones."""

    def __init__(self, phi: Nonlinearity, lengths: np.ndarray):
        self.phi, self.lengths = phi, lengths
        self.closed = phi.negative_slope is not None or phi.name in CLOSED
        self.first, self.series = -AT_ONCE, Series(*[np.empty(0)] * 3)
        self.at, self.found = (-1.0, -1.0), Pair(*[float("nan")] * 3)

    def __call__(self, layer: int, q: float, delta: float) -> Pair:
        """At variance q and 1 - c = delta."""
        if not np.allclose((q, delta), self.at, rtol=SETTLED, atol=0):
            self.at, self.found = (q, delta), self._at(layer, q, delta)
        return self.found

    def _at(self, layer: int, q: float, delta: float) -> Pair:
        if self.closed:
            return pair(self.phi, q, delta)
        if layer >= self.first + AT_ONCE:
            self.first, self.series = layer, series(self.phi, self.lengths[layer : layer + AT_ONCE])
        place = layer - self.first
        return self.series.pair(place, delta) if self.series.whole[place] else pair(self.phi, q, delta)
