"""Norms of what a segment of blocks computes, of all its layers at once.

Numbers are ``mantissa · 2^exponent`` with mantissas [LAYERS, …], of which each layer's largest is within a factor of 4 of 1.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array, lax

from bench.arithmetic.number import WINDOW, ZERO, Extended, normalize, power_of_two


def by_layer(number: Extended) -> Extended:
    """The same with exponents [LAYERS]."""
    mantissa, exponent = number.mantissa, number.exponent
    if exponent.size > len(mantissa):
        largest = jnp.max(exponent, tuple(range(1, exponent.ndim)), keepdims=True)
        mantissa, exponent = mantissa * power_of_two(exponent - largest, mantissa.dtype), largest
    return Extended(mantissa, jnp.broadcast_to(exponent.reshape(-1), mantissa.shape[:1]))


def by_entry(number: Extended) -> Extended:
    """The same with exponents [LAYERS, 1, …], of the mantissa's rank."""
    return Extended(number.mantissa, number.exponent.reshape(-1, *[1] * (number.ndim - 1)))


def norms(number: Extended) -> Extended:
    """The root of the sum of all squares, of each layer."""
    number = by_layer(number)
    return Extended(jax.vmap(norm)(number.mantissa), number.exponent)


def root(squares: Extended) -> Extended:
    """√x of each layer."""
    odd = squares.exponent & 1
    mantissa = squares.mantissa * power_of_two(odd, squares.dtype)
    half = jnp.where(squares.exponent == ZERO, ZERO, (squares.exponent - odd) // 2)
    return Extended(jnp.sqrt(mantissa), half)


def triangles(vectors: Extended) -> Extended:
    """:func:`triangle` of each layer's."""
    vectors = by_layer(vectors)
    lower = jax.vmap(triangle)(vectors.mantissa)
    return Extended(*normalize(lower, by_entry(Extended(lower, vectors.exponent)).exponent))


def norm(array: Array) -> Array:
    """The root of the sum of all squares, of numbers near 1."""
    return jnp.sqrt(total(jnp.square(array).reshape(-1)))


def far_norm(array: Array) -> Array:
    """The same of numbers of which all squares may be zero as floats."""
    largest = jnp.max(_folded(jnp.abs(array).reshape(-1), jnp.maximum))
    return largest * norm(array / jnp.where(largest > 0, largest, jnp.ones_like(largest)))


def total(array: Array) -> Array:
    """The sum over the last axis."""
    return jnp.sum(_folded(array, jnp.add), axis=-1)


def _folded(array: Array, combine: Callable[[Array, Array], Array]) -> Array:
    """Its last axis in halves, one upon the other, until it is one that a CPU's compiler reduces with what makes it."""
    while (length := array.shape[-1]) > WINDOW:
        half = length // 2
        folded = combine(array[..., :half], array[..., half : 2 * half])
        array = folded if length % 2 == 0 else jnp.concatenate([folded, array[..., -1:]], axis=-1)
    return array


def thin(shape: tuple[int, ...]) -> bool:
    """Whether so many vectors have a triangle that is smaller than they are."""
    count, width = shape
    return 2 * count <= width


def triangle(vectors: Array) -> Array:
    """L [vectors, vectors] with L Lᵀ = vectors vectorsᵀ, by modified Gram-Schmidt: vectors are L Q with orthonormal rows Q.

    As exact as if each vector had been rounded once, even where they are nearly parallel (Higham 2002, theorem 19.13).
    """
    if len(vectors) == 1:
        return far_norm(vectors).reshape(1, 1)

    def step(rest: Array, number: Array) -> tuple[Array, Array]:
        pivot = lax.dynamic_index_in_dim(rest, number, keepdims=False)
        size = far_norm(pivot)
        unit = (pivot / jnp.where(size > 0, size, jnp.ones_like(size)))[None, :]
        along = total(rest * unit)
        return rest - along[:, None] * unit, along

    _, columns = lax.scan(step, vectors, jnp.arange(len(vectors)), unroll=4)
    return columns.T


def apart(h: Array) -> Array:
    """1 - cosine, h [batch, length, width]: of the last position and others of its example, else of it and other examples.

    The mean over these, as ‖a/‖a‖ - b/‖b‖‖² / 2, which loses no digits where vectors are nearly parallel.
    """
    others, one = (h[0, :-1], h[0, -1:]) if h.shape[1] > 1 else (h[1:, 0], h[:1, 0])
    units, unit = (vectors / jnp.sqrt(total(jnp.square(vectors)))[:, None] for vectors in (others, one))
    return total(total(jnp.square(units - unit))) / (2 * max(1, len(others)))
