"""All randomness: every array is drawn from a key folded from the run's key by width, seed, layer and purpose.

A value therefore depends on nothing else: not on the depths and scales beside it, the chunking, or the devices.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh

from bench.extended import Numbers, split
from bench.gradients import LAYERS, Segment, over_seeds
from bench.initializers import Initializer

# What is folded into a seed's key: these two, then 2l for the weights and 2l + 1 for the bias of layer l = 1, 2, …
INPUT, READOUT = 0, 1


@cache
def network_program(mesh: Mesh, width: int, dtype: str) -> Callable[[Array, Numbers], tuple[Array, Array, Array]]:
    """Compiles ``(root key, seeds [seeds]) → (seed keys, inputs [seeds, width], readouts [seeds, width])``.

    The input is uniform on the sphere of radius √width, the readout on the unit sphere.
    """

    def sphere(key: Array) -> Array:
        direction = jax.random.normal(key, (width,), dtype)
        return direction / jnp.linalg.norm(direction)

    def draw(root: Array, seed: Array) -> tuple[Array, Array, Array]:
        key = jax.random.fold_in(jax.random.fold_in(root, width), seed)
        x, u = (sphere(jax.random.fold_in(key, purpose)) for purpose in (INPUT, READOUT))
        return key, x * jnp.sqrt(jnp.asarray(width, dtype)), u

    return over_seeds(draw, mesh, in_axes=(None, 0), out_axes=(0, 0, 0))


@cache
def segment_program(mesh: Mesh, initializer: Initializer, width: int, dtype: str) -> Callable[[Array, Numbers], Segment]:
    """Compiles ``(seed keys [seeds], index of the first layer) → Segment`` for one initializer."""

    def matrix(key: Array) -> Array:
        return initializer(key, (width, width), jnp.dtype(dtype))

    if initializer.decomposes and mesh.devices.flat[0].platform == "cpu":
        matrix = jax.custom_batching.sequential_vmap(matrix)

    def layer(key: Array, index: Array) -> Segment:
        weights = matrix(jax.random.fold_in(key, 2 * index))
        largest = split(jnp.max(jnp.abs(weights)))
        bias = jax.random.normal(jax.random.fold_in(key, 2 * index + 1), (width,), dtype)
        unit = jnp.ldexp(jnp.ones((), dtype), -jnp.where(weights.any(), largest.log2, 0).astype(jnp.int32))
        return Segment(weights * unit, largest.log2, bias)

    def draw(key: Array, first: Array) -> Segment:
        return jax.vmap(layer, in_axes=(None, 0))(key, first + jnp.arange(LAYERS))

    return over_seeds(draw, mesh, in_axes=(0, None), out_axes=1)


def root_key(key: int) -> Array:
    """The run's key, made on the host: compiling :func:`jax.random.key` for one number takes longer than a small sweep."""
    return jax.random.wrap_key_data(jnp.asarray(np.array([0, key], np.uint32)), impl="threefry2x32")
