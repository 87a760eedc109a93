"""Sums, and whatever compares: one exponent for all that meet."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental.xla_metadata import set_xla_metadata

from bench.arithmetic.bounds import ORDINARY
from bench.arithmetic.interpret import bind
from bench.arithmetic.meeting import aligned, comparable, entries, gathered
from bench.arithmetic.number import ZERO, normalize
from bench.arithmetic.values import (
    PLAIN,
    Plain,
    Scaled,
    Value,
    eased,
    has_no_size,
    has_part,
    highest,
    honest,
    is_float,
    is_huge,
    is_number,
    is_single,
    limit,
    real,
    root_of,
    scaled,
    settled,
    shared_over,
)

CANCELLED = 25  # powers of two that a difference of two floats may be below them, if it is not zero


def add(context: Any, equation: Any, a: Value, b: Value) -> list[Value]:
    """A + b or a - b."""
    del context
    if isinstance(a, Plain) and isinstance(b, Plain) and (bits := max(a.bits, b.bits) + CANCELLED) <= PLAIN:
        return [Plain(bind(equation, a.array, b.array)[0], bits)]
    if (is_number(a) or is_number(b)) and (bits := max(highest(a), highest(b)) + CANCELLED) <= PLAIN:
        return [Plain(bind(equation, real(a), real(b))[0], int(bits))]  # 1 - tanh(x): what is far below 1 is lost
    for one, other in ((a, b), (b, a)):
        if (factor := _factor(one, other)) is not None:
            return [_with_multiple(equation, one, factor, first=one is a)]
    if is_huge(a) or is_huge(b):  # an additive mask
        shape = equation.outvars[0].aval.shape
        a, b = (Scaled(*entries(value, shape)) for value in (a, b))
    mantissas, exponent, bits = gathered([a, b])
    below, root = max(highest(a), highest(b)) + 1, root_of([a, b])
    part = root is not None and has_part([a, b])
    return [eased(Scaled(bind(equation, *mantissas)[0], exponent, bits + 1, False, below, root, part))]


def _factor(one: Value, other: Value) -> Value | None:
    """The t with |t| of ordinary size of which the other is t times one."""
    factors = other.__dict__.get("product", ()) if isinstance(one, Scaled) else ()
    rest = [factor for factor in factors if factor is not one]
    return rest[0] if len(rest) == 1 and highest(rest[0]) <= ORDINARY else None


def _with_multiple(equation: Any, value: Plain | Scaled, factor: Value, *, first: bool) -> Scaled:
    """Value ± t · value: under the exponent of the value, since what is lost of a tiny t is below rounding."""
    value, bits = scaled(value), max(0, highest(factor)) + 1
    value = value if value.bits + bits <= limit(value.mantissa.dtype) else settled(value)
    multiple = value.mantissa * real(factor)
    mantissas = (value.mantissa, multiple) if first else (multiple, value.mantissa)
    return Scaled(bind(equation, *mantissas)[0], value.exponent, int(value.bits + bits), honest=False, part=value.part)


def extreme_of_two(context: Any, equation: Any, a: Value, b: Value) -> list[Value]:
    """Max and min, entry by entry."""
    del context
    return [_extreme_of_two(equation, equation.primitive.name, a, b)]


def _extreme_of_two(equation: Any, name: str, a: Value, b: Value) -> Value:
    function = lax.max if name == "max" else lax.min
    if isinstance(a, Plain) and isinstance(b, Plain):
        shape = equation.outvars[0].aval.shape
        return Plain(function(*(jnp.broadcast_to(v.array, shape) for v in (a, b))), max(a.bits, b.bits))
    x, y = map(jnp.asarray, comparable([a, b]))
    if has_no_size(scaled(a)) or has_no_size(scaled(b)):
        shape = equation.outvars[0].aval.shape
        sized = scaled(b) if has_no_size(scaled(a)) else scaled(a)
        exponent = jnp.reshape(sized.exponent, (1,) * len(shape)) if sized.exponent.ndim != len(shape) else sized.exponent
        return Scaled(function(*(jnp.broadcast_to(v, shape) for v in (x, y))), exponent, sized.bits, honest=False)
    first = (x >= y if name == "max" else x <= y) | jnp.isnan(x)
    (x, e), (y, f) = entries(a, first.shape), entries(b, first.shape)
    return Scaled(jnp.where(first, x, y), jnp.where(first, e, f))


def clamp(context: Any, equation: Any, low: Value, value: Value, high: Value) -> list[Value]:
    """Between two bounds."""
    del context
    return [_extreme_of_two(equation, "min", _extreme_of_two(equation, "max", value, low), high)]


def compare(context: Any, equation: Any, a: Value, b: Value) -> list[Value]:
    """Entry by entry a truth value."""
    del context
    return bind(equation, *comparable([a, b]))


def total(context: Any, equation: Any, value: Value) -> list[Value]:
    """Sums over axes."""
    if (positive := value.__dict__.get("negated")) is not None:  # one sum is negated in less time than all its terms
        (found,) = total(context, equation, positive)
        return [replace(found, mantissa=lax.sub(found.mantissa.dtype.type(0), found.mantissa))]  # of 0 it is 0, and not -0
    axes = equation.params["axes"]
    value = shared_over(value, axes)
    terms = math.prod(value.mantissa.shape[axis] for axis in axes)
    if terms == 1:
        mantissa = lax.squeeze(value.mantissa, axes)
    else:
        with set_xla_metadata(inlineable="false"):  # else what makes the terms is fused into a loop of one after the other
            mantissa = _summed(value.mantissa, axes)
    exponent, root = jnp.squeeze(value.exponent, axes), root_of([value]) if is_single(value) else None
    bits = value.bits + math.ceil(math.log2(max(terms, 1)))
    return [eased(Scaled(mantissa, exponent, bits, honest=value.honest and terms == 1, root=root, part=value.part))]


@partial(jax.jit, static_argnums=1)
def _summed(array: Any, axes: tuple[int, ...]) -> Any:
    return lax.reduce_sum(array, axes)


def extreme(context: Any, equation: Any, value: Value) -> list[Value]:
    """The largest or smallest over axes, or where it is."""
    del context
    axes = equation.params["axes"]
    if isinstance(value, Plain):
        return (
            [Plain(bind(equation, value.array)[0], value.bits)]
            if _is_float_result(equation)
            else bind(equation, value.array)
        )
    value = largest_block(scaled(value), axes, 1 if "max" in equation.primitive.name else -1)
    (mantissa,) = bind(equation, value.mantissa)
    if not _is_float_result(equation):
        return [mantissa]
    return [Scaled(mantissa, jnp.squeeze(value.exponent, axes), value.bits, honest=False, part=value.part)]


def largest_block(value: Scaled, axes: tuple[int, ...], sign: int) -> Scaled:
    """The same extreme with one exponent along these axes: of the largest positive entries, or of the smallest negative."""
    if all(value.exponent.shape[axis] == 1 for axis in axes):
        return value
    mantissa, entry = normalize(value.mantissa, jnp.broadcast_to(value.exponent, value.mantissa.shape))
    mantissa = mantissa * sign
    over = {"axis": axes, "keepdims": True}
    positive = jnp.max(jnp.where(mantissa > 0, entry, ZERO), **over)
    negative = jnp.min(jnp.where(mantissa < 0, entry, -ZERO), **over)
    exponent = jnp.where(jnp.any(mantissa > 0, **over), positive, negative)
    tops = jnp.where(mantissa == 0, mantissa, jnp.where(entry == exponent, mantissa, jnp.sign(mantissa) * 0.0))
    lost = (mantissa < 0) & (entry != exponent)
    found = jnp.where(lost, jnp.asarray(-4.0, mantissa.dtype), tops)
    exponent = jnp.where(exponent == -ZERO, ZERO, exponent)
    return Scaled(found * sign, exponent, honest=False)


def along(context: Any, equation: Any, value: Value) -> list[Value]:
    """Running sums and extremes along one axis."""
    del context
    axis = equation.params["axis"]
    value = shared_over(value, [axis])
    bits = math.ceil(math.log2(max(value.mantissa.shape[axis], 1)))
    return [eased(Scaled(bind(equation, value.mantissa)[0], value.exponent, value.bits + bits, False, part=value.part))]


def window(context: Any, equation: Any, *values: Value) -> list[Value]:
    """Sums and extremes over windows (pooling), and the gradients of these."""
    del context
    mantissas, exponent, bits = aligned(values)
    (mantissa,) = bind(equation, *mantissas)
    return [settled(Scaled(mantissa, exponent.reshape((1,) * mantissa.ndim), bits, honest=False))]


def sort(context: Any, equation: Any, *values: Value) -> list[Value]:
    """Sorted along one axis, several operands alike."""
    del context
    axis = equation.params["dimension"]
    found = [honest(shared_over(value, [axis])) if is_float(value) else value for value in values]
    keys = found[: equation.params["num_keys"]]
    if any(is_float(key) and key.exponent.size > 1 for key in keys) or len(found) > 1:
        found = [honest(shared_over(value)) if is_float(value) else value for value in found]
    results = bind(equation, *(value.mantissa if is_float(value) else value for value in found))
    return [Scaled(r, v.exponent, v.bits, v.honest) if is_float(v) else r for r, v in zip(results, found, strict=True)]


def top(context: Any, equation: Any, value: Value) -> list[Value]:
    """The largest of the last axis, and where they are."""
    del context
    axis = equation.params.get("axis", -1)
    value = shared_over(value, [axis % scaled(value).mantissa.ndim])
    values, where = bind(equation, value.mantissa)
    return [Scaled(values, value.exponent, value.bits, honest=False), where]


def argument(context: Any, equation: Any, value: Value) -> list[Value]:
    """Where along its axes it is largest or smallest."""
    del context
    return bind(equation, shared_over(value, equation.params["axes"]).mantissa)


def _is_float_result(equation: Any) -> bool:
    return jnp.issubdtype(equation.outvars[0].aval.dtype, jnp.floating)


WINDOWS = ["reduce_window_sum", "reduce_window_max", "reduce_window_min"]
RULES = {
    **dict.fromkeys(["add", "add_any", "sub"], add),
    **dict.fromkeys(["max", "min"], extreme_of_two),
    "clamp": clamp,
    **dict.fromkeys(["eq", "ne", "lt", "le", "gt", "ge", "eq_to", "lt_to", "le_to"], compare),
    "reduce_sum": total,
    **dict.fromkeys(["reduce_max", "reduce_min"], extreme),
    **dict.fromkeys(["argmax", "argmin"], argument),
    **dict.fromkeys(["cumsum", "cummax", "cummin"], along),
    **dict.fromkeys([*WINDOWS, "select_and_scatter_add", "select_and_gather_add"], window),
    "sort": sort,
    "top_k": top,
}
