"""Exact laws at any width of the gradients of linear, ReLU and leaky ReLU networks, with Gaussian and orthogonal weights.

For φ(z) = z above 0 and αz below, loss y, no bias (for linear, any bias), ``‖∂y/∂W_1‖² = n ‖δ_1‖²`` with

    δ_{L-1} = D_{L-1} u        δ_l = D_l W_{l+1}ᵀ δ_{l+1}        D_l = diag(1 or α by the sign of z_l)

Given h_{l-1}, the signs of z_l are fair coins, independent of |z_l| and of everything below. The readout u is uniform on the
sphere, so its signs are independent of all else; they make W_{L-1}ᵀ D_{L-1} u a vector of uniform direction, independent of
h_{L-2} (its component along h_{L-2} is a sum over units of |z_i| D_i |u_i| times independent signs, as if z and D were
independent). That direction has independent signs again, and so on down. Hence ‖δ_1‖² is a product of independent factors:

    ‖δ_1‖² = B_1 ⋯ B_{L-1} · G_2 ⋯ G_{L-1}        B = b + α² (1 - b), b ~ Beta(k/2, (n-k)/2), k ~ Binomial(n, ½)

with G = σ² for orthogonal weights, σ² χ²_n / n for Gaussian ones: E ln χ²_n = ψ(n/2) + ln 2, Var ln χ²_n = ψ′(n/2) with ψ
the digamma function. For ReLU, k = 0 switches a layer off, and with it every gradient is exactly zero.

**The relative gradient** ‖g_l‖ ‖W_l‖ / |y|, g_l = ∂y/∂W_l, does not depend on σ. Without bias ⟨g_l, W_l⟩ = y (Euler),
so it is 1/|cos| of the angle between W_l and g_l. Turn W_l into Ŵ_l = Ξ_l W_l Ξ_{l-1} with Ξ_l = diag(sign z_l, times
independent fair signs): the Ŵ_l have the law of the W_l and are independent of all D_l, which become coins of their
own, while |y| and the norms of all g_l and W_l are those of the linear network with factors D_l Ŵ_l. There ĝ_l is made
of the other layers, and independent of Ŵ_l, so

    cos² ~ Beta(1/2, (n² - 1)/2)    (Gaussian)        n cos² ~ Beta(1/2, (n - 1)/2)    (orthogonal: ĝ_l has rank 1)

at every hidden layer, depth and scale: relative to weights and output, gradients of these networks neither vanish nor
explode.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import digamma, expit, gammaln, polygamma

from bench.theory.arguments import checked

LN_10 = float(np.log(10))
NEGLIGIBLE = 1e-18  # probability of a number of active units


class Law(NamedTuple):
    """Mean and variance of log10 ‖∂y/∂W_1‖_F over seeds, given that it is not zero, and the probability of that."""

    mean: float
    variance: float
    alive: float


class LogShare(NamedTuple):
    """ln B of one layer, given that it is not off: mean, variance, that part of the variance which k decides, P(not off)."""

    mean: float
    variance: float
    between: float
    alive: float


@checked
def gradient_law(width: int, depth: int, weight_std: float, *, negative_slope: float, orthogonal: bool) -> Law:
    """The law of log10 ‖∂y/∂W_1‖_F at depth L ≥ 2 for the weights' σ (√(n · variance of an entry))."""
    share, factors = log_share(width, negative_slope), depth - 2
    gain, spread = _log_gain(width, weight_std, orthogonal=orthogonal)
    mean = np.log(width) + (depth - 1) * share.mean + factors * gain
    variance = (depth - 1) * share.variance + factors * spread
    return Law(float(mean) / 2 / LN_10, float(variance) / 4 / LN_10**2, share.alive ** (depth - 1))


