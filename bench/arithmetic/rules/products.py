"""Products: mantissas by the primitive itself, exponents add."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from bench.arithmetic.interpret import bind
from bench.arithmetic.meeting import by_blocks, entries
from bench.arithmetic.number import ZERO, normalize
from bench.arithmetic.values import (
    NOMINAL,
    PLAIN,
    Plain,
    Scaled,
    Value,
    eased,
    is_huge,
    is_single,
    scaled,
    settled,
    shared_over,
)


def multiply(context: Any, equation: Any, a: Value, b: Value) -> list[Value]:
    """A · b, entry by entry."""
    del context
    if isinstance(a, Plain) and isinstance(b, Plain) and a.bits + b.bits <= PLAIN:
        return [Plain(bind(equation, a.array, b.array)[0], a.bits + b.bits)]
    if is_huge(a) or is_huge(b):  # a mask that is computed
        shape = equation.outvars[0].aval.shape
        (a, e), (b, f) = entries(a, shape), entries(b, shape)
        return [Scaled(*normalize(bind(equation, a, b)[0], _sum(e, f)))]
    known = _is_factor(a) or _is_factor(b)
    a, b = eased(scaled(a)), eased(scaled(b))
    exponent = _sum(*_joined(a, b))
    (mantissa,) = bind(equation, a.mantissa, b.mantissa)
    bits = a.bits + b.bits + (0 if known else NOMINAL)
    return [eased(Scaled(mantissa, exponent, bits, honest=known and a.honest and b.honest))]


def divide(context: Any, equation: Any, a: Value, b: Value) -> list[Value]:
    """A / b, entry by entry."""
    del context
    if _is_factor(b):
        a, b = eased(scaled(a)), scaled(b)
        (mantissa,) = bind(equation, a.mantissa, b.mantissa)
        top, bottom = _joined(a, b)
        exponent = jnp.where(top == ZERO, ZERO, top - jnp.where(bottom == ZERO, 0, bottom))
        return [eased(Scaled(mantissa, exponent, a.bits + b.bits, a.honest))]
    a = eased(scaled(a))
    divisor, power = entries(b)  # the smallest divisors make the largest quotients
    (mantissa,) = bind(equation, a.mantissa, divisor)
    rank = max(a.exponent.ndim, power.ndim)
    top, bottom = (e if e.ndim == rank else e.reshape((1,) * rank) for e in (a.exponent, jnp.where(power == ZERO, 0, power)))
    exponent = jnp.clip(jnp.where(top == ZERO, ZERO, top - bottom), ZERO, -ZERO)
    if bottom.size == 1:
        return [eased(Scaled(mantissa, exponent, a.bits + 1, a.honest))]
    block = np.broadcast_shapes(top.shape, scaled(b).exponent.shape)
    mantissa, exponent = normalize(mantissa, jnp.broadcast_to(exponent, mantissa.shape))
    return [by_blocks(mantissa, exponent, block)]


def contract(context: Any, equation: Any, a: Value, b: Value) -> list[Value]:
    """dot_general: one exponent along what is summed over; batch and free axes may keep several."""
    del context
    (over_a, over_b), (batch_a, batch_b) = equation.params["dimension_numbers"]
    a, b = eased(shared_over(a, over_a)), eased(shared_over(b, over_b))
    (mantissa,) = bind(equation, a.mantissa, b.mantissa)
    if is_single(a) and is_single(b):
        exponent = _sum(*(value.exponent.reshape((1,) * mantissa.ndim) for value in (a, b)))
    else:
        free_a, free_b = a.mantissa.ndim - len(over_a) - len(batch_a), b.mantissa.ndim - len(over_b) - len(batch_b)
        left = _arranged(a, batch_a, over_a)
        right = _arranged(b, batch_b, over_b)
        left = left.reshape(left.shape + (1,) * free_b)
        right = right.reshape(right.shape[: len(batch_b)] + (1,) * free_a + right.shape[len(batch_b) :])
        exponent = _sum(left, right)
    terms = math.prod(a.mantissa.shape[axis] for axis in over_a)
    bits = a.bits + b.bits + NOMINAL + math.ceil(math.log2(max(terms, 1)))
    return [eased(Scaled(mantissa, exponent, bits, honest=False))]


def convolve(context: Any, equation: Any, a: Value, b: Value) -> list[Value]:
    """A convolution of any kind."""
    del context
    a, b = eased(shared_over(a)), eased(shared_over(b))
    (mantissa,) = bind(equation, a.mantissa, b.mantissa)
    exponent = _sum(a.exponent.reshape((1,) * mantissa.ndim), b.exponent.reshape((1,) * mantissa.ndim))
    return [settled(Scaled(mantissa, exponent, honest=False))]


def _is_factor(value: Value) -> bool:
    """Whether it is one number of known size, so that it moves no entry against another."""
    return isinstance(value, Plain) and scaled(value).honest


def _joined(a: Scaled, b: Scaled) -> tuple[Any, Any]:
    rank = max(a.exponent.ndim, b.exponent.ndim)
    return tuple(e if e.ndim == rank else e.reshape((1,) * rank) for e in (a.exponent, b.exponent))  # ty: ignore


def _sum(a: Any, b: Any) -> Any:
    return jnp.clip(a + b, ZERO, -ZERO)


def _arranged(value: Scaled, batch: Any, over: Any) -> Any:
    """Its exponents as dot_general arranges what is left of an operand: batch axes, then free ones."""
    free = [axis for axis in range(value.mantissa.ndim) if axis not in (*batch, *over)]
    return jnp.squeeze(jnp.transpose(value.exponent, (*batch, *free, *over)), tuple(range(-len(over), 0)) if over else ())


RULES = {"mul": multiply, "div": divide, "dot_general": contract, "conv_general_dilated": convolve}
