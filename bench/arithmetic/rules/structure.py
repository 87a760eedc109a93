"""Primitives that move numbers and compute none."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from bench.arithmetic.interpret import bind
from bench.arithmetic.meeting import aligned, chosen, entries
from bench.arithmetic.number import ZERO
from bench.arithmetic.values import (
    SETTLED,
    Plain,
    Scaled,
    Value,
    eased,
    has_part,
    highest,
    honest,
    is_float,
    is_huge,
    is_nothing,
    is_single,
    real,
    root_of,
    scaled,
    settled,
    shared_over,
)

WHOLE = ["broadcast_in_dim", "expand_dims", "reshape", "rev", "squeeze", "transpose"]  # every number stays
PART = ["dynamic_slice", "gather", "slice"]


def move(context: Any, equation: Any, first: Value, *others: Value) -> list[Value]:
    """Every entry of the result is one of the first operand's; the others say which."""
    del context
    others = tuple(map(real, others))
    if not is_float(first):
        return bind(equation, first, *others)
    whole = equation.primitive.name in WHOLE
    if isinstance(first, Plain):
        return [Plain(bind(equation, first.array, *others)[0], first.bits, first.number and whole)]
    if is_single(first):
        (mantissa,) = bind(equation, first.mantissa, *others)
        exponent = first.exponent.reshape((1,) * mantissa.ndim)
        part = first.part or not whole
        return [Scaled(mantissa, exponent, first.bits, first.honest and whole, first.below, root_of([first]), part)]
    if equation.primitive.name == "slice":
        return [_slice(equation, first)]
    first = honest(first)
    if equation.primitive.name == "broadcast_in_dim":
        return [_broadcast(equation, first)]
    if equation.primitive.name == "transpose":
        order = equation.params["permutation"]
        return [
            Scaled(jnp.transpose(first.mantissa, order), jnp.transpose(first.exponent, order), first.bits, below=first.below)
        ]
    if equation.primitive.name == "squeeze":
        axes = equation.params["dimensions"]
        return [Scaled(jnp.squeeze(first.mantissa, axes), jnp.squeeze(first.exponent, axes), first.bits, below=first.below)]
    full = jnp.broadcast_to(first.exponent, first.mantissa.shape)
    (mantissa,), (exponent,) = (bind(equation, array, *others) for array in (first.mantissa, full))
    return [Scaled(mantissa, exponent, first.bits, False, first.below, part=not whole)]


def _broadcast(equation: Any, value: Scaled) -> Scaled:
    (mantissa,) = bind(equation, value.mantissa)
    shape = [1] * mantissa.ndim
    for axis, length in zip(equation.params["broadcast_dimensions"], value.exponent.shape, strict=True):
        shape[axis] = length
    return Scaled(mantissa, jnp.reshape(value.exponent, shape), value.bits, below=value.below)


def _slice(equation: Any, value: Scaled) -> Scaled:
    (mantissa,) = bind(equation, value.mantissa)
    parameters = equation.params
    strides = parameters["strides"] or (1,) * mantissa.ndim
    index = tuple(
        slice(None) if length == 1 else slice(start, stop, stride)
        for length, start, stop, stride in zip(
            value.exponent.shape, parameters["start_indices"], parameters["limit_indices"], strides, strict=True
        )
    )
    return Scaled(mantissa, value.exponent[index], value.bits, honest=False, below=value.below, part=True)


def concatenate(context: Any, equation: Any, *values: Value) -> list[Value]:
    """Side by side along one axis, each operand with its own exponents there; with one where that is all there is.

    So it is in a loop, which keeps one, and of parts of an array that has one.
    """
    if not is_float(values[0]):
        return bind(equation, *values)
    if all(isinstance(value, Plain) for value in values):
        return [Plain(bind(equation, *(v.array for v in values))[0], max(v.bits for v in values))]
    root = root_of(values)
    if context.whole or (root is not None and all(is_single(v) and v.bits <= SETTLED for v in map(scaled, values))):
        mantissas, exponent, bits = aligned(values)
        (mantissa,) = bind(equation, *mantissas)
        exponent, below = exponent.reshape((1,) * mantissa.ndim), max(map(highest, values))
        return [Scaled(mantissa, exponent, bits, root is None, below, root, root is not None and has_part(values))]
    axis = equation.params["dimension"]
    found = [scaled(value) for value in values]
    if all(is_nothing(part.exponent) and part.mantissa.shape[axis] == 1 for part in found):  # stacked, and then normalized
        mantissa = lax.optimization_barrier(bind(equation, *(part.mantissa for part in found))[0])  # stacked once for all
        blocks = tuple(len(found) if i == axis else 1 for i in range(mantissa.ndim))
        bits, below = max(part.bits for part in found), max(part.below for part in found)
        return [eased(Scaled(mantissa, np.zeros(blocks, np.int32), bits, honest=False, below=below))]
    parts = [honest(shared_over(value, [i for i in range(scaled(value).mantissa.ndim) if i != axis])) for value in values]
    exponents = []
    for part in parts:
        shape = [1] * part.mantissa.ndim
        shape[axis] = part.mantissa.shape[axis]
        exponents.append(jnp.broadcast_to(part.exponent, shape))
    (mantissa,) = bind(equation, *(part.mantissa for part in parts))
    below = max(part.below for part in parts)
    return [Scaled(mantissa, jnp.concatenate(exponents, axis), max(part.bits for part in parts), below=below)]


