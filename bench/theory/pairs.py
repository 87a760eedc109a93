"""Gaussian averages over two correlated inputs: E φ(z)φ(z′) and E φ′(z)φ′(z′) for (z, z′) ~ N(0, q [[1, c], [c, 1]]).

In polar coordinates z = √q r cos θ, z′ = √q r cos(θ - ψ) with cos ψ = c. The jumps at z = 0 and z′ = 0 lie at fixed angles,
which cut the circle into two arcs where z and z′ have one sign (length π - ψ) and two where they have opposite ones (ψ).
On each, the angle is integrated by the tanh-sinh rule, which resolves both ends, and ln r by the trapezoidal rule.
Correlations are given as 1 - c, so that nothing is lost near c = 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import gammainc

from bench.theory.nonlinearities import Nonlinearity

STEP = 0.05
ROUNDING = 19.0  # e^(-2 · 19) is below float64's rounding


class Pair(NamedTuple):
    """Averages over a pair of inputs."""

    value: float  # E φ(z) φ(z′)
    half_square: float  # E (φ(z) - φ(z′))² / 2, without cancellation
    slope: float  # E φ′(z) φ′(z′)


def pair(phi: Nonlinearity, variance: float, one_minus_c: float, *, step: float = STEP) -> Pair:
    """The averages at variance q > 0 and 0 ≤ 1 - c ≤ 2; closed forms where they are known, else quadrature of that step."""
    if phi.negative_slope is not None:
        return _piecewise_linear(phi.negative_slope, variance, one_minus_c)
    return CLOSED.get(phi.name, lambda q, d: _quadrature(phi, q, d, step))(variance, one_minus_c)


def _angle(one_minus_c: float) -> float:
    """ψ = arccos c = 2 arcsin √((1 - c)/2)."""
    return float(2 * np.arcsin(np.sqrt(np.clip(one_minus_c / 2, 0, 1))))


def _tanh_sinh(step: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fractions w and 1 - w of an arc, each to full precision, and weights."""
    u = np.arange(-3.3, 3.3 + step / 2, step)
    lower, upper = 1 / (1 + np.exp(-np.pi * np.sinh(u))), 1 / (1 + np.exp(np.pi * np.sinh(u)))
    return lower, upper, step * np.pi * np.cosh(u) * lower * upper


def _quadrature(phi: Nonlinearity, variance: float, one_minus_c: float, step: float) -> Pair:
    root = np.sqrt(variance)
    log_radius = np.arange(np.log(13.0), -ROUNDING - max(0.0, np.log(root)), -step)
    radius = np.exp(log_radius)
    radial = step * radius**2 * np.exp(-(radius**2) / 2)
    start, end, angular = _tanh_sinh(step)
    angle = _angle(one_minus_c)
    total = np.zeros(3)
    for length, sign in ((np.pi - angle, 1.0), (angle, -1.0)):
        if length == 0:
            continue
        z, other = (root * np.outer(np.sin(length * part), radius) for part in (start, end))
        for flip in (1.0, -1.0):
            first, second = phi.function(flip * z), phi.function(flip * sign * other)
            slopes = phi.slope(flip * z) * phi.slope(flip * sign * other)
            integrands = (first * second, (first - second) ** 2 / 2, slopes)
            total += length * np.array([angular @ integrand @ radial for integrand in integrands])
    return Pair(*(total / (2 * np.pi)).tolist())


def _piecewise_linear(negative_slope: float, variance: float, one_minus_c: float) -> Pair:
    """φ = (1+α)/2 z + (1-α)/2 |z|, with E|z||z′| = 2q/π (sin ψ + c arcsin c) (Cho & Saul 2009, eq. 4, J₁)."""
    angle, c = _angle(one_minus_c), 1 - one_minus_c
    even, odd = ((1 - negative_slope) / 2) ** 2, ((1 + negative_slope) / 2) ** 2
    sine = np.sqrt(max(one_minus_c * (2 - one_minus_c), 0.0))
    # 1 - 2/π (sin ψ + c (π/2 - ψ)) = (1 - c) - 2/π (sin ψ - c ψ)
    shortfall = one_minus_c - 2 / np.pi * (sine - c * angle)
    same = variance * (even + odd)
    half_square = variance * (odd * one_minus_c + even * shortfall)
    return Pair(float(same - half_square), float(half_square), float(odd + even * (1 - 2 * angle / np.pi)))


