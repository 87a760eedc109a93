"""Laws across seeds of residual2, h + α W₂ φ(W₁ h), of linear, ReLU and leaky ReLU branches: exact, but for slopes.

Without their signs these networks are linear. Given h, the signs of z = W₁ h are fair coins, and D = diag(1 or a by the
sign of z_i) is made of them. With Ξ = diag(sign z_i, times independent coins), Ŵ₁ = Ξ W₁ and Ŵ₂ = W₂ Ξ have the law of W₁
and W₂ and are independent of D, and W₂ D W₁ = Ŵ₂ D Ŵ₁. So the branch is a product of independent factors, up and down:

    ‖∂y/∂W_1‖² = (of block 1) · X_2 ⋯ X_{L-1}        X = ‖e + α Ŵ₁ᵀ D Ŵ₂ᵀ e‖²

where D Ŵ₂ᵀ e has a squared length σ² S, n S ~ χ²_n B (Gaussian), S = B (orthogonal), with the share B = b + a² (1 - b) of
:mod:`bench.theory.laws`, and Ŵ₁ᵀ turns it anew: given S, X has the law of :mod:`bench.theory.steps` with ε² = α² σ⁴ S.
Over ln S it is averaged by the Gauss rule of ln S's law. Where no unit of a ReLU is on, S = 0 and X = 1.

Of block 1, with V = ‖D Ŵ₂ᵀ δ_1‖² / ‖δ_1‖² and V' = ‖D Ŵ₁ h_0‖² / ‖h_0‖², both σ² S given one k, and independent,

    ‖∂y/∂W_1‖² = α² ‖h_0‖² ‖δ_1‖² (V + V')

n (V + V') = σ² χ²_{2n} B of 2k among 2n (Gaussian). It is 0 for k = 0. Depth 2 has the same D and V', and its V is of u
where that of deeper networks is of δ_1, c the cosine of these. Given D their covariance is, with v the variance and m = k
(ReLU), n (linear), or (k + a² (n-k))² / (k + a⁴ (n-k)),

    v (1 + E c²) / 2 - (1 - (E c²)²) / (8 m²)

the first terms of an expansion in Laguerre polynomials of V and V': to order 1/n² (orthogonal: the first one, to order
1/n), and the only thing here that is not exact, in the variance of a slope alone, whose law is so one to leading order
(of linear orthogonal ones V is no random number, and all is exact). Against networks drawn in NumPy, scales 0.03 to 3 and
depths 3 and 20, the slope's standard deviation is within 4 % from width 16 on, of linear ones within 3 % at width 2. Below
16, where it is up to 13 % (width 8) and 20 % (width 2) too small, there is no law of ReLU's and leaky ReLU's slopes. A block
turns a part sin² of δ into a uniform direction, so that E c² - 1/n is multiplied by 1 - E sin² n / (n-1).

``fixup`` divides W₁ by √L and has W₂ = 0: h_l = h_0, and ‖∂y/∂W_1‖² = α² ‖h_0‖² V'.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.special import digamma, gammaln, polygamma

from bench.theory.laws import given_active, log_share
from bench.theory.steps import FINENESS, Moments, chi_square, gaussian_step, orthogonal_step, turned

Measure = tuple[np.ndarray, np.ndarray]  # points and weights
NODES, FURTHEST = 61, 4.6  # of trapezoidal rules in v, where a logarithm is its mean + spread · sinh v
RULE = 24  # points of the Gauss rule
FEWEST = 16  # units from which on the expansion is good, but of linear networks
NEGLIGIBLE = 1e-18
_SINH = np.sinh(np.linspace(-FURTHEST, FURTHEST, NODES))


class Branch(NamedTuple):
    """What a block does to a cotangent."""

    step: Moments  # of ln X
    kept: float  # by what E c² - 1/n is multiplied


class First(NamedTuple):
    """Of ln (V + V') / σ²."""

    whole: Moments
    between: float  # that part of the variance which k decides
    bent: float  # (1 - c⁴) of this is not shared by vectors of cosine c
    expanded: bool  # whether what they share is only that

    def shared(self, square: float) -> float:
        """Covariance with the same of depth 2, to leading order where ``expanded``; square: E c² of δ_1 and u."""
        return self.between + (self.whole.variance - self.between) * (1 + square) / 2 - self.bent * (1 - square**2)


@lru_cache(maxsize=1024)
def branch(width: int, negative_slope: float, *, gaussian: bool, log_square: float) -> Branch:
    """Of a block in the middle; log_square: ln α² σ⁴."""
    points, weights = strengths(width, negative_slope, gaussian=gaussian)
    steps, kept = [], []
    for each in log_square + points:
        steps.append(gaussian_step(width, each - math.log(width)) if gaussian else orthogonal_step(width, each / 2))
        kept.append(turned(width, each, gaussian=gaussian))
    means, variances = np.transpose(steps)
    mean = float(weights @ means)  # where S = 0, ln X = 0 and all is kept
    variance = float(weights @ (variances + (means - mean) ** 2)) + (1 - weights.sum()) * mean**2
    return Branch(Moments(mean, variance), float(weights @ kept) + float(1 - weights.sum()))


@lru_cache(maxsize=64)
def strengths(width: int, negative_slope: float, *, gaussian: bool) -> Measure:
    """The law of ln S where S > 0, in a few points; their weights add up to the probability of that."""
    points, weights = np.zeros(1), np.ones(1)
    if negative_slope != 1:
        k, chance = units(width, negative_slope)
        points, given = shares(k, width, negative_slope**2)
        points, weights = gauss_rule(points.ravel(), (chance[:, None] * given).ravel())
    if gaussian:
        logs = float(digamma(width / 2)) + math.log(2) + math.sqrt(float(polygamma(1, width / 2))) * _SINH
        density = np.exp(width / 2 * (logs - math.log(2)) - np.exp(logs) / 2 - gammaln(width / 2)) * np.sqrt(1 + _SINH**2)
        points = np.add.outer(logs - math.log(width), points).ravel()
        weights = np.multiply.outer(density / density.sum(), weights).ravel()
    return gauss_rule(points, weights)


def units(width: int, negative_slope: float) -> Measure:
    """How many units are on, at least one for ReLU, and the probabilities; of wide layers every so many."""
    stride = max(1, int(math.sqrt(width) / 2 / FINENESS))
    k = np.arange(0 if negative_slope else 1, width + 1)
    logs = gammaln(width + 1) - gammaln(k + 1) - gammaln(width - k + 1) - width * math.log(2)
    kept = np.flatnonzero(logs > math.log(NEGLIGIBLE))[::stride]
    alive = 1.0 if negative_slope else 1 - 0.5**width
    weights = np.exp(logs[kept])
    return k[kept], alive * weights / weights.sum()


def shares(k: np.ndarray, width: int, floor: float) -> Measure:
    """[k, points]: ln B for each of those k, and weights that add up to 1."""
    p, q = k[:, None] / 2, (width - k[:, None]) / 2
    inside = (p > 0) & (q > 0)
    p, q = np.where(inside, p, 1.0), np.where(inside, q, 1.0)
    logit = digamma(p) - digamma(q) + np.sqrt(polygamma(1, p) + polygamma(1, q)) * _SINH
    above, below = -np.logaddexp(0, -logit), -np.logaddexp(0, logit)  # ln b, ln (1 - b)
    density = np.exp(p * above + q * below - gammaln(p) - gammaln(q) + gammaln(p + q)) * np.sqrt(1 + _SINH**2)
    least = math.log(floor) if floor else -np.inf
    value = np.where(inside, np.logaddexp(above, least + below), np.where(k[:, None] == 0, least, 0.0))
    return value, density / density.sum(axis=1, keepdims=True)


def gauss_rule(points: np.ndarray, weights: np.ndarray) -> Measure:
    """The few points that average polynomials up to degree 2 · RULE - 1 as the many do (Stieltjes' procedure)."""
    total = weights.sum()
    vector, before, off = np.sqrt(weights / total), np.zeros_like(points), 0.0
    basis, middle, beside = [vector], [], []
    for _ in range(RULE):
        following = points * vector - off * before
        middle.append(following @ vector)
        following = following - middle[-1] * vector
        for each in basis:  # what rounding leaves
            following = following - (following @ each) * each
        off = float(np.linalg.norm(following))
        if off < 1e-10 * (1 + abs(middle[0])):
            break
        before, vector = vector, following / off
        basis.append(vector)
        beside.append(off)
    count = len(middle)
    nodes, vectors = eigh_tridiagonal(np.array(middle), np.array(beside[: count - 1]))
    return nodes, total * vectors[0] ** 2


@lru_cache(maxsize=64)
def first(width: int, negative_slope: float, *, gaussian: bool) -> First:
    """Of the block whose gradient it is."""
    n, floor = width, negative_slope**2
    k, chance = units(n, negative_slope) if negative_slope != 1 else (np.array([n]), np.ones(1))
    chance = chance / chance.sum()
    if gaussian:
        mean, square = np.transpose([given_active(2 * int(each), 2 * n, floor) for each in k])
        whole = chi_square(2 * n).plus(-math.log(n))
        variance = square - mean**2 + whole.variance
        mean = mean + whole.mean
    else:
        value, weight = shares(k, n, floor)
        both = np.logaddexp(value[:, :, None], value[:, None, :])
        weight = weight[:, :, None] * weight[:, None, :]
        mean = (weight * both).sum(axis=(1, 2))
        variance = (weight * (both - mean[:, None, None]) ** 2).sum(axis=(1, 2))
    centre = float(chance @ mean)
    between = float(chance @ (mean - centre) ** 2)
    live = k + floor * (n - k)
    bent = float(chance @ ((k + floor**2 * (n - k)) / live**2) ** 2) / 8 if gaussian else 0.0
    return First(Moments(centre, float(chance @ variance) + between), between, bent, gaussian or negative_slope != 1)


def of_one(width: int, negative_slope: float, *, gaussian: bool) -> Moments:
    """Of ln V' / σ² alone."""
    share = log_share(width, negative_slope)
    whole = chi_square(width).plus(-math.log(width)) if gaussian else Moments(0.0, 0.0)
    return whole.plus(share.mean, share.variance)
