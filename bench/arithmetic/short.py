"""Floats of fewer exponent bits than float32, such as float16: held in float32, each result rounded to their own digits.

A sum, product, quotient or root of two float16 numbers that is computed in float32 and then rounded is the one that float16
has (24 ≥ 2·11 + 2 digits), and a float32 need not be normalized after every operation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import ShapeDtypeStruct, lax
from jax.core import eval_jaxpr
from jax.extend.core import ClosedJaxpr, Jaxpr

from bench.arithmetic.meeting import entries
from bench.arithmetic.number import Extended
from bench.arithmetic.values import Plain, Scaled, Value, is_float

# what only moves numbers that have their digits already
MOVES = frozenset(
    name
    for line in (
        "abs broadcast_in_dim clamp concatenate copy copy_p cummax cummin dynamic_slice dynamic_update_slice expand_dims",
        "gather max min name neg optimization_barrier pad reduce_max reduce_min reshape rev scatter select_n sign slice",
        "sort split squeeze stop_gradient top_k transpose",
    )
    for name in line.split()
)


class Widened:
    """An equation with float32 in the place of all shorter ranges."""

    def __init__(self, equation: Any):
        self.primitive, self.invars, self.outvars = equation.primitive, equation.invars, equation.outvars
        self.params: Mapping[str, Any] = {name: _wide(value) for name, value in equation.params.items()}


@lru_cache
def is_short(dtype: Any) -> bool:
    """Whether its range is so short that mantissas would have to be normalized after every operation."""
    return bool(jnp.issubdtype(dtype, jnp.floating)) and jnp.finfo(dtype).maxexp < 128


def touches(equation: Any) -> bool:
    """Whether such a float goes in or comes out."""
    return any(is_short(getattr(atom.aval, "dtype", np.int32)) for atom in (*equation.invars, *equation.outvars))


def widened(array: Any) -> Any:
    """As float32, which holds all its numbers."""
    return array.astype(np.float32) if is_short(array.dtype) else array


def narrowed(atoms: Sequence[Any], arrays: Sequence[Any]) -> list[Any]:
    """Plain floats in the dtypes that the program gives them."""
    return [a.astype(v.aval.dtype) if is_short(v.aval.dtype) else a for v, a in zip(atoms, arrays, strict=True)]


def with_own_digits(equation: Any, results: Sequence[Value]) -> list[Value]:
    """Results rounded to as many bits as their formats have."""
    if equation.primitive.name in MOVES:
        return list(results)
    return [_rounded(r, v.aval.dtype) if is_float(r) else r for v, r in zip(equation.outvars, results, strict=True)]


def in_own_dtypes(atoms: Sequence[Any], results: Sequence[Any]) -> list[Any]:
    """As a user gets them: every entry with an exponent of its own, since few would fit under a common one."""

    def own(result: Any, dtype: Any) -> Any:
        if not isinstance(result, Extended) or not is_short(dtype):
            return result
        mantissa, exponent = entries(Scaled(result.mantissa, result.exponent))
        return Extended(mantissa.astype(dtype), exponent)

    return [own(result, atom.aval.dtype) for atom, result in zip(atoms, results, strict=True)]


def _rounded(value: Plain | Scaled, dtype: Any) -> Plain | Scaled:
    if not is_short(dtype):
        return value
    limits = jnp.finfo(jnp.float32)

    def digits(array: Any) -> Any:
        return lax.reduce_precision(array, exponent_bits=limits.nexp, mantissa_bits=jnp.finfo(dtype).nmant)

    if isinstance(value, Plain):
        return Plain(digits(value.array), value.bits)
    return Scaled(digits(value.mantissa), value.exponent, value.bits, value.honest)


def _wide(parameter: Any) -> Any:
    if isinstance(parameter, Jaxpr):  # how a scatter joins two numbers
        return _wide(ClosedJaxpr(parameter, ())).jaxpr
    if isinstance(parameter, ClosedJaxpr):
        wide = [ShapeDtypeStruct(v.aval.shape, _wide(v.aval.dtype)) for v in parameter.jaxpr.invars]
        return jax.make_jaxpr(lambda *values: eval_jaxpr(parameter.jaxpr, parameter.consts, *values))(*wide)
    return np.dtype(np.float32) if isinstance(parameter, np.dtype) and is_short(parameter) else parameter
