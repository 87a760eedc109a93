"""Layer-sequential unit variance (Mishkin & Matas 2016, arXiv 1511.06422): weights that are normalized on data.

With h_0 a batch of inputs, layer after layer ``W_l ← W_l / std(W_l h_{l-1})`` and ``h_l = phi(W_l h_{l-1})``, at scale 1 and
without bias; the standard deviation is over examples and units together, as in the paper. Since z is linear in W, one
division does what the paper's loop approaches.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax
from jax.sharding import Mesh

from bench.arithmetic.extended import LARGEST_FLOAT_EXPONENT, Numbers, exponent_of, power_of_two
from bench.arithmetic.numerics import multiplying
from bench.networks.activations import Activation
from bench.networks.seeds import over_seeds
from bench.networks.segments import Segment, preactivate

BATCH = 128


class Gains(NamedTuple):
    """What the matrices of a segment are multiplied by: factor · 2^exponent."""

    factor: Numbers  # [LAYERS, seeds]
    exponent: Numbers


def segment_gains(segment: Segment, batch: Array, *, activation: Activation) -> tuple[Array, Gains]:
    """One seed's batch of h [BATCH, width] after the segment, and the gains 1 / std(z_l); 1 where z_l does not vary."""

    def layer(h: Array, drawn: Segment) -> tuple[Array, Gains]:
        z = preactivate(drawn.weights, h, jnp.ones_like(h[:, 0]))
        apart = z - z[0, 0]  # exactly zero where nothing varies, which a rounded mean would not be
        shift = jnp.minimum(-exponent_of(jnp.max(jnp.abs(apart))), LARGEST_FLOAT_EXPONENT)
        std = jnp.std(apart * power_of_two(shift))
        varies = std > 0
        gains = Gains(1 / jnp.where(varies, std, 1), jnp.where(varies, shift, 0))
        return activation(z * power_of_two(gains.exponent) * gains.factor), gains

    return lax.scan(layer, batch, segment)


def rescale(segment: Segment, gains: Gains) -> Segment:
    """One seed's segment with its gains."""
    return segment._replace(
        weights=segment.weights * gains.factor[:, None, None], weight_exponent=segment.weight_exponent + gains.exponent
    )


@cache
def gains_program(mesh: Mesh, activation: Activation) -> Callable[[Segment, Array], tuple[Array, Gains]]:
    """The compiled :func:`segment_gains`: (segment, batch [seeds, BATCH, width]) → (batch, gains)."""

    def gains(segment: Segment, batch: Array) -> tuple[Array, Gains]:
        with multiplying():  # they are part of the draw
            return segment_gains(segment, batch, activation=activation)

    return over_seeds(gains, mesh, in_axes=(1, 0), out_axes=(0, 1))


@cache
def rescale_program(mesh: Mesh) -> Callable[[Segment, Gains], Segment]:
    """The compiled :func:`rescale`, the same for weights that are drawn for the first time and again."""
    return over_seeds(rescale, mesh, in_axes=(1, 1), out_axes=1)


def normalized(
    draw: Callable[[int], Segment], batch: Array, *, mesh: Mesh, activation: Activation
) -> Callable[[int], Segment]:
    """Index → Segment with unit variance: its gains are found in order, and kept for when it is drawn again.

    draw: index → Segment, with weight exponents 0; batch: the inputs [seeds, BATCH, width], split over ``mesh``.
    """
    found: list[Gains] = []
    hidden = batch

    def segment(index: int) -> Segment:
        nonlocal hidden
        for skipped in range(len(found), index):
            segment(skipped)
        drawn = draw(index)
        if index == len(found):
            hidden, gains = gains_program(mesh, activation)(drawn, hidden)
            found.append(gains)
        return rescale_program(mesh)(drawn, found[index])

    return segment
