"""The law of transformers: attention, and then an MLP, over T positions that are alike in law.

Of the stream h, V is the mean square and c the cosine of two positions; x is what a branch reads, h or its normalization, of
mean square V̂. n → ∞ makes logits normal: independent over heads, of variance κ⁴ with κ² = σ²V̂ (1, where queries and keys
are normalized) and of covariance κ⁴ c between positions, so that only their part of variance κ⁴(1 - c) is seen by a softmax.
Of its p, p′ at two positions (:mod:`bench.theory.softmax`) attention makes, with s = Σ p², u = Σ (p - p′)² / 2,

    mean square    σ²V̂ (c + (1 - c) s)          of differences, halved    σ²V̂ (1 - c) u

and W_O multiplies both by σ². Uniform attention, s = 1/T and u = 0, is its limit for small κ (Noci et al. 2022,
arXiv 2206.03126). Cotangents Π come back through values by p p′, through queries and keys by the softmax's derivative A:

    values     σ_V² E pᵀ Π p′       queries    κ⁴ σ_V² (1 - c)² E tr A A′ Π      keys    κ⁴ σ_V² (1 - c) E Σ C tr A A′ Π

The number of heads does not enter: it sets how far one network is from the mean. Cotangents have two parts, along the
vector of ones over positions and across it, as in :mod:`bench.theory.batch_norm`. Where logits have a variance above 30, a
mean is one of rare networks, and there is no law.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bench.theory.block import LARGEST_STD, SWITCH, Block, Cotangents, Law, Pull, Setting, averages, both, log
from bench.theory.softmax import attention

LARGEST = 30.0  # variance of logits


class Branch(NamedTuple):
    """What a branch reads and makes, in units of V̂ where it is read."""

    height: float  # ln of its mean square
    apart: float  # half the mean square of the difference of two positions, over its mean square
    alike: float  # the cosine of two examples, of one position each; NaN where positions are followed
    back: np.ndarray  # [across and along of x, across and along of its own cotangent]
    weights: np.ndarray  # ‖∂y/∂W‖² / n of all its matrices, by part of its cotangent


class State(NamedTuple):
    """Of the stream."""

    value: float  # ln V
    apart: float  # 1 - c of two positions
    alike: float  # the cosine of two examples


def _overlaps(apart: float, length: int) -> np.ndarray:
    """Of positions of mean square 1, what matrices' gradients are multiplied by: across and along."""
    return np.array([apart, 1 + (length - 1) * (1 - apart)])


def _attention(setting: Setting, state: State, variance: float, beta: float) -> Branch | None:
    """Variance: V̂; beta: what V and O are multiplied by."""
    length, square = setting.length, setting.std**2
    strength = 1.0 if setting.says("qk_norm") else square * variance
    apart, outer = state.apart, square * beta**2
    if strength**2 * apart > LARGEST:
        return None
    found = attention(length, strength, apart)
    mixed, unlike = 1 - apart + apart * found.same, apart * found.unlike  # of the mixed values, over σ_V² V̂
    same, other, t = found.slope, found.mixed, 1 / length
    product = found.same - found.unlike  # Σ p p′
    values = np.array([[found.unlike, found.unlike + product * length - 1], [0.0, 1.0]])
    queries = same * (1 - t) + other * t, same * t + other * (1 - t)
    queries = apart**2 * np.array([[queries[0], (same - other) * (1 - t)], [(same - other) * t, queries[1]]])
    keys = apart * np.array([[same - (1 - apart) * other, same + (1 - apart) * other * (length - 1)], [0.0, 0.0]])
    reads, inner = _overlaps(apart, length), outer * values
    logits = strength**2 * outer * (queries + keys)
    by_matrix = reads @ (values + strength**2 * outer / square * (queries + keys))
    weights = outer * variance * (by_matrix + np.array([unlike, mixed * length - (length - 1) * unlike]))
    return Branch(
        2 * math.log(outer) + log(variance * mixed),
        unlike / mixed,
        state.alike / mixed,
        outer * (inner + logits),
        weights,
    )


