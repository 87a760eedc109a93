"""The part of a cotangent that lies along (1, …, 1) and along h, where blocks add something of positive mean.

Given z = W h, W is h to first order: W = z hᵀ/|h|² + what is independent. So a cotangent g is not passed on as by new
matrices in two directions, 1 and h̃ = h/√V, of cosine m = M/√V. With D = ∂h_l/∂z, Y = ∂h_l/∂h, X = D z/√V of a unit, all
gates together, and F = (Y + m X, Y h̃ + X), the two numbers s = (g·1, g·h̃)/√n become

    s_{l-1} = R s_l + noise,    R = E[F (1, h̃_l)ᵀ] Γ_l⁻¹,    Γ = [[1, m], [m, 1]]

where the noise of the rest of g, of norm² I, has the covariance (I/n) (E F Fᵀ - R Γ_l Rᵀ + diag(σ² (1 - m²) E D², 0)).
Both are O(1/n) of g at the end. Where R grows faster than the rest, as in deep residual ReLU networks, they are most of it
at the start, and matrices make rest of them. Homogeneous blocks keep g·h = y, which is Euler's theorem.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache, reduce
from typing import NamedTuple

import numpy as np

from bench.theory.block import LARGEST_STD, Block, Cotangents, Law, Pull, Setting
from bench.theory.moments import CLIP

NODES, FARTHEST = 24, 8.0  # on each side of 0


class Units(NamedTuple):
    """What a block does to one unit, at points of a quadrature; arrays [points], in units of √V of h_{l-1}."""

    before: np.ndarray  # h̃_{l-1}
    after: np.ndarray  # h_l
    keeps: np.ndarray  # Y
    moves: np.ndarray  # X
    slopes: np.ndarray  # σ² D² of all matrices, summed
    weights: np.ndarray  # of the points


def points(gates: int, tilt: float) -> tuple[np.ndarray, ...]:
    """(x of every matrix, h̃, weights): normal numbers, and h̃ of mean m and mean square 1, of which no more is needed."""
    *normal, side, weights = _grid(gates)
    return *normal, tilt + side * math.sqrt(max(1 - tilt**2, 0.0)), weights


@lru_cache(maxsize=2)
def _grid(gates: int) -> tuple[np.ndarray, ...]:
    """Normal numbers, a sign, and weights."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    half = FARTHEST * (nodes + 1) / 2
    normal, share = np.concatenate([-half, half]), np.tile(weights * np.exp(-(half**2) / 2), 2)
    axes = np.meshgrid(*[normal] * gates, [-1.0, 1.0], indexing="ij")
    shares = np.meshgrid(*[share / share.sum()] * gates, [0.5, 0.5], indexing="ij")
    return *(axis.ravel() for axis in axes), np.prod(shares, axis=0).ravel()


def pull(units: Units, back: float, weights: float, width: int) -> Pull:
    """Of a block; back, weights: as of one whose matrices are met as new ones (:func:`bench.theory.block.scaled`)."""

    def mean(first: np.ndarray, *others: np.ndarray) -> float:
        return float(reduce(np.multiply, others, units.weights) @ first)

    one, after = np.ones_like(units.after), units.after / math.sqrt(mean(units.after, units.after))
    below, above = mean(units.before), mean(after)
    forces = units.keeps + below * units.moves, units.keeps * units.before + units.moves
    carried = np.array([[mean(force), mean(force, after)] for force in forces])
    into, out_of = _orthogonal(below), _orthogonal(above)
    carried = into @ carried @ out_of.T  # from and to orthogonal directions
    noise = into @ np.array([[mean(a, b) for b in forces] for a in forces]) @ into.T - carried @ carried.T
    noise += mean(units.slopes) * (1 - below**2) * np.outer(into[:, 0], into[:, 0])
    kept = np.array([[mean(units.keeps, a, b) for b in (one, after)] for a in (one, units.before)])
    kept = into @ kept @ out_of.T  # what passes without the matrices

    def pulled(cotangents: Cotangents) -> tuple[Cotangents, float]:
        scale, rest, along = cotangents[0], cotangents[1], cotangents[2:].reshape(2, 2)
        total = rest + np.trace(along)
        found = carried @ along @ carried.T + rest / width * noise
        others = math.exp(back) * total - rest / width * np.trace(noise) - np.trace(kept @ along @ kept.T)
        size = max(others, 0.0) + np.trace(found)
        parts = [max(others, 0.0) / size, *(found / size).ravel()]
        return np.array([scale + math.log(size), *parts]), scale + math.log(total) + weights

    return pulled


def size(value: float) -> float:
    """√V, as far as activations are no powers of their argument, and no further."""
    return math.exp(min(max(value, -2 * CLIP), 2 * CLIP) / 2)


def _orthogonal(cosine: float) -> np.ndarray:
    """(g·1, g·h̃) → the parts of g along 1 and along what is left of h̃ without it."""
    left = math.sqrt(max(1 - cosine**2, 1e-12))
    return np.array([[1.0, 0.0], [-cosine / left, 1 / left]])


def law(blocks: Callable[[Setting], Iterator[Block]], arguments: tuple[str, ...]) -> Law:
    """Of such blocks. Cotangents: ln of a scale, and in its units what is beside the two directions, and along them."""

    def start(setting: Setting) -> Cotangents:
        along = np.eye(2) / max(setting.width, 2)
        return np.array([0.0, 1 - np.trace(along), *along.ravel()])

    def norm(cotangents: Cotangents) -> float:
        return float(cotangents[0] + math.log(cotangents[1] + cotangents[2] + cotangents[5]))

    def knows(setting: Setting) -> bool:
        return max(abs(setting.factor("alpha")), 1.0) * max(setting.std, 1.0) < LARGEST_STD

    return Law(blocks, arguments, {}, knows, start, norm)
