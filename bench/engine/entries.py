"""How the entries of ∂loss/∂W_1 = δ_1 xᵀ are spread: quantiles of |δ_i x_j| over all n² of them, by counting.

With logarithms on a grid of step 1/STEPS, ``log2 |δ_i x_j| ≤ t`` is ``b_j ≤ t - a_i``; how many b_j there are below any
bound is a table, made once for each input, so that counting n² entries is n look-ups, and a bisection on t finds the least
one below which the wanted share lies (the quantile that NumPy calls "inverted_cdf"). No entry is moved by more than one
step of the grid, 0.0006 decades, nor is any quantile.

Entries that are exactly zero are left out: those of units that are off, and, in float32, of units whose δ is below 2^-126
of the largest.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.sharding import Mesh

from bench.arithmetic.extended import Numbers
from bench.networks.seeds import over_seeds, place
from bench.networks.segments import Segment

SHARES = (0.1, 0.5)  # of the entries, that are at most the quantile
STEPS = 512  # of the grid, in an octave
REACH = 32 * STEPS  # steps below ‖x‖; what of x is smaller, none of it where x is drawn, is counted there


class InputCounts(NamedTuple):
    """What of an input x the quantiles depend on."""

    below: Numbers  # [seeds, REACH + 1]: how many x_j ≠ 0 have log2(|x_j| / ‖x‖) ≤ k / STEPS, k = -REACH … 0
    largest: Numbers  # [seeds]: log2(max |x_j| / ‖x‖)


def input_counts(mesh: Mesh, inputs: Array) -> InputCounts:
    """The counts of inputs [seeds, width], none of them zero, on the devices."""
    lengths = np.linalg.norm(np.asarray(inputs, float), axis=-1, keepdims=True)
    shares = np.abs(np.asarray(inputs, float)) / lengths
    below = np.stack([_cumulated(row[row > 0]) for row in shares])
    dtype = inputs.dtype
    return place(mesh, InputCounts(below.astype(dtype), np.log2(shares.max(axis=-1)).astype(dtype)), 0)


def _cumulated(shares: np.ndarray) -> np.ndarray:
    steps = np.clip(np.rint(STEPS * np.log2(shares)).astype(int) + REACH, 1, REACH)
    return np.cumsum(np.bincount(steps, minlength=REACH + 1))


def spread_of(delta: Array, counts: InputCounts) -> Array:
    """One seed's log2 quantiles at SHARES, and maximum, of |δ_i x_j| / (‖δ‖ ‖x‖): [3, …] of delta [..., width].

    delta: of ordinary length. What comes out where it is zero is a number without a meaning.
    """
    size = jnp.abs(delta)
    present = size > 0
    norm = jnp.sqrt(jnp.sum(jnp.square(delta), axis=-1, keepdims=True))
    log2 = jnp.log2(jnp.where(present, size / jnp.where(norm > 0, norm, 1), 1))
    smallest = (jnp.finfo(delta.dtype).minexp - 2) * STEPS - REACH
    steps = jnp.where(present, jnp.rint(STEPS * log2).astype(jnp.int32), -smallest)  # what is absent is above any bound
    largest = jnp.max(jnp.where(present, log2, smallest), axis=-1)
    entries = jnp.sum(present, axis=-1).astype(delta.dtype) * counts.below[-1]
    wanted = jnp.stack([entries * share for share in SHARES], axis=0)

    def halve(_: Array, bounds: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bounds
        middle = (low + high) >> 1
        index = jnp.clip(middle[..., None] - steps[None] + REACH, 0, REACH)
        enough = jnp.sum(counts.below.at[index].get(mode="promise_in_bounds"), axis=-1) >= wanted
        return jnp.where(enough, low, middle + 1), jnp.where(enough, middle, high)

    start = jnp.full(wanted.shape, smallest, jnp.int32), jnp.zeros(wanted.shape, jnp.int32)
    _, found = lax.fori_loop(0, math.ceil(math.log2(-smallest)) + 1, halve, start)
    return jnp.concatenate([found.astype(delta.dtype) / STEPS, (largest + counts.largest)[None]])


@cache
def spread_program(mesh: Mesh) -> Callable[[Array, InputCounts], Array]:
    """The compiled :func:`spread_of`: delta [seeds, DEPTHS, LANES, width] → [3, DEPTHS, seeds, LANES]."""
    return over_seeds(spread_of, mesh, in_axes=(0, 0), out_axes=2)


def without_first(segment: Segment) -> Segment:
    """One seed's first segment with the identity in place of W_1, so that what leaves its backward pass is δ_1."""
    identity = jnp.eye(segment.weights.shape[-1], dtype=segment.weights.dtype)
    return segment._replace(weights=segment.weights.at[0].set(identity))


@cache
def without_first_program(mesh: Mesh) -> Callable[[Segment], Segment]:
    """The compiled :func:`without_first`."""
    return over_seeds(without_first, mesh, in_axes=(1,), out_axes=1)
