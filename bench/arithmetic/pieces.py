"""A program cut into pieces that repeat, each of which is compiled once.

A network whose layers are a Python loop is one long program in which the same equations come again and again. Compiled as
a whole it costs as much as if they were all different; cut where it repeats, one layer is compiled for all.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
from jax.core import Tracer
from jax.extend.core import ClosedJaxpr, Literal

from bench.arithmetic.bounds import alike, bounds, measured, within
from bench.arithmetic.compiling import compiled
from bench.arithmetic.interpret import Arithmetic, inner_programs
from bench.arithmetic.repeats import dataflow, repeating, signature
from bench.arithmetic.rolled import Rolled, Rows
from bench.arithmetic.values import SETTLED, Scaled, Value, clothed, eased, extended, is_float, public, settled

LOOPED = 30  # equations in loops of a piece
PASSES = 3  # over the program until bounds of repeated pieces hold for all their turns


@dataclass(frozen=True)
class Piece:
    """Equations that are compiled together: what they read from others, and what others read of them."""

    equations: tuple[Any, ...]
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    forgotten: tuple[Any, ...]  # what nobody reads later
    final: tuple[bool, ...]  # which outputs are results of the program
    key: tuple[Any, ...]  # what is done, which results are outputs, which of these final: equal for equal pieces

    def function(self, context: Arithmetic) -> Callable[[list[Value]], list[Value]]:
        """Outputs from inputs, compiled."""

        def run(values: list[Value]) -> list[Value]:
            known = dict(zip(self.inputs, map(in_bounds, values), strict=True))
            context.evaluate(self.equations, known)
            results = [known[variable] for variable in self.outputs]
            return [settled(v) if last and is_float(v) else alike(v) for v, last in zip(results, self.final, strict=True)]

        return compiled(run, self.equations)


class Program:
    """A traced program, ready to run in another arithmetic."""

    def __init__(self, context: Arithmetic, rolled: Rolled):
        self.context, self.rolled, self.program = context, rolled, rolled.program
        self.compiled: dict[Hashable, Callable[[list[Value]], list[Value]]] = {}
        self.bounds: dict[Hashable, list[Any]] = {}  # of what each piece was given so far
        self.pieces: list[Piece] = []
        self.constants: list[Value] = []
        self.rows: Rows = {}

    def __call__(self, values: Sequence[Value]) -> list[Any]:
        """Results as a user gets them; compiled piece by piece, or, within a compiled program, part of it."""
        if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves((list(values), self.program.consts))):
            joined = self.rolled.joined
            values = [in_bounds(value if i in joined else clothed(value)) for i, value in enumerate(values)]
            results = self.context.run(self.program, values)
            return self.rolled.results([*map(public, results)], self.rolled.rows())
        if not self.pieces:
            self._prepare()
        values = measured(values, self.rolled.joined)
        if len(self.pieces) == 1:
            return self.rolled.results(self.whole(self._alike(None, values), self.constants), self.rows)
        if not self.bounds and len(self.compiled) < len(self.pieces):
            for _ in range(PASSES):
                self._run(values, lambda piece, given: jax.eval_shape(self.compiled[piece.key], given))
        results = self._run(values, lambda piece, given: self.compiled[piece.key](given))
        return self.rolled.results([*map(_finished, results)], self.rows)

    def _prepare(self) -> None:
        self.pieces, self.constants = cut(self.program), [*map(self.context.constant, self.program.consts)]
        self.compiled = {piece.key: piece.function(self.context) for piece in self.pieces}
        self.rows = jax.device_put(self.rolled.rows())
        self.whole = compiled(self._whole, self.program.jaxpr.eqns)

    def _whole(self, values: Sequence[Value], constants: Sequence[Value]) -> list[Any]:
        """All of it at once, with results as a user gets them, but for rows of stacks."""
        jaxpr = self.program.jaxpr
        known = dict(zip((*jaxpr.invars, *jaxpr.constvars), map(in_bounds, (*values, *constants)), strict=True))
        self.context.evaluate(jaxpr.eqns, known)
        return [public(self.context.read(known, atom)) for atom in jaxpr.outvars]

    def _run(self, values: Sequence[Value], call: Callable[[Piece, list[Value]], list[Value]]) -> list[Value]:
        """One piece after the other. Each is given bounds that hold for all its turns, so that it is compiled once."""
        jaxpr = self.program.jaxpr
        known = dict(zip(jaxpr.invars, values, strict=True))
        known |= dict(zip(jaxpr.constvars, self.constants, strict=True))
        for piece in self.pieces:
            given = self._alike(piece.key, [known[variable] for variable in piece.inputs])
            known.update(zip(piece.outputs, call(piece, given), strict=True))
            for variable in piece.forgotten:
                del known[variable]
        return [self.context.read(known, atom) for atom in jaxpr.outvars]

    def _alike(self, key: Hashable, values: Sequence[Value]) -> list[Value]:
        """Values with bounds that hold for all that were given here so far."""
        given = [*map(within, values, self.bounds.get(key, map(bounds, values)))]
        self.bounds[key] = [*map(bounds, given)]
        return given


_public = jax.jit(public)


def in_bounds(value: Value) -> Value:
    """As rules take it: arguments come as they are, and are normalized where they are first used, not one by one before."""
    return eased(value) if isinstance(value, Scaled) else clothed(value)


def _finished(value: Value) -> Any:
    """As a user gets it; nothing is left to be computed for what a piece has settled."""
    if isinstance(value, Scaled) and value.honest and value.bits <= SETTLED:
        return extended(value)
    return _public(value) if is_float(value) else value


def cut(program: ClosedJaxpr) -> list[Piece]:
    """The program's equations in order, as pieces."""
    jaxpr = program.jaxpr
    signatures = [signature(equation) for equation in jaxpr.eqns]
    results = {variable for variable in jaxpr.outvars if not isinstance(variable, Literal)}
    last = dict.fromkeys(results, len(jaxpr.eqns))
    for i, equation in reversed(list(enumerate(jaxpr.eqns))):
        for variable in equation.invars:
            if not isinstance(variable, Literal):
                last.setdefault(variable, i)
    pieces, start = [], 0
    for length in _with_few_loops(repeating(signatures), jaxpr.eqns):
        end = start + length
        pieces.append(_piece(jaxpr.eqns[start:end], signatures[start:end], last, end, results))
        start = end
    return _shared(pieces)