def _erf(variance: float, one_minus_c: float) -> Pair:
    """E = 2/π arcsin(2qc/(1+2q)) (Williams 1997, eq. 11); E φ′φ′ = 4/π / √((1+2q)² - (2qc)²)."""
    largest = 2 * variance / (1 + 2 * variance)
    here = largest * (1 - one_minus_c)
    slope = 4 / np.pi / (1 + 2 * variance) / np.sqrt((1 - here) * (1 + here))
    difference = np.arcsin(largest) - np.arcsin(here)
    if here > 0:  # as one angle, without cancellation
        roots = largest * np.sqrt(1 - here**2) + here * np.sqrt(1 - largest**2)
        difference = np.arcsin(largest**2 * one_minus_c * (2 - one_minus_c) / roots)
    return Pair(float(2 / np.pi * np.arcsin(here)), float(2 / np.pi * difference), float(slope))


def _sine(variance: float, one_minus_c: float) -> Pair:
    """E sin z sin z′ = e^-q sinh(qc), E cos z cos z′ = e^-q cosh(qc)."""
    near, far = np.exp(-variance * one_minus_c), np.exp(-variance * (2 - one_minus_c))
    # (1 - e^-2q)/2 - (near - far)/2, as a product
    half_square = -np.expm1(-variance * one_minus_c) * (1 + far) / 2
    return Pair(float((near - far) / 2), float(half_square), float((near + far) / 2))


def _hard_tanh(variance: float, one_minus_c: float) -> Pair:
    """Kinks at |z| = 1: along a ray the integrands are polynomials between them, and their integrals incomplete Γ.

    Half an arc is integrated, from where one input is 0 to where they are equal; the other half is its mirror image.
    """
    start, end, angular = _tanh_sinh(STEP / 2)
    angle, root = _angle(one_minus_c), np.sqrt(variance)
    total = np.zeros(3)
    for length, sign in ((np.pi - angle, 1.0), (angle, -1.0)):
        smaller, larger = np.sin(length * start / 2), np.sin(length * (1 - start / 2))
        # sin a - sin b = 2 cos((a+b)/2) sin((a-b)/2), where (a+b)/2 = length/2 is π/2 - ψ/2 on the arcs of one sign
        difference = 2 * (np.sin(angle / 2) if sign > 0 else np.cos(angle / 2)) * np.sin(length * end / 2)
        with np.errstate(divide="ignore", over="ignore"):
            first, second = 1 / (2 * variance * larger**2), 1 / (2 * variance * smaller**2)  # r²/2 at the kinks
        linear = np.sqrt(np.pi / 2) * root * smaller * (gammainc(1.5, second) - gammainc(1.5, first))
        value = 2 * variance * smaller * larger * gammainc(2, first) + linear + np.exp(-second)
        if sign > 0:
            between = np.exp(-first) - np.exp(-second) - 2 * linear
            between += 2 * variance * smaller**2 * (gammainc(2, second) - gammainc(2, first))
            half_square = variance * difference**2 * gammainc(2, first) + between / 2
        else:
            squares = 2 * variance * (larger**2 * gammainc(2, first) + smaller**2 * gammainc(2, second))
            half_square = (squares + np.exp(-first) + np.exp(-second)) / 2 + value
        total += 2 * length * (angular @ np.stack([sign * value, half_square, -np.expm1(-first)], axis=-1))
    return Pair(*(total / (2 * np.pi)).tolist())


CLOSED = {"erf": _erf, "sine": _sine, "hard_tanh": _hard_tanh}
