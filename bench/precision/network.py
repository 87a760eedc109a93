"""Plain networks as a number format computes them, and their gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.sharding import Mesh

from bench.arithmetic.extended import Numbers, power_of_two
from bench.arithmetic.formats import FORMATS, round_to
from bench.arithmetic.rounding import rounded
from bench.networks.activations import Activation
from bench.networks.seeds import over_seeds
from bench.networks.segments import Segment

LOSSES: Mapping[str, Callable[[Array], Array]] = {"output": lambda y: y, "mse": lambda y: jnp.square(y - 1) / 2}


class Settings(NamedTuple):
    """One number of each lane, in plain floats."""

    scale: Numbers  # [lanes]
    bias_std: Numbers
    input_norm: Numbers


class Computed(NamedTuple):
    """What a format makes of the networks of several depths, all of which share their first layers."""

    delta: Array  # [lanes, layers, depths, width]: ∂loss/∂z_l, times the loss scale
    hidden: Array  # [lanes, layers + 1, width]: the input, h_1, h_2, …
    output: Array  # [lanes, depths]: y


def network(
    biases: Array,
    weights: Array,
    x: Array,
    readout: Array,
    depth: Array,
    factor: Array,
    *,
    activation: Activation,
    loss: Callable[[Array], Array],
) -> tuple[Array, tuple[Array, Array]]:
    """(loss × factor, (all h_l, y)) of the plain network of that depth; its gradient by a bias is δ_l."""

    def layer(h: Array, drawn: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
        weight, bias = drawn
        h = activation(jnp.matmul(weight, h, precision=lax.Precision.HIGHEST) + bias)
        return h, (h, jnp.matmul(readout, h, precision=lax.Precision.HIGHEST))

    _, (hidden, outputs) = lax.scan(layer, x, (weights, biases))
    y = lax.dynamic_index_in_dim(outputs, jnp.maximum(depth - 2, 0), keepdims=False)
    return loss(y) * factor, (hidden, y)


def compute(
    segment: Segment,
    x: Array,
    readout: Array,
    settings: Settings,
    depths: Array,
    factor: Array,
    *,
    activation: Activation,
    loss: str,
    name: str,
) -> Computed:
    """One seed's networks in a format: weights, inputs and the result of every primitive are rounded to it.

    The weights are those that a plain JAX program casts to the format: ``scale · W`` in the sweep's floats.
    """
    to = FORMATS[name]
    plain = jax.grad(lambda *given: network(*given, activation=activation, loss=LOSSES[loss]), has_aux=True)
    gradient = jax.vmap(rounded(plain, name), (None, None, None, None, 0, None), (1, (None, 0)))

    def lane(one: Settings) -> Computed:
        weights = segment.weights * (power_of_two(segment.weight_exponent) * one.scale)[:, None, None]
        start = x * one.input_norm
        delta, (hidden, y) = gradient(segment.biases * one.bias_std, weights, start, readout, depths, factor)
        return Computed(delta, jnp.concatenate([round_to(start, to)[None], hidden]), y)

    return lax.map(lane, settings)


@cache
def network_program(mesh: Mesh, activation: Activation, loss: str, name: str) -> Callable[..., Computed]:
    """The compiled :func:`compute` of one activation and format, over seeds."""

    def computed(*given: Any) -> Computed:
        return compute(*given, activation=activation, loss=loss, name=name)

    return over_seeds(computed, mesh, in_axes=(1, 0, 0, None, None, None), out_axes=0)
