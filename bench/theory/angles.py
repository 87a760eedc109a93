"""Two inputs: how the correlation of their activations changes with depth, and of their gradients."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bench.theory.meanfield import LARGEST, trajectory
from bench.theory.nonlinearities import nonlinearity
from bench.theory.pairs import Pair, pair


class GradientCorrelation(NamedTuple):
    """Arrays [layers]: of pre-activations z_l, and of the gradients δ_l = ∂y/∂z_l at the largest depth."""

    forward: np.ndarray
    backward: np.ndarray


def gradient_correlation(
    activation: Any, weight_std: float, bias_std: float, depth: int, correlation: float
) -> GradientCorrelation:
    """Shattered gradients (Balduzzi et al. 2017, arXiv 1702.08591): correlations of two inputs of norm √n, n → ∞.

    With c_0 = ``correlation`` of the inputs, c_1 = (σ_w² c_0 + σ_b²) / q_1 and

        c_{l+1} = (σ_w² E φ(z)φ(z′) + σ_b²) / q_{l+1}
        cos(δ_l, δ_l′) = Π_{k ≥ l} E φ′(z_k)φ′(z_k′) / E φ′(z_k)²

    for l = 1 … L-1, L = ``depth``. Both are NaN where lengths leave the float range, for σ outside 0 … 10^60
    and for |c_0| > 1.
    """
    phi = nonlinearity(activation)
    if not (0 <= weight_std <= LARGEST and 0 <= bias_std <= LARGEST and -1 <= correlation <= 1):
        return GradientCorrelation(*np.full((2, depth - 1), np.nan))
    lengths, factors = trajectory(phi, weight_std, bias_std, depth - 1)
    forward, ratios = np.full(depth - 1, np.nan), np.full(depth - 1, np.nan)
    shortfall = 1 - correlation  # 1 - c, times q, keeps its digits near c = 1
    gap = weight_std**2 * shortfall
    for layer in range(depth - 1):
        q = float(np.exp(lengths[layer]))
        if not (np.finfo(float).tiny < q < np.finfo(float).max):
            break
        delta = float(np.clip(gap / q, 0.0, 2.0))
        forward[layer] = 1 - delta
        found: Pair = pair(phi, q, delta)
        ratios[layer] = weight_std**2 * found.slope / np.exp(factors[layer])
        gap = weight_std**2 * found.half_square
    return GradientCorrelation(forward, np.cumprod(ratios[::-1])[::-1])
