"""The law of ln S, S = Σ φ′(z_i)² v_i² over n neurons, for independent z ~ N(0, q) and v ~ N(0, 1): exact at any n and q.

An expansion in relative fluctuations of S does not see saturation. At large q only the n (E φ′²)² / E φ′⁴ neurons near z = 0
have a slope, and where that is no large number, ln S lies far below the logarithm of a mean that rare neurons make. So S is
met through its Laplace transform, which is a power of that of one neuron:

    L(s) = E e^(-s S / E φ′²) = M(s)^n        M(s) = E (1 + 2 s φ′(z)² / E φ′²)^(-1/2)

With G the logarithm of an exponential variable (mean -γ, variance π²/6), L(e^τ) = P(D > τ), D = G - ln S. So moments of
ln S are integrals over τ of L, less those of a χ² variable S₀ of about the same variance, whose logarithm's are known:

    E ln S = E ln S₀ - ∫ (L - L₀) dτ        E D² = E D₀² + 2 ∫ τ (L - L₀) dτ

The integrands are smooth and vanish at both ends, so that the trapezoidal rule converges faster than any power; its nodes
are even in asinh τ, since a saturated S spreads over e^(±√q).

All of it is given that some neuron has a slope: that φ′ is not exactly 0 (hard tanh), and, for activations that bend only
on one side (GELU, ELU, …), that not all neurons lie on the flat one, where φ′² is below e^-40 of its mean.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import digamma, polygamma

from bench.theory.moments import hermite, tabulated
from bench.theory.nonlinearities import Nonlinearity

KNOT, SHORTEST, BENDING, LARGEST = 0.5, -25.0, -5.0, 16.0  # of ln q: a pre-activation of e^8 = 3000
STEP, BEND, CENTRE = 0.5, 10.0, -4.0  # of nodes ln s = CENTRE + BEND sinh(STEP k / BEND)
FIRST, ENDED = -36.0, 60.0  # of ln s: from where L is 1 - s n, and how far beyond 1/φ′² it is over
SATURATED = 2.0  # ln q above which quadrature is twice as fine
FINE, FEATURE = 0.1, 12.0  # of quadrature in ln |ẑ|: its step, and how far below a feature of φ′ it reaches
STANDARD = 9.0  # deviations: P(|ẑ| > 9) is 10^-19
FLAT, ONE_SIDED = -40.0, 50.0  # of ln φ′² / E φ′²; of E φ′⁴ / (E φ′²)² at the largest q
FULL_TURNS, HARMONICS, ANGLES = 0.5, 13, 256  # of the sine: from which q on it is averaged over the circle


class SlopeSum(NamedTuple):
    """Of ln (S / n E φ′²), given that a neuron has a slope; arrays of the shape of ln q."""

    mean: np.ndarray
    variance: np.ndarray
    response: np.ndarray  # of the mean, to a density of z with a factor 1 + c He₄(ẑ), in c
    flat: np.ndarray  # the probability that no neuron has a slope


class _Transforms(NamedTuple):
    """1 - M(s) and the same weighted by He₄(ẑ), [ln q, ln s]; and their limits at s = ∞, [ln q]."""

    missing: np.ndarray
    missing4: np.ndarray
    active: np.ndarray
    active4: np.ndarray


def saturates(phi: Nonlinearity) -> bool:
    """Whether few neurons and fewer have a slope as q grows."""
    return bool(tabulated(phi)(np.array(LARGEST)).slope_kurtosis > ONE_SIDED)


def has_slopes(phi: Nonlinearity) -> bool:
    """Whether some neurons have a slope at every length: no constant, no step."""
    return bool(np.isfinite(tabulated(phi)(_knots()).log_slope).all())


@lru_cache(maxsize=256)
def slope_sums(phi: Nonlinearity, width: int) -> Callable[[np.ndarray], SlopeSum]:
    """The law at lengths ln q: interpolated in what does not grow with q, and constant beyond -25 and 16."""
    from scipy.interpolate import make_interp_spline  # here: no import of theory should wait for it

    knots = _knots()
    mean, variance, response, flat = _of_width(phi, width, knots)
    spread = np.sqrt(variance)
    known = np.stack([mean / spread, np.log(spread), response / spread, flat], axis=-1)
    spline = make_interp_spline(knots, known, k=5)

    def law(log_q: np.ndarray) -> SlopeSum:
        mean, log_spread, response, flat = np.moveaxis(spline(np.clip(log_q, SHORTEST, LARGEST)), -1, 0)
        spread = np.exp(log_spread)
        return SlopeSum(mean * spread, spread**2, response * spread, np.clip(flat, 0.0, 1.0))

    return law


def _knots() -> np.ndarray:
    """Of ln q: where activations are still near their slopes at 0 half as many do."""
    return np.concatenate([np.arange(SHORTEST, BENDING, 2 * KNOT), np.arange(BENDING, LARGEST + KNOT / 2, KNOT)])


@cache
def _nodes() -> tuple[np.ndarray, np.ndarray]:
    """Nodes ln s and their weights in an integral over it."""
    last = CENTRE + ENDED * np.exp(LARGEST)  # as fast as slopes fall: e^-z²
    first, end = (np.arcsinh((edge - CENTRE) / BEND) * BEND / STEP for edge in (FIRST, last))
    u = STEP * np.arange(np.floor(first), np.ceil(end)) / BEND
    return CENTRE + BEND * np.sinh(u), STEP * np.cosh(u)


def _of_width(phi: Nonlinearity, width: int, knots: np.ndarray) -> SlopeSum:
    found, kurtosis, (log_s, weights) = _transforms(phi), tabulated(phi)(knots).slope_kurtosis, _nodes()
    with np.errstate(divide="ignore", under="ignore"):
        log_one, log_flat = (np.log1p(-np.minimum(part, 1.0)) for part in (found.missing, found.active))  # of ln M
        power, flat = np.exp(width * log_one), np.exp(width * log_flat)
        moved = -width * np.exp((width - 1) * log_one) * found.missing4
        moved_flat = (-width * np.exp((width - 1) * log_flat) * found.active4)[:, None]
    alive = (1 - flat)[:, None]
    transform = (power - flat[:, None]) / alive
    response = (moved - moved_flat * (1 - transform)) / alive
    tau = log_s + np.log(width)
    shape = np.maximum(width / (3 * kurtosis - 1), np.where(flat > 0, 0.5, 0.0))[:, None]  # half the degrees of freedom
    difference = transform - np.exp(-shape * np.logaddexp(0, tau - np.log(shape)))
    shift, second = difference @ weights, difference @ (weights * tau)
    known = (digamma(shape) - np.log(shape))[:, 0]
    variance = polygamma(1, shape)[:, 0] + 2 * second + 2 * (np.euler_gamma + known) * shift - shift**2
    return SlopeSum(known - shift, variance, -(response @ weights), flat)


@cache
def _transforms(phi: Nonlinearity) -> _Transforms:
    knots, (log_s, _) = _knots(), _nodes()
    log_mean = tabulated(phi)(knots).log_slope
    if phi.name == "hard_tanh":
        return _of_two_slopes(tabulated(phi)(knots).slope4, np.exp(log_mean), log_s)
    flat = -np.inf if saturates(phi) else FLAT
    rows = []
    for log_q, log_square in zip(knots, log_mean, strict=True):
        log_slope, *weights = _samples(phi, float(log_q))
        log_ratio, weights = 2 * log_slope - log_square, np.transpose(weights)
        sloped = log_ratio > flat
        end = np.searchsorted(log_s, ENDED - log_ratio[sloped & (weights[:, 0] > 1e-17)].min())
        row = np.tile(weights[sloped].sum(axis=0), (len(log_s) + 1, 1))
        row[:end] = _missing(log_s[:end, None] + log_ratio[sloped]) @ weights[sloped]
        rows.append(row)
    missing, missing4 = np.moveaxis(np.array(rows), -1, 0)
    return _Transforms(missing[:, :-1], missing4[:, :-1], missing[:, -1], missing4[:, -1])


def _of_two_slopes(slope4: np.ndarray, active: np.ndarray, log_s: np.ndarray) -> _Transforms:
    """Of slopes 1 and 0, which a quadrature does not resolve."""
    missing = active[:, None] * _missing(log_s - np.log(active)[:, None])
    return _Transforms(missing, slope4[:, None] * missing, active, slope4 * active)


def _missing(log_x: np.ndarray) -> np.ndarray:
    """1 - (1 + 2x)^(-1/2) without cancellation."""
    double = 2 * np.exp(np.minimum(log_x, 600.0))
    root = np.sqrt(1 + double)
    return double / (root * (1 + root))


def _samples(phi: Nonlinearity, log_q: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ln |φ′(z)|, and weights that sum to 1, and these times He₄(ẑ)."""
    if phi.name == "sine" and np.exp(log_q) > FULL_TURNS:
        return _around_the_circle(phi, np.exp(log_q))
    step = FINE if log_q < SATURATED else FINE / 2
    standard = np.exp(np.arange(np.log(STANDARD), -FEATURE - max(0.0, log_q / 2), -step))
    weight = step * standard * np.exp(-(standard**2) / 2) / np.sqrt(2 * np.pi)
    weight[-1] += 0.5 - weight.sum()  # what is nearer to 0
    sides = phi.log_slope(np.exp(log_q / 2) * np.stack([standard, -standard]))
    if (sides[0] == sides[1]).all():
        sides, weight = sides[:1], 2 * weight
    weights = np.broadcast_to(weight, sides.shape).ravel()
    return sides.ravel(), weights, weights * np.broadcast_to(hermite(standard)[1], sides.shape).ravel()


def _around_the_circle(phi: Nonlinearity, variance: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Z modulo 2π, whose density is Σ_k e^(-k²q/2) cos kz / 2π, and with He₄ that of k⁴ q² e^(-k²q/2)."""
    angles = 2 * np.pi * (np.arange(ANGLES) + 0.5) / ANGLES
    k = np.arange(1, HARMONICS)
    decay = np.exp(-(k**2) * variance / 2)
    waves = 2 * np.cos(np.outer(angles, k)) / ANGLES
    return phi.log_slope(angles), 1 / ANGLES + waves @ decay, waves @ (decay * (k**2 * variance) ** 2)
