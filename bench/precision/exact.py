"""The exact gradients of plain networks, as the two vectors that each is the outer product of, at any magnitude.

``∂loss/∂W_l = δ_l h_{l-1}ᵀ``. The forward pass is the engine's, layer by layer; the backward one is its transpose, for a few
depths at once: ``δ_l = phi'(z_l) ⊙ W_{l+1}ᵀ δ_{l+1}``, with δ_{L-1} from the readout. All vectors are mantissas, of norm in
[1, 2) or zero, beside exponents.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array, lax
from jax.sharding import Mesh

from bench.arithmetic.extended import Numbers, normalize
from bench.engine.gradients import Lanes, State, forward_layer
from bench.networks.activations import Activation
from bench.networks.seeds import over_seeds
from bench.networks.segments import Segment


class Forward(NamedTuple):
    """What the forward pass leaves of every layer and lane."""

    entering: State  # [layers, lanes, width], [layers, lanes]: h_{l-1}
    slopes: Array  # [layers, lanes, width]: phi'(z_l), to be multiplied by 2^slope_exponent
    slope_exponent: Array  # [layers, lanes]
    weight_exponent: Array  # [layers, lanes]: of scale · W_l
    output: Array  # [layers, lanes]: u · h_l, to be multiplied by 2^output_exponent
    output_exponent: Array  # [layers, lanes]


class Vectors(NamedTuple):
    """The two vectors of every gradient, each to be multiplied by 2^exponent; δ is zero where there is no such layer."""

    delta: Array  # [lanes, layers, depths, width]
    delta_exponent: Array  # [lanes, layers, depths]
    entering: Array  # [lanes, layers + 1, width]: h_{l-1}; zero after the last layer
    entering_exponent: Array  # [lanes, layers + 1]
    log2_of_output: Array  # [lanes, depths]: log2 |∂loss/∂y|


class Entering(NamedTuple):
    """∂loss/∂y = mantissa · 2^exponent of each of several depths; both [depths, lanes]."""

    mantissa: Numbers
    exponent: Numbers


def forward(segment: Segment, state: State, readout: Array, lanes: Lanes, *, activation: Activation) -> Forward:
    """One seed's forward pass through all layers of ``segment``, from its input."""

    def layer(state: State, drawn: Segment) -> tuple[State, Forward]:
        after, trace, slope = forward_layer(state, drawn, readout, lanes, activation=activation)
        found = Forward(state, slope, trace.slope_exponent, trace.weight_exponent, trace.output, trace.exponent)
        return after, found

    value, _, shift = normalize(state.value)
    _, found = lax.scan(layer, State(value, state.exponent + shift), segment)
    return found


def backward(segment: Segment, passed: Forward, readout: Array, lanes: Lanes, entering: Entering, depths: Array) -> Vectors:
    """One seed's gradients in the networks of ``depths`` [depths]; a depth of 0 is no network."""

    def layer(carry: tuple[Array, Array], inputs: tuple[Array, ...]) -> tuple[Any, tuple[Array, Array]]:
        cotangent, exponent = carry
        weights, slopes, slope_exponent, weight_exponent, number = inputs
        begins = (depths - 1 == number)[:, None]
        cotangent = jnp.where(begins[..., None], entering.mantissa[..., None] * readout[None, None, :], cotangent)
        exponent = jnp.where(begins, entering.exponent, exponent)
        value, _, shift = normalize(slopes[None] * cotangent)
        exponent = exponent + shift + slope_exponent[None]
        back = lax.dot_general(value, weights, (((2,), (0,)), ((), ())), precision=lax.Precision.HIGHEST)
        return (back * lanes.scale[None, :, None], exponent + weight_exponent[None]), (value, exponent)

    layers = passed.slopes.shape[0]
    numbers = 1 + jnp.arange(layers, dtype=depths.dtype)
    at_rest = jnp.zeros((*entering.mantissa.shape, readout.shape[0]), readout.dtype), jnp.zeros_like(entering.exponent)
    inputs = segment.weights, passed.slopes, passed.slope_exponent, passed.weight_exponent, numbers
    _, (delta, exponent) = lax.scan(layer, at_rest, inputs, reverse=True)
    return Vectors(
        delta=jnp.moveaxis(delta, 2, 0),
        delta_exponent=jnp.moveaxis(exponent, 2, 0),
        entering=jnp.pad(passed.entering.value.swapaxes(0, 1), ((0, 0), (0, 1), (0, 0))),
        entering_exponent=jnp.pad(passed.entering.exponent.swapaxes(0, 1), ((0, 0), (0, 1))),
        log2_of_output=(jnp.log2(jnp.abs(entering.mantissa)) + entering.exponent).T,
    )


@cache
def forward_program(mesh: Mesh, activation: Activation) -> Callable[..., Forward]:
    """The compiled forward pass of one activation, over seeds."""

    def passed(segment: Segment, state: State, readout: Array, lanes: Lanes) -> Forward:
        return forward(segment, state, readout, lanes, activation=activation)

    return over_seeds(passed, mesh, in_axes=(1, 0, 0, None), out_axes=0)


@cache
def backward_program(mesh: Mesh) -> Callable[..., Vectors]:
    """The compiled backward pass, over seeds."""
    return over_seeds(backward, mesh, in_axes=(1, 0, 0, None, 0, None), out_axes=0)
