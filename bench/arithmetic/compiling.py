"""Programs that are compiled for a few calls: with no more of the compiler's work than makes them faster."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, reduce
from operator import or_
from typing import Any

import jax
import jax.numpy as jnp

from bench.arithmetic.interpret import inner_programs

LEVEL = "xla_backend_optimization_level"  # every version has it


def compiled(function: Callable[..., Any], equations: Iterable[Any]) -> Callable[..., Any]:
    """:func:`jax.jit` of a function that does what these equations do, and is not called within another.

    On CPUs LLVM's level 1, at which nothing here is slower. Without a loop, fused kernels are written by XLA's older
    emitters, in two thirds of the time and half of the memory; loops would run slower with these, which also write kernels
    that are equal, as those of unrolled layers are, one after the other.
    """
    if jax.default_backend() != "cpu":
        return jax.jit(function)
    options = {} if has_loop(equations) else option("xla_cpu_use_fusion_emitters", False)
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 1} | options)


def has_loop(equations: Iterable[Any]) -> bool:
    """Whether there is one among them, or in a program that they hold."""
    return any(
        equation.primitive.name in ("scan", "while")
        or any(has_loop(getattr(program, "jaxpr", program).eqns) for program in inner_programs(equation))
        for equation in equations
    )


@cache
def option(name: str, value: str | bool) -> dict[str, str | bool]:
    """The compiler's option, nothing where this version has none of that name."""
    found = {name: value}
    try:
        jax.jit(jnp.negative, compiler_options=found).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:
        return {}
    return found


def options_for(platform: str, *, level: int, **others: str | bool) -> dict[str, Any]:
    """What a program for that platform is compiled with: on CPUs LLVM's level, and such others as this version has.

    The lower the level, which is 3 by default, the less the compiler does; at which one a program runs no slower is known
    where it is written. On other platforms nothing.
    """
    if platform != "cpu":
        return {}
    known = (option(name, value) for name, value in others.items())
    return reduce(or_, known, {LEVEL: level})
