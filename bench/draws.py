"""All randomness: every array is drawn from a key folded from the run's key by width, seed, layer and purpose.

A value therefore depends on nothing else: not on the depths and scales beside it, the chunking, or the devices.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.sharding import Mesh

from bench.extended import LARGEST_FLOAT_EXPONENT, Numbers, exponent_of, scale_by_power_of_two
from bench.gradients import LAYERS, Segment, over_seeds
from bench.initializers import Initializer

# The last number folded into a key: these two, then 2l for the weights and 2l + 1 for the bias of layer l = 1, 2, …
INPUT, READOUT = 0, 1


def fold(key: Array, *numbers: Numbers) -> Array:
    """:func:`jax.random.fold_in` of one number after the other, as a loop: the hash is compiled once, not once for each."""
    sequence = jnp.stack([jnp.asarray(number, jnp.uint32) for number in numbers])
    return lax.scan(lambda key, number: (jax.random.fold_in(key, number), None), key, sequence)[0]


@cache
def network_program(mesh: Mesh, width: int, dtype: str) -> Callable[[Array, Numbers], tuple[Array, Array, Array]]:
    """Compiles ``(root key, seeds [seeds]) → (seed keys, inputs [seeds, width], readouts [seeds, width])``.

    The input is uniform on the sphere of radius √width, the readout on the unit sphere.
    """

    def draw(root: Array, seed: Array) -> tuple[Array, Array, Array]:
        key = fold(root, width, seed)

        def sphere(purpose: Array) -> Array:
            direction = jax.random.normal(jax.random.fold_in(key, purpose), (width,), dtype)
            return direction / jnp.linalg.norm(direction)

        x, u = jax.vmap(sphere)(jnp.array([INPUT, READOUT], jnp.uint32))
        return key, x * jnp.sqrt(jnp.asarray(width, dtype)), u

    return over_seeds(draw, mesh, in_axes=(None, 0), out_axes=(0, 0, 0))


@cache
def segment_program(
    mesh: Mesh, initializer: Initializer, width: int, dtype: str, *, biased: bool
) -> Callable[[Array, Numbers], Segment]:
    """Compiles ``(seed keys [seeds], index of the first layer) → Segment``; biases are zero unless ``biased``."""

    def matrix(key: Array) -> Array:
        return initializer(key, (width, width), jnp.dtype(dtype))

    if initializer.decomposes and mesh.devices.flat[0].platform == "cpu":
        matrix = jax.custom_batching.sequential_vmap(matrix)

    def layer(key: Array, index: Array) -> Segment:
        weights = matrix(jax.random.fold_in(key, 2 * index))
        exponent = jnp.zeros((), dtype)
        if initializer.any_size:
            exponent = exponent_of(jnp.max(jnp.abs(weights)))
            weights = scale_by_power_of_two(weights, jnp.minimum(-exponent, LARGEST_FLOAT_EXPONENT)[None])
        bias = jnp.zeros((width,), dtype)
        if biased:
            bias = jax.random.normal(jax.random.fold_in(key, 2 * index + 1), (width,), dtype)
        return Segment(weights, exponent, bias)

    def draw(key: Array, first: Array) -> Segment:
        return jax.vmap(layer, in_axes=(None, 0))(key, first + jnp.arange(LAYERS, dtype=first.dtype))

    return over_seeds(draw, mesh, in_axes=(0, None), out_axes=1)


def root_key(key: int) -> Array:
    """The run's key, made on the host: compiling :func:`jax.random.key` for one number takes longer than a small sweep."""
    return jax.random.wrap_key_data(jnp.asarray(np.array([0, key], np.uint32)), impl="threefry2x32")
