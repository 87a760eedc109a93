"""What an interpreted program computes with: floats that cannot leave the range, and floats with an exponent beside.

Whatever is not a real float (integers, masks, keys, complex numbers) is itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from bench.arithmetic.number import ZERO, Extended, normalize, power_of_two, times_power_of_two

NOMINAL = 20  # powers of two by which a product's largest entry is taken to be below the product of the largest
SETTLED = 2  # powers of two that count for nothing
SPARE = 23  # powers of two of the range that no mantissa is to drift into
MOST_BITS = 1100  # more than any float is away from 1
PLAIN = 40  # powers of two that a float without an exponent may be away from 1


@partial(jax.tree_util.register_dataclass, data_fields=["array"], meta_fields=["bits", "number"])
@dataclass(frozen=True)
class Plain:
    """Floats that are 0 or, in magnitude, within 2^±bits whatever the data; number: whether all are one that is not 0."""

    array: Any
    bits: int
    number: bool = False


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["mantissa", "exponent"],
    meta_fields=["bits", "honest", "below"],
    drop_fields=["root", "part"],
)
@dataclass(frozen=True)
class Scaled:
    """``mantissa · 2^exponent``, exponent as in :class:`Extended`.

    bits: powers of two by which the largest mantissa may be away from 1. honest: whether a block is exactly zero only where
    its exponent says so; without that, an exponent must not decide what is lost in a sum. below: the power of two that no
    number, mantissa and exponent, reaches whatever the data. root: where one exponent serves the whole array, the one that
    it has the value of, if it is another by its shape alone. part: whether it is made of parts of an array, all of which may
    be smaller than ``bits`` says; then it is not honest either.
    """

    mantissa: Any
    exponent: Any
    bits: int = 0
    honest: bool = True
    below: float = math.inf
    root: Any = None
    part: bool = False


@partial(jax.tree_util.register_dataclass, data_fields=["array"], meta_fields=["bits", "below"])
@dataclass
class Bare:
    """Floats without an exponent where programs meet: as an argument, or as what a scan reads."""

    array: Any
    bits: int = MOST_BITS
    below: float = math.inf


Value: TypeAlias = Any  # Plain, Scaled, or an array that is no real float


def is_float(value: Value) -> bool:
    """Whether it is a real float of either kind."""
    return isinstance(value, Plain | Scaled)


def limit(dtype: Any) -> int:
    """Powers of two that mantissas of this dtype may drift before they are normalized again."""
    return max(0, int(jnp.finfo(dtype).maxexp) - SPARE)


def literal(array: Any) -> Value:
    """A constant of the program, whose size is known before it runs."""
    if not jnp.issubdtype(array.dtype, jnp.floating):
        return array
    size = np.abs(np.asarray(array, np.float64))
    used = size[size > 0]
    if not np.any(np.isfinite(used)):
        return Scaled(array, np.full((1,) * array.ndim, ZERO, np.int32))
    bits = int(np.ceil(np.max(np.abs(np.log2(used[np.isfinite(used)])))))
    return Plain(array, bits, number=array.ndim == 0)


def clothed(value: Value) -> Value:
    """What is bare with an exponent of 0 beside it."""
    if not isinstance(value, Bare):
        return value
    return Scaled(value.array, np.zeros((1,) * value.array.ndim, np.int32), value.bits, honest=False, below=value.below)


def drifted(array: Array) -> Scaled:
    """Floats of which nothing is known."""
    return settled(Scaled(array, jnp.zeros((1,) * array.ndim, jnp.int32), honest=False))


def scaled(value: Plain | Scaled) -> Scaled:
    """With an exponent beside it."""
    if isinstance(value, Scaled):
        return value
    array = value.array
    if value.bits > PLAIN and array.ndim:  # the -2.4e38 of masks: nothing must be measured by it
        return Scaled(*normalize(jnp.asarray(array), jnp.zeros(array.shape, jnp.int32)))
    zeros = np.zeros((1,) * array.ndim, np.int32)
    return Scaled(array, zeros, value.bits, value.number, value.bits + 1)


def settled(value: Plain | Scaled) -> Scaled:
    """With the largest mantissa of every block within a factor of 4 of ±1, and the exponent of zero where all are zero."""
    value = scaled(value)
    if value.honest and value.bits <= SETTLED:
        return value
    if "again" not in value.__dict__:  # what is used twice is normalized once
        mantissa, exponent = normalize(jnp.asarray(value.mantissa), jnp.asarray(value.exponent))
        value.__dict__["again"] = Scaled(mantissa, exponent, below=value.below)
    return value.__dict__["again"]


def honest(value: Plain | Scaled) -> Scaled:
    """With exponents that may decide what is lost in a sum."""
    value = scaled(value)
    return value if value.honest and value.bits <= PLAIN else settled(value)


def eased(value: Scaled) -> Scaled:
    """Normalized again if it may have drifted too far."""
    return settled(value) if value.bits > limit(value.mantissa.dtype) else value


def fitting(a: Scaled, b: Scaled, more: int) -> tuple[Scaled, Scaled]:
    """Both such that a product stays within the range, which may be 2^±more away from that of their largest."""
    a, b = (settled(value) if value.part and more else value for value in (a, b))
    room = limit(a.mantissa.dtype) - more
    if a.bits + b.bits > room:
        a, b = (settled(a), b) if a.bits >= b.bits else (a, settled(b))
    return (a, b) if a.bits + b.bits <= room else (settled(a), settled(b))


def real(value: Value) -> Any:
    """As ordinary floats, 0 or ±inf where they are out of range."""
    if isinstance(value, Plain):
        return value.array
    if not isinstance(value, Scaled):
        return value
    if "plain" not in value.__dict__:
        nothing = is_nothing(value.exponent)
        mantissa = jnp.asarray(value.mantissa)
        value.__dict__["plain"] = mantissa if nothing else times_power_of_two(mantissa, jnp.asarray(value.exponent))
    return value.__dict__["plain"]


def public(value: Value) -> Any:
    """As a user gets it."""
    if not is_float(value):
        return value
    return extended(settled(value))


def extended(value: Scaled) -> Extended:
    """Settled numbers as a user gets them."""
    return Extended(*(x if isinstance(x, Array) else jnp.asarray(x) for x in (value.mantissa, value.exponent)))


def is_number(value: Value) -> bool:
    """Whether it is one number of known size, so that it moves no entry against another."""
    return isinstance(value, Plain) and scaled(value).honest


def highest(value: Plain | Scaled) -> float:
    """The power of two that no entry reaches, as far as is known."""
    return value.bits + 1 if isinstance(value, Plain) else value.below


def is_huge(value: Value) -> bool:
    """Whether it is a constant that may stand for infinity, such as the -2.4e38 of attention's masks."""
    if not isinstance(value, Plain) or value.bits <= PLAIN:
        return False
    return not isinstance(value.array, np.ndarray | np.generic) or bool(np.any(np.abs(value.array) > 1))


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
    exponent = jnp.max(value.exponent, axis=axes, keepdims=True, initial=ZERO)
    return Scaled(_below(value, exponent), exponent, value.bits, below=value.below)


