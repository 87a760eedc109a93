"""The blocks of any architecture before scaling: every matrix of every block has a key of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh

from bench.arithmetic.extended import LARGEST_FLOAT_EXPONENT, Numbers, exponent_of, power_of_two
from bench.networks.architectures.architecture import Architecture
from bench.networks.draws import draw_batches, draw_networks, drawing_options
from bench.networks.initializers import Family, Initializer, rectangular_gain
from bench.networks.seeds import over_seeds, place
from bench.networks.segments import LAYERS

INPUTS = 2**16  # folded into the key of a layer's biases, for what the layer reads: no block has as many matrices


class Blocks(NamedTuple):
    """LAYERS consecutive blocks: W = matrix · 2^exponent by name, biases of unit variance, and what the blocks read."""

    matrices: dict[str, Numbers]  # [LAYERS, seeds, out, in]
    exponents: dict[str, Numbers]  # [LAYERS, seeds]
    biases: dict[str, Numbers]  # [LAYERS, seeds, out]
    inputs: Numbers  # [LAYERS, seeds, batch, length, width], each vector uniform on the sphere of radius √width


@cache
def blocks_program(
    mesh: Mesh,
    family: Family,
    shapes: tuple[tuple[str, tuple[int, int]], ...],
    examples: tuple[int, int, int],
    dtype: str,
    *,
    biased: bool,
    driven: bool,
    shared: bool,
) -> Callable[[Array, Numbers], Blocks]:
    """Compiles ``(keys [seeds, 2], index of the first layer) → Blocks``; examples: (batch, length, width).

    The first matrix and its bias have the keys of a plain network's (:func:`bench.networks.draws.segment_program`); into
    those of further ones their number is folded. Matrices that are shared are those of layer 1. Where no block is driven by
    inputs, these are zeros.
    """
    count = {name: number for number, (name, _) in enumerate(shapes)}

    def key_of(key: Array, number: int) -> Array:
        return jax.random.fold_in(key, number) if number else key

    def matrix(key: Array, shape: tuple[int, int]) -> Array:
        def draw(key: Array) -> Array:
            if shape[0] == shape[1] or family.units_in_rows:
                return family.init(key, shape, jnp.dtype(dtype))
            return family.init(key, shape[::-1], jnp.dtype(dtype)).T

        if family.decomposes and mesh.devices.flat[0].platform == "cpu":
            draw = jax.custom_batching.sequential_vmap(draw)
        return draw(key)

    def layer(key: Array, index: Array) -> Blocks:
        own = jnp.ones_like(index) if shared else index
        weights, biases = (jax.random.fold_in(key, 2 * own + place) for place in range(2))
        matrices = {name: matrix(key_of(weights, count[name]), shape) for name, shape in shapes}
        exponents = dict.fromkeys(matrices, jnp.zeros((), dtype))
        if family.any_size:
            exponents = {name: exponent_of(jnp.max(jnp.abs(each))) for name, each in matrices.items()}
            matrices = {
                name: each * power_of_two(jnp.minimum(-exponents[name], LARGEST_FLOAT_EXPONENT))
                for name, each in matrices.items()
            }
        drawn = {name: jnp.zeros(shape[:1], dtype) for name, shape in shapes}
        if biased:
            drawn = {k: family.bias(key_of(biases, count[k]), v.shape, jnp.dtype(dtype)) for k, v in drawn.items()}
        inputs = jnp.zeros(examples, dtype)
        if driven:
            inputs = jax.random.normal(jax.random.fold_in(jax.random.fold_in(key, 2 * index + 1), INPUTS), examples, dtype)
            inputs *= jnp.sqrt(jnp.asarray(examples[-1], dtype)) / jnp.linalg.norm(inputs, axis=-1, keepdims=True)
        return Blocks(matrices, exponents, drawn, inputs)

    def draw(words: Array, first: Array) -> Blocks:
        key = jax.random.wrap_key_data(words, impl="threefry2x32")
        return jax.vmap(layer, in_axes=(None, 0))(key, first + jnp.arange(LAYERS, dtype=first.dtype))

    return over_seeds(draw, mesh, in_axes=(0, None), out_axes=1, options=drawing_options(mesh))


def with_others(inputs: np.ndarray, key: int, seeds: Iterable[int], batch: int, length: int) -> np.ndarray:
    """[seeds, batch, length, width]: inputs [seeds, width] at the first example's last position, and others around them."""
    count, width = inputs.shape
    found = np.empty((count, batch * length, width), inputs.dtype)
    found[:, length - 1] = inputs
    others = np.arange(batch * length) != length - 1
    if others.any():
        found[:, others] = draw_batches(key, width, seeds, int(others.sum()), str(inputs.dtype))
    return found.reshape(count, batch, length, width)


class BlockBatch(NamedTuple):
    """Networks of an architecture before scaling, one of every seed."""

    inputs: Array  # [seeds, batch, length, width]
    readout: Array  # [seeds, width]
    segments: Callable[[int], Blocks]  # index → blocks 1 + LAYERS · index and on


def blocks_of(
    architecture: Architecture,
    family: Family,
    *,
    key: int,
    width: int,
    batch: int,
    length: int,
    seeds: Iterable[int],
    dtype: str,
    mesh: Mesh,
    keep: bool,
    biased: bool,
) -> BlockBatch:
    """The networks of a sweep with that ``key`` and ``dtype``, as those of :func:`bench.networks.batches.networks_of`."""
    seeds = list(seeds)
    drawn = draw_networks(key, width, seeds, dtype)
    examples = with_others(drawn.inputs, key, seeds, batch, length)
    keys, inputs, readout = place(mesh, drawn._replace(inputs=examples), 0)
    shapes = tuple(architecture.shapes(width).items())
    options = {"biased": biased, "driven": architecture.driven, "shared": architecture.shared}
    program = blocks_program(mesh, family, shapes, (batch, length, width), dtype, **options)

    def draw(index: int) -> Blocks:
        return program(keys, np.int32(1 + index * LAYERS))

    return BlockBatch(inputs, readout, cache(draw) if keep else draw)


def rectangular_gains(initializer: Initializer, architecture: Architecture, width: int) -> dict[str, float]:
    """By name, what the scheme's family is multiplied by beside the gain of its square matrices."""
    shapes = architecture.shapes(width)
    return {name: rectangular_gain(initializer, fan_in, fan_out) for name, (fan_out, fan_in) in shapes.items()}
