"""Mean field theory: how lengths of activations, the angle between two inputs and gradients change from layer to layer.

For width n → ∞, W ~ N(0, σ_w²/n) and b ~ N(0, σ_b²), every pre-activation is N(0, q_l) with

    q_{l+1} = σ_w² E φ(√q_l ẑ)² + σ_b²        q_1 = σ_w² + σ_b²  (inputs of norm √n)
    χ₁ = σ_w² E φ′(√q ẑ)²                     the factor on a gradient's mean square, and c′ at c = 1
    c_{l+1} = (σ_w² E φ(z)φ(z′) + σ_b²) / q   the correlation of two inputs' pre-activations

(Poole et al. 2016, arXiv 1606.05340, eqs. 3, 5, 9; Schoenholz et al. 2017, arXiv 1611.01232). Lengths are kept as ln q,
so that they may vanish or explode.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bench.theory.arguments import checked
from bench.theory.moments import CLIP, Moments, moments, tabulated
from bench.theory.nonlinearities import Nonlinearity, nonlinearity
from bench.theory.pairs import pair
from bench.theory.roots import root

LARGEST = 1e60  # of σ_w and σ_b: their squares stay far inside the float range
MARGINAL = 1e-11  # a logarithm this small is 0: rounding, not a scale of 10^11 layers
NEAR = 1e-10  # of a drift in a table
RISES = 1e-9  # a drift that leaves 0 again, unlike one that decays to it
GRID = 0.01  # of ln q, on which fixed points are bracketed


class FixedPoint(NamedTuple):
    """Where an infinitely wide network ends up, and how many layers that takes.

    q: the length to which inputs of norm √n are carried; 0 where they vanish, inf where they explode. At a σ_w that keeps
    every length (He's, for ReLU), that of the first layer.
    chi1: χ₁ at q. The mean square of the gradient is multiplied by it in every layer.
    c: the correlation to which two inputs are carried: 1 where χ₁ ≤ 1, the stable root below 1 where χ₁ > 1, NaN where every
    correlation is kept (linear without bias).
    xi_q, xi_c, xi_grad: depth scales in layers of q, c and the gradient: -1/ln of the maps' slopes at the fixed point, and
    1/|ln χ₁|. inf where the approach is not exponential, or there is none.
    """

    q: float
    chi1: float
    c: float
    xi_q: float
    xi_c: float
    xi_grad: float


def phase(q: Any, chi1: Any) -> np.ndarray:
    """The names of the phases of fixed points: "ordered", "critical", "chaotic", "exploding" or "undefined".

    Ordered, χ₁ < 1: gradients vanish, and inputs become alike. Above 1 gradients explode. Where q is finite, they do because
    the network is chaotic: χ₁ is the slope of c → c′ at c = 1, which is unstable, so that inputs that are alike part. Where
    lengths explode (q = ∞: ReLU above He's scale, GELU), activations follow their asymptotes, z or 0, for which that slope
    is χ₁ q / q′ = 1: inputs do not part, and all there is is the factor by which everything grows.
    """
    q, chi1 = np.asarray(q, float), np.asarray(chi1, float)
    cases = {"undefined": np.isnan(chi1), "ordered": chi1 < 1, "critical": chi1 == 1, "exploding": np.isposinf(q)}
    return np.select(list(cases.values()), list(cases), "chaotic")


def log_length_map(phi: Nonlinearity, log_q: Any, weight_std: float, bias_std: float) -> np.ndarray:
    """The length map: ln q_{l+1} at ln q_l."""
    return _length(moments(phi, np.asarray(log_q, float)), weight_std, bias_std)


def _length(found: Moments, weight_std: float, bias_std: float) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.logaddexp(2 * np.log(weight_std) + found.log_value, 2 * np.log(bias_std))


@checked
def fixed_point(activation: Any, weight_std: float, bias_std: float) -> FixedPoint:
    """The :class:`FixedPoint` of an activation (a name, or a function on JAX arrays) at σ_w and σ_b, both ≥ 0.

    NaN where something is not defined, and for σ above 10^60. Length maps here increase with q, so inputs go to the first
    fixed point on their way from q_1, up or down. Raises ValueError for σ that are not finite numbers ≥ 0.
    """
    phi = nonlinearity(activation)
    if max(weight_std, bias_std) > LARGEST:
        return FixedPoint(*[float("nan")] * 6)
    if weight_std < 1 / LARGEST:
        return FixedPoint(bias_std**2, 0.0, 1.0, 0.0, 0.0, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):  # of a constant
        return _finite_fixed_point(phi, weight_std, bias_std)


def _finite_fixed_point(phi: Nonlinearity, weight_std: float, bias_std: float) -> FixedPoint:
    log_q = _log_fixed_length(phi, weight_std, bias_std)
    at = moments(phi, np.array(np.clip(log_q, -CLIP, CLIP)))
    log_chi = float(2 * np.log(weight_std) + at.log_slope)
    # d ln q′ / d ln q, the slope of the map where q′ = q; where q vanishes or explodes, the rate at which it does
    with np.errstate(divide="ignore"):
        log_slope = float(np.log(np.abs(at.value2) / 2))
    slope = 2 * np.log(weight_std) + float(at.log_value) + log_slope - float(np.clip(log_q, -CLIP, CLIP))
    xi_q = np.inf if log_q == np.inf else _scale(slope)
    chi1 = 1.0 if abs(log_chi) < MARGINAL else float(np.exp(log_chi))
    c, xi_c = _correlation(phi, weight_std, bias_std, log_q, log_chi)
    return FixedPoint(float(np.exp(log_q)), chi1, c, xi_q, xi_c, _scale(-abs(log_chi)))


def _scale(log_factor: float) -> float:
    """-1/ln of a factor below 1; inf at and above 1."""
    return float("inf") if log_factor > -MARGINAL else float(-1 / log_factor)


def _log_fixed_length(phi: Nonlinearity, weight_std: float, bias_std: float) -> float:
    """The fixed point's ln q, or -inf or inf."""

    def drift(log_q: Any) -> np.ndarray:
        return log_length_map(phi, log_q, weight_std, bias_std) - log_q

    start = float(np.logaddexp(2 * np.log(weight_std), 2 * np.log(bias_std) if bias_std else -np.inf))
    first = float(drift(start))
    if abs(first) < MARGINAL:
        return start
    down = first < 0
    end = min(-CLIP, start - 1) if down else max(CLIP, start + 1)
    grid = np.linspace(start, end, int(abs(end - start) / GRID) + 2)
    drifts = _length(tabulated(phi)(grid), weight_std, bias_std) - grid
    ahead = drifts > NEAR if down else drifts < -NEAR
    stop = int(np.argmax(ahead)) if ahead.any() else len(grid)
    touching = _touching(drift, grid[:stop], np.abs(drifts[:stop]))
    if touching is not None:
        return touching
    if stop < len(grid):
        lower, upper = sorted(grid[stop - 1 : stop + 1])
        if drift(lower) * drift(upper) >= 0:  # the table and the map differ in their last digits only
            return float(grid[stop - 1])
        return root(drift, lower, upper)
    vanishes = bias_std == 0 and phi.vanishes_at_zero
    return -np.inf if down and vanishes else (np.inf if not down else float(grid[-1]))


def _touching(drift: Any, grid: np.ndarray, distance: np.ndarray) -> float | None:
    """The first double root: a half-stable fixed point, at which the drift touches 0 without changing its sign."""
    from scipy.optimize import minimize_scalar  # here: no import of theory should wait for it

    for place in range(1, len(grid) - 1):
        lowest = distance[place] <= min(distance[place - 1], distance[place + 1]) and distance[place] < GRID**2
        if lowest and distance[place:].max() > RISES:
            lower, upper = sorted((grid[place - 1], grid[place + 1]))
            found: Any = minimize_scalar(
                lambda log_q: abs(float(drift(log_q))), bounds=(lower, upper), method="bounded", options={"xatol": 1e-10}
            )
            if found.fun < 1e-8:
                return float(found.x)
    return None


def _correlation(phi: Nonlinearity, weight_std: float, bias_std: float, log_q: float, log_chi: float) -> tuple[float, float]:
    """c* and ξ_c.

    In δ = 1 - c: δ′ = σ_w² E(φ(z) - φ(z′))² / 2q. The map c → c′ is a power series in c with coefficients ≥ 0, hence
    convex with c′(1) = χ₁, and has a second fixed point in [0, 1) just where χ₁ > 1.
    """
    if abs(log_chi) < MARGINAL or not np.isfinite(log_q):
        if phi.is_linear and (bias_std == 0 or log_q == np.inf):
            return float("nan"), float("inf")
        # Where lengths explode the angle follows φ's asymptotes; where they vanish, c* is that of a vanishing bias.
        return 1.0, float("inf") if log_q == np.inf else _scale(log_chi)
    if log_chi < 0:
        return 1.0, _scale(log_chi)
    q = float(np.exp(log_q))

    def growth(log_delta: float) -> float:
        """By how much 1 - c grows in a layer: ln δ′/δ."""
        delta = np.exp(log_delta)
        return float(np.log(weight_std**2 * pair(phi, q, delta).half_square / q / delta))

    at_zero = growth(0.0)
    smallest = np.log(1e-13)
    if at_zero >= -1e-13:
        delta = 1.0
    elif growth(smallest) <= 0:
        return 1.0, float("inf")
    else:
        delta = float(np.exp(root(growth, smallest, 0.0)))
    with np.errstate(divide="ignore"):
        return 1 - delta, _scale(float(np.log(weight_std**2 * abs(pair(phi, q, delta).slope))))


class Trajectory(NamedTuple):
    """What an input meets at every layer; arrays [layers], layer 1 first."""

    log_q: np.ndarray  # ln q_l, l = 1 … L-1
    log_chi: np.ndarray  # ln χ_l = ln σ_w² E φ′(√q_l ẑ)²


@checked
def trajectory(activation: Any, weight_std: float, bias_std: float, layers: int) -> Trajectory:
    """Lengths and gradient factors of the first ``layers`` hidden layers, from inputs of norm √n on."""
    phi = nonlinearity(activation)
    with np.errstate(divide="ignore"):
        log_q = np.logaddexp(2 * np.log(weight_std), 2 * np.log(bias_std))
    table = tabulated(phi)
    lengths, slopes = np.empty(layers), np.empty(layers)
    for layer in range(layers):
        found = table(log_q)
        lengths[layer] = log_q
        with np.errstate(divide="ignore"):
            slopes[layer] = 2 * np.log(weight_std) + found.log_slope
        log_q = _length(found, weight_std, bias_std)
    return Trajectory(lengths, slopes)