def has_no_size(value: Scaled) -> bool:
    """Whether it is zero or infinite by the program itself, whatever the data."""
    return isinstance(value.exponent, np.ndarray) and bool(np.all(value.exponent == ZERO))


def root_of(values: Sequence[Plain | Scaled]) -> Any:
    """The exponent that all have, but those without a size, by the program itself, as parts and sums of one array have.

    None where there is no such one.
    """
    roots = [v.exponent if v.root is None else v.root for v in map(scaled, values) if not has_no_size(v)]
    return roots[0] if roots and all(root is roots[0] for root in roots) else None


def has_part(values: Sequence[Plain | Scaled]) -> bool:
    """Whether one of them is made of parts."""
    return any(isinstance(value, Scaled) and value.part for value in values)


def is_nothing(exponent: Any) -> bool:
    """Whether it is zero by the program itself."""
    return isinstance(exponent, np.ndarray) and not exponent.any()


def lowered(mantissa: Any, factor: Array) -> Array:
    """Mantissa · factor, where a factor may be 0 and a mantissa infinite (masks)."""
    return pick(lax.is_finite(mantissa), mantissa * factor, mantissa)


def pick(which: Any, yes: Any, no: Any) -> Any:
    """``jnp.where`` of one dtype, which is a program of its own wherever it is called."""
    shape = np.broadcast_shapes(*map(jnp.shape, (which, yes, no)))
    return lax.select(*(jnp.broadcast_to(part, shape) for part in (which, yes, no)))


def _below(value: Scaled, exponent: Array) -> Array:
    return lowered(value.mantissa, power_of_two(value.exponent - exponent, value.mantissa.dtype))
