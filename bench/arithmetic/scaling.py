"""Numbers of 8 and 4 bits with a power of two beside them: one for a whole array, or one for every block of 32 (MX)."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from bench.arithmetic.formats import Format, round_to
from bench.arithmetic.number import binary_exponent, power_of_two

SCALINGS = ("none", "tensor", "mx")
BLOCK = 32  # numbers that share a scale (OCP Microscaling Formats 1.0, section 5.2)
LARGEST_SHIFT = 126  # of a scale, an E8M0 number, without the one that float32 has only as a subnormal


def round_scaled(numbers: Array, to: Format, scaling: str, axis: int = -1) -> Array:
    """Numbers divided by a power of two, rounded to the format, and multiplied again, where they are floats.

    none: as they are. tensor: by the smallest power of two that brings all of the array into the format's range. mx: every
    32 along ``axis`` by 2^(⌊log₂ max⌋ - ⌊log₂ largest⌋), as the OCP Microscaling specification has it (section 6.3); what is
    then above the largest number becomes the largest. Infinities and NaN stay as they are. Short floats are rounded as
    float32.
    """
    if jnp.finfo(numbers.dtype).bits < 32:
        return round_scaled(numbers.astype(jnp.float32), to, scaling, axis).astype(numbers.dtype)
    if scaling == "none" or numbers.size == 0:
        return round_to(numbers, to)
    size = jnp.where(jnp.isfinite(numbers), jnp.abs(numbers), jnp.zeros_like(numbers))
    if scaling == "mx" and numbers.ndim:
        blocks = _blocks(size, axis)
        shift = jnp.repeat(_shift(jnp.max(blocks, axis=-1), to, saturate=True), BLOCK, axis=-1)
        shift = jnp.moveaxis(shift[..., : numbers.shape[axis]], -1, axis)
    else:
        shift = _shift(jnp.max(size), to, saturate=scaling == "mx")
    down = jnp.broadcast_to(power_of_two(-shift, numbers.dtype), numbers.shape)
    up = jnp.broadcast_to(power_of_two(shift, numbers.dtype), numbers.shape)
    rounded = round_to(numbers * down, to._replace(beyond=to.largest)) * up
    return jnp.where(jnp.isfinite(numbers), rounded, numbers)


def _blocks(size: Array, axis: int) -> Array:
    """[…, blocks, 32] along an axis that becomes the last ones; zeros fill the last block."""
    size = jnp.moveaxis(size, axis, -1)
    missing = -size.shape[-1] % BLOCK
    size = jnp.pad(size, [(0, 0)] * (size.ndim - 1) + [(0, missing)])
    return size.reshape(*size.shape[:-1], -1, BLOCK)


def _shift(largest: Array, to: Format, *, saturate: bool) -> Array:
    """log₂ of the scale of what has this largest entry; 0 where that is zero."""
    mantissa, power = math.frexp(to.largest)
    exponent = binary_exponent(largest)
    shift = exponent - np.int32(power - 1)
    if not saturate:
        above = largest * power_of_two(-exponent, largest.dtype) > 2 * mantissa
        shift = shift + above.astype(jnp.int32)
    shift = jnp.where(largest > 0, shift, jnp.zeros_like(shift))
    return lax.clamp(np.int32(-LARGEST_SHIFT), shift, np.int32(LARGEST_SHIFT))
