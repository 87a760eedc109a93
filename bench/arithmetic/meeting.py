"""What becomes of exponents where numbers of several arrays meet: in sums, choices and comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from bench.arithmetic.number import ZERO, exponent_of_largest, normalize, power_of_two
from bench.arithmetic.values import Plain, Scaled, has_no_size, has_part, honest, lowered, pick, root_of, scaled, shared_over

APART = 60  # powers of two beyond which the smaller of two numbers cannot move the larger


def gathered(values: Sequence[Plain | Scaled], counting: Sequence[Any] | None = None) -> tuple[list[Any], Any, int]:
    """Mantissas of all values for one common exponent in every block, that exponent, and the bits they may be away from 1.

    The common exponent is that of the largest entry of all. Shapes are equal, or those of scalars. counting: which
    entries of each value are to be measured; the others may leave the range.
    """
    found = [scaled(value) for value in values]
    deciding = [value for value in found if not has_no_size(value)]
    if len(deciding) <= 1 or root_of(deciding) is not None:  # of one array and its parts, whatever their own size
        of = deciding[0] if deciding else found[0]
        rank = max(value.mantissa.ndim for value in found)
        exponent = of.exponent if of.exponent.ndim == rank else jnp.reshape(of.exponent, (1,) * rank)
        return [value.mantissa for value in found], exponent, max(value.bits for value in deciding or found)
    if counting is None:
        found = [value if has_no_size(value) else honest(value) for value in found]
        deciding = [value for value in found if not has_no_size(value)]
        factors, exponent = _by_exponents(*_shaped(deciding))
        bits = max(value.bits for value in deciding)
    else:
        used = [mask for value, mask in zip(found, counting, strict=True) if not has_no_size(value)]
        mantissas, exponents = _shaped(deciding)
        measured = [pick(mask, m, m.dtype.type(0)) for m, mask in zip(mantissas, used, strict=True)]
        factors, exponent = _by_entries(measured, exponents)
        bits = 1
    rest = iter(factors)
    return [value.mantissa if has_no_size(value) else _times(value.mantissa, next(rest)) for value in found], exponent, bits


def aligned(values: Sequence[Plain | Scaled]) -> tuple[list[Any], Any, int]:
    """Mantissas of all values, of any shapes, for one exponent, that exponent, and the bits they may be away from 1."""
    found = [shared_over(value) for value in values]
    deciding = [value for value in found if not has_no_size(value)] or found[:1]
    if root_of(deciding) is not None:
        return [v.mantissa for v in found], jnp.reshape(deciding[0].exponent, ()), max(value.bits for value in found)
    if len(deciding) > 1:
        found = [value if has_no_size(value) else honest(value) for value in found]
        deciding = [value for value in found if not has_no_size(value)]
    exponent = jnp.reshape(deciding[0].exponent, ())
    for other in deciding[1:]:
        exponent = jnp.maximum(exponent, jnp.reshape(other.exponent, ()))
    mantissas = [
        value.mantissa
        if has_no_size(value)
        else lowered(value.mantissa, power_of_two(jnp.reshape(value.exponent, ()) - exponent, value.mantissa.dtype))
        for value in found
    ]
    return mantissas, exponent, max(value.bits for value in found)


def _shaped(values: Sequence[Scaled]) -> tuple[list[Any], list[Any]]:
    """Mantissas and exponents, all of the highest rank."""
    rank = max(value.mantissa.ndim for value in values)
    full = [(1,) * (rank - value.mantissa.ndim) for value in values]
    return (
        [jnp.reshape(v.mantissa, more + v.mantissa.shape) for v, more in zip(values, full, strict=True)],
        [jnp.reshape(v.exponent, more + v.exponent.shape) for v, more in zip(values, full, strict=True)],
    )


def _by_exponents(mantissas: list[Any], exponents: list[Any]) -> tuple[list[Any], Any]:
    """Factors to the largest exponent."""
    exponent = exponents[0]
    for other in exponents[1:]:
        exponent = exponent if other is exponent else jnp.maximum(exponent, other)
    return [
        None if own is exponent else power_of_two(own - exponent, m.dtype)
        for m, own in zip(mantissas, exponents, strict=True)
    ], exponent


def _by_entries(mantissas: list[Array], exponents: list[Array]) -> tuple[list[Array], Array]:
    """Factors to the exponent of the largest entry of each block."""
    block = np.broadcast_shapes(*(exponent.shape for exponent in exponents))
    exponents = [jnp.broadcast_to(exponent, block) for exponent in exponents]
    largest = lax.full(block, np.int32(ZERO))
    for mantissa, exponent in zip(mantissas, exponents, strict=True):
        largest = lax.max(largest, exponent_of_largest(mantissa, exponent))
    factors = []
    for mantissa, exponent in zip(mantissas, exponents, strict=True):
        most = np.int32(jnp.finfo(mantissa.dtype).maxexp - 2)
        factors.append(power_of_two(lax.min(lax.sub(exponent, largest), most), mantissa.dtype))
    return factors, largest


def _times(mantissa: Any, factor: Any) -> Any:
    if factor is None:
        return mantissa
    if mantissa.ndim < factor.ndim and factor.size == 1:
        factor = factor.reshape((1,) * mantissa.ndim)
    return lowered(mantissa if mantissa.ndim == factor.ndim else jnp.reshape(mantissa, (1,) * factor.ndim), factor)


def entries(value: Plain | Scaled, shape: tuple[int, ...] | None = None) -> tuple[Array, Array]:
    """Every entry as a mantissa in ±[1, 2) and an exponent of its own."""
    value = scaled(value)
    mantissa, exponent = jnp.asarray(value.mantissa), jnp.asarray(value.exponent)
    if shape is not None and mantissa.ndim < len(shape):
        mantissa, exponent = (jnp.reshape(part, (1,) * len(shape)) for part in (mantissa, exponent))
    shape = mantissa.shape if shape is None else shape
    return normalize(jnp.broadcast_to(mantissa, shape), jnp.broadcast_to(exponent, shape))


def comparable(values: Sequence[Plain | Scaled]) -> list[Any]:
    """Floats that are ordered entry by entry as the values are."""
    plain = [value.array for value in values if isinstance(value, Plain)]
    if len(plain) == len(values):
        return plain
    if sum(not has_no_size(scaled(value)) for value in values) <= 1:
        return [scaled(value).mantissa for value in values]
    shape = np.broadcast_shapes(*(scaled(value).mantissa.shape for value in values))
    parts = [entries(value, shape) for value in values]
    largest = parts[0][1]
    for _, exponent in parts[1:]:
        largest = jnp.maximum(largest, exponent)
    apart = min(APART, jnp.finfo(parts[0][0].dtype).maxexp - 3)
    return [m * power_of_two(jnp.clip(e - largest, -apart, 0), m.dtype) for m, e in parts]


def chosen(which: Any, cases: Sequence[Plain | Scaled]) -> Scaled:
    """Entry by entry the case that is named: measured by those entries alone that are taken."""
    shape = np.broadcast_shapes(*(scaled(case).mantissa.shape for case in cases))
    whole = jnp.broadcast_to(which, shape)
    counting = [whole == jnp.asarray(i, whole.dtype) for i in range(len(cases))]
    mantissas, exponent, bits = gathered(cases, counting)
    return Scaled(
        lax.select_n(which, *(jnp.broadcast_to(m, shape) for m in mantissas)), exponent, bits, False, part=has_part(cases)
    )


def by_blocks(mantissa: Array, exponent: Array, block: tuple[int, ...]) -> Scaled:
    """Entries with exponents of their own as numbers with one exponent for every block."""
    axes = tuple(i for i, length in enumerate(block) if length == 1)
    largest = jnp.max(exponent, axes, keepdims=True, initial=ZERO)
    return Scaled(lowered(mantissa, power_of_two(exponent - largest, mantissa.dtype)), largest)
