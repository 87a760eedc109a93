"""What an interpreted program computes with: floats that cannot leave the range, and floats with an exponent beside.

Whatever is not a real float (integers, masks, keys, complex numbers) is itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bench.arithmetic.number import ZERO, Extended, normalize, power_of_two, times_power_of_two

NOMINAL = 20  # powers of two by which a product's largest entry is taken to be below the product of the largest
SETTLED = 2  # powers of two that count for nothing
PLAIN = 40  # powers of two that a float without an exponent may be away from 1


@partial(jax.tree_util.register_dataclass, data_fields=["array"], meta_fields=["bits"])
@dataclass(frozen=True)
class Plain:
    """Floats that are 0 or, in magnitude, within 2^±bits whatever the data."""

    array: Any
    bits: int


@partial(jax.tree_util.register_dataclass, data_fields=["mantissa", "exponent"], meta_fields=["bits", "honest"])
@dataclass(frozen=True)
class Scaled:
    """``mantissa · 2^exponent``, exponent as in :class:`Extended`.

    bits: powers of two by which the largest mantissa may be away from 1. honest: whether a block is exactly zero only where
    its exponent says so; without that, an exponent must not decide what is lost in a sum.
    """

    mantissa: Any
    exponent: Any
    bits: int = 0
    honest: bool = True


Value: TypeAlias = Any  # Plain, Scaled, or an array that is no real float


def is_float(value: Value) -> bool:
    """Whether it is a real float of either kind."""
    return isinstance(value, Plain | Scaled)


def limit(dtype: Any) -> int:
    """Powers of two that mantissas of this dtype may drift before they are normalized again."""
    return {jnp.dtype("float64"): 300, jnp.dtype("float16"): 0}.get(jnp.dtype(dtype), PLAIN)


def literal(array: Any) -> Value:
    """A constant of the program, whose size is known before it runs."""
    if not jnp.issubdtype(array.dtype, jnp.floating):
        return array
    size = np.abs(np.asarray(array, np.float64))
    used = size[size > 0]
    if not np.any(np.isfinite(used)):
        return Scaled(array, np.full((1,) * array.ndim, ZERO, np.int32))
    bits = int(np.ceil(np.max(np.abs(np.log2(used[np.isfinite(used)])))))
    return Plain(array, bits)


def drifted(array: Array) -> Scaled:
    """Floats of which nothing is known."""
    return settled(Scaled(array, jnp.zeros((1,) * array.ndim, jnp.int32), honest=False))


def scaled(value: Plain | Scaled) -> Scaled:
    """With an exponent beside it."""
    if isinstance(value, Scaled):
        return value
    array = value.array
    zeros = np.zeros((1,) * array.ndim, np.int32)
    return Scaled(array, zeros, value.bits, honest=array.ndim == 0 and isinstance(array, np.ndarray | np.generic))


def settled(value: Plain | Scaled) -> Scaled:
    """With the largest mantissa of every block in ±[1, 4), and the exponent of zero where all are zero."""
    value = scaled(value)
    if value.honest and value.bits <= SETTLED:
        return value
    if "again" not in value.__dict__:  # what is used twice is normalized once
        value.__dict__["again"] = Scaled(*normalize(jnp.asarray(value.mantissa), jnp.asarray(value.exponent)))
    return value.__dict__["again"]


def honest(value: Plain | Scaled) -> Scaled:
    """With exponents that may decide what is lost in a sum."""
    value = scaled(value)
    return value if value.honest and value.bits <= PLAIN else settled(value)


def eased(value: Scaled) -> Scaled:
    """Normalized again if it may have drifted too far."""
    return settled(value) if value.bits > limit(value.mantissa.dtype) else value


def real(value: Value) -> Any:
    """As ordinary floats, 0 or ±inf where they are out of range."""
    if isinstance(value, Plain):
        return value.array
    if isinstance(value, Scaled):
        return times_power_of_two(jnp.asarray(value.mantissa), jnp.asarray(value.exponent))
    return value


def public(value: Value) -> Any:
    """As a user gets it."""
    if not is_float(value):
        return value
    value = settled(value)
    return Extended(jnp.asarray(value.mantissa), jnp.asarray(value.exponent))


def is_single(value: Scaled) -> bool:
    """Whether one exponent serves the whole array."""
    return value.exponent.size == 1


def shared_over(value: Plain | Scaled, axes: Sequence[int] | None = None) -> Scaled:
    """With one exponent along these axes (all, by default), the largest."""
    value = scaled(value)
    axes = tuple(range(value.mantissa.ndim) if axes is None else axes)
    if all(value.exponent.shape[axis] == 1 for axis in axes):
        return value
    value = honest(value)
    exponent = jnp.max(value.exponent, axis=axes, keepdims=True)
    return Scaled(_below(value, exponent), exponent, value.bits, honest=True)


def aligned(values: Sequence[Plain | Scaled], *, single: bool = False) -> tuple[list[Any], Any, int]:
    """Mantissas of all values for one common exponent, that exponent, and the bits they may be away from 1.

    Shapes are equal, or those of scalars. single: with one exponent for each whole array, whose shapes may differ then.
    """
    found = [shared_over(value) if single else scaled(value) for value in values]
    if sum(not has_no_size(value) for value in found) > 1:
        found = [honest(value) for value in found]
    rank = max(value.mantissa.ndim for value in found)
    shape = next(value.mantissa.shape for value in found if value.mantissa.ndim == rank)
    own = [value.exponent if value.exponent.ndim == rank else jnp.reshape(value.exponent, (1,) * rank) for value in found]
    deciding = [exponent for value, exponent in zip(found, own, strict=True) if not has_no_size(value)] or own[:1]
    exponent = deciding[0]
    for other in deciding[1:]:
        exponent = exponent if other is exponent else jnp.maximum(exponent, other)
    mantissas = []
    for value, before in zip(found, own, strict=True):
        mantissa = value.mantissa
        if before is not exponent and not has_no_size(value):
            below = before - exponent
            if mantissa.ndim < rank and below.size > 1:
                mantissa = jnp.broadcast_to(mantissa, shape)
            factor = power_of_two(below if mantissa.ndim == rank else below.reshape(()), mantissa.dtype)
            mantissa = _lowered(mantissa, factor.reshape((1,) * mantissa.ndim) if single else factor)
        mantissas.append(mantissa)
    return mantissas, exponent, max(value.bits for value in found)


def has_no_size(value: Scaled) -> bool:
    """Whether it is zero or infinite by the program itself, whatever the data."""
    return isinstance(value.exponent, np.ndarray) and bool(np.all(value.exponent == ZERO))


def _lowered(mantissa: Any, factor: Array) -> Array:
    """Mantissa · factor, where a factor may be 0 and a mantissa infinite (masks)."""
    return jnp.where(jnp.isfinite(mantissa), mantissa * factor, mantissa)


def _below(value: Scaled, exponent: Array) -> Array:
    return _lowered(value.mantissa, power_of_two(value.exponent - exponent, value.mantissa.dtype))
