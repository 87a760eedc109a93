"""Functions of one number: their own rules where numbers are tiny or huge, plain floats between."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from bench.arithmetic.interpret import bind
from bench.arithmetic.meeting import by_blocks, chosen, entries
from bench.arithmetic.number import ZERO, normalize
from bench.arithmetic.values import (
    PLAIN,
    SETTLED,
    Plain,
    Scaled,
    Value,
    drifted,
    eased,
    is_float,
    literal,
    pick,
    real,
    scaled,
    settled,
)

# f(x) = slope · x where x² is below rounding, for functions with no term of second order; else where x is
ODD = {"tanh": 1.0, "sin": 1.0, "tan": 1.0, "asin": 1.0, "atan": 1.0, "sinh": 1.0, "asinh": 1.0, "atanh": 1.0}
ODD |= {"erf": 2 / math.sqrt(math.pi), "erf_inv": math.sqrt(math.pi) / 2}
SHIFTED = {"expm1": 1.0, "log1p": 1.0}
BOUNDED = ("tanh", "sin", "erf", "atan")  # by 2
LOG2_E = math.log2(math.e)
LN2_HIGH = float.fromhex("0x1.62ep-1")  # ln 2 in two parts, the first of so few bits that its multiples are exact
LN2_LOW = math.log(2) - LN2_HIGH


def linear_near_zero(context: Any, equation: Any, value: Value) -> list[Value]:
    """Functions with f(x) ≈ slope · x near zero: that where all are tiny, plain floats elsewhere."""
    del context
    name = equation.primitive.name
    value = settled(value)
    x = real(value)
    (plain,) = bind(equation, x)
    digits = (jnp.finfo(x.dtype).nmant + 2) // (2 if name in ODD else 1) + 2
    tiny = lax.lt(value.exponent, np.int32(-digits - SETTLED + 1))
    if value.below == math.inf:  # an infinity among what is tiny is not
        shared = tuple(axis for axis, length in enumerate(value.exponent.shape) if length == 1)
        tiny = tiny & jnp.all(lax.is_finite(value.mantissa), shared, keepdims=True)
    slope = (ODD | SHIFTED)[name]
    linear = value.mantissa if slope == 1 else value.mantissa * np.asarray(slope, value.mantissa.dtype)
    mantissa, exponent = pick(tiny, linear, plain), pick(tiny, value.exponent, np.int32(0))
    honest = name not in ("sin", "tan")  # of which the largest argument's value may be zero
    near = Scaled(mantissa, exponent, digits + 2 * SETTLED, honest, 1 if name in BOUNDED else math.inf)
    if name in ("log1p", "asinh", "expm1", "sinh"):
        return [chosen((x if name in SHIFTED else lax.abs(x)) > 80, [near, _far(name, value)])]
    near.__dict__["plain"] = plain
    return [near]


def _far(name: str, value: Scaled) -> Scaled:
    """What the functions without a bound are for large arguments: e^x, ln x, and half and twice these."""
    size = Scaled(lax.abs(value.mantissa), value.exponent, value.bits, value.honest)
    sign = lax.sign(value.mantissa)
    if name in ("log1p", "asinh"):
        far = logarithm(None, _LOG, size)[0]
        twice = np.asarray(math.log(2) if name == "asinh" else 0, sign.dtype)
        return Scaled(sign * (real(far) + twice), jnp.zeros_like(far.exponent), PLAIN + 1, honest=False)
    far = exponential(None, _EXP, size)[0]
    return Scaled(far.mantissa * sign, far.exponent - (1 if name == "sinh" else 0), far.bits, honest=False)


def exponential(context: Any, equation: Any, value: Value) -> list[Value]:
    """e^x or 2^x: the largest exponent of two is taken out before."""
    del context
    x = real(value)
    natural = equation.primitive.name == "exp"
    lowest, most = x.dtype.type(-np.inf), x.dtype.type(2.0**29)
    largest = jnp.max(pick(lax.is_finite(x), x, lowest), keepdims=True, initial=lowest)
    shift = lax.clamp(-most, lax.floor(largest * x.dtype.type(LOG2_E)) if natural else lax.floor(largest), most)
    (mantissa,) = bind(equation, _without(x, shift) if natural else x - shift)
    return [Scaled(mantissa, lax.convert_element_type(shift, np.int32), 1)]


def _without(x: Any, shift: Any) -> Any:
    """X - shift · ln 2."""
    return (x - shift * np.asarray(LN2_HIGH, x.dtype)) - shift * np.asarray(LN2_LOW, x.dtype)


def logarithm(context: Any, equation: Any, value: Value) -> list[Value]:
    """Ln x = ln(mantissa) + exponent · ln 2."""
    del context
    shape = equation.outvars[0].aval.shape if equation.outvars else None
    x = real(value)
    mantissa, exponent = entries(value, shape)
    (plain,), (digits,) = bind(equation, x), bind(equation, mantissa)
    power = jnp.where(exponent == ZERO, 0, exponent)
    far = digits + power.astype(digits.dtype) * np.asarray(math.log(2), digits.dtype)
    return [drifted(jnp.where(jnp.abs(power) < jnp.finfo(x.dtype).maxexp - 3, plain, far))]


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
    if isinstance(value, Plain) and value.bits * abs(k) <= PLAIN:
        return [Plain(bind(equation, value.array)[0], value.bits * abs(k))]
    if abs(k) > 8:  # beyond it mantissas themselves would leave the range
        return [_power(settled(value), np.asarray(k, scaled(value).mantissa.dtype))]
    if k > 0:
        value = settled(value)
        (mantissa,) = bind(equation, value.mantissa)
        exponent = jnp.where(value.exponent == ZERO, ZERO, jnp.clip(value.exponent, ZERO // k, -ZERO // k) * k)
        return [eased(Scaled(mantissa, exponent, 3 * k))]
    mantissa, exponent = entries(value)  # the smallest become the largest
    (mantissa,) = bind(equation, mantissa)
    exponent = jnp.where(exponent == ZERO, 0, jnp.clip(exponent, ZERO // -k, -ZERO // -k) * k)
    return [by_blocks(*normalize(mantissa, exponent), scaled(value).exponent.shape)]


def power(context: Any, equation: Any, value: Value, exponent: Value) -> list[Value]:
    """x^y for any y: 2^(y log₂|x|), with the sign that plain floats give."""
    del context
    base, power_of_base = entries(value, equation.outvars[0].aval.shape)
    return [_power(Scaled(base, power_of_base), real(exponent))]


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
    """1 / (1 + e^-x), which is e^x where that is below rounding for all entries."""
    del context
    x = real(value)
    (plain,) = bind(equation, x)
    largest = jnp.max(x, keepdims=True, initial=-np.inf)
    far = largest < -(least := 20 if jnp.finfo(x.dtype).nmant < 24 else 40)
    shift = lax.floor(lax.max(largest, x.dtype.type(-(2.0**29))) * x.dtype.type(LOG2_E))
    exponent = pick(far, lax.convert_element_type(shift, np.int32), np.int32(0))
    found = Scaled(pick(far, lax.exp(_without(x, shift)), plain), exponent, 2 * least, below=1)
    found.__dict__["plain"] = plain
    return [found]


class _Named:  # just enough of an equation to bind a function of one number
    def __init__(self, primitive: Any):
        self.primitive, self.params, self.outvars = primitive, {"accuracy": None}, ()


_EXP, _LOG = _Named(lax.exp_p), _Named(lax.log_p)


def same_size(context: Any, equation: Any, value: Value) -> list[Value]:
    """Functions that change no magnitude: negation, absolute values, copies."""
    del context
    if isinstance(value, Plain):
        return [Plain(bind(equation, value.array)[0], value.bits)]
    found = replace(value, mantissa=bind(equation, value.mantissa)[0])
    if equation.primitive.name == "neg":
        found.__dict__["negated"] = value
    return [found]


def rounded(context: Any, equation: Any, value: Value) -> list[Value]:
    """reduce_precision: mantissas of fewer bits; an exponent has no end."""
    del context
    value = settled(value)
    bits = {"exponent_bits": jnp.finfo(value.mantissa.dtype).nexp, "mantissa_bits": equation.params["mantissa_bits"]}
    return [Scaled(lax.reduce_precision(value.mantissa, **bits), value.exponent, 1)]


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
        if to_float and isinstance(value, np.ndarray):  # a number of the program, such as the 0 that pads
            return [literal(value.astype(equation.params["new_dtype"]))]
        (array,) = bind(equation, value)
        size = 0 if value.dtype == jnp.bool_ else 63 if jnp.dtype(value.dtype).itemsize == 8 else 32
        return [array if not to_float else Plain(array, size) if size <= 40 else drifted(array)]
    if not to_float:
        return bind(equation, real(value))
    if jnp.finfo(equation.params["new_dtype"]).maxexp < 128:  # so short a range that every entry needs its own exponent
        mantissa, exponent = entries(value)
        return [Scaled(bind(equation, mantissa)[0], exponent, 1)]
    if isinstance(value, Plain):
        return [Plain(bind(equation, value.array)[0], value.bits)]
    value = eased(settled(value) if value.bits > PLAIN else value)
    return [eased(Scaled(bind(equation, value.mantissa)[0], value.exponent, value.bits + 1, value.honest, part=value.part))]


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
    **dict.fromkeys(["neg", "abs", "copy", "copy_p", "name", "device_put", "stop_gradient", "reshard"], same_size),
    "reduce_precision": rounded,
    **dict.fromkeys(["sign", "is_finite"], of_mantissa),
    "convert_element_type": convert,
    "iota": created,
}
