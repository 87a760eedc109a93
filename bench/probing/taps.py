"""The sizes of signals on their way: of every product of data and weights, and of what comes back to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.extend.core import ClosedJaxpr, Literal

from bench.arithmetic.interpret import bind
from bench.probing.uses import Place, Product, subprogram

SUMS = 5  # that are tapped of each product
Dummies = Mapping[Place, tuple[Array, ...]]  # of every product: numbers whose gradients are what is measured


@jax.custom_vjp
def tap(value: Array, dummies: tuple[Array, ...]) -> Array:
    """The identity, which measures what comes back as the gradients of its dummies.

    Σ value², Σ cotangent², and how many entries of the cotangent are zero, are rounded to zero by their format, and are
    above its largest number.
    """
    del dummies
    return value


def _forward(value: Array, dummies: tuple[Array, ...]) -> tuple[Array, Array]:
    return tap(value, dummies), _squares(value)


def _backward(squares: Array, cotangent: Array) -> tuple[Array, tuple[Array, ...]]:
    limits, size = jnp.finfo(cotangent.dtype), jnp.abs(cotangent)
    zero = size == 0
    rounded = (size <= limits.smallest_subnormal) & ~zero
    counts = (jnp.sum(each.astype(squares.dtype)) for each in (zero, rounded, size > limits.max))
    return cotangent, (squares, _squares(cotangent), *counts)


tap.defvjp(_forward, _backward)


def _squares(value: Array) -> Array:
    return jnp.sum(jnp.square(value.astype(jnp.promote_types(value.dtype, jnp.float32))))


def dummies_of(products: Mapping[Place, Product]) -> dict[Place, tuple[Array, ...]]:
    """Zeros for every product, of which each scan around it takes a step."""

    def zeros(product: Product) -> Array:
        wide = jnp.promote_types(product.dtype, jnp.float32)
        return jnp.zeros(tuple(scan.length for scan in product.scans), wide)

    return {place: (zeros(product),) * SUMS for place, product in products.items()}


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