@checked
def slope_law(width: int, depth: int, weight_std: float, *, negative_slope: float, orthogonal: bool) -> Law:
    """The law of (log10 ‖∂y/∂W_1‖ at depth L - the same at depth 2) / (L - 2), for one seed; L > 2.

    The two depths share the first layer's units: Cov = Var E[ln B_1 | k_1].
    """
    long = gradient_law(width, depth, weight_std, negative_slope=negative_slope, orthogonal=orthogonal)
    short = gradient_law(width, 2, weight_std, negative_slope=negative_slope, orthogonal=orthogonal)
    shared = log_share(width, negative_slope).between / 4 / LN_10**2
    layers = depth - 2
    return Law((long.mean - short.mean) / layers, (long.variance + short.variance - 2 * shared) / layers**2, long.alive)


@checked
def relative_law(width: int, *, orthogonal: bool) -> Law:
    """The law of log10 ‖∂y/∂W_l‖ ‖W_l‖ / |y| at any hidden layer, depth and scale: linear, ReLU and leaky ReLU without bias.

    With cos² ~ Beta(1/2, (m-1)/2), E ln cos² = ψ(1/2) - ψ(m/2) and Var ln cos² = ψ′(1/2) - ψ′(m/2); m = n² for Gaussian
    weights, m = n and another ½ log10 n for orthogonal ones and the identity. ``alive`` is 1: the law is given that a
    network lives.
    """
    m = width if orthogonal else width**2
    mean = float(digamma(m / 2) - digamma(0.5)) + (float(np.log(width)) if orthogonal else 0.0)
    return Law(mean / 2 / LN_10, float(polygamma(1, 0.5) - polygamma(1, m / 2)) / 4 / LN_10**2, 1.0)


def _log_gain(width: int, weight_std: float, *, orthogonal: bool) -> tuple[float, float]:
    """Mean and variance of ln G."""
    with np.errstate(divide="ignore"):
        gain = 2 * float(np.log(weight_std))
    if orthogonal:
        return gain, 0.0
    return gain + float(digamma(width / 2) + np.log(2 / width)), float(polygamma(1, width / 2))


@cache
def log_share(width: int, negative_slope: float) -> LogShare:
    """The law of ln B."""
    if negative_slope == 1:
        return LogShare(0.0, 0.0, 0.0, 1.0)
    from scipy.stats import binom  # here: no import of theory should wait for it

    active = np.arange(0 if negative_slope else 1, width + 1)
    probability = binom.pmf(active, width, 0.5)
    active, probability = active[probability > NEGLIGIBLE], probability[probability > NEGLIGIBLE]
    alive = 1.0 if negative_slope else 1 - 0.5**width
    probability /= probability.sum()
    mean, square = np.transpose([given_active(int(k), width, negative_slope**2) for k in active])
    center = probability @ mean
    between = probability @ (mean - center) ** 2
    return LogShare(float(center), float(between + probability @ (square - mean**2)), float(between), float(alive))


def given_active(active: int, width: int, floor: float) -> tuple[float, float]:
    """Mean and mean square of ln B given k = ``active``; ``floor`` is α².

    For α = 0 they are ψ and ψ′; else by the trapezoidal rule in v, with logit b = center + spread · sinh v.
    """
    if active in (0, width):
        value = float(np.log(floor)) if active == 0 else 0.0
        return value, value**2
    p, q = active / 2, (width - active) / 2
    center, variance = float(digamma(p) - digamma(q)), float(polygamma(1, p) + polygamma(1, q))
    if floor == 0:
        mean = float(digamma(p) - digamma(p + q))
        return mean, mean**2 + float(polygamma(1, p) - polygamma(1, p + q))
    v = np.linspace(-4.6, 4.6, 401)
    logit = center + np.sqrt(variance) * np.sinh(v)
    log_density = gammaln(p + q) - gammaln(p) - gammaln(q) - p * np.logaddexp(0, -logit) - q * np.logaddexp(0, logit)
    weight = np.exp(log_density) * np.sqrt(variance) * np.cosh(v) * (v[1] - v[0])
    value = np.log(floor + (1 - floor) * expit(logit))
    return float(weight @ value), float(weight @ value**2)
