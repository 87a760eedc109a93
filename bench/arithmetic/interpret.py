"""Any JAX program, run equation by equation with another arithmetic than that of plain floats."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np
from jax.core import Tracer
from jax.extend.core import ClosedJaxpr, Literal

from bench.arithmetic import short
from bench.arithmetic.values import MOST_BITS, Plain, Value, drifted, is_float, literal, real

HUGE = 2.0**60  # constants beyond are masks, of whose entries each gets an exponent of its own

Rule = Callable[..., list[Value]]  # (context, equation, *values) -> values


class UnknownPrimitiveError(NotImplementedError):
    """A primitive that no rule is known for."""


class Arithmetic(ABC):
    """What is done at each equation, and what stands for a float."""

    @abstractmethod
    def apply(self, equation: Any, values: list[Value]) -> list[Value]:
        """One equation's results."""

    @abstractmethod
    def constant(self, array: Any) -> Value:
        """An array that the program closes over."""

    @abstractmethod
    def literal(self, array: np.ndarray) -> Value:
        """A number that stands in the program itself."""

    def in_loops(self) -> Arithmetic:
        """What is done in the programs of loops."""
        return self

    def run(self, program: ClosedJaxpr, values: Sequence[Value]) -> list[Value]:
        """The program's results; values are its arguments."""
        jaxpr = program.jaxpr
        known = dict(zip(jaxpr.invars, values, strict=True))
        known |= dict(zip(jaxpr.constvars, map(self.constant, program.consts), strict=True))
        self.evaluate(jaxpr.eqns, known)
        return [self.read(known, atom) for atom in jaxpr.outvars]

    def evaluate(self, equations: Sequence[Any], known: dict[Any, Value]) -> None:
        """Put the results of all equations, one after another, to what is known."""
        for equation in equations:
            results = self.apply(equation, [self.read(known, atom) for atom in equation.invars])
            known.update(zip(equation.outvars, results, strict=True))

    def read(self, known: dict[Any, Value], atom: Any) -> Value:
        """The value of a variable, or of a literal."""
        if isinstance(atom, Literal):
            return self.literal(np.asarray(atom.val, jax.typeof(atom.val).dtype))
        return known[atom]


@dataclass
class Context(Arithmetic):
    """Floats without an end: a rule for every primitive by its name, and what is done where there is none."""

    rules: dict[str, Rule]
    programs: frozenset[str]  # primitives that hold programs
    opened: frozenset[str]  # primitives whose rules serve without floats too: they hold programs, or make floats
    in_range: frozenset[str]  # primitives that are computed in plain floats without a warning
    strict: bool = False
    whole: bool = False  # whether one exponent serves each array
    warned: set[str] = field(default_factory=set)

    def in_loops(self) -> Context:
        """Nothing that a loop carries has more than one exponent."""
        return replace(self, whole=True)

    def apply(self, equation: Any, values: list[Value]) -> list[Value]:
        """By the rule for it, or in plain floats."""
        name = equation.primitive.name
        rule = self.rules.get(name)
        if rule is not None and (name in self.opened or any(map(is_float, values))):
            if name in self.programs or not short.touches(equation):
                return rule(self, equation, *values)
            return short.with_own_digits(equation, rule(self, short.Widened(equation), *values))
        if name not in self.in_range and any(map(is_float, values)):
            if self.strict:
                raise UnknownPrimitiveError(f"{name}: no rule is known for this primitive beyond the range of floats")
            if name not in self.warned:
                self.warned.add(name)
                warnings.warn(
                    f"{name}: computed in plain floats, exact only within their range", RuntimeWarning, stacklevel=2
                )
        return in_plain_floats(equation, values)

    def constant(self, array: Any) -> Value:
        """Normalized; masks with an exponent for every entry."""
        if not jax.numpy.issubdtype(array.dtype, jax.numpy.floating):
            return array
        array = short.widened(array)
        if not isinstance(array, Tracer) and array.size:
            size = np.abs(np.asarray(array, np.float64))
            if np.max(size, where=np.isfinite(size), initial=0) > HUGE:
                return Plain(jax.numpy.asarray(array), MOST_BITS)
        return _drifted(array)

    def literal(self, array: np.ndarray) -> Value:
        """Its size is known before the program runs."""
        return literal(short.widened(array))


_drifted = jax.jit(drifted)


def bind(equation: Any, *arrays: Any) -> list[Any]:
    """The primitive itself."""
    primitive = equation.primitive
    parameters = primitive.get_bind_params(equation.params)
    functions, parameters = parameters if isinstance(parameters, tuple) else ((), parameters)
    results = primitive.bind(*functions, *arrays, **parameters)
    return list(results) if primitive.multiple_results else [results]


def inner_programs(equation: Any) -> Iterator[Any]:
    """The programs that an equation holds: of loops, branches, calls."""
    for parameter in equation.params.values():
        for each in parameter if isinstance(parameter, tuple | list) else (parameter,):
            if hasattr(each, "eqns") or hasattr(each, "jaxpr"):
                yield each


def in_plain_floats(equation: Any, values: Sequence[Value]) -> list[Value]:
    """The primitive on ordinary floats, and its results with exponents again."""
    results = bind(equation, *short.narrowed(equation.invars, [*map(real, values)]))
    return [drifted(short.widened(r)) if jax.numpy.issubdtype(r.dtype, jax.numpy.floating) else r for r in results]
