"""Whether the backward passes that a program brings with it are linear in their cotangent, as derivatives are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr
from jax.extend.source_info_util import summarize

from bench.arithmetic.interpret import bind, inner_programs
from bench.arithmetic.number import Extended
from bench.settings.errors import SweepError

CHOICES = ("refuse", "evaluate")
FAR = 200  # powers of two by which a cotangent is scaled: beyond any threshold that a clip may have
APART = 2.0**-4  # of the largest entry: more than rounding in any format, less than what a clip or a sign does
GRADIENTS = frozenset(made.__code__ for made in (jax.grad(abs), jax.value_and_grad(abs), jax.jacrev(abs)))

Pullback = Callable[[Sequence[Any], Sequence[Any]], list[Any]]  # (inputs, cotangents) → their pullback
InExtended = Callable[[Pullback], Callable[..., list[Extended]]]


def check_choice(nonlinear: str) -> None:
    """Raises SweepError for what is neither ``refuse`` nor ``evaluate``."""
    if nonlinear not in CHOICES:
        raise SweepError("nonlinear", nonlinear, f"one of {', '.join(CHOICES)}")


def check_pullbacks(program: ClosedJaxpr, in_extended: InExtended) -> None:
    """Raises SweepError for the first ``custom_vjp`` whose backward pass is not linear, by its name and line.

    It is run as floats without an end on random numbers: a cotangent times -2^±200 must come out times -2^±200, and the sum
    of two as the sum of both. in_extended: :func:`bench.unbounded`.
    """
    seen: set[str] = set()
    for equation in _own_rules(program):
        pullback, inputs, cotangents = _pullback(equation)
        if not cotangents or not any(map(_is_float, inputs)):
            continue
        text = str(jax.make_jaxpr(pullback)(inputs, cotangents))
        with jax.ensure_compile_time_eval():
            linear = text in seen or _is_linear(in_extended(pullback), inputs, cotangents)
        if not linear:
            raise SweepError(
                "nonlinear",
                f"{_name(equation)} at {summarize(equation.source_info)}",
                "a custom_vjp whose backward pass is linear in its cotangent: what clips or takes signs has no gradient; "
                "nonlinear='evaluate' measures what it returns",
            )
        seen.add(text)


def differentiated(function: Any) -> Any:
    """The function of which ``function`` is the gradient, by ``jax.grad`` or the like; None where JAX does not tell."""
    found = False
    while hasattr(function, "__wrapped__"):
        found = found or getattr(function, "__code__", None) in GRADIENTS
        function = function.__wrapped__
    return function if found else None


def _own_rules(program: Any) -> Iterator[Any]:
    for equation in getattr(program, "jaxpr", program).eqns:
        if equation.primitive.name.startswith("custom_vjp_call"):
            yield equation
        else:
            for inner in inner_programs(equation):
                yield from _own_rules(inner)


def _name(equation: Any) -> str:
    program = getattr(equation.params.get("call_jaxpr"), "jaxpr", None)
    return str(getattr(getattr(program, "debug_info", None), "func_name", "a custom_vjp"))


def _pullback(equation: Any) -> tuple[Pullback, list[Any], list[Any]]:
    """The equation's backward pass, and random inputs and cotangents for it."""
    draw = np.random.default_rng(0)
    inputs = [_drawn(draw, each.aval) for each in equation.invars]
    cotangents = [_drawn(draw, each.aval) for each in equation.outvars if _is_float(each.aval)]
    smooth = [i for i, each in enumerate(inputs) if _is_float(each)]

    def pullback(inputs: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        def forward(floats: Sequence[Any]) -> list[Any]:
            replaced = dict(zip(smooth, floats, strict=True))
            results = bind(equation, *(replaced.get(i, each) for i, each in enumerate(inputs)))
            return [result for result in results if _is_float(result)]

        return jax.vjp(forward, [inputs[i] for i in smooth])[1](list(cotangents))[0]

    return pullback, inputs, cotangents


def _drawn(draw: np.random.Generator, of: Any) -> Any:
    if jnp.issubdtype(of.dtype, jax.dtypes.prng_key):
        with jax.ensure_compile_time_eval():
            return jnp.broadcast_to(jax.random.key(0), of.shape)
    return np.asarray(draw.standard_normal(of.shape) if _is_float(of) else np.zeros(of.shape)).astype(of.dtype)


def _is_linear(run: Callable[..., list[Extended]], inputs: list[Any], cotangents: list[Any]) -> bool:
    def moved(arrays: Sequence[Any], by: int) -> list[Extended]:
        return [Extended(array, np.full((1,) * array.ndim, by, np.int32)) for array in arrays]

    others = [np.flip(each) for each in cotangents]
    both = [one + other for one, other in zip(cotangents, others, strict=True)]
    first, second, joined = (run(inputs, moved(each, 0)) for each in (cotangents, others, both))
    negative = [-each for each in cotangents]
    scaled = [(run(inputs, moved(negative, by)), by) for by in (FAR, -FAR)]
    return all(
        _agree([(joined[i], 0, 1), (first[i], 0, -1), (second[i], 0, -1)])
        and all(_agree([(far[i], -by, 1), (first[i], 0, 1)]) for far, by in scaled)
        for i in range(len(first))
    )


def _agree(terms: Sequence[tuple[Extended, int, int]]) -> bool:
    """Whether Σ sign · number · 2^by is zero but for rounding; where one of them is not finite, nothing is known."""
    numbers = [(np.asarray(n.mantissa, np.float64), np.asarray(n.exponent, np.float64) + by, sign) for n, by, sign in terms]
    top = max((exponent.max() for _, exponent, _ in numbers), default=0.0)
    parts = [sign * mantissa * np.exp2(np.maximum(exponent - top, -1000.0)) for mantissa, exponent, sign in numbers]
    with np.errstate(invalid="ignore"):
        error, size = np.abs(sum(parts)), np.max(np.abs(parts), axis=0)
    known = np.isfinite(error)
    return not known.any() or bool(error[known].max() <= APART * size[known].max())


def _is_float(value: Any) -> bool:
    return bool(jnp.issubdtype(value.dtype, jnp.floating))
