"""A program whose layers are a Python loop, rewritten with the scans that they could have been.

What the turns of a loop read is stacked, and what they make are rows of stacks. So one turn is traced and compiled for all,
and none is called by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain
from typing import Any, TypeAlias

import jax
import numpy as np
from jax import lax
from jax.core import Tracer
from jax.experimental.xla_metadata import set_xla_metadata
from jax.extend.core import ClosedJaxpr, Literal

from bench.arithmetic.compiling import compiled
from bench.arithmetic.interpret import bind
from bench.arithmetic.loops import Loop, Part, Stack, loops
from bench.arithmetic.number import Extended
from bench.arithmetic.repeats import is_variable

Rows: TypeAlias = dict[int, dict[int, Any]]  # by stack and row


@dataclass(frozen=True)
class Rolled:
    """A program with scans for loops."""

    program: ClosedJaxpr
    places: Sequence[tuple[int, int | None]]  # which result, and which row of it (None: all), was a result at first
    joined: frozenset[int] = frozenset()  # arguments that are read as part of stacks alone

    def rows(self) -> Rows:
        """The numbers of rows that are results: arguments, since as constants each would be a kernel of its own."""
        found: Rows = {}
        for place, row in self.places:
            if row is not None:
                found.setdefault(place, {})[row] = np.int32(row)
        return found

    def results(self, values: Sequence[Any], rows: Rows) -> list[Any]:
        """The first program's results."""
        stacks = {place: values[place] for place in rows}
        inside = any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(stacks))
        found = (_taken_within if inside else _compiled_taken())(stacks, rows) if rows else {}
        return [values[place] if row is None else found[place][row] for place, row in self.places]


def _taken(stacks: dict[int, Any], rows: Rows) -> Rows:
    stacks = {place: _by_rows(stack) for place, stack in stacks.items()}
    return {
        place: {i: jax.tree.map(partial(_row, row=row), stacks[place]) for i, row in each.items()}
        for place, each in rows.items()
    }


def _by_rows(stack: Any) -> Any:
    """With an exponent for every row."""
    if not isinstance(stack, Extended):
        return stack
    exponent = stack.exponent
    shape = len(stack.mantissa), *exponent.shape[1:]
    return Extended(stack.mantissa, lax.broadcast_in_dim(exponent, shape, range(exponent.ndim)))


def _row(stack: Any, row: Any) -> Any:
    start = row, *[np.int32(0)] * (stack.ndim - 1)
    one = lax.dynamic_slice_p.bind(stack, *start, slice_sizes=(1, *stack.shape[1:]))  # without a look at the row's sign
    return lax.squeeze(one, (0,))


@cache
def _compiled_taken() -> Callable[[dict[int, Any], Rows], Rows]:
    return compiled(_taken, alike=True)


def _taken_within(stacks: dict[int, Any], rows: Rows) -> Rows:
    """The same within a compiled program, where the compiler must not see the numbers of rows: each would be a kernel."""
    with set_xla_metadata(inlineable="false"):
        return _taken_at_once(stacks, lax.optimization_barrier(rows))


_taken_at_once = jax.jit(_taken)


def unrolled(program: ClosedJaxpr) -> Rolled:
    """The program as it is."""
    return Rolled(program, [(i, None) for i in range(len(program.jaxpr.outvars))])


@partial(jax.jit, static_argnums=1)
def _joined(parts: Sequence[Any], rank: int) -> Any:
    """Stacks and arrays one below the other: one equation, so that it is compiled in one piece."""
    return lax.concatenate([part if part.ndim == rank else lax.expand_dims(part, (0,)) for part in parts], 0)


def rolled(program: ClosedJaxpr) -> Rolled:
    """The same program, with loops as scans where that is quicker."""
    found = loops(program.jaxpr)
    if not found:
        return unrolled(program)
    places: list[tuple[int, int | None]] = []

    def run(*arguments: Any) -> list[Any]:
        evaluation = _Evaluation(program, arguments)
        for loop in found:
            evaluation.until(loop.start)
            evaluation.scan(loop)
        evaluation.until(len(program.jaxpr.eqns))
        results, places[:] = evaluation.results()
        return results

    scanned = jax.make_jaxpr(run)(*program.in_avals)
    others = [equation.invars for equation in scanned.jaxpr.eqns if equation.params.get("name") != "_joined"]
    elsewhere = {*filter(is_variable, chain(scanned.jaxpr.outvars, *others))}
    return Rolled(scanned, places, frozenset(i for i, v in enumerate(scanned.jaxpr.invars) if v not in elsewhere))


def _evaluate(equations: Sequence[Any], known: dict[Any, Any], read: Callable[[Any], Any]) -> None:
    for equation in equations:
        known.update(zip(equation.outvars, bind(equation, *map(read, equation.invars)), strict=True))


