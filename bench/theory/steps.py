"""What one block with a skip does to a vector's length: mean and variance of ln ‖e + M e‖² of a unit vector e, exactly.

**Gaussian**: M e = s g, g ~ N(0, 1)^m. Then ‖e + s g‖² = s² χ²_m(1/s²), and a noncentral χ²_m(λ) is a χ²_{m+2K} of a random
number of degrees of freedom, K ~ Poisson(λ/2): ln χ²_m(λ) has mean E ψ(m/2 + K) + ln 2 and variance E ψ′(m/2 + K) +
Var ψ(m/2 + K), ψ the digamma function. Poisson weights are summed at every integer, or, where K spreads far, at integers a
fraction of its spread apart, which for functions so smooth is as good. Where m s² is below 10^-6 the logarithm's series is.

**Orthogonal**: M e = ε r, r uniform on the sphere of R^n. Then ‖e + ε r‖² = 1 + ε² + 2ε t, t = 2b - 1 and
b ~ Beta((n-1)/2, (n-1)/2): that is (1+ε)² (f + (1-f) b), f = ((1-ε)/(1+ε))².
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import digamma, gammaln, polygamma, xlogy

from bench.theory.laws import given_active

SMALL = 1e-6  # m s², ε: below, two terms of a series are exact to rounding
REACH, LEAST, FINENESS = 12.0, 40.0, 8.0  # of Poisson weights: standard deviations, at least so many, points in one
FAR = 40.0  # of logarithms: e^-40 turns nothing
ANGLES = 1000  # of the average over t = cos of them


class Moments(NamedTuple):
    """Of a natural logarithm."""

    mean: float
    variance: float

    def times(self, count: int) -> Moments:
        """Of the sum of so many independent ones."""
        return Moments(count * self.mean, count * self.variance)

    def plus(self, mean: float, variance: float = 0.0) -> Moments:
        """Of the sum with an independent one."""
        return Moments(self.mean + mean, self.variance + variance)


def chi_square(freedom: float) -> Moments:
    """Of ln χ²."""
    return Moments(float(digamma(freedom / 2)) + math.log(2), float(polygamma(1, freedom / 2)))


def gaussian_step(dimension: int, log_variance: float) -> Moments:
    """Of ln ‖e + s g‖² in so many dimensions; log_variance: ln s²."""
    m, square = dimension, math.exp(min(log_variance, 700.0))
    if m * square < SMALL:
        return Moments((m - 2) * square * (1 - (m - 4) * square / 2), 4 * square - (6 * m - 16) * square**2)
    k, weight = poisson(math.exp(-log_variance) / 2)
    value = digamma(m / 2 + k)
    mean = float(weight @ value)
    variance = float(weight @ (polygamma(1, m / 2 + k) + (value - mean) ** 2))
    return Moments(log_variance + math.log(2) + mean, variance)


def poisson(mean: float) -> tuple[np.ndarray, np.ndarray]:
    """Points and weights of averages over a Poisson number."""
    spread = math.sqrt(mean)
    stride, reach = max(1, int(spread / FINENESS)), REACH * spread + LEAST
    k = np.arange(max(0, math.floor(mean - reach)), math.ceil(mean + reach) + 1, stride, dtype=float)
    logs = xlogy(k, mean) - gammaln(k + 1)
    weight = np.exp(logs - logs.max())
    return k, weight / weight.sum()


@lru_cache(maxsize=1024)
def orthogonal_step(width: int, log_strength: float) -> Moments:
    """Of ln ‖e + ε r‖²; log_strength: ln ε, which for width 1, where r is ±1, is not 0."""
    small, out = math.exp(-abs(log_strength)), 2 * max(0.0, log_strength)
    if width == 1:
        apart = math.log((1 + small) / (1 - small))
        return Moments(out + math.log1p(-(small**2)), apart**2)
    if small < SMALL:
        return Moments(out + small**2 * (1 - 2 / width), 4 * small**2 / width)
    mean, square = given_active(width - 1, 2 * (width - 1), ((1 - small) / (1 + small)) ** 2)
    return Moments(out + 2 * math.log1p(small) + mean, square - mean**2)


def turned(width: int, log_square: float, *, gaussian: bool) -> float:
    """By what E cos² - 1/n, of the angle with a fixed vector, is multiplied: 1 - E sin² n/(n-1); log_square: ln ε²."""
    if width == 1:
        return 1.0
    if gaussian:
        k, weight = poisson(width / 2 * math.exp(min(-log_square, FAR)))
        return float(weight @ (2 * k / (width + 2 * k)))
    angle = (np.arange(ANGLES) + 0.5) * math.pi / ANGLES
    weight = np.sin(angle) ** (width - 2)
    small, t = math.exp(-abs(log_square) / 2), np.cos(angle)
    kept = np.sin(angle) ** 2 * (small**2 if log_square < 0 else 1.0) / (1 + small**2 + 2 * small * t)
    return 1 - width / (width - 1) * float(weight @ kept / weight.sum())
