"""Functions of one number: their own rules where numbers are tiny or huge, plain floats between."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from bench.arithmetic.interpret import bind
from bench.arithmetic.number import ZERO, normalize
from bench.arithmetic.values import Plain, Scaled, Value, drifted, eased, is_float, real, scaled, settled

# f(x) = slope · x where x² is below rounding, for functions with no term of second order; else where x is
ODD = {"tanh": 1.0, "sin": 1.0, "tan": 1.0, "asin": 1.0, "atan": 1.0, "sinh": 1.0, "asinh": 1.0, "atanh": 1.0}
ODD |= {"erf": 2 / math.sqrt(math.pi), "erf_inv": math.sqrt(math.pi) / 2}
SHIFTED = {"expm1": 1.0, "log1p": 1.0}
LOG2_E = math.log2(math.e)
LN2_HIGH = float.fromhex("0x1.62ep-1")  # ln 2 in two parts, the first of so few bits that its multiples are exact
LN2_LOW = math.log(2) - LN2_HIGH


def linear_near_zero(context: Any, equation: Any, value: Value) -> list[Value]:
    """Functions with f(x) ≈ slope · x near zero: that where all are tiny, plain floats elsewhere."""
    del context
    name = equation.primitive.name
    value = settled(value)
    order = 2 if name in ODD else 1
    tiny = value.exponent < -(jnp.finfo(value.mantissa.dtype).nmant + 2) // order - 2
    (plain,) = bind(equation, real(value))
    slope = np.asarray((ODD | SHIFTED)[name], value.mantissa.dtype)
    mantissa = jnp.where(tiny, value.mantissa * slope, plain)
    periodic = name in ("sin", "tan")  # of which the largest argument's value may be zero
    bits = jnp.finfo(mantissa.dtype).nmant // order + 4
    return [eased(Scaled(mantissa, jnp.where(tiny, value.exponent, 0), bits, honest=not periodic))]


def exponential(context: Any, equation: Any, value: Value) -> list[Value]:
    """e^x or 2^x: the largest exponent of two is taken out before."""
    del context
    x = real(value)
    dtype = x.dtype
    natural = equation.primitive.name == "exp"
    largest = jnp.max(jnp.where(jnp.isnan(x), -jnp.inf, x), keepdims=True, initial=-jnp.inf) if x.ndim else x
    shift = jnp.clip(jnp.floor(largest * (LOG2_E if natural else 1.0)), -(2.0**29), 2.0**29).astype(dtype)
    rest = (x - shift * np.asarray(LN2_HIGH, dtype)) - shift * np.asarray(LN2_LOW, dtype) if natural else x - shift
    (mantissa,) = bind(equation, rest)
    return [Scaled(mantissa, shift.astype(jnp.int32).reshape((1,) * mantissa.ndim), 1)]


def logarithm(context: Any, equation: Any, value: Value) -> list[Value]:
    """Ln x = ln(mantissa) + exponent · ln 2."""
    del context
    value = settled(value)
    (mantissa,) = bind(equation, value.mantissa)
    exponent = jnp.where(value.exponent == ZERO, 0, value.exponent).astype(mantissa.dtype)
    return [drifted(mantissa + exponent * np.asarray(math.log(2), mantissa.dtype))]


def root(context: Any, equation: Any, value: Value) -> list[Value]:
    """Square and cube roots, and their reciprocals."""
    del context
    name = equation.primitive.name
    value = settled(value)
    order = 3 if name == "cbrt" else 2
    whole = jnp.where(value.exponent == ZERO, ZERO // order, value.exponent // order)
    over = jnp.where(value.exponent == ZERO, 0, value.exponent - order * whole)
    mantissa = value.mantissa * jnp.asarray(2.0, value.mantissa.dtype) ** over.astype(value.mantissa.dtype)
    (mantissa,) = bind(equation, mantissa)
    exponent = jnp.where(value.exponent == ZERO, 0 if name == "rsqrt" else ZERO, -whole if name == "rsqrt" else whole)
    if name != "rsqrt":
        return [Scaled(mantissa, exponent, 2)]
    return [settled(Scaled(mantissa, exponent, honest=False))]


def integer_power(context: Any, equation: Any, value: Value) -> list[Value]:
    """x^k for an integer k."""
    del context
    k = 2 if equation.primitive.name == "square" else equation.params["y"]
    if isinstance(value, Plain) and value.bits * abs(k) <= 40:
        return [Plain(bind(equation, value.array)[0], value.bits * abs(k))]
    value = settled(value)
    if abs(k) > 8:  # beyond it mantissas themselves would leave the range
        return [_power(value, np.asarray(k, value.mantissa.dtype))]
    (mantissa,) = bind(equation, value.mantissa)
    exponent = jnp.where(value.exponent == ZERO, ZERO if k > 0 else 0, jnp.maximum(value.exponent * k, ZERO))
    if k > 0:
        return [eased(Scaled(mantissa, exponent, 3 * k))]
    return [settled(Scaled(mantissa, exponent, honest=False))]


def power(context: Any, equation: Any, value: Value, exponent: Value) -> list[Value]:
    """x^y for any y: 2^(y log₂|x|), with the sign that plain floats give."""
    del context, equation
    return [_power(settled(value), real(exponent))]


def _power(value: Scaled, y: Any) -> Scaled:
    dtype = value.mantissa.dtype
    y = jnp.asarray(y, dtype)
    entry = jnp.broadcast_to(value.exponent, value.mantissa.shape)
    mantissa, entry = normalize(value.mantissa, entry)
    whole = entry.astype(dtype) * y
    shift = jnp.floor(whole)
    result = lax.pow(mantissa, jnp.broadcast_to(y, mantissa.shape)) * jnp.exp2(whole - shift)
    zero = entry == ZERO
    shift = jnp.where(zero, 0, jnp.clip(shift, -(2.0**29), 2.0**29)).astype(jnp.int32)
    return eased(Scaled(*normalize(jnp.where(zero, lax.pow(mantissa, jnp.broadcast_to(y, mantissa.shape)), result), shift)))


def logistic(context: Any, equation: Any, value: Value) -> list[Value]:
    """1 / (1 + e^-x), which is e^x where that is below rounding."""
    x = real(value)
    low = jnp.max(x, initial=-jnp.inf) < -40.0 * (2 if x.dtype == jnp.float64 else 1)
    (plain,) = bind(equation, x)
    (tail,) = exponential(context, _Named("exp"), Scaled(x, jnp.zeros((1,) * x.ndim, jnp.int32)))
    mantissa = jnp.where(low, tail.mantissa, plain)
    return [settled(Scaled(mantissa, jnp.where(low, tail.exponent, 0), honest=False))]


class _Named:
    """Just enough of an equation to bind lax.exp."""

    def __init__(self, name: str):
        self.primitive, self.params = lax.exp_p if name == "exp" else lax.exp2_p, {"accuracy": None}


def same_size(context: Any, equation: Any, value: Value) -> list[Value]:
    """Functions that change no magnitude: negation, absolute values, copies."""
    del context
    if isinstance(value, Plain):
        return [Plain(bind(equation, value.array)[0], value.bits)]
    return [Scaled(bind(equation, value.mantissa)[0], value.exponent, value.bits, value.honest)]


def of_mantissa(context: Any, equation: Any, value: Value) -> list[Value]:
    """What a mantissa tells: signs, and whether it is finite."""
    del context
    results = bind(equation, scaled(value).mantissa)
    return [Plain(r, 0) if jnp.issubdtype(r.dtype, jnp.floating) else r for r in results]


def convert(context: Any, equation: Any, value: Value) -> list[Value]:
    """Between dtypes: of a float the mantissa is rounded; integers and masks are floats of known size."""
    del context
    to_float = jnp.issubdtype(equation.params["new_dtype"], jnp.floating)
    if not is_float(value):
        (array,) = bind(equation, value)
        size = 0 if value.dtype == jnp.bool_ else 63 if jnp.dtype(value.dtype).itemsize == 8 else 32
        return [array if not to_float else Plain(array, size) if size <= 40 else drifted(array)]
    if not to_float:
        return bind(equation, real(value))
    if isinstance(value, Plain) and jnp.finfo(equation.params["new_dtype"]).bits >= 16:
        return (
            [Plain(bind(equation, value.array)[0], value.bits)]
            if jnp.finfo(equation.params["new_dtype"]).maxexp > 16
            else [drifted(bind(equation, value.array)[0])]
        )
    value = settled(value)
    return [Scaled(bind(equation, value.mantissa)[0], value.exponent, 1)]


def created(context: Any, equation: Any, *values: Value) -> list[Value]:
    """Counts."""
    del context
    (array,) = bind(equation, *values)
    return [Plain(array, 32) if jnp.issubdtype(array.dtype, jnp.floating) else array]


RULES = {
    **dict.fromkeys([*ODD, *SHIFTED], linear_near_zero),
    **dict.fromkeys(["exp", "exp2"], exponential),
    "log": logarithm,
    "logistic": logistic,
    **dict.fromkeys(["sqrt", "rsqrt", "cbrt"], root),
    **dict.fromkeys(["integer_pow", "square"], integer_power),
    "pow": power,
    **dict.fromkeys(["neg", "abs", "copy", "copy_p", "reduce_precision", "stop_gradient"], same_size),
    **dict.fromkeys(["sign", "is_finite"], of_mantissa),
    "convert_element_type": convert,
    "iota": created,
}
