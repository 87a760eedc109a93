"""Gaussian averages of an activation, at any variance: what every mean-field formula is made of.

For z ~ N(0, q), ẑ = z/√q and the Hermite polynomials He₂(x) = x² - 1, He₄(x) = x⁴ - 6x² + 3, Gaussian integration by parts
gives derivatives with respect to the variance without derivatives of the function:

    q ∂/∂q E f(z) = E[f(z) He₂(ẑ)] / 2        q² ∂²/∂q² E f(z) = E[f(z) He₄(ẑ)] / 4
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import gamma, gammainc

from bench.theory.nonlinearities import NONLINEARITIES, Nonlinearity

STEP = 0.1  # of ln |ẑ|
FARTHEST = 13.0  # standard deviations: e^(-13²/2) is 10^-37
ROUNDING = 38.0  # e^-38 is below float64's rounding
TABLE_STEP = 0.1  # of ln q
CLIP = 70.0  # ln q beyond which every activation is a power of |z| to float64's precision


class Moments(NamedTuple):
    """Averages over z ~ N(0, q); arrays of the shape of ln q. All but the first two are ratios of order one."""

    log_value: np.ndarray  # ln E φ²
    log_slope: np.ndarray  # ln E φ'²
    value2: np.ndarray  # E[φ² He₂(ẑ)] / E φ²
    value4: np.ndarray  # E[φ² He₄(ẑ)] / E φ²
    slope2: np.ndarray  # E[φ'² He₂(ẑ)] / E φ'²
    slope4: np.ndarray  # E[φ'² He₄(ẑ)] / E φ'²
    value_kurtosis: np.ndarray  # E φ⁴ / (E φ²)²
    slope_kurtosis: np.ndarray  # E φ'⁴ / (E φ'²)²
    coupling: np.ndarray  # E[φ² φ'²] / (E φ² E φ'²)
    fourth2: np.ndarray  # E[φ⁴ He₂(ẑ)] / (E φ²)²
    coupling2: np.ndarray  # E[φ² φ'² He₂(ẑ)] / (E φ² E φ'²)


def moments(phi: Nonlinearity, log_variance: np.ndarray) -> Moments:
    """All averages at variances e^log_variance.

    Closed forms for piecewise linear activations and the sine; else :func:`expectation`. Beyond e^±70 the two logarithms
    follow their power laws.
    """
    log_variance = np.asarray(log_variance, float)
    inside = np.clip(log_variance, -CLIP, CLIP)
    if phi.negative_slope is not None:
        found = _piecewise_linear(phi.negative_slope, inside)
    elif phi.name in _CLOSED:
        found = _from_averages(*_CLOSED[phi.name](np.exp(inside)))
    else:
        found = _from_averages(*_averages(phi, np.exp(inside)))
    return _continued(found, log_variance - inside)


def expectation(function: Callable[[np.ndarray], tuple[np.ndarray, ...]], variance: np.ndarray) -> tuple[np.ndarray, ...]:
    """E f(z), z ~ N(0, variance), for every f that ``function`` returns; variance: [...].

    The trapezoidal rule in s = ln |ẑ| on both sides of 0: it resolves a feature of f wherever it is, near 0 for a large
    variance as well as far out for a small one. A jump at 0 does not matter, since no interval crosses it. For f analytic
    within 45° of the real axis, as every activation here is, the error falls as e^(-2π (π/4) / step) (Trefethen &
    Weideman 2014, SIAM Review 56, theorem 5.1), which is below 10^-15 at a step of 0.1.
    """
    variance = np.asarray(variance, float)
    widest = max(0.0, float(np.log(np.max(variance, initial=1.0))) / 2)
    log_nodes = np.arange(np.log(FARTHEST), -ROUNDING - widest, -STEP)
    nodes = np.exp(log_nodes)
    weights = STEP * nodes * np.exp(-(nodes**2) / 2) / np.sqrt(2 * np.pi)
    standard, weights = np.concatenate([nodes, -nodes]), np.concatenate([weights, weights])
    values = function(np.sqrt(variance)[..., None] * standard)
    return tuple(value @ weights for value in values)


def hermite(standard: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """He₂ and He₄."""
    square = standard**2
    return square - 1, square**2 - 6 * square + 3


@cache
def tabulated(phi: Nonlinearity) -> Callable[[np.ndarray], Moments]:
    """:func:`moments` for trajectories of many layers: interpolated in ln q to about 10^-10."""
    if phi.negative_slope is not None:
        return lambda log_variance: moments(phi, log_variance)
    knots = np.arange(-CLIP, CLIP + TABLE_STEP / 2, TABLE_STEP)
    with np.errstate(divide="ignore", invalid="ignore"):
        known = np.stack(moments(phi, knots), axis=-1)
    if not np.isfinite(known).all():  # a constant, or a function of the user's own that leaves the float range
        return lambda log_variance: moments(phi, log_variance)
    from scipy.interpolate import make_interp_spline  # here: no import of theory should wait for it

    spline = make_interp_spline(knots, known, k=7)

    def interpolated(log_variance: np.ndarray) -> Moments:
        log_variance = np.asarray(log_variance, float)
        inside = np.clip(log_variance, -CLIP, CLIP)
        return _continued(Moments(*np.moveaxis(spline(inside), -1, 0)), log_variance - inside)

    return interpolated


def _continued(inside: Moments, beyond: np.ndarray) -> Moments:
    """The logarithms' power laws beyond e^±CLIP."""
    beyond = np.clip(beyond, -1e6, 1e6)
    return inside._replace(
        log_value=inside.log_value + inside.value2 / 2 * beyond,
        log_slope=inside.log_slope + inside.slope2 / 2 * beyond,
    )


