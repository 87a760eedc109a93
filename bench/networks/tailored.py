"""Activations that know how deep they stand: φ̂(z) = γ (φ(α z + β) + δ), so that L - 1 of them keep what they should.

With averages over z ~ N(0, 1), one layer of φ̂ maps the mean square q of its input to Q(q) = E φ̂(√q z)² and the correlation
c of two inputs to C(c). Both schemes ask for Q(1) = 1 and Q′(1) = E φ̂ φ̂′ z = 1, and

    dks  C(0) = E φ̂ = 0,      C′(1) = E φ̂′² = slope^(1/(L-1))     (Martens et al. 2021, arXiv 2110.01765)
    tat  C′(1) = E φ̂′² = 1,   C″(1) = E φ̂″² = curve/(L-1)         (Zhang et al. 2022, arXiv 2203.08120)

tat of ``leaky_relu`` chooses its negative slope a instead, so that C, L - 1 times over, takes 0 to ``correlation``, with
φ̂ = √(2/(1+a²)) (z above 0, a z below) and C(c) = c + (1-a)²/(π(1+a²)) (√(1-c²) - c arccos c).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any

import jax
import numpy as np
from jax import Array

from bench.settings.suggestions import nearest

Residuals = Callable[[float, float, float], tuple[float, float]]  # of α, β and the sign of a root
REACH, POINTS = 10.0, 8_001  # of the grid that averages are taken over; the weight beyond is 10^-23
LARGEST, CLOSE = 5.0, 1e-7  # ln α, residuals
STARTS = [(alpha, beta) for alpha in (1.0, 0.3, 0.1) for beta in (0.5, -0.5, 1.0, -1.0, 0.1, 2.0)]


@cache
def dks(of: str = "tanh", depth: int = 100, slope: float = 1.5) -> Any:
    """Deep kernel shaping, for networks of that depth L; slope: of the whole network's C at 1. Raises ValueError."""
    layers = _layers(depth)
    if not _is_number(slope) or slope <= 1:
        raise ValueError("slope: a number above 1")
    wanted = slope ** (1 / layers)
    averages = _averages_of(of)

    def residuals(alpha: float, beta: float, _sign: float) -> tuple[float, float]:
        mean, variance, slopes, inner, first, _ = averages(alpha, beta)
        return (slopes / variance - 1) / (wanted - 1) - 1, (inner - mean * first) / variance - 1

    alpha, beta, _ = _solved(residuals, of)
    mean, variance, *_ = averages(alpha, beta)
    return _activation(f"dks of {of}, depth {depth}", of, alpha, beta, variance**-0.5, -mean)


@cache
def tat(of: str = "leaky_relu", depth: int = 100, correlation: float = 0.9, curve: float = 0.3) -> Any:
    """A tailored activation, for networks of that depth L. Raises ValueError."""
    layers = _layers(depth)
    for name, value in {"correlation": correlation, "curve": curve}.items():
        if not _is_number(value) or not 0 < value < (1 if name == "correlation" else math.inf):
            raise ValueError(f"{name}: a number above 0" + (" and below 1" if name == "correlation" else ""))
    if of in ("leaky_relu", "relu"):
        return _leaky(layers, correlation)
    averages = _averages_of(of, smooth=True)

    def offset(alpha: float, beta: float, sign: float) -> float:
        mean, variance, slopes, *_ = averages(alpha, beta)
        return -mean + sign * math.sqrt(max(slopes - variance, 0.0))

    def residuals(alpha: float, beta: float, sign: float) -> tuple[float, float]:
        _, _, slopes, inner, first, bends = averages(alpha, beta)
        return bends / slopes * layers / curve - 1, (inner + offset(alpha, beta, sign) * first) / slopes - 1

    alpha, beta, sign = _solved(residuals, of, signs=(1.0, -1.0))
    slopes = averages(alpha, beta)[2]
    return _activation(f"tat of {of}, depth {depth}", of, alpha, beta, slopes**-0.5, offset(alpha, beta, sign))


def correlation_after(negative_slope: float, layers: int) -> float:
    """What C of a leaky ReLU of Q = 1, so many times over, makes of 0."""
    c, factor = 0.0, (1 - negative_slope) ** 2 / (math.pi * (1 + negative_slope**2))
    for _ in range(layers):
        c = min(1.0, c + factor * (math.sqrt(1 - c**2) - c * math.acos(c)))
    return c


