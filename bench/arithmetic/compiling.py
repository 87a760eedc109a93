"""Programs that are compiled for a few calls: with no more of the compiler's work than makes them faster."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, reduce
from operator import or_
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Literal

from bench.arithmetic.interpret import inner_programs

LEVEL = "xla_backend_optimization_level"  # every version has it
FEW = 2**9  # numbers of an array that a loop may change one after the other
PRODUCTS = ("conv_general_dilated", "dot_general")  # whose results are arrays of their own


def compiled(function: Callable[..., Any], equations: Iterable[Any] = (), alike: bool = False) -> Callable[..., Any]:
    """:func:`jax.jit` of a function that does what these equations do, and is not called within another.

    On CPUs LLVM's level 1, at which nothing here is slower, and fused kernels by XLA's older emitters, in half of the time
    and a small part of the memory that the newer ones take. Loops around a norm are slower with them by a tenth, around a
    softmax by up to two fifths. alike: whether many kernels are equal, which older ones write one by one, newer ones once.
    """
    others = {} if alike or changes_many(equations) else {"xla_cpu_use_fusion_emitters": False}
    return jax.jit(function, compiler_options=options_for(jax.default_backend(), level=1, **others))


def changes_many(equations: Iterable[Any]) -> bool:
    """Whether a loop among them, or in a program that they hold, adds to large arrays or changes them entry by entry.

    That is done in place, where kernels of the older emitters take one number after the other, an eighth of the speed.
    """
    return any(
        (equation.primitive.name in ("scan", "while") and any(v.aval.size > FEW for v in changed(equation)))
        or any(changes_many(getattr(program, "jaxpr", program).eqns) for program in inner_programs(equation))
        for equation in equations
    )


def changed(loop: Any) -> list[Any]:
    """Those arrays that a scan or a while loop carries and changes entry by entry."""
    scans = loop.primitive.name == "scan"
    body = loop.params["jaxpr" if scans else "body_jaxpr"].jaxpr
    first = loop.params["num_consts" if scans else "body_nconsts"]
    after = body.outvars[: loop.params["num_carry"]] if scans else body.outvars
    before = body.invars[first : first + len(after)]
    made_by = {variable: equation for equation in body.eqns for variable in equation.outvars}
    return [variable for variable, made in zip(before, after, strict=True) if variable in _entries_of(made, made_by)]


def _entries_of(variable: Any, made_by: dict[Any, Any]) -> set[Any]:
    """What an array is made of through arrays of its shape alone, and through no product of matrices."""
    found: set[Any] = set()
    left = [variable]
    while left:
        one = left.pop()
        if isinstance(one, Literal) or one in found or one.aval.shape != variable.aval.shape:
            continue
        found.add(one)
        if one in made_by and made_by[one].primitive.name not in PRODUCTS:
            left += made_by[one].invars
    return {one for one in found if one is not variable}


@cache
def option(name: str, value: str | bool | int) -> dict[str, str | bool | int]:
    """The compiler's option, nothing where this version has none of that name."""
    found = {name: value}
    try:
        jax.jit(jnp.negative, compiler_options=found).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:
        return {}
    return found


def options_for(platform: str, *, level: int, **others: str | bool | int) -> dict[str, Any]:
    """What a program for that platform is compiled with: on CPUs LLVM's level, and such others as this version has.

    The lower the level, which is 3 by default, the less the compiler does; at which one a program runs no slower is known
    where it is written. On other platforms nothing.
    """
    if platform != "cpu":
        return {}
    known = (option(name, value) for name, value in others.items())
    return reduce(or_, known, {LEVEL: level})