Averages = tuple[np.ndarray, ...]  # E of φ²·(1, He₂, He₄), φ'²·(1, He₂, He₄), φ⁴, φ'⁴, φ²φ'², (φ⁴, φ²φ'²) He₂


def _averages(phi: Nonlinearity, variance: np.ndarray) -> Averages:
    def integrands(z: np.ndarray) -> tuple[np.ndarray, ...]:
        he2, he4 = hermite(z / np.sqrt(variance)[..., None])
        value, slope = phi.function(z) ** 2, phi.slope(z) ** 2
        return (
            *(value, value * he2, value * he4, slope, slope * he2, slope * he4),
            *(value**2, slope**2, value * slope, value**2 * he2, value * slope * he2),
        )

    return expectation(integrands, variance)


def _from_averages(*averages: np.ndarray) -> Moments:
    value, value2, value4, slope, slope2, slope4, value_square, slope_square, product = averages[:9]
    value_square2, product2 = averages[9:]
    with np.errstate(divide="ignore", invalid="ignore"):  # a function that is 0, or has slope 0, has no ratios
        return Moments(
            log_value=np.log(value),
            log_slope=np.log(slope),
            value2=value2 / value,
            value4=value4 / value,
            slope2=slope2 / slope,
            slope4=slope4 / slope,
            value_kurtosis=value_square / value / value,
            slope_kurtosis=slope_square / slope / slope,
            coupling=product / value / slope,
            fourth2=value_square2 / value / value,
            coupling2=product2 / value / slope,
        )


def _piecewise_linear(negative_slope: float, log_variance: np.ndarray) -> Moments:
    """φ = z above 0 and αz below: E φ² = q (1+α²)/2, and every ratio is a number."""
    square, fourth = ((1 + negative_slope**power) / 2 for power in (2, 4))
    ratio = np.full_like(log_variance, fourth / square**2)
    zero, two = np.zeros_like(log_variance), np.full_like(log_variance, 2.0)
    logs = log_variance + np.log(square), zero + np.log(square)
    return Moments(*logs, two, zero, zero, zero, 3 * ratio, ratio, ratio, 12 * ratio, 2 * ratio)


def _sine(variance: np.ndarray) -> Averages:
    """E cos(kz) = e^(-k²q/2), and powers of sine and cosine are sums of cosines; below q = 1 they cancel: quadrature."""
    quadrature = _averages(NONLINEARITIES["sine"], np.minimum(variance, 1.0))
    return tuple(np.where(variance < 1, *pair) for pair in zip(quadrature, _sine_closed(variance), strict=True))


def _sine_closed(variance: np.ndarray) -> Averages:

    def cosines(*terms: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """E f, E f He₂, E f He₄ of f = Σ amplitude · cos(k z)."""
        parts = [(amplitude, k**2 * variance) for amplitude, k in terms]
        return (
            sum((a * np.exp(-x / 2) for a, x in parts), np.zeros_like(variance)),
            sum((-a * x * np.exp(-x / 2) for a, x in parts), np.zeros_like(variance)),
            sum((a * x**2 * np.exp(-x / 2) for a, x in parts), np.zeros_like(variance)),
        )

    value_square, product = cosines((3 / 8, 0), (-0.5, 2), (1 / 8, 4)), cosines((1 / 8, 0), (-1 / 8, 4))
    return (
        *cosines((0.5, 0), (-0.5, 2)),
        *cosines((0.5, 0), (0.5, 2)),
        *(value_square[0], cosines((3 / 8, 0), (0.5, 2), (1 / 8, 4))[0], product[0], value_square[1], product[1]),
    )


def _hard_tanh(variance: np.ndarray) -> Averages:
    """Incomplete moments E[|ẑ|^k; |ẑ| < a] = 2^(k/2) Γ((k+1)/2)/√π P((k+1)/2, a²/2), a = 1/√q."""

    def below(k: int) -> np.ndarray:
        return 2 ** (k / 2) * gamma((k + 1) / 2) / np.sqrt(np.pi) * gammainc((k + 1) / 2, 1 / (2 * variance))

    def above(k: int) -> np.ndarray:
        full = 2 ** (k / 2) * gamma((k + 1) / 2) / np.sqrt(np.pi)
        return full - below(k)

    inside = [below(k) for k in (0, 2, 4, 6)]
    outside = [above(k) for k in (0, 2, 4)]
    slope2, slope4 = inside[1] - inside[0], inside[2] - 6 * inside[1] + 3 * inside[0]
    return (
        variance * inside[1] + outside[0],
        variance * (inside[2] - inside[1]) + outside[1] - outside[0],
        variance * (inside[3] - 6 * inside[2] + 3 * inside[1]) + outside[2] - 6 * outside[1] + 3 * outside[0],
        *(inside[0], slope2, slope4),
        variance**2 * inside[2] + outside[0],
        inside[0],
        variance * inside[1],
        variance**2 * (inside[3] - inside[2]) + outside[1] - outside[0],
        variance * (inside[2] - inside[1]),
    )


_CLOSED = {"sine": _sine, "hard_tanh": _hard_tanh}
