"""Programs within programs: calls, scans, loops and branches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import ClosedJaxpr

from bench.arithmetic.bounds import ORDINARY
from bench.arithmetic.values import (
    Bare,
    Scaled,
    Value,
    clothed,
    highest,
    is_float,
    is_nothing,
    is_single,
    limit,
    settled,
    shared_over,
)


def call(context: Any, equation: Any, *values: Value) -> list[Value]:
    """What is only wrapped is opened."""
    parameters = equation.params
    program = parameters.get("jaxpr", parameters.get("call_jaxpr", parameters.get("fun_jaxpr")))
    return context.run(closed(program), values)


def remat(context: Any, equation: Any, *values: Value) -> list[Value]:
    """Computed again where it is asked for again: the compiler must not join it with the first time."""
    if equation.params.get("differentiated") and equation.params.get("prevent_cse"):
        return context.run(closed(equation.params["jaxpr"]), fenced(values))
    return context.run(closed(equation.params["jaxpr"]), values)


def fenced(values: Any) -> list[Value]:
    """Values that the compiler cannot see through."""
    return lax.optimization_barrier(list(values))


def closed(program: Any) -> Any:
    """A program with its constants."""
    return program if hasattr(program, "consts") else ClosedJaxpr(program, ())


def single(value: Value) -> Value:
    """As loops carry it and branches return it: floats with one exponent for each array."""
    if not is_float(value):
        return value
    value = settled(shared_over(value))
    return Scaled(jnp.asarray(value.mantissa), jnp.asarray(value.exponent, jnp.int32))


def scan(context: Any, equation: Any, *values: Value) -> list[Value]:
    """A scan whose carry holds exponents; what it stacks has one exponent a step."""
    parameters = equation.params
    constants, carries = parameters["num_consts"], parameters["num_carry"]
    consts = values[:constants]
    start = values[constants : constants + carries]
    steps = [stepwise(value, parameters["length"]) for value in values[constants + carries :]]

    context = context.in_loops()

    def turn(carry: list[Value], inputs: list[Value]) -> list[Value]:
        return context.run(parameters["jaxpr"], [*map(fresh, consts), *carry, *map(clothed, inputs)])

    one_step = jax.tree.map(lambda array: jax.ShapeDtypeStruct(array.shape[1:], array.dtype), steps)
    once = jax.eval_shape(turn, [*map(single, start)], one_step)[:carries] if any(map(is_float, start)) else start

    def carried(values: Sequence[Value]) -> list[Value]:
        return [_bounded(*each) for each in zip(values, start, once, strict=True)]

    def body(carry: list[Value], inputs: list[Value]) -> tuple[list[Value], list[Value]]:
        results = turn(carry, inputs)
        return carried(results[:carries]), [*map(stackable, results[carries:])]

    options = {name: parameters[name] for name in ("length", "reverse", "unroll")}
    last, stacked = lax.scan(body, carried(start), steps, **options)
    return [*last, *stacked]


def _bounded(value: Value, start: Value, once: Value) -> Value:
    """As a scan carries it, after any number of turns: no larger than its start, or than a turn makes it of anything.

    What a turn makes of ordinary size is not normalized again.
    """
    if not is_float(start):
        return value
    ordinary = isinstance(once, Scaled) and once.honest and once.bits <= ORDINARY and is_single(once)
    value = shared_over(value)
    value = value if ordinary and value.honest and value.bits <= ORDINARY else single(value)
    bits, below = ORDINARY if ordinary else 0, max(highest(start), highest(once))
    return Scaled(jnp.asarray(value.mantissa), jnp.asarray(value.exponent, jnp.int32), bits, below=below)


def fresh(value: Value) -> Value:
    """The same value inside of another program, which must not leave its own arrays with it."""
    return replace(value) if isinstance(value, Scaled) else value


def stackable(value: Value) -> Value:
    """As every step of a scan returns it."""
    return settled(value) if isinstance(value, Scaled) and value.part else value


def stepwise(value: Value, length: int) -> Value:
    """What a scan reads: every step with exponents of its own."""
    if not isinstance(value, Scaled):
        return value
    if is_nothing(value.exponent) and len(value.exponent) == length and value.bits <= limit(value.mantissa.dtype):
        return Bare(value.mantissa, value.bits, value.below)
    exponent = jnp.broadcast_to(value.exponent, (length, *value.exponent.shape[1:]))
    steps = replace(value, mantissa=jnp.asarray(value.mantissa), exponent=exponent, root=None)
    return steps if len(value.exponent) == length else settled(replace(steps, honest=False))


def loop(context: Any, equation: Any, *values: Value) -> list[Value]:
    """while_loop and fori_loop, forward."""
    parameters = equation.params
    tests, bodies = parameters["cond_nconsts"], parameters["body_nconsts"]
    of_test, of_body = values[:tests], values[tests : tests + bodies]

    context = context.in_loops()

    def test(carry: list[Value]) -> Any:
        return context.run(parameters["cond_jaxpr"], [*map(fresh, of_test), *carry])[0]

    def body(carry: list[Value]) -> list[Value]:
        return [single(value) for value in context.run(parameters["body_jaxpr"], [*map(fresh, of_body), *carry])]

    return lax.while_loop(test, body, [single(value) for value in values[tests + bodies :]])


def branch(context: Any, equation: Any, index: Value, *values: Value) -> list[Value]:
    """One of several programs."""

    def taken(program: Any) -> Any:
        return lambda *operands: [single(value) for value in context.run(closed(program), operands)]

    programs = [taken(program) for program in equation.params["branches"]]
    return lax.switch(jnp.asarray(index, jnp.int32), programs, *values)


def barrier(context: Any, equation: Any, *values: Value) -> list[Value]:
    """Values that the compiler must not look behind."""
    del context, equation
    return fenced(values)


CALLS = """jit pjit closed_call core_call custom_jvp_call custom_vjp_call custom_vjp_call_jaxpr"""
RULES = {
    **dict.fromkeys(CALLS.split(), call),
    **dict.fromkeys(["remat", "remat2", "checkpoint"], remat),
    "scan": scan,
    "while": loop,
    "cond": branch,
    "optimization_barrier": barrier,
}
