"""What one layer of n neurons does to lengths and gradients: means and covariances of order 1/n, given its length ln q.

Relative fluctuations of the sums over neurons that a layer is made of:

    η of Σ h²        ε of Σ φ′² v²        and of the two parts of T = (a · δ)² n / (‖δ‖² σ_w² ‖h_{l-1}‖²), a = W h_{l-1}:
    X = Σ a² φ′² n / (Σ φ′² σ_w² ‖h_{l-1}‖²)        C = (Σ a φ′ h)² n / (Σ h² Σ φ′² σ_w² ‖h_{l-1}‖²)        T_l = X + C (T_{l+1} - 1)

For averages over z ~ N(0, q) of products, Gaussian integration by parts leaves moments of :mod:`bench.theory.moments`; with a bias
a = s z + √(s (1-s) q) ξ, ξ standard normal, where s is the weights' share of q. Orthogonal weights keep norms, so that a is uniform
on a sphere: what a fluctuation of its radius adds to a covariance is taken away, and averages of f are lower by E[f He₄]/4n (He:
Hermite polynomials). Independent but not Gaussian weights of excess kurtosis k give z an excess k E h⁴ / (E h²)² / n, and in
the same way correlate W² with z².
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bench.theory.ensembles import Ensemble
from bench.theory.moments import tabulated
from bench.theory.nonlinearities import Nonlinearity


class Layer(NamedTuple):
    """A layer at given lengths; arrays of their shape. Variances and covariances are in units of 1/n."""

    log_slope: np.ndarray  # ln E φ′²
    following: np.ndarray  # E ln q of the next layer
    next_share: np.ndarray  # the weights' share of that q
    value: np.ndarray  # Var η
    slope: np.ndarray  # Var ε
    last_slope: np.ndarray  # Var ε where the readout is above, whose norm is fixed
    shared_slope: np.ndarray  # Cov of ε with another one, whose v is independent
    both: np.ndarray  # Cov(ε, η)
    shift: np.ndarray  # n × the mean of ln Σ φ′² v², less ln E φ′², -Var ε / 2 and what T adds
    again: np.ndarray  # n × what the weights above add to it for being those that h met
    first: np.ndarray  # E X - 1
    first_value: np.ndarray  # E X · Cov(ln X, η)
    carried: np.ndarray  # E C
    carried_value: np.ndarray  # Cov(ln C, η)
    along: np.ndarray  # n × what T adds to ‖δ‖², relative to it


def layer(
    phi: Nonlinearity,
    weights: Ensemble,
    weight_std: float,
    bias_std: float,
    width: int,
    log_q: np.ndarray,
    incoming: np.ndarray,
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
    # how the logarithms of four sums follow ln ‖a‖², halved
    value, slope = share * at.value2 / 2, share * at.slope2 / 2
    first = share * at.slope2
    x = 1 + 2.5 * first + share**2 * at.slope4 / 2 - (1 + first) * slope
    with np.errstate(divide="ignore", invalid="ignore"):  # an even function does not carry T
        c = np.nan_to_num(2 + share * at.value4 / at.value2 - value - slope)
        third = np.nan_to_num(at.fourth2 / at.value2)

    def kept(covariance: Any, one: Any, other: Any) -> Any:
        return covariance - 2 * orthogonal * one * other

    noise = kept(at.value_kurtosis - 1, value, value)
    shared = kept(at.slope_kurtosis - 1, slope, slope)
    return Layer(
        log_slope=at.log_slope,
        following=following + next_share * (_mean_shift(at.value4, incoming, share, weights) - next_share * noise / 2) / width,
        next_share=next_share,
        value=noise,
        slope=shared + 2 * at.slope_kurtosis - 2 * orthogonal,
        last_slope=shared + 2 * at.slope_kurtosis - 2,
        shared_slope=shared,
        both=kept(at.coupling - 1, value, slope),
        shift=_mean_shift(at.slope4, incoming, share, weights),
        again=weights.excess / 2 * next_share * at.coupling * tabulated(phi)(following).slope2,
        first=first,
        first_value=kept(at.coupling + share * at.coupling2 - at.coupling * (1 + first), x, value),
        carried=share * at.value2**2 / 4 * np.exp(at.log_value - at.log_slope - log_q),
        carried_value=kept(third - at.value_kurtosis - at.coupling, c, value),
        along=at.coupling - orthogonal,
    )


def _mean_shift(fourth: np.ndarray, incoming: Any, share: np.ndarray, weights: Ensemble) -> np.ndarray:
    """n × the relative change of E f(z) where z is not exactly normal; fourth: E[f He₄] / E f."""
    if weights.kind == "orthogonal":
        return -(share**2) * fourth / 4
    return weights.excess * share**2 * incoming * fourth / 24