def _leaky(layers: int, correlation: float) -> Any:
    from scipy.optimize import brentq

    from bench.networks.activations import Activation

    if correlation_after(0.0, layers) <= correlation:
        slope = 0.0
    else:
        found: Any = brentq(lambda a: correlation_after(a, layers) - correlation, 0.0, 1.0, xtol=1e-14)
        slope = float(found)
    gain = math.sqrt(2 / (1 + slope**2))

    def function(z: Array) -> Array:
        return gain * jax.nn.leaky_relu(z, slope)

    return Activation(
        f"tat of leaky_relu, depth {layers + 1}", f"leaky ReLU of negative slope {slope:.4g}", function, homogeneous=True
    )


def _layers(depth: object) -> int:
    if isinstance(depth, bool) or not isinstance(depth, int) or not 2 <= depth <= 10**6:
        raise ValueError("depth: a whole number from 2 to 1000000")
    return depth - 1


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _averages_of(of: str, *, smooth: bool = False) -> Callable[[float, float], tuple[float, ...]]:
    """(α, β) → mean and variance of f = φ(α z + β), E f′², E f f′ z, E f′ z and E f″², with derivatives in z."""
    from bench.theory.nonlinearities import NONLINEARITIES

    corners = () if smooth else (0.0,)  # where alone φ or φ′ may jump; φ̂ of a leaky ReLU has too few degrees of freedom
    curved = {name: each for name, each in NONLINEARITIES.items() if each.negative_slope is None}
    known = [name for name, each in curved.items() if set(each.kinks) <= set(corners)]
    if of not in known:
        known += ["relu", "leaky_relu"] if smooth else []
        raise ValueError(f"of: one of {', '.join(known)}{nearest(str(of), known)}")
    phi = NONLINEARITIES[of]
    z, step = np.linspace(-REACH, REACH, POINTS, retstep=True)
    density = np.exp(-(z**2) / 2) * step / math.sqrt(2 * math.pi)

    def averages(alpha: float, beta: float) -> tuple[float, ...]:
        value, slope = phi.function(alpha * z + beta), alpha * phi.slope(alpha * z + beta)
        mean = float(density @ value)
        centred, bend = value - mean, np.gradient(slope, step)
        wanted = (centred**2, slope**2, centred * slope * z, slope * z, bend**2)
        variance, slopes, inner, first, bends = (float(density @ each) for each in wanted)
        return mean, variance, slopes, inner + mean * first, first, bends

    return averages


def _solved(residuals: Residuals, of: str, signs: Sequence[float] = (1.0,)) -> tuple[float, float, float]:
    """(α, β, sign) at which both residuals are zero, of all found the one nearest to β = 0. Raises ValueError for none."""
    from scipy.optimize import root

    def logarithmic(place: np.ndarray, sign: float) -> tuple[float, float]:
        return residuals(math.exp(min(place[0], LARGEST)), place[1], sign)

    solutions = []
    with np.errstate(all="ignore"):
        for sign, (alpha, beta) in product(signs, STARTS):
            try:
                found = root(logarithmic, (math.log(alpha), beta), args=(sign,), tol=1e-12)
                error = np.abs(logarithmic(found.x, sign))
            except ZeroDivisionError:  # a constant, in floats
                continue
            if np.all(error < CLOSE) and found.x[0] <= LARGEST:
                solutions.append((abs(found.x[1]), math.exp(found.x[0]), float(found.x[1]), sign))
    if not solutions:
        raise ValueError(f"of: an activation that can be shaped so ({of} cannot)")
    return min(solutions)[1:]


def _activation(name: str, of: str, alpha: float, beta: float, gamma: float, delta: float) -> Any:
    from bench.networks.activations import ACTIVATIONS, Activation

    phi = ACTIVATIONS[of].function

    def function(z: Array) -> Array:
        return gamma * (phi(alpha * z + beta) + delta)

    summary = f"{gamma:.6g} ({of}({alpha:.6g} z {beta:+.6g}) {delta:+.6g})"
    return Activation(name, summary, function, vanishes_at_zero=False, plain=True)


TAILORED: Mapping[str, Callable[..., Any]] = {"dks": dks, "tat": tat}
"""By name, as a sweep's activation writes them: ``dks:of=tanh,depth=852``."""
