"""How a network begins, and in which order it sees its examples: functions of the key and the seed alone.

Hidden matrices are those of a sweep with the same key, width and seed, so that depths share their prefix and scales their
draw; W_1 has the key of its layer and its own shape. A cell's draw does not depend on which cells run beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.sharding import Mesh

from bench.arithmetic.extended import Numbers, power_of_two
from bench.networks.activations import Activation
from bench.networks.draws import by_template, draw_networks, draw_readouts, drawing_options, segment_program
from bench.networks.initializers import INITIALIZERS, Family
from bench.networks.seeds import over_seeds, place
from bench.networks.segments import LAYERS, Segment
from bench.training.network import Parameters, weights_times

ORDER = 4  # what random numbers are for, beside the purposes of bench.draws
CALIBRATION = 128  # examples on which lsuv normalizes, as many as in a sweep


class Factors(NamedTuple):
    """What drawn arrays of unit scale are multiplied by, for each cell: its scheme's gain × scale, and bias_stds."""

    input: Numbers  # [cells]
    input_bias: Numbers
    hidden: Numbers
    hidden_bias: Numbers


class Drawn(NamedTuple):
    """Networks before scaling, one for each cell."""

    input: Array  # [cells, n, inputs]
    input_bias: Array  # [cells, n]
    segments: tuple[Segment, ...]  # layers 2 and on
    readout: Array  # [cells, outputs, n]


def draw(
    initializer: str,
    *,
    key: int,
    width: int,
    inputs: int,
    outputs: int,
    depth: int,
    seeds: Sequence[int],
    dtype: str,
    mesh: Mesh,
) -> Drawn:
    """The networks of those seeds, one after the other, split over ``mesh``, whose size divides their number."""
    family = INITIALIZERS[initializer].family
    distinct = sorted(set(seeds))
    which = [distinct.index(seed) for seed in seeds]
    keys = place(mesh, draw_networks(key, width, distinct, dtype).keys[which], 0)
    readout = place(mesh, draw_readouts(key, width, distinct, outputs, dtype)[which], 0)
    segment = segment_program(mesh, family, width, dtype, biased=True)
    segments = tuple(segment(keys, np.int32(first)) for first in range(2, depth, LAYERS))
    weights, bias = input_program(mesh, family, width, inputs, dtype)(keys)
    return Drawn(weights, bias, segments, readout)


@by_template
def input_program(mesh: Mesh, family: Family, width: int, inputs: int, dtype: str) -> Callable[[Array], tuple[Array, Array]]:
    """Compiles ``keys [cells, 2] → (W_1 [cells, width, inputs], b_1 [cells, width])``, from the keys of layer 1."""

    def matrix(key: Array, *numbers: Array) -> Array:
        if family.units_in_rows:
            return family.draw(key, (width, inputs), jnp.dtype(dtype), *numbers)
        return family.draw(key, (inputs, width), jnp.dtype(dtype), *numbers).T

    if family.decomposes and mesh.devices.flat[0].platform == "cpu":
        matrix = jax.custom_batching.sequential_vmap(matrix)

    def draw(words: Array, *numbers: Array) -> tuple[Array, Array]:
        key = jax.random.wrap_key_data(words, impl="threefry2x32")
        weights = matrix(jax.random.fold_in(key, 2), *numbers)
        return weights, family.bias(jax.random.fold_in(key, 3), (width,), jnp.dtype(dtype))

    in_axes = (0, *(None for _ in family.numbers))
    return over_seeds(draw, mesh, in_axes=in_axes, out_axes=0, options=drawing_options(mesh))


def assemble(drawn: Drawn, factors: Factors, depth: int, *, biased: bool) -> Parameters:
    """One cell's parameters, from its own share of what was drawn."""
    dtype, width = drawn.input.dtype, drawn.input.shape[0]
    hidden, hidden_bias = jnp.zeros((0, width, width), dtype), jnp.zeros((0, width), dtype)
    if drawn.segments:
        joined = jax.tree.map(lambda *parts: jnp.concatenate(parts)[: depth - 2], *drawn.segments)
        hidden = joined.weights * (power_of_two(joined.weight_exponent) * factors.hidden)[:, None, None]
        hidden_bias = joined.biases * factors.hidden_bias
    return Parameters(
        input=drawn.input * factors.input,
        input_bias=drawn.input_bias * factors.input_bias if biased else None,
        hidden=hidden,
        hidden_bias=hidden_bias if biased else None,
        readout=drawn.readout,
    )


def normalize_on(drawn: Drawn, examples: Array, activation: Activation) -> Drawn:
    """One cell's draw with unit variance, layer by layer, over examples and units (:mod:`bench.networks.unit_variance`)."""

    def gain(weights: Array, h: Array) -> Array:
        std = jnp.std(weights_times(weights, h, None))
        return jnp.where(std > 0, 1 / jnp.where(std > 0, std, jnp.ones_like(std)), jnp.ones_like(std))

    def layer(h: Array, weights: Array) -> tuple[Array, Array]:
        weights = weights * gain(weights, h)
        return activation(weights_times(weights, h, None)), weights

    h, first = layer(examples.T, drawn.input)
    segments = []
    for segment in drawn.segments:
        h, weights = lax.scan(layer, h, segment.weights)
        segments.append(segment._replace(weights=weights))
    return drawn._replace(input=first, segments=tuple(segments))


def orders(key: int, seed: int, *, examples: int, batch: int, first: int, count: int) -> np.ndarray:
    """[count, batch]: which examples a seed's networks see at the steps ``first`` and on.

    Every epoch goes through a new permutation, without the rest that does not fill a minibatch; ``batch`` ≤ ``examples``.
    """
    per_epoch = examples // batch
    steps = np.arange(first, first + count)
    found = np.empty((count, batch), np.int32)
    for epoch in range(first // per_epoch, (first + count - 1) // per_epoch + 1):
        source = np.random.SeedSequence(key, spawn_key=(seed, epoch, 0, ORDER))
        permuted = np.random.Generator(np.random.Philox(source)).permutation(examples).astype(np.int32)
        here = steps // per_epoch == epoch
        found[here] = permuted[: per_epoch * batch].reshape(per_epoch, batch)[steps[here] % per_epoch]
    return found
