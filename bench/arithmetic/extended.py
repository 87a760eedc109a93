"""Numbers of any magnitude in ordinary floats: a mantissa, and a power of two kept aside.

Exponents are integers held as floats of the mantissa's dtype, exact up to 2^24 in float32 (magnitudes of 10^±5,050,445) and
rounded like any other number beyond. Multiplying by a power of two rounds nothing, so what is computed here has the
precision of the mantissa's dtype at every magnitude.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

Numbers: TypeAlias = Any  # a JAX array inside compiled code, a NumPy array on the host

LOG2_E = float(np.log2(np.e))
LARGEST_FLOAT_EXPONENT = 126  # 2^±126 is a normal float32
EXPONENT_OF_ZERO = -(2.0**100)  # below any other, so that a zero never sets the exponent of a sum


class Split(NamedTuple):
    """Numbers ``mantissa · 2^log2``; log2 has the mantissa's shape, or one entry for each row of it."""

    mantissa: Array
    log2: Array


def power_of_two(exponent: Array) -> Array:
    """2^exponent, exactly, for integers held as floats: 0 below the normal range, inf above it.

    The bits are set directly: :func:`jax.numpy.ldexp` and ``exp2`` go through a power function that is slower and may round.
    """
    limits = jnp.finfo(exponent.dtype)
    integer = jnp.dtype(f"int{limits.bits}")
    biased = jnp.clip(exponent + (limits.maxexp - 1), 0, 2 * limits.maxexp - 1)
    return lax.bitcast_convert_type(biased.astype(integer) << limits.nmant, exponent.dtype)


def exponent_of(value: Array) -> Array:
    """The e with 2^e ≤ |value| < 2^(e+1), as a float, for normal numbers; EXPONENT_OF_ZERO for 0 and what is below them."""
    limits = jnp.finfo(value.dtype)
    integer = jnp.dtype(f"int{limits.bits}")
    biased = (lax.bitcast_convert_type(jnp.abs(value), integer) >> limits.nmant).astype(value.dtype)
    return jnp.where(biased == 0, EXPONENT_OF_ZERO, biased - (limits.maxexp - 1))


def scale_by_power_of_two(value: Array, exponent: Array) -> Array:
    """``value · 2^exponent`` without rounding: value [..., width], exponent [...] integers held as floats."""
    return value * power_of_two(exponent)[..., None]


def split(value: Array) -> Split:
    """Each float as a mantissa in ±[1, 2) and its exponent."""
    exponent = exponent_of(value)
    return Split(value * power_of_two(-jnp.maximum(exponent, -LARGEST_FLOAT_EXPONENT)), exponent)


def share_exponent(numbers: Split) -> Split:
    """One integer exponent for each row, the largest in it: mantissa [..., width], log2 [...]."""
    largest = jnp.maximum(jnp.ceil(jnp.max(numbers.log2, axis=-1)), EXPONENT_OF_ZERO)
    # exp2 of far less can be NaN; and above 0 it is where a compiler that computes a huge log2 twice rounds it differently
    below = jnp.clip(numbers.log2 - largest[..., None], -2 * LARGEST_FLOAT_EXPONENT, 0)
    return Split(numbers.mantissa * jnp.exp2(below), largest)


def normalize(value: Array) -> tuple[Array, Array, Array]:
    """``(value / 2^r, ‖value‖ / 2^r, r)`` along the last axis, r such that the norm is in [1, 2).

    value: [..., width] of ordinary size, its squares within the float range. A zero row stays zero; its r is
    EXPONENT_OF_ZERO.
    """
    norm = jnp.sqrt(jnp.sum(jnp.square(value), axis=-1))
    exponent = exponent_of(norm)
    factor = power_of_two(-jnp.maximum(exponent, -LARGEST_FLOAT_EXPONENT))
    return value * factor[..., None], norm * factor, exponent


@jax.custom_vjp
def probe(value: Array, dummy: Array) -> Array:
    """The identity. Its cotangent g becomes g / 2^r with norm in [1, 2); that of ``dummy`` becomes (‖g‖ / 2^r, r).

    So the norms of all cotangents come out of :func:`jax.grad` as the gradient with respect to the dummies, and r is how
    much was taken out of the cotangent on its way. value: [rows, width]; dummy: [rows, 2], of any value.
    """
    del dummy
    return value


def _probe_forward(value: Array, dummy: Array) -> tuple[Array, None]:
    return probe(value, dummy), None


def _probe_backward(_: None, cotangent: Array) -> tuple[Array, Array]:
    normalized, norm, exponent = normalize(cotangent)
    return normalized, jnp.stack([norm, exponent], axis=-1)


probe.defvjp(_probe_forward, _probe_backward)
