"""The sizes of signals on their way: of every product of data and weights, and of what comes back to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.extend.core import ClosedJaxpr, Literal

from bench.arithmetic.interpret import bind
from bench.probing.uses import Place, Product, subprogram

Dummies = Mapping[Place, tuple[Any, ...]]  # of every product: numbers whose gradients are what is measured


@jax.custom_vjp
def tap(value: Array, dummies: tuple[Array, ...]) -> Array:
    """The identity, which measures what comes back as the gradients of its dummies.

    Σ value², Σ cotangent², how many entries of the cotangent are zero; of formats of less than 32 bits also how many are
    rounded to zero, and how many are above the largest number.
    """
    del dummies
    return value


def _forward(value: Array, dummies: tuple[Array, ...]) -> tuple[Array, Array]:
    return tap(value, dummies), _squares(value)


def _backward(squares: Array, cotangent: Array) -> tuple[Array, tuple[Array, ...]]:
    limits, size = jnp.finfo(cotangent.dtype), jnp.abs(cotangent)
    counted = [size == 0]
    if limits.bits < 32:
        counted += [(size <= limits.smallest_subnormal) & (size > 0), size > limits.max]
    counts = [jnp.sum(each.astype(squares.dtype)) for each in counted]
    return cotangent, (squares, _squares(cotangent), *counts)


tap.defvjp(_forward, _backward)


def _squares(value: Array) -> Array:
    return jnp.sum(jnp.square(value.astype(wide(value.dtype))))


def wide(dtype: Any) -> Any:
    """float32, and float64 for itself, whatever promotions are allowed."""
    return dtype if jnp.finfo(dtype).bits > 32 else jnp.float32


def sums_of(product: Product) -> int:
    """How many numbers are tapped of it."""
    return 5 if jnp.finfo(product.dtype).bits < 32 else 3


def dummies_of(products: Mapping[Place, Product]) -> dict[Place, tuple[Any, ...]]:
    """Zeros for every product, of which each scan around it takes a step."""

    def zeros(product: Product) -> Any:
        return np.zeros(tuple(scan.length for scan in product.scans), wide(product.dtype))  # compiles nothing

    return {place: (zeros(product),) * sums_of(product) for place, product in products.items()}


def run(program: ClosedJaxpr, values: Sequence[Any], dummies: Dummies, around: Place = ()) -> list[Any]:
    """The program's results, with a tap behind each product that has dummies."""
    jaxpr = program.jaxpr
    known = dict(zip([*jaxpr.invars, *jaxpr.constvars], [*values, *program.consts], strict=True))
    for number, equation in enumerate(jaxpr.eqns):
        place = (*around, number)
        inputs = [atom.val if isinstance(atom, Literal) else known[atom] for atom in equation.invars]
        inner = {at: given for at, given in dummies.items() if at[: len(place)] == place}
        known.update(zip(equation.outvars, _apply(equation, inputs, inner, place), strict=True))
    return [atom.val if isinstance(atom, Literal) else known[atom] for atom in jaxpr.outvars]


def _apply(equation: Any, inputs: list[Any], dummies: Dummies, place: Place) -> list[Any]:
    name, parameters = equation.primitive.name, equation.params
    if not dummies:
        return bind(equation, *inputs)
    if place in dummies:
        return [tap(bind(equation, *inputs)[0], dummies[place])]
    if name == "scan":
        return _scan(equation, inputs, dummies, place)
    program = subprogram(equation)
    assert program is not None, name
    if name in ("remat", "remat2", "checkpoint"):
        options = {"policy": parameters["policy"], "prevent_cse": parameters["prevent_cse"]}
        return jax.checkpoint(lambda values, given: run(program, values, given, place), **options)(inputs, dummies)
    return run(program, inputs, dummies, place)


def _scan(equation: Any, inputs: list[Any], dummies: Dummies, place: Place) -> list[Any]:
    parameters = equation.params
    consts, carries = parameters["num_consts"], parameters["num_carry"]

    def body(carry: list[Any], step: tuple[list[Any], Dummies]) -> tuple[list[Any], list[Any]]:
        results = run(parameters["jaxpr"], [*inputs[:consts], *carry, *step[0]], step[1], (*place, 0))
        return results[:carries], results[carries:]

    options = {name: parameters[name] for name in ("length", "reverse", "unroll")}
    start, steps = inputs[consts : consts + carries], (inputs[consts + carries :], dummies)
    last, stacked = lax.scan(body, start, steps, **options)
    return [*last, *stacked]