def _with_few_loops(lengths: Sequence[int], equations: Sequence[Any]) -> Iterator[int]:
    """The same, cut once more where loops would need much memory to be compiled together."""
    start = 0
    for length in lengths:
        end, inside = start + length, 0
        for i in range(start, end):
            more = _inside(equations[i]) if equations[i].primitive.name in ("scan", "while") else 0
            if inside and inside + more > LOOPED:
                yield i - start
                start, inside = i, 0
            inside += more
        yield end - start
        start = end


def _inside(equation: Any) -> int:
    """How many equations its programs have."""
    programs = [getattr(program, "jaxpr", program) for program in inner_programs(equation)]
    return sum(len(program.eqns) + sum(map(_inside, program.eqns)) for program in programs)


def _piece(
    equations: Sequence[Any], signatures: Sequence[tuple], last: dict[Any, int], end: int, results: set[Any]
) -> Piece:
    numbers: dict[Any, int] = {}
    reading = tuple(zip(signatures, dataflow(equations, numbers), strict=True))
    made = [variable for equation in equations for variable in equation.outvars]
    inputs = tuple(variable for variable in numbers if variable not in set(made))
    outputs = tuple(v for v in made if last.get(v, -1) >= end)
    forgotten = tuple(v for v in inputs if last[v] < end)
    final = tuple(v in results for v in outputs)
    places = tuple(made.index(v) for v in outputs)
    return Piece(tuple(equations), inputs, outputs, forgotten, final, (reading, places, final))


def _shared(pieces: Sequence[Piece]) -> list[Piece]:
    """The same, where two do the same and one returns less (as the first layer's gradient does), with as many results."""
    largest: dict[Hashable, Piece] = {}
    for piece in sorted(pieces, key=lambda piece: len(piece.outputs)):
        largest[piece.key[0]] = piece
    return [_as(piece, largest[piece.key[0]]) for piece in pieces]


def _as(piece: Piece, other: Piece) -> Piece:
    if not set(zip(*piece.key[1:], strict=True)) <= set(zip(*other.key[1:], strict=True)):
        return piece
    made = [variable for equation in piece.equations for variable in equation.outvars]
    outputs = tuple(made[place] for place in other.key[1])
    unread = tuple(variable for variable in outputs if variable not in piece.outputs)
    return replace(piece, outputs=outputs, final=other.final, key=other.key, forgotten=piece.forgotten + unread)
