"""The singular values of the input-output Jacobian J = D_{L-1} W_{L-1} ⋯ D_1 W_1 (n × n), D_l = diag φ′(z_l)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bench.theory.arguments import checked, did_you_mean
from bench.theory.ensembles import ensemble, known_schemes
from bench.theory.moments import tabulated
from bench.theory.nonlinearities import nonlinearity


class Spectrum(NamedTuple):
    """The squared singular values λ² of J: mean and variance over the n of them; NaN where there is no theory.

    ``log10_mean``: log10 of the mean, of any size. ``relative``: variance / mean².
    """

    mean: float
    variance: float
    log10_mean: float
    relative: float


@checked
def jacobian_spectrum(
    activation: Any,
    initializer: str,
    depth: int,
    *,
    scale: float = 1.0,
    bias_std: float = 0.0,
    width: int | None = None,
) -> Spectrum:
    """Mean and variance of λ² at depth L ≥ 2, averaged over networks; n → ∞ unless ``width`` is given.

    By freeness of weights and slopes (Pennington, Schoenholz & Ganguli 2017, arXiv 1711.04735, eqs. 12-17), with
    μ_k = E φ′(√q_l ẑ)^2k along the trajectory q_l:

        mean = Π_l σ_w² μ_1        variance / mean² = Σ_l (μ_2 / μ_1² - 1 - s_1),  s_1 = -1 Gaussian, 0 orthogonal

    For linear networks with Gaussian weights and a ``width`` the average over networks is exact: with M = J Jᵀ,
    a_l = E (tr M)² / n² and b_l = E tr(M²) / n obey a' = σ⁴ (a + 2 b / n²), b' = σ⁴ (a + (1 + 1/n) b), from a = b = 1.
    Identity weights have the spectrum of their slopes alone, known for linear activations only. Raises ValueError for
    arguments that cannot be, and for a name that is nearly one of a scheme with a law.
    """
    phi = nonlinearity(activation)
    weights = ensemble(initializer, phi.name, bias_std)
    if weights is None and initializer not in known_schemes() and (hint := did_you_mean(initializer, known_schemes())):
        raise ValueError(f"initializer: got {initializer!r}, expected one of {', '.join(known_schemes())}{hint}")
    if weights is None or (weights.kind == "identity" and not phi.is_linear):
        return Spectrum(*[float("nan")] * 4)
    weight_std, layers = scale * weights.weight_std, depth - 1
    if phi.is_linear and weights.is_gaussian and width is not None:
        with np.errstate(divide="ignore"):
            return _spectrum(2 * layers * float(np.log10(weight_std)), _linear_gaussian(width, layers))
    at = tabulated(phi)
    with np.errstate(divide="ignore"):
        log_gain, log_bias = 2 * np.log(weight_std), 2 * np.log(bias_std)
    log_q, log_mean, relative = np.logaddexp(log_gain, log_bias), 0.0, 0.0
    for _ in range(layers):
        found = at(log_q)
        log_mean += float(log_gain + found.log_slope)
        relative += float(found.slope_kurtosis) - (weights.kind != "iid")
        log_q = np.logaddexp(log_gain + found.log_value, log_bias)
    return _spectrum(log_mean / np.log(10), relative)


def _spectrum(log10_mean: float, relative: float) -> Spectrum:
    with np.errstate(over="ignore"):
        mean = float(np.float64(10.0) ** log10_mean)
        return Spectrum(mean, float(relative * np.float64(10.0) ** (2 * log10_mean)), float(log10_mean), float(relative))


def _linear_gaussian(width: int, layers: int) -> float:
    """The final b, less 1: the variance over singular values about the mean over networks, in units of its square."""
    trace_square, square_trace = 1.0, 1.0
    for _ in range(layers):
        trace_square, square_trace = (
            trace_square + 2 * square_trace / width**2,
            trace_square + (1 + 1 / width) * square_trace,
        )
    return square_trace - 1