def split(context: Any, equation: Any, value: Value) -> list[Value]:
    """Into parts along one axis."""
    del context
    if not is_float(value):
        return bind(equation, value)
    if isinstance(value, Plain):
        return [Plain(part, value.bits) for part in bind(equation, value.array)]
    axis = equation.params["axis"]
    value = value if is_single(value) else honest(value)
    parts = bind(equation, value.mantissa)
    if value.exponent.shape[axis] == 1:
        return [Scaled(part, value.exponent, value.bits, False, value.below, root_of([value]), True) for part in parts]
    edges = np.cumsum(equation.params["sizes"])[:-1]
    return [
        Scaled(part, e, value.bits, False, value.below, part=True)
        for part, e in zip(parts, jnp.split(value.exponent, edges, axis), strict=True)
    ]


def assemble(context: Any, equation: Any, *values: Value) -> list[Value]:
    """Arrays of floats put into one another (pad, dynamic_update_slice, scatter), at positions that integers say."""
    del context
    floats = [value for value in values if is_float(value)]
    if not floats:
        return bind(equation, *values)
    mantissas, exponent, bits = aligned(floats)
    rest = iter(mantissas)
    (mantissa,) = bind(equation, *(next(rest) if is_float(value) else value for value in values))
    adds = equation.primitive.name in ("scatter-add", "scatter-sub")
    bits += math.ceil(math.log2(1 + floats[-1].mantissa.size)) if adds and isinstance(floats[-1], Scaled) else 1
    root = root_of(floats)
    part = root is not None and has_part(floats)
    return [eased(Scaled(mantissa, exponent.reshape((1,) * mantissa.ndim), bits, False, root=root, part=part))]


def select(context: Any, equation: Any, which: Value, *cases: Value) -> list[Value]:
    """Entry by entry one of the cases."""
    del context
    if not is_float(cases[0]):
        return bind(equation, which, *cases)
    if all(isinstance(case, Plain) for case in cases):
        return [Plain(bind(equation, which, *(c.array for c in cases))[0], max(c.bits for c in cases))]
    if not jnp.ndim(which) and equation.outvars[0].aval.ndim:
        return [_whole(which, [honest(shared_over(case)) for case in cases])]
    if any(map(is_huge, cases)) and jnp.ndim(which):
        return [_entry_by_entry(which, cases)]
    return [chosen(which, cases)]


def _whole(which: Any, cases: Any) -> Scaled:
    """One of the cases as it is."""
    mantissa, exponent = (
        lax.select_n(which, *parts) for parts in zip(*((c.mantissa, c.exponent) for c in cases), strict=True)
    )
    return Scaled(mantissa, exponent, max(case.bits for case in cases), below=max(case.below for case in cases))


def _entry_by_entry(which: Any, cases: Any) -> Scaled:
    """Every entry with the exponent of the case that it came from."""
    mantissas, exponents = zip(*(entries(case, which.shape) for case in cases), strict=True)
    return Scaled(lax.select_n(which, *mantissas), lax.select_n(which, *exponents))


def multiply_at(context: Any, equation: Any, operand: Value, where: Value, updates: Value) -> list[Value]:
    """scatter-mul: every entry with an exponent of its own, to which those of its factors are added."""
    del context
    mantissas, exponents = zip(entries(operand), entries(updates), strict=True)
    (mantissa,) = bind(equation, mantissas[0], where, mantissas[1])
    numbers = equation.params["dimension_numbers"]
    exponent = lax.scatter_add(exponents[0], where, exponents[1], numbers, mode=equation.params["mode"])
    return [settled(Scaled(mantissa, jnp.clip(exponent, ZERO, -ZERO), honest=False))]


RULES = {
    **dict.fromkeys(WHOLE + PART, move),
    "concatenate": concatenate,
    "split": split,
    **dict.fromkeys(
        ["dynamic_update_slice", "pad", "scatter", "scatter-add", "scatter-min", "scatter-max", "scatter-sub"], assemble
    ),
    "scatter-mul": multiply_at,
    "select_n": select,
}
