"""Any JAX function as a shorter number format computes it: every result of every primitive is rounded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bench.arithmetic.formats import FORMATS, Format
from bench.arithmetic.interpret import Arithmetic, bind
from bench.arithmetic.pieces import Program
from bench.arithmetic.rolled import unrolled
from bench.arithmetic.rules import control
from bench.arithmetic.scaling import round_scaled
from bench.arithmetic.short import MOVES
from bench.settings.errors import SweepError

CAST = "rounded_operand"  # the name of a program within a program that rounds by itself


class Rounding(Arithmetic):
    """Plain floats, each result rounded to a format, with powers of two beside as :func:`round_scaled` has them."""

    def __init__(self, to: Format, scaling: str = "none"):
        self.to, self.scaling = to, scaling

    def apply(self, equation: Any, values: list[Any]) -> list[Any]:
        """The primitive in its own floats (products accumulate in them), then rounded."""
        name = equation.primitive.name
        if name == "jit" and equation.params["name"] == CAST:
            return bind(equation, *values)
        if name in control.RULES:
            return control.RULES[name](self, equation, *values)
        results = bind(equation, *values)
        return results if name in MOVES else [self.rounded(result) for result in results]

    def constant(self, array: Any) -> Any:
        """Rounded like the rest."""
        return self.rounded(array)

    def literal(self, array: np.ndarray) -> Any:
        """Rounded like the rest; the infinity of a mask or of an empty maximum stays, whatever the format."""
        return array if array.ndim == 0 and np.isinf(array) else self.rounded(array)

    def rounded(self, array: Any) -> Any:
        """Floats rounded; whatever else there is as it is."""
        if not jnp.issubdtype(jnp.result_type(array), jnp.floating):
            return array
        return round_scaled(jnp.asarray(array), self.to, self.scaling)


def rounded(function: Callable[..., Any], to: str) -> Callable[..., Any]:
    """``function`` as it would be if all its floats were of the format ``to``.

    The result has the same arguments and returns the same tree, in the floats that it had, each a number of the format. Its
    arguments and constants are rounded, and so is the result of every primitive: what underflows is zero, what overflows is
    infinite (or NaN, or the largest number, as the format has it). Products accumulate in the program's own floats and
    are rounded once, as hardware does it. It is an ordinary JAX function: jit it, vmap it.

        gradients = bench.rounded(jax.grad(loss), "float16")(params, batch)

    Raises :class:`bench.SweepError` for an unknown format.
    """
    if to not in FORMATS:
        raise SweepError("to", to, f"one of {', '.join(FORMATS)}")
    arithmetic = Rounding(FORMATS[to])
    run = interpreted(function, arithmetic)

    @wraps(function)
    def in_short_floats(*arguments: Any, **keywords: Any) -> Any:
        arguments, keywords = jax.tree.map(arithmetic.rounded, (arguments, keywords))
        return run(*arguments, **keywords)

    return in_short_floats


def interpreted(function: Callable[..., Any], arithmetic: Arithmetic) -> Callable[..., Any]:
    """``function`` of plain arrays in another arithmetic, its arguments as they are."""
    traced: dict[Any, tuple[Program, Any]] = {}

    def run(*arguments: Any, **keywords: Any) -> Any:
        flat, tree = jax.tree.flatten((arguments, keywords))
        values: Sequence[Array] = [jnp.asarray(leaf) if not hasattr(leaf, "dtype") else leaf for leaf in flat]
        shapes = [jax.typeof(leaf) for leaf in values]
        key = tree, tuple(shapes)
        if key not in traced:
            arguments, keywords = jax.tree.unflatten(tree, shapes)
            program, results = jax.make_jaxpr(function, return_shape=True)(*arguments, **keywords)
            traced[key] = Program(arithmetic, unrolled(program)), jax.tree.structure(results)
        program, results = traced[key]
        return jax.tree.unflatten(results, program(values))

    return run
