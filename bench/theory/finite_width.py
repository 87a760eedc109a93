"""Gradients of networks of large but finite width n: mean and variance of ln ‖∂y/∂W_1‖², to first order in 1/n.

Given h_{l-1}, pre-activations are N(0, q_l) with q_l = σ_w² ‖h_{l-1}‖²/n + σ_b², so ln q_l is a random walk with steps of
order n^-1/2 about the mean-field trajectory; and ‖δ_l‖² = Σ_i φ′(z_{l,i})² v_i² with v = W_{l+1}ᵀ δ_{l+1}. Expanding
ln ‖δ_1‖² = Σ_l ln (‖δ_l‖² / ‖δ_{l+1}‖²) to first order in 1/n gives a normal law, whose parts are, for every layer,

* -½ Var ε: the mean of a logarithm lies below the logarithm of a mean (ε: the sum's relative fluctuation; 5/n for He's
  ReLU, Hanin & Nica 2019, arXiv 1812.05994);
* the walk of ln q carried through φ, as a normal law: all averages are over it, not at its mean, since at criticality it
  grows with L/n;
* the weights are not independent of z: given z, W_{l+1} acts on h_l as it did forward. That component of v carries
  T = (a · δ)² / (‖δ‖² σ_w² ‖h‖²/n) (a = W h) in place of 1; U = T - 1 obeys a recursion from the readout down;
* orthogonal weights keep norms, so z and v are uniform on spheres: fluctuations along the radius vanish, and averages of f
  are lower by E[f He₄]/4n (He: Hermite polynomials);
* independent but not Gaussian weights of excess kurtosis k give z an excess k E h⁴ / (E h²)² / n, and in the same way
  correlate W² with z².

Notation: moments of :mod:`bench.theory.moments`; s: share of q that is due to weights, not biases. All sums in logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from bench.theory.ensembles import Ensemble
from bench.theory.moments import Moments, tabulated
from bench.theory.nonlinearities import Nonlinearity

NODES, NODE_WEIGHTS = hermegauss(9)
NODE_WEIGHTS = NODE_WEIGHTS / NODE_WEIGHTS.sum()
MOST_ALIGNED = 0.1  # 0.02 decades of the gradient's norm
LENGTHS, STEP, ROUNDING = 60.0, 0.02, 1e-9  # of ln q, where unstable fixed points are looked for


class Layers(NamedTuple):
    """Every hidden layer l = 1 …, averaged over the walk of its length; arrays [layers]."""

    moments: Moments  # averages over ln q_l ~ N(log_q, variance)
    log_q: np.ndarray  # E ln q_l
    variance: np.ndarray  # of ln q_l
    share: np.ndarray  # s_l = σ_w² E h_{l-1}² / q_l
    next_share: np.ndarray  # s_{l+1}


class LogNormal(NamedTuple):
    """Mean and covariance of ln ‖∂y/∂W_1‖² at the depths asked for, and whether the expansion holds there."""

    mean: np.ndarray  # [depths]
    covariance: np.ndarray  # [depths, depths]
    holds: np.ndarray  # [depths]


def leading_order(
    phi: Nonlinearity, weights: Ensemble, weight_std: float, bias_std: float, width: int, depths: Sequence[int]
) -> LogNormal:
    """The law at each depth L ≥ 2, for weights of standard deviation ``weight_std``/√n.

    Between depths, what the shared layers' activations do is common; readouts that enter at different layers have met
    different weights, and are taken as independent.

    The expansion does not hold (``holds``) where gradients come to lie along activations (U² / n² adds up over layers, as
    for softplus, whose activations share a sign), and where the walk of ln q comes within three standard deviations of
    an unstable fixed point, beyond which networks of the same law end elsewhere (GELU, SiLU).
    """
    layers = _forward(phi, weights, weight_std, bias_std, width, max(depths) - 1)
    parts = [_backward(layers, weights, width, depth - 1) for depth in depths]
    log_gain = 2 * np.log(weight_std)
    mean = [np.log(width) + (depth - 2) * log_gain + part.mean for depth, part in zip(depths, parts, strict=True)]
    covariance = np.array([[_covariance(layers, weights, width, a, b) for b in parts] for a in parts])
    alone = _first_at_a_parting(layers, phi, weight_std, bias_std)
    holds = [part.aligned < MOST_ALIGNED and depth - 1 <= alone for depth, part in zip(depths, parts, strict=True)]
    return LogNormal(np.array(mean), covariance, np.array(holds))


def _first_at_a_parting(layers: Layers, phi: Nonlinearity, weight_std: float, bias_std: float) -> int:
    """How many layers the walk of ln q goes before it may cross an unstable fixed point of the length map."""
    grid = np.arange(-LENGTHS, LENGTHS, STEP)
    with np.errstate(divide="ignore"):
        drift = np.logaddexp(2 * np.log(weight_std) + tabulated(phi)(grid).log_value, 2 * np.log(bias_std)) - grid
    unstable = grid[:-1][(drift[:-1] < -ROUNDING) & (drift[1:] > ROUNDING)] + STEP / 2
    distance = np.abs(layers.log_q[:, None] - unstable[None, :]).min(axis=1, initial=np.inf)
    near = np.flatnonzero(distance < 3 * np.sqrt(layers.variance))
    return int(near[0]) if near.size else len(layers.log_q)


def _forward(phi: Nonlinearity, weights: Ensemble, weight_std: float, bias_std: float, width: int, count: int) -> Layers:
    """Mean and variance of ln q from layer to layer, and everything else averaged over it by Gauss-Hermite quadrature."""
    at = tabulated(phi)
    with np.errstate(divide="ignore"):
        log_gain, log_bias = 2 * np.log(weight_std), 2 * np.log(bias_std)
    log_q, variance, share, next_share = np.empty((4, count))
    averages = np.empty((count, len(Moments._fields)))
    mean, spread = float(np.logaddexp(log_gain, log_bias)), 0.0
    incoming = 3.0  # E h⁴/(E h²)² of the layer below; of a sphere for inputs
    below = np.exp(log_gain - mean)
    for layer in range(count):
        nodes = mean + np.sqrt(spread) * NODES
        found = at(nodes)
        log_weights = log_gain + found.log_value
        following = np.logaddexp(log_weights, log_bias)
        shares = np.exp(log_weights - following)
        log_q[layer], variance[layer], share[layer], next_share[layer] = mean, spread, below, NODE_WEIGHTS @ shares
        averages[layer] = np.stack(found, axis=-1).T @ NODE_WEIGHTS
        noise = shares**2 * _value_noise(found, below, weights) / width
        shift = shares * _mean_shift(found.value4, incoming, below, weights) / width
        mean = float(NODE_WEIGHTS @ (following + shift - noise / 2))
        spread = float(NODE_WEIGHTS @ (following - NODE_WEIGHTS @ following) ** 2 + NODE_WEIGHTS @ noise)
        below, incoming = next_share[layer], float(NODE_WEIGHTS @ found.value_kurtosis)
    return Layers(Moments(*averages.T), log_q, variance, share, next_share)


def _value_noise(at: Moments, share: Any, weights: Ensemble) -> np.ndarray:
    """Width × the variance of ‖h‖²/n, relative to its mean."""
    radial = share**2 * at.value2**2 / 2 if weights.kind == "orthogonal" else 0.0
    return at.value_kurtosis - 1 - radial


def _mean_shift(fourth: np.ndarray, incoming: Any, share: Any, weights: Ensemble) -> np.ndarray:
    """Width × the relative change of E f(z) where z is not exactly normal.

    fourth: E[f He₄] / E f; incoming: E h⁴ / (E h²)² of the layer below.
    """
    if weights.kind == "orthogonal":
        return -(share**2) * fourth / 4
    return weights.excess * share**2 * incoming * fourth / 24


class _Backward(NamedTuple):
    mean: float  # E ln ‖δ_1‖², without the weights' gains
    aligned: float  # the second order of what U adds to ln ‖δ_1‖²
    readout: int  # the layer that the readout reads
    through_value: np.ndarray  # [layers]: ∂ ln ‖δ_1‖² / ∂ ln ‖h_l‖², through all layers above l


def _backward(layers: Layers, weights: Ensemble, width: int, count: int) -> _Backward:
    at = Moments(*(column[:count] for column in layers.moments))
    share, above = layers.share[:count], layers.next_share[: count - 1]
    orthogonal = weights.kind == "orthogonal"
    # U_l = T_l - 1, from the readout down
    excess = np.zeros(count + 1)
    carried = share * at.value2**2 / 4 * np.exp(at.log_value - at.log_slope - layers.log_q[:count])
    for layer in reversed(range(count)):
        excess[layer] = share[layer] * at.slope2[layer] + carried[layer] * excess[layer + 1]
    noise = _slope_noise(at, share, weights)
    incoming = np.concatenate([[3.0], at.value_kurtosis[:-1]])  # of a sphere for inputs
    shift = _mean_shift(at.slope4, incoming, share, weights) - noise / 2
    shift[:-1] += excess[1:-1] * (at.coupling[:-1] - orthogonal)
    shift[:-1] += weights.excess / 2 * above * at.slope2[1:] * at.coupling[:-1]
    # ∂ of all layers ≥ l with respect to ln q_l
    through = np.zeros(count + 1)
    slope = layers.next_share[:count] * at.value2 / 2
    for layer in reversed(range(count)):
        through[layer] = at.slope2[layer] / 2 + slope[layer] * through[layer + 1]
    mean = float(np.sum(at.log_slope + shift / width))
    through_value = np.zeros(count)
    through_value[:-1] = above * through[1:count]
    aligned = float(np.sum((excess[1:count] * at.coupling[:-1] / width) ** 2)) / 2
    return _Backward(mean, aligned, count - 1, through_value)


def _slope_noise(at: Moments, share: np.ndarray, weights: Ensemble) -> np.ndarray:
    """Width × Var ε of each layer; the readout's layer, last, has a direction of fixed norm as orthogonal weights do."""
    fixed_norm = np.full(len(share), weights.kind == "orthogonal")
    fixed_norm[-1] = True
    radial = share**2 * at.slope2**2 / 2 if weights.kind == "orthogonal" else 0.0
    return np.where(fixed_norm, 3 * (at.slope_kurtosis - 1), 3 * at.slope_kurtosis - 1) - radial


def _covariance(layers: Layers, weights: Ensemble, width: int, one: _Backward, other: _Backward) -> float:
    """Of ln ‖δ_1‖² at two depths, or at one with itself."""
    count = min(one.readout, other.readout) + 1
    at = Moments(*(column[:count] for column in layers.moments))
    share = layers.share[:count]
    orthogonal = weights.kind == "orthogonal"
    if one.readout == other.readout:
        own = _slope_noise(at, share, weights)
    else:
        own = at.slope_kurtosis - 1 - (share**2 * at.slope2**2 / 2 if orthogonal else 0.0)
    value = _value_noise(at, share, weights)
    both = at.coupling - 1 - (share**2 * at.slope2 * at.value2 / 2 if orthogonal else 0.0)
    a, b = one.through_value[:count], other.through_value[:count]
    return float(np.sum(own + (a + b) * both + a * b * value) / width)
