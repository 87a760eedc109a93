"""Where rounding goes wrong: what each equation of a program loses when its results are rounded, counted as it runs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.extend.core import ClosedJaxpr, Literal
from jax.extend.source_info_util import summarize

from bench.arithmetic.interpret import bind
from bench.arithmetic.pieces import Piece, cut
from bench.arithmetic.rounding import CAST, MOVES, Rounding
from bench.arithmetic.rules import control
from bench.arithmetic.rules.control import closed

Place = tuple[int, ...]  # of an equation: its number, where it is within others theirs before; then the step or branch
Counts = dict[Place, Array]  # [steps of the scans around it …, 2]: shares of entries that are lost, and beyond
INNER = ("jaxpr", "call_jaxpr", "fun_jaxpr")
WHOLE = ("while", "optimization_barrier")


class Event(NamedTuple):
    """An equation, at one step of the scans around it, whose rounding does harm."""

    place: Place  # with steps in the order in which a scan takes them
    static: Place  # with 0 for every step
    steps: tuple[int, ...]  # of the scans around it, as arrays are indexed
    primitive: str
    source: str  # file:line (function)
    lost: float  # the share of entries that are zero, and were not before they were rounded
    beyond: float  # the share that is not finite or less than half as large, and was finite before


class Watched:
    """What roundings do to a program; ``rounding(number)`` is that of each of the outermost equations.

    Each is compared with what the same primitive returns for the same operands, so that what is lost once does not count
    again. Loops with a condition are not looked into.
    """

    def __init__(self, program: ClosedJaxpr, rounding: Callable[[int], Rounding]):
        self.program = program
        constants = map(rounding(0).constant, program.consts)
        self.constants = dict(zip(program.jaxpr.constvars, constants, strict=True))
        self.pieces = cut(program)
        self.compiled: dict[Hashable, Callable[[list[Any]], tuple[list[Any], Counts]]] = {}
        self.keys: list[Hashable] = []
        start = 0
        for piece in self.pieces:
            own = [rounding(start + i) for i in range(len(piece.equations))]
            self.keys.append((piece.key, tuple(map(id, own))))
            self.compiled.setdefault(self.keys[-1], jax.jit(partial(_piece, piece, own)))
            start += len(own)

    def __call__(self, values: Sequence[Any]) -> list[Event]:
        """What they do to these arguments, in the order of execution."""
        known = dict(zip(self.program.jaxpr.invars, values, strict=True)) | self.constants
        events: list[Event] = []
        start = 0
        for piece, key in zip(self.pieces, self.keys, strict=True):
            results, counts = self.compiled[key]([known[variable] for variable in piece.inputs])
            known.update(zip(piece.outputs, results, strict=True))
            for place, shares in counts.items():
                events += _events(self.program, (start + place[0], *place[1:]), np.asarray(shares))
            for variable in piece.forgotten:
                del known[variable]
            start += len(piece.equations)
        return sorted(events, key=lambda event: event.place)


def _piece(piece: Piece, own: Sequence[Rounding], values: list[Any]) -> tuple[list[Any], Counts]:
    known, counts = dict(zip(piece.inputs, values, strict=True)), {}
    _evaluate(piece.equations, own, known, (), counts)
    return [known[variable] for variable in piece.outputs], counts


def _evaluate(
    equations: Sequence[Any], own: Sequence[Rounding], known: dict[Any, Any], around: Place, counts: Counts
) -> None:
    for number, (equation, arithmetic) in enumerate(zip(equations, own, strict=True)):
        inputs = [arithmetic.read(known, atom) for atom in equation.invars]
        results = _apply(arithmetic, equation, inputs, (*around, number), counts)
        known.update(zip(equation.outvars, results, strict=True))


def _run(arithmetic: Rounding, program: ClosedJaxpr, values: Sequence[Any], around: Place, counts: Counts) -> list[Any]:
    jaxpr = program.jaxpr
    known = dict(zip([*jaxpr.invars, *jaxpr.constvars], [*values, *map(arithmetic.constant, program.consts)], strict=True))
    _evaluate(jaxpr.eqns, [arithmetic] * len(jaxpr.eqns), known, around, counts)
    return [arithmetic.read(known, atom) for atom in jaxpr.outvars]


def _apply(arithmetic: Rounding, equation: Any, inputs: list[Any], place: Place, counts: Counts) -> list[Any]:
    name, parameters = equation.primitive.name, equation.params
    if name == "scan":
        return _scan(arithmetic, equation, inputs, place, counts)
    if name == "cond":
        return _branch(arithmetic, equation, inputs, place, counts)
    casts = name == "jit" and parameters["name"] == CAST
    if name in control.RULES and name not in WHOLE and not casts:
        return _run(arithmetic, _inner(equation), inputs, place, counts)
    if (name in control.RULES and not casts) or name in MOVES:
        return arithmetic.apply(equation, inputs)
    results = bind(equation, *inputs)
    before, after = (inputs, results) if casts else (results, [arithmetic.rounded(result) for result in results])
    if any(_is_lost(arithmetic, atom) for atom in equation.invars):  # a constant that the format does not have
        pairs = zip(equation.invars, inputs, strict=True)
        before = bind(equation, *(_exact(atom) if _is_lost(arithmetic, atom) else given for atom, given in pairs))
    if jnp.issubdtype(jnp.result_type(before[0]), jnp.floating) and before[0].size:
        counts[place] = _shares(before[0], after[0])
    return after


def _is_lost(arithmetic: Rounding, atom: Any) -> bool:
    """Whether it is a constant that is rounded to zero, or to what is no number."""
    if not isinstance(atom, Literal) or not jnp.issubdtype(jax.typeof(atom.val).dtype, jnp.floating):
        return False
    size, to = abs(float(np.asarray(atom.val))), arithmetic.to
    return np.isfinite(size) and (0 < size <= to.quantum / 2 or size > to.largest)


def _exact(literal: Literal) -> np.ndarray:
    return np.asarray(literal.val, jax.typeof(literal.val).dtype)


def _inner(equation: Any) -> ClosedJaxpr:
    return closed(next(equation.params[name] for name in INNER if name in equation.params))


def _scan(arithmetic: Rounding, equation: Any, inputs: list[Any], place: Place, counts: Counts) -> list[Any]:
    """A scan that stacks what is counted."""
    parameters = equation.params
    consts, carries = parameters["num_consts"], parameters["num_carry"]

    def body(carry: list[Any], step: list[Any]) -> tuple[list[Any], tuple[list[Any], Counts]]:
        found: Counts = {}
        results = _run(arithmetic, parameters["jaxpr"], [*inputs[:consts], *carry, *step], (*place, 0), found)
        return results[:carries], (results[carries:], found)

    options = {name: parameters[name] for name in ("length", "reverse", "unroll")}
    last, (stacked, found) = lax.scan(body, inputs[consts : consts + carries], inputs[consts + carries :], **options)
    counts.update(found)
    return [*last, *stacked]


def _branch(arithmetic: Rounding, equation: Any, inputs: list[Any], place: Place, counts: Counts) -> list[Any]:
    """One of several programs; nothing is lost in those that are not taken."""

    def taken(number: int, branch: Any) -> Callable[..., tuple[list[Any], Counts]]:
        def run(*operands: Any) -> tuple[list[Any], Counts]:
            found: Counts = {}
            return _run(arithmetic, closed(branch), operands, (*place, number), found), found

        return run

    index, *operands = inputs
    branches = [taken(number, branch) for number, branch in enumerate(equation.params["branches"])]
    shapes = {at: like for branch in branches for at, like in jax.eval_shape(branch, *operands)[1].items()}

    def filled(branch: Callable[..., tuple[list[Any], Counts]]) -> Callable[..., tuple[list[Any], Counts]]:
        def run(*operands: Any) -> tuple[list[Any], Counts]:
            results, found = branch(*operands)
            return results, {at: found.get(at, jnp.zeros(like.shape, like.dtype)) for at, like in shapes.items()}

        return run

    results, found = lax.switch(index, [filled(branch) for branch in branches], *operands)
    counts.update(found)
    return results


def _shares(before: Array, after: Array) -> Array:
    lost = (before != 0) & (after == 0)
    smaller = (jnp.abs(after) < jnp.abs(before) / 2) & (after != 0)
    beyond = jnp.isfinite(before) & (smaller | ~jnp.isfinite(after))
    return jnp.stack([jnp.mean(each.astype(jnp.float32)) for each in (lost, beyond)])


def _events(program: ClosedJaxpr, static: Place, shares: np.ndarray) -> Iterator[Event]:
    """All steps of an equation that did harm."""
    for steps in map(tuple, np.argwhere(shares.any(axis=-1)).tolist()):
        equation, scans = _found(program, static)
        place = list(static)
        for (digit, scan), step in zip(scans, steps, strict=True):
            place[digit] = scan["length"] - 1 - step if scan["reverse"] else step
        lost, beyond = map(float, shares[steps])
        name = "cast" if equation.params.get("name") == CAST else equation.primitive.name
        yield Event(tuple(place), static, steps, name, summarize(equation.source_info), lost, beyond)


def _found(program: ClosedJaxpr, place: Place) -> tuple[Any, list[tuple[int, Any]]]:
    """The equation of a place, and the scans around it, each by the number of the place that is its step."""
    scans, digit = [], 0
    while True:
        equation = program.jaxpr.eqns[place[digit]]
        digit += 1
        if digit == len(place):
            return equation, scans
        if equation.primitive.name == "scan":
            scans.append((digit, equation.params))
            program, digit = equation.params["jaxpr"], digit + 1
        elif equation.primitive.name == "cond":
            program, digit = closed(equation.params["branches"][place[digit]]), digit + 1
        else:
            program = _inner(equation)
