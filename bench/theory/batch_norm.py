"""Laws of batch normalization over N examples and positions (Yang et al. 2019, arXiv 1902.08129).

Of one unit, the pre-activations of all examples are normal with one variance and one covariance, since inputs are drawn
alike; without their mean and divided by their root mean square, they are ẑ: uniform on the sphere of radius √N among the
vectors of sum 0, whatever variance and covariance were. So one block makes any network's overlaps

    Φ = E φ(ẑ_a)²,  Ψ = E φ(ẑ_a) φ(ẑ_b)

and its Jacobian (1 - 11ᵀ/N - ẑẑᵀ/N) / s, with E 1/s² = N / ((N - 3) q (1 - c)), makes of the cotangents' matrix over
examples, times φ′, one of sum 0 and trace (A t + E (m N - t)) / s², where t is its trace and m N the sum of its entries:

    A = E φ′(ẑ_a)² (1 - 1/N - ẑ_a²/N),   E = -E φ′(ẑ_a) φ′(ẑ_b) (1 + ẑ_a ẑ_b) / N

    batchnorm        V_l = Φ, V_l c_l = Ψ                  t′ = (A t + E (m N - t)) N / ((N - 3) V (1 - c)),  m′ = 0
    batchnorm, skip  V_l = V + σ²Φ, V_l c_l = V c + σ²Ψ    t′ - m′ = t - m + the same times σ²,               m′ = m

ReLU and N → ∞: t′/t = π/(π - 1), the theorem of Yang et al. At N ≤ 3 the mean of 1/s² is infinite, and there is no law.
Cotangents are kept in two parts, along the vector of ones over examples, m, and across it, t - m: neither becomes negative.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.special import roots_jacobi

from bench.theory.block import SWITCH, Block, Cotangents, Law, Pull, Setting, cosine_of, log, log_sum
from bench.theory.nonlinearities import Nonlinearity

FEWEST = 4  # examples, with which the mean of 1/s² exists
NODES = 48
MANY = 64


class Sphere(NamedTuple):
    """Averages over ẑ of N examples."""

    same: float  # Φ
    other: float  # Ψ
    back: float  # A
    mixed: float  # E


@lru_cache(maxsize=256)
def on_sphere(phi: Nonlinearity, count: int) -> Sphere:
    """The averages, over (ẑ_a, ẑ_b) = √(N - 1) r (cos θ, cos(θ - ψ)), cos ψ = -1/(N - 1).

    The density of r² = t in [0, 1] is that of Beta(1, (N - 3)/2); both signs together are smooth in t, and in θ between the
    zeros of the two.
    """
    radius, weights = _radii(count)
    angle = math.acos(-1 / (count - 1))
    zeros = sorted((centre + side * math.pi / 2) % (2 * math.pi) for centre in (0.0, angle) for side in (1, -1))
    arcs = list(pairwise([*zeros, zeros[0] + 2 * math.pi]))
    part, share = np.polynomial.legendre.leggauss(NODES)
    thetas = np.concatenate([(low + high) / 2 + (high - low) / 2 * part for low, high in arcs])
    shares = np.concatenate([(high - low) / 2 * share for low, high in arcs]) / (2 * math.pi)
    size = math.sqrt(count - 1)
    first, second = (size * np.outer(radius, np.cos(thetas - centre)) for centre in (0.0, angle))
    value, slope = (phi.function(first), phi.function(second)), (phi.slope(first), phi.slope(second))
    integrands = (
        value[0] ** 2,
        value[0] * value[1],
        slope[0] ** 2 * (1 - 1 / count - first**2 / count),
        -slope[0] * slope[1] * (1 + first * second) / count,
    )
    return Sphere(*(float(weights @ each @ shares) for each in integrands))


def _radii(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes r and weights: Gauss and Jacobi's, or, of many examples, Laguerre's in -(N - 3)/2 ln(1 - r²)."""
    if count <= MANY:
        nodes, weights = roots_jacobi(NODES, (count - 5) / 2, 0.0)
        return np.sqrt((nodes + 1) / 2), weights / weights.sum()
    nodes, weights = np.polynomial.laguerre.laggauss(NODES)
    return np.sqrt(-np.expm1(-2 * nodes / (count - 3))), weights


def _blocks(setting: Setting) -> Iterator[Block]:
    count, skip, square = setting.batch * setting.length, setting.says("skip"), 2 * math.log(setting.std)
    found = on_sphere(setting.phi, count)
    height, apart_by = log(found.same), log(found.same - found.other)  # Φ and Φ - Ψ
    value = 2 * math.log(setting.input_norm)
    apart = value + log(1 - setting.correlation)
    while True:
        pull = _pull(found, count, apart, square, skip=skip)
        value = log_sum(value, square + height) if skip else height
        apart = log_sum(apart, square + apart_by) if skip else apart_by
        yield Block(value, cosine_of(value, apart), pull)


def _pull(found: Sphere, count: int, apart: float, square: float, *, skip: bool) -> Pull:
    """Of a block; apart: ln V (1 - c) of what comes in, square: ln σ²."""
    shares = np.log([found.back + (count - 1) * found.mixed, found.back - found.mixed])  # of cotangents along and across
    heights = np.log([found.same + (count - 1) * found.other, found.same - found.other])
    divided = apart - math.log(count / (count - 3))

    def pull(cotangents: Cotangents) -> tuple[Cotangents, float]:
        before = log_sum(*(cotangents + shares)) - divided  # σ² times what a matrix passes on
        if skip:
            return np.array([cotangents[0], log_sum(cotangents[1], square + before)]), log_sum(*(cotangents + heights))
        return np.array([-np.inf, before]), before - square + apart

    return pull


def start(setting: Setting) -> Cotangents:
    """Of one of N examples."""
    share = 1 / (setting.batch * setting.length)
    return np.array([math.log(share), log(1 - share)])


LAWS = {
    "batchnorm": Law(
        _blocks, ("skip",), {"skip": SWITCH}, start=start, knows=lambda setting: setting.batch * setting.length >= FEWEST
    )
}
