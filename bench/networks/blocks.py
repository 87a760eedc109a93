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
from bench.networks.draws import by_template, draw_batches, draw_networks, drawing_options
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


@by_template
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
    of_radius: tuple[str, ...] = (),
) -> Callable[[Array, Numbers], Blocks]:
    """Compiles ``(keys [seeds, 2], index of the first layer) → Blocks``; examples: (batch, length, width).

    The first matrix and its bias have the keys of a plain network's (:func:`bench.networks.draws.segment_program`); into
    those of further ones their number is folded. Matrices that are shared are those of layer 1, drawn once a segment; those
    named in ``of_radius`` have a spectral radius of 1. Where no block is driven by inputs, these are zeros.
    """
    count = {name: number for number, (name, _) in enumerate(shapes)}

    def key_of(key: Array, number: int) -> Array:
        return jax.random.fold_in(key, number) if number else key

    def matrix(key: Array, name: str, shape: tuple[int, int], *numbers: Array) -> Array:
        def draw(key: Array, *numbers: Array) -> Array:
            if shape[0] == shape[1] or family.units_in_rows:
                return family.draw(key, shape, jnp.dtype(dtype), *numbers)
            return family.draw(key, shape[::-1], jnp.dtype(dtype), *numbers).T

        def divided(key: Array, *numbers: Array) -> Array:
            return of_unit_radius(draw(key, *numbers))

        whole = divided if name in of_radius else draw
        if (family.decomposes or name in of_radius) and mesh.devices.flat[0].platform == "cpu":
            whole = jax.custom_batching.sequential_vmap(whole)
        return whole(key, *numbers)

    def weights_of(key: Array, index: Array, *numbers: Array) -> tuple[dict[str, Array], dict[str, Array], dict[str, Array]]:
        weights, biases = (jax.random.fold_in(key, 2 * index + place) for place in range(2))
        matrices = {name: matrix(key_of(weights, count[name]), name, shape, *numbers) for name, shape in shapes}
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
        return matrices, exponents, drawn

    def inputs_of(key: Array, index: Array) -> Array:
        if not driven:
            return jnp.zeros(examples, dtype)
        inputs = jax.random.normal(jax.random.fold_in(jax.random.fold_in(key, 2 * index + 1), INPUTS), examples, dtype)
        return inputs * (jnp.sqrt(jnp.asarray(examples[-1], dtype)) / jnp.linalg.norm(inputs, axis=-1, keepdims=True))

    unmapped = (None,) * len(family.numbers)

    def draw(words: Array, first: Array, *numbers: Array) -> Blocks:
        key = jax.random.wrap_key_data(words, impl="threefry2x32")
        layers = first + jnp.arange(LAYERS, dtype=first.dtype)
        if shared:
            once = weights_of(key, jnp.ones_like(first), *numbers)
            matrices, exponents, drawn = jax.tree.map(lambda each: jnp.broadcast_to(each, (LAYERS, *each.shape)), once)
        else:
            matrices, exponents, drawn = jax.vmap(weights_of, in_axes=(None, 0, *unmapped))(key, layers, *numbers)
        return Blocks(matrices, exponents, drawn, jax.vmap(inputs_of, in_axes=(None, 0))(key, layers))

    return over_seeds(draw, mesh, in_axes=(0, None, *unmapped), out_axes=1, options=drawing_options(mesh))


def of_unit_radius(matrix: Array) -> Array:
    """The matrix over its spectral radius, the largest modulus of its eigenvalues; as it is where that is 0."""
    radius = jnp.max(jnp.abs(jnp.linalg.eigvals(matrix)))
    return matrix / jnp.where(radius > 0, radius, 1)


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
    alone: (
        bool  # whether one segment is drawn at a time: matrices are decomposed, and LAPACK's calls can wait for each other
    )


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
    program = blocks_program(
        mesh, family, shapes, (batch, length, width), dtype, of_radius=tuple(architecture.radii), **options
    )

    def draw(index: int) -> Blocks:
        return program(keys, np.int32(1 + index * LAYERS))

    return BlockBatch(inputs, readout, cache(draw) if keep else draw, family.decomposes or bool(architecture.radii))


def rectangular_gains(
    initializer: Initializer, architecture: Architecture, width: int, scale: float, scaled: float
) -> dict[str, float]:
    """By name, what a matrix of the scheme's family is multiplied by beside ``scaled``, the scale times the scheme's gain.

    A matrix whose spectral radius the architecture sets is multiplied by the scale and that radius, whatever the scheme.
    """
    shapes = architecture.shapes(width)
    gains = {name: rectangular_gain(initializer, fan_in, fan_out) for name, (fan_out, fan_in) in shapes.items()}
    return gains | {name: radius * (scale / scaled if scaled else 0.0) for name, radius in architecture.radii.items()}