def _mlp(setting: Setting, state: State, variance: float, beta: float) -> Branch:
    square, length, t = 2 * math.log(setting.std * beta), setting.length, 1 / setting.length
    reads = square + log(variance)
    _, height, slope = averages(setting.phi, reads)
    difference, alike = both(setting.phi, reads, reads + log(state.apart))
    example = math.nan
    if state.alike == state.alike:
        example = math.exp(both(setting.phi, reads, reads + log(1 - state.alike))[0] - height)
    unlike, ratio = math.exp(difference - height), math.exp(square + slope)
    slopes = np.array([[1 - t + alike * t, (1 - alike) * (1 - t)], [(1 - alike) * t, t + alike * (1 - t)]])
    by_in = ratio * variance * _overlaps(state.apart, length) @ slopes
    by_out = 4 * math.exp(height) * _overlaps(unlike, length)
    return Branch(square + height, unlike, 1 - example, ratio * math.exp(square) * slopes, by_in + by_out)


def _blocks(setting: Setting) -> Iterator[Block]:
    norm, deep = setting.given.get("norm", "pre"), setting.given.get("branch") == "deepnorm"
    skip = 2 * math.log((2 * (setting.depth - 1)) ** 0.25) if deep else 0.0
    beta = (8 * (setting.depth - 1)) ** -0.25 if deep else 1.0
    share = 0.0 if deep else 2 * log(abs(setting.factor("branch")))
    length, alone = setting.length, setting.length == 1
    apart, alike = 0.0 if alone else 1 - setting.correlation, setting.correlation if alone and setting.cosines else math.nan
    state = State(2 * math.log(setting.input_norm), apart, alike)
    while True:
        pulls = []
        for sublayer in (_attention, _mlp):
            read = 0.0 if norm in ("pre", "sandwich") else state.value
            branch = sublayer(setting, state, math.exp(min(read, 700.0)), beta)
            if branch is None:
                return
            within = branch.height if norm == "sandwich" else 0.0
            before, state, divided = state, *_added(state, branch, skip, share + branch.height - within, norm == "post")
            pulls.append((branch, skip - divided, share - within - divided, before.value if read == 0.0 else 0.0))
        yield Block(state.value, 1 - state.apart if length > 1 else state.alike, _pull(pulls))


def _added(state: State, branch: Branch, skip: float, height: float, post: bool) -> tuple[State, float]:
    """The stream after a branch of ln mean square ``height``, and what it was divided by, in logarithms."""
    value = float(np.logaddexp(skip + state.value, height))
    kept, new = math.exp(skip + state.value - value), math.exp(height - value)
    mixed = State(0.0 if post else value, kept * state.apart + new * branch.apart, kept * state.alike + new * branch.alike)
    return mixed, value if post else 0.0


def _pull(pulls: Sequence[tuple[Branch, float, float, float]]) -> Pull:
    """Of branches, and in logarithms what the skip is multiplied by, the branch, and what its input was divided by."""

    def pull(cotangents: Cotangents) -> tuple[Cotangents, float]:
        weights = -math.inf
        for branch, kept, taken, divided in reversed(pulls):
            most = cotangents.max()
            parts = np.exp(cotangents - most)
            weights = np.logaddexp(weights, most + taken + log(float(branch.weights @ parts)))
            with np.errstate(divide="ignore"):
                back = np.log(np.maximum(branch.back @ parts, 0.0)) + most + taken - divided
            cotangents = np.logaddexp(cotangents + kept, back)
        return cotangents, float(weights)

    return pull


def _start(setting: Setting) -> Cotangents:
    """Of one of T positions: across and along."""
    return np.array([log(1 - 1 / setting.length), -math.log(setting.length)])


LAWS = {
    "transformer": Law(
        _blocks,
        ("norm", "heads", "branch", "qk_norm"),
        {"norm": ("pre", "post", "sandwich", "none"), "qk_norm": SWITCH},
        knows=lambda setting: setting.std < LARGEST_STD,
        start=_start,
        normalized=lambda setting: setting.given.get("norm", "pre") in ("pre", "sandwich"),
    )
}