def _evaluated(equations: Sequence[Any], known: dict[Any, Any]) -> dict[Any, Any]:
    """What is known then."""
    known = dict(known)
    _evaluate(equations, known, lambda atom: _literal(atom) if isinstance(atom, Literal) else known[atom])
    return known


def _literal(atom: Literal) -> Any:
    return np.asarray(atom.val, jax.typeof(atom.val).dtype)


class _Evaluation:
    """What is known while a program runs: arrays, and rows of stacks."""

    def __init__(self, program: ClosedJaxpr, arguments: Sequence[Any]):
        self.jaxpr, self.next = program.jaxpr, 0
        self.known = dict(zip(self.jaxpr.invars, arguments, strict=True))
        self.known |= dict(zip(self.jaxpr.constvars, program.consts, strict=True))
        self.stacks: dict[Stack, Any] = {}
        self.rows: dict[Any, tuple[Stack, int]] = {}

    def until(self, end: int) -> None:
        """Equations one by one."""
        _evaluate(self.jaxpr.eqns[self.next : end], self.known, self.read)

    def read(self, atom: Any) -> Any:
        """An array, or a row as an array."""
        if isinstance(atom, Literal):
            return _literal(atom)
        if atom not in self.known:
            stack, row = self.rows[atom]
            self.known[atom] = lax.index_in_dim(self.stacks[stack], row, keepdims=False)
        return self.known[atom]

    def scan(self, loop: Loop) -> None:
        """All turns."""
        first, makes = loop.reads[0], loop.makes[0]
        inputs = [self.joined(parts, first[j]) for j, parts in zip(loop.stacked, loop.parts, strict=True)]
        fixed = {v: self.read(v) for j, v in enumerate(first) if j not in loop.carried and j not in loop.stacked}
        inside, after = loop.divided()
        read = {variable for equation in after for variable in equation.invars if is_variable(variable)}
        late = {variable for equation in after for variable in equation.outvars}
        kept = [makes[place] for place in loop.kept]
        seen = [
            v for v in dict.fromkeys((*(first[j] for j in loop.carried), *makes)) if v not in late and v in read.union(kept)
        ]

        def turn(carry: list[Any], stacked: list[Any]) -> tuple[list[Any], list[Any]]:
            places = (*loop.carried, *loop.stacked)
            known = _evaluated(inside, fixed | dict(zip((first[j] for j in places), (*carry, *stacked), strict=True)))
            return [known[makes[place]] for place in loop.carried.values()], [known[variable] for variable in seen]

        start = [self.read(first[j]) for j in loop.carried]
        last, made = lax.scan(turn, start, inputs, length=len(loop.turns), reverse=loop.reverse)
        stacks = dict(zip((*(first[j] for j in loop.stacked), *seen), (*inputs, *made), strict=True))
        if after:
            rows, results = [v for v in stacks if v in read], [v for v in kept if v in late]

            def all_turns(*arrays: Any) -> list[Any]:
                known = _evaluated(after, fixed | dict(zip(rows, arrays, strict=True)))
                return [known[variable] for variable in results]

            stacks |= zip(results, jax.vmap(all_turns)(*(stacks[v] for v in rows)), strict=True)
        for (stack, column), variable in zip(loop.stacks(), [*kept, *(first[j] for j in loop.stacked)], strict=True):
            self.stacks[stack] = stacks[variable]
            for i, each in enumerate(column):
                self.rows.setdefault(each, (stack, i))
        for place, value in zip(loop.carried.values(), last, strict=True):
            self.known[loop.makes[-1][place]] = value
        self.next = loop.end

    def joined(self, parts: Sequence[Part], like: Any) -> Any:
        """The parts as one stack of arrays like this."""
        arrays = [*map(self.part, parts)]
        return arrays[0] if len(arrays) == 1 else _joined(arrays, like.aval.ndim + 1)

    def part(self, part: Part) -> Any:
        """Rows as a stack, or one as it is."""
        if not part.rows:
            return self.read(part.source)
        stack = self.stacks[part.source]
        low, high = sorted((part.first, part.first + part.rows))
        rows = lax.slice_in_dim(stack, low, high) if part.rows > 0 else lax.slice_in_dim(stack, low + 1, high + 1)
        return rows if part.rows > 0 else lax.rev(rows, (0,))

    def results(self) -> tuple[list[Any], list[tuple[int, int | None]]]:
        """Arrays, and where among them each result is."""
        arrays: dict[int, Any] = {}
        places = []
        for atom in self.jaxpr.outvars:
            row = None
            if isinstance(atom, Literal) or atom in self.known:
                array = self.read(atom)
            else:
                stack, row = self.rows[atom]
                array = self.stacks[stack]
            arrays.setdefault(id(array), array)
            places.append((list(arrays).index(id(array)), row))
        return list(arrays.values()), places
