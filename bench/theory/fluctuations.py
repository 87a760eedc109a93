"""What one layer of n neurons does to lengths and gradients, given its length ln q: means and covariances.

Relative fluctuations of the sums over neurons that a layer is made of:

    η of Σ h²        ε of Σ φ′² v²        and of the two parts of T = (a · δ)² n / (‖δ‖² σ_w² ‖h_{l-1}‖²), a = W h_{l-1}:
    X = Σ a² φ′² n / (Σ φ′² σ_w² ‖h_{l-1}‖²)        C = (Σ a φ′ h)² n / (Σ h² Σ φ′² σ_w² ‖h_{l-1}‖²)
    T_l = X + C (T_{l+1} - 1)

For averages over z ~ N(0, q) of products, Gaussian integration by parts leaves moments of :mod:`bench.theory.moments`;
with a bias a = s z + √(s (1-s) q) ξ, ξ standard normal, where s is the weights' share of q. Orthogonal weights keep
norms, so that a is uniform on a sphere: what a fluctuation of its radius adds to a covariance is taken away, and
averages of f are lower by E[f He₄]/4n (He: Hermite polynomials). Independent but not Gaussian weights of excess
kurtosis k give z an excess k E h⁴ / (E h²)² / n, and in the same way correlate W² with z².

Logarithms of the two sums are taken as those of χ² variables of as many degrees of freedom as give their variance, which is
exact for linear networks; for ε, with the second order that its third and fourth moments give.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.special import digamma, polygamma

from bench.theory.ensembles import Ensemble
from bench.theory.moments import Moments, tabulated
from bench.theory.nonlinearities import Nonlinearity

QUIET = 1e-6  # a relative variance at which a logarithm's law is its leading order's


class Layer(NamedTuple):
    """A layer at given lengths; arrays of their shape. Covariances with ε, X and C are in units of 1/n."""

    following: np.ndarray  # E ln q of the next layer
    spread: np.ndarray  # its standard deviation
    value: np.ndarray  # n Var η
    both: np.ndarray  # Cov(ε, η)
    shared: np.ndarray  # Cov of ε with that of another v, independent
    mean: np.ndarray  # E ln Σ φ′² v² / v², without what T adds
    variance: np.ndarray  # Var ln Σ φ′² v²
    last_mean: np.ndarray  # the same two below the readout, whose norm is fixed
    last_variance: np.ndarray
    along: np.ndarray  # n × what T adds to ‖δ‖², relative to it
    first: np.ndarray  # E X - 1
    first_value: np.ndarray  # E X · Cov(ln X, η)
    carried: np.ndarray  # E C
    carried_value: np.ndarray  # Cov(ln C, η)


def layer(
    phi: Nonlinearity, weights: Ensemble, weight_std: float, bias_std: float, width: int, log_q: Any, incoming: Any
) -> Layer:
    """The layer at lengths ``log_q``, for weights of standard deviation ``weight_std``/√n.

    incoming: E h⁴ / (E h²)² of the layer below.
    """
    at, orthogonal = tabulated(phi)(log_q), float(weights.kind == "orthogonal")
    with np.errstate(divide="ignore"):
        log_gain, log_bias = 2 * np.log(weight_std), 2 * np.log(bias_std)
    share = -np.expm1(np.minimum(log_bias - log_q, 0.0))
    log_weights = log_gain + at.log_value
    following = np.logaddexp(log_weights, log_bias)
    next_share = np.exp(log_weights - following)
    # how logarithms of sums follow that of ‖a‖: halved for Σ h² and Σ φ′²
    value, slope, first = share * at.value2 / 2, share * at.slope2 / 2, share * at.slope2
    x = 1 + 2.5 * first + share**2 * at.slope4 / 2 - (1 + first) * slope
    with np.errstate(divide="ignore", invalid="ignore"):  # an even function carries nothing
        c = np.nan_to_num(2 + share * at.value4 / at.value2 - value - slope)
        third = np.nan_to_num(at.fourth2 / at.value2)

    def kept(covariance: Any, one: Any, other: Any) -> Any:
        return covariance - 2 * orthogonal * one * other

    noise = kept(at.value_kurtosis - 1, value, value)
    shared = kept(at.slope_kurtosis - 1, slope, slope)
    jump = next_share**2 * np.maximum(noise, 0.0) / width
    all_slopes = (shared + 2 * at.slope_kurtosis) / width
    log_mean = at.log_slope + _mean_shift(at.slope4, incoming, share, weights) / width
    mean_excess, variance_excess = _second_order(at)
    log_mean = log_mean + mean_of_log(all_slopes) + mean_excess / width**2
    log_variance = variance_of_log(all_slopes) + variance_excess / width**2
    again = weights.excess / 2 * next_share * at.coupling * tabulated(phi)(following).slope2 / width
    norm = 2 / width  # relative variance of ‖v‖², which a fixed norm has not
    return Layer(
        following=following + next_share * _mean_shift(at.value4, incoming, share, weights) / width + mean_of_log(jump),
        spread=np.sqrt(variance_of_log(jump)),
        value=noise,
        both=kept(at.coupling - 1, value, slope),
        shared=shared,
        mean=log_mean + again - orthogonal * mean_of_log(norm),
        variance=log_variance - orthogonal * variance_of_log(norm),
        last_mean=log_mean - mean_of_log(norm),
        last_variance=log_variance - variance_of_log(norm),
        along=at.coupling - orthogonal,
        first=first,
        first_value=kept(at.coupling + share * at.coupling2 - at.coupling * (1 + first), x, value),
        carried=share * at.value2**2 / 4 * np.exp(at.log_value - at.log_slope - log_q),
        carried_value=kept(third - at.value_kurtosis - at.coupling, c, value),
    )


def _mean_shift(fourth: np.ndarray, incoming: Any, share: np.ndarray, weights: Ensemble) -> np.ndarray:
    """The relative change of E f(z) where z is not exactly normal, times n; fourth: E[f He₄] / E f."""
    if weights.kind == "orthogonal":
        return -(share**2) * fourth / 4
    return weights.excess * share**2 * incoming * fourth / 24


def _second_order(at: Moments) -> tuple[np.ndarray, np.ndarray]:
    """n² times the second order of E and Var ln (1 + ε), less those of a χ² variable of the same variance v.

    With the third moment μ₃ of ε, E ln = -v/2 + μ₃/3 - 3v²/4 and Var ln = v - μ₃ + 5v²/2; a χ² variable has μ₃ = 2v².
    """
    excess = 15 * at.slope_sixth - 9 * at.slope_kurtosis + 2 - 2 * (3 * at.slope_kurtosis - 1) ** 2
    return excess / 3, -excess


def mean_of_log(variance: Any) -> np.ndarray:
    """E ln of a χ² variable over its mean, of that relative variance: ψ(k) - ln k with k = 1/variance."""
    shape = 1 / np.maximum(variance, QUIET)
    return np.where(np.asarray(variance) > QUIET, digamma(shape) - np.log(shape), -np.asarray(variance) / 2)


def variance_of_log(variance: Any) -> np.ndarray:
    """Var ln of it: ψ′(k)."""
    return np.where(np.asarray(variance) > QUIET, polygamma(1, 1 / np.maximum(variance, QUIET)), variance)
