"""What one layer of n neurons does to lengths and gradients, given its length ln q: means and covariances.

Relative fluctuations of the sums over neurons that a layer is made of:

    η of Σ h²        ε of Σ φ′² v²        and of the two parts of T = (a · δ)² n / (‖δ‖² σ_w² ‖h_{l-1}‖²), a = W h_{l-1}:
    X = Σ a² φ′² n / (Σ φ′² σ_w² ‖h_{l-1}‖²)        C = (Σ a φ′ h)² n / (Σ h² Σ φ′² σ_w² ‖h_{l-1}‖²)
    T_l = X + C (T_{l+1} - 1)

For averages over z ~ N(0, q) of products, Gaussian integration by parts leaves moments of :mod:`bench.theory.moments`;
with a bias a = s z + √(s (1-s) q) ξ, ξ standard normal, where s is the weights' share of q. Orthogonal weights keep
norms, so that a is uniform on a sphere: what a fluctuation of its radius adds to a covariance is taken away, and
averages of f are lower by E[f He₄]/4n (He: Hermite polynomials). Independent but not Gaussian weights of excess
kurtosis k give z an excess k E h⁴ / (E h²)² / n, v one of k Σ δ⁴ / (Σ δ²)², and in the same way correlate W² with z².

The logarithm of Σ h² is taken as that of a χ² variable of as many degrees of freedom as give its variance; that of Σ φ′² v²
has its exact law (:mod:`bench.theory.slope_sums`), since in saturated networks few neurons carry it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.special import digamma, polygamma

from bench.theory.ensembles import Ensemble
from bench.theory.moments import Moments, tabulated
from bench.theory.nonlinearities import Nonlinearity
from bench.theory.slope_sums import SlopeSum, slope_sums

ONE_NEURON = float(np.pi**2 / 2)  # Var ln v² of a normal v: the most that v adds to Var ln Σ φ′² v², given φ′
DIFFERENCE = 0.05  # of ln q, over which derivatives are taken
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
    log_alive: np.ndarray  # ln of the probability that a neuron has a slope


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
    log_mean, log_variance, log_alive = _slopes(phi, weights, width, log_q, share, incoming)
    again = weights.excess / 2 * next_share * at.coupling * tabulated(phi)(following).slope2 / width
    # the excess of v, over as many neurons as carry; where few do, neither share is more than 1
    few, few_above = at.slope_kurtosis / width, 3 * tabulated(phi)(following).slope_kurtosis / width
    uneven = weights.excess * few_above / (1 + few_above) * few / (1 + few)
    norm = 2 / width  # relative variance of ‖v‖², which a fixed norm has not
    return Layer(
        following=following + next_share * _mean_shift(at.value4, incoming, share, weights) / width + mean_of_log(jump),
        spread=np.sqrt(variance_of_log(jump)),
        value=noise,
        both=kept(at.coupling - 1, value, slope),
        shared=np.maximum(shared, width * (log_variance - ONE_NEURON)),
        mean=log_mean + again - uneven / 2 - orthogonal * mean_of_log(norm),
        variance=np.maximum(log_variance + uneven, 0.0) - orthogonal * variance_of_log(norm),
        last_mean=log_mean - mean_of_log(norm),
        last_variance=log_variance - variance_of_log(norm),
        along=at.coupling - orthogonal,
        first=first,
        first_value=kept(at.coupling + share * at.coupling2 - at.coupling * (1 + first), x, value),
        carried=share * at.value2**2 / 4 * np.exp(at.log_value - at.log_slope - log_q),
        carried_value=kept(third - at.value_kurtosis - at.coupling, c, value),
        log_alive=log_alive,
    )


def _slopes(
    phi: Nonlinearity, weights: Ensemble, width: int, log_q: Any, share: np.ndarray, incoming: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """E and Var of ln (Σ φ′² v² / n), and ln P(Σ φ′² > 0).

    A Gaussian a is one on a sphere with a radius ρ of its own, Var ρ² = 2/n. So for a function f of ln q and its mean over
    the sphere, f = E f_sphere(ln q + ln ρ²), and f_sphere = f - share² (f″ - f′)/n.
    """
    at, law = tabulated(phi), slope_sums(phi, width)
    below, here, above = (np.stack(_together(at(x), law(x))) for x in (log_q - DIFFERENCE, log_q, log_q + DIFFERENCE))
    mean, variance, flat = here
    if weights.kind == "orthogonal":
        first, second = (above - below) / (2 * DIFFERENCE), (above - 2 * here + below) / DIFFERENCE**2
        mean, variance, flat = here - share**2 * (second - first) / width
        variance = variance - 2 * (share * first[0]) ** 2 / width
    else:
        mean = mean + weights.excess * share**2 * incoming * law(log_q).response / 24 / width
    return mean, np.maximum(variance, 0.0), np.log1p(-np.clip(flat, 0.0, 1.0))


def _together(at: Moments, law: SlopeSum) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return at.log_slope + law.mean, law.variance, law.flat


def _mean_shift(fourth: np.ndarray, incoming: Any, share: np.ndarray, weights: Ensemble) -> np.ndarray:
    """The relative change of E f(z) where z is not exactly normal, times n; fourth: E[f He₄] / E f."""
    if weights.kind == "orthogonal":
        return -(share**2) * fourth / 4
    return weights.excess * share**2 * incoming * fourth / 24


def mean_of_log(variance: Any) -> np.ndarray:
    """E ln of a χ² variable over its mean, of that relative variance: ψ(k) - ln k with k = 1/variance."""
    shape = 1 / np.maximum(variance, QUIET)
    return np.where(np.asarray(variance) > QUIET, digamma(shape) - np.log(shape), -np.asarray(variance) / 2)


def variance_of_log(variance: Any) -> np.ndarray:
    """Var ln of it: ψ′(k)."""
    return np.where(np.asarray(variance) > QUIET, polygamma(1, 1 / np.maximum(variance, QUIET)), variance)
