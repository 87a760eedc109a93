"""Products: mantissas by the primitive itself, exponents add."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from bench.arithmetic.interpret import bind
from bench.arithmetic.meeting import by_blocks, entries
from bench.arithmetic.number import ZERO, at_least_float32, normalize
from bench.arithmetic.values import (
    NOMINAL,
    PLAIN,
    Plain,
    Scaled,
    Value,
    drifted,
    eased,
    fitting,
    has_part,
    is_float,
    is_huge,
    is_nothing,
    is_number,
    is_single,
    pick,
    root_of,
    scaled,
    settled,
    shared_over,
)

FEW = 8  # terms of a sum of products that are added one after the other
SMALL = 2**12  # such sums in one result: of many the primitive takes less time


def multiply(context: Any, equation: Any, a: Value, b: Value) -> list[Value]:
    """A · b, entry by entry."""
    del context
    if isinstance(a, Plain) and isinstance(b, Plain) and a.bits + b.bits <= PLAIN:
        return [Plain(bind(equation, a.array, b.array)[0], a.bits + b.bits)]
    if is_huge(a) or is_huge(b):  # a mask that is computed
        shape = equation.outvars[0].aval.shape
        (a, e), (b, f) = entries(a, shape), entries(b, shape)
        return [Scaled(*normalize(bind(equation, a, b)[0], _sum(e, f)))]
    known, factors = is_number(a) or is_number(b), (a, b)
    a, b = fitting(scaled(a), scaled(b), more := 0 if known else NOMINAL)
    exponent = _sum(*_joined(a, b))
    (mantissa,) = bind(equation, a.mantissa, b.mantissa)
    whole, bits = known and a.honest and b.honest, a.bits + b.bits + more
    found = Scaled(mantissa, exponent, bits, whole, a.below + b.below, _same_root(a, b), has_part([a, b]))
    found.__dict__["product"] = factors
    return [found]


def divide(context: Any, equation: Any, a: Value, b: Value) -> list[Value]:
    """A / b, entry by entry."""
    del context
    if is_number(b):
        a, b = fitting(scaled(a), scaled(b), 0)
        (mantissa,) = bind(equation, a.mantissa, b.mantissa)
        top, bottom = _joined(a, b)
        exponent = top if is_nothing(bottom) else pick(top == ZERO, top, top - pick(bottom == ZERO, np.int32(0), bottom))
        return [Scaled(mantissa, exponent, a.bits + b.bits, a.honest, root=_same_root(a, b), part=a.part)]
    a = eased(scaled(a))
    divisor, power = entries(b)  # the smallest divisors make the largest quotients
    (mantissa,) = bind(equation, a.mantissa, divisor)
    rank = max(a.exponent.ndim, power.ndim)
    top, bottom = (e if e.ndim == rank else e.reshape((1,) * rank) for e in (a.exponent, jnp.where(power == ZERO, 0, power)))
    exponent = jnp.clip(jnp.where(top == ZERO, ZERO, top - bottom), ZERO, -ZERO)
    if bottom.size == 1:
        return [eased(Scaled(mantissa, exponent, a.bits + 1, a.honest, part=a.part))]
    block = np.broadcast_shapes(top.shape, scaled(b).exponent.shape)
    return [by_blocks(*normalize(mantissa, exponent), block)]


def contract(context: Any, equation: Any, a: Value, b: Value) -> list[Value]:
    """dot_general: one exponent along what is summed over; batch and free axes may keep several."""
    del context
    dtype = equation.outvars[0].aval.dtype
    a, b = (value if is_float(value) else drifted(value.astype(dtype)) for value in (a, b))
    (over_a, over_b), (batch_a, batch_b) = equation.params["dimension_numbers"]
    a, b = shared_over(a, over_a), shared_over(b, over_b)
    terms = math.prod(a.mantissa.shape[axis] for axis in over_a)
    a, b = fitting(a, b, more := NOMINAL + math.ceil(math.log2(max(terms, 1))))
    mantissa = _contracted(equation, a.mantissa, b.mantissa, terms)
    if is_single(a) and is_single(b):
        exponent = _sum(*(value.exponent.reshape((1,) * mantissa.ndim) for value in (a, b)))
    else:
        free_a, free_b = a.mantissa.ndim - len(over_a) - len(batch_a), b.mantissa.ndim - len(over_b) - len(batch_b)
        left = _arranged(a, batch_a, over_a)
        right = _arranged(b, batch_b, over_b)
        left = left.reshape(left.shape + (1,) * free_b)
        right = right.reshape(right.shape[: len(batch_b)] + (1,) * free_a + right.shape[len(batch_b) :])
        exponent = _sum(left, right)
    return [Scaled(mantissa, exponent, a.bits + b.bits + more, honest=False, below=a.below + b.below + more - NOMINAL)]


def _contracted(equation: Any, a: Any, b: Any, terms: int) -> Any:
    """The primitive itself; but few terms as they lie, which it would move to where it wants them."""
    (over_a, over_b), (batch_a, batch_b) = equation.params["dimension_numbers"]
    result, precision = equation.outvars[0].aval, equation.params["precision"]
    full = precision in (None, (lax.Precision.HIGHEST,) * 2)
    full &= at_least_float32(a.dtype) == b.dtype == result.dtype  # shorter floats are added in float32
    if not full or len(over_a) != 1 or not 0 < terms <= FEW or result.size > SMALL:
        return bind(equation, a, b)[0]
    shared = range(1 + len(batch_a))
    a, b = jnp.moveaxis(a, (*over_a, *batch_a), shared), jnp.moveaxis(b, (*over_b, *batch_b), shared)
    free = a.ndim - len(shared)
    a = a.reshape(a.shape + (1,) * (b.ndim - len(shared)))
    b = jnp.expand_dims(b, tuple(range(len(shared), len(shared) + free)))
    return reduce(lax.add, [a[term] * b[term] for term in range(terms)])


def convolve(context: Any, equation: Any, a: Value, b: Value) -> list[Value]:
    """A convolution of any kind."""
    del context
    a, b = shared_over(a), shared_over(b)
    terms = min(a.mantissa.size, b.mantissa.size)
    a, b = fitting(a, b, more := NOMINAL + math.ceil(math.log2(max(terms, 1))))
    (mantissa,) = bind(equation, a.mantissa, b.mantissa)
    exponent = _sum(a.exponent.reshape((1,) * mantissa.ndim), b.exponent.reshape((1,) * mantissa.ndim))
    return [Scaled(mantissa, exponent, a.bits + b.bits + more, honest=False, below=a.below + b.below + more - NOMINAL)]


def accumulate(context: Any, equation: Any, value: Value) -> list[Value]:
    """Products along one axis, every entry with an exponent of its own."""
    del context
    value = settled(value)
    axis = equation.params.get("axis", equation.params.get("axes", (0,)))
    reverse = equation.params.get("reverse", False)
    exponent = jnp.broadcast_to(value.exponent, value.mantissa.shape)
    mantissa, exponent = normalize(value.mantissa, exponent)

    def times(a: tuple, b: tuple) -> tuple:
        return normalize(a[0] * b[0], jnp.maximum(a[1], -(2**29)) + jnp.maximum(b[1], -(2**29)))

    if isinstance(axis, int):
        return [Scaled(*lax.associative_scan(times, (mantissa, exponent), reverse=reverse, axis=axis))]
    for one in sorted(axis, reverse=True):
        if mantissa.shape[one] == 0:
            mantissa, exponent = (
                jnp.ones_like(mantissa, shape=_without(mantissa.shape, one)),
                jnp.zeros(_without(mantissa.shape, one), jnp.int32),
            )
            continue
        products = lax.associative_scan(times, (mantissa, exponent), axis=one)
        mantissa, exponent = (lax.index_in_dim(part, -1, one, keepdims=False) for part in products)
    return [Scaled(mantissa, exponent)]


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return shape[:axis] + shape[axis + 1 :]


def _same_root(a: Scaled, b: Scaled) -> Any:
    """Of the one whose exponent a product has, if the other has none."""
    sized = [value for value in (a, b) if not is_nothing(value.exponent)]
    return root_of(sized) if len(sized) == 1 and is_single(sized[0]) else None


def _joined(a: Scaled, b: Scaled) -> tuple[Any, Any]:
    rank = max(a.exponent.ndim, b.exponent.ndim)
    return tuple(e if e.ndim == rank else e.reshape((1,) * rank) for e in (a.exponent, b.exponent))  # ty: ignore


def _sum(a: Any, b: Any) -> Any:
    if is_nothing(a) or is_nothing(b):
        return jnp.broadcast_to(b if is_nothing(a) else a, np.broadcast_shapes(a.shape, b.shape))
    return lax.clamp(np.int32(ZERO), jnp.asarray(a + b), np.int32(-ZERO))


def _arranged(value: Scaled, batch: Any, over: Any) -> Any:
    """Its exponents as dot_general arranges what is left of an operand: batch axes, then free ones."""
    free = [axis for axis in range(value.mantissa.ndim) if axis not in (*batch, *over)]
    return jnp.squeeze(jnp.transpose(value.exponent, (*batch, *free, *over)), tuple(range(-len(over), 0)) if over else ())


RULES = {
    "mul": multiply,
    "div": divide,
    "dot_general": contract,
    "conv_general_dilated": convolve,
    **dict.fromkeys(["cumprod", "reduce_prod"], accumulate),
}
