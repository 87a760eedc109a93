"""Loops that were unrolled when a program was traced: turns that do the same, one after another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from typing import Any, NamedTuple, TypeAlias

from jax.extend.core import Jaxpr

from bench.arithmetic.repeats import dataflow, is_variable, repeating, signature

TURNS = 8  # that a loop must have to be worth a scan
MOST_BYTES = 2**18  # to be stacked for a turn: beyond, a call of its own costs less
PARTS = 3  # of other stacks that a stack may be put together from
SINGLES = 16  # rows of its stacks that are read one by one: each is compiled by itself
AFTERWARDS = frozenset(["add", "add_any", "dot_general", "mul", "neg", "sub", "transpose"])  # a stack's rows keep exponents
MADE, READ = "made", "read"


class Stack(NamedTuple):
    """An array that a loop makes, or reads, of all turns."""

    loop: int
    kind: str
    place: int


class Part(NamedTuple):
    """Neighbouring rows of a stack, or one variable."""

    source: Any
    first: int = 0
    rows: int = 0  # negative if they descend


@dataclass(frozen=True)
class Loop:
    """Turns that do the same to what was known before and to what the turn before has made."""

    start: int  # its first equation
    turns: Sequence[Sequence[Any]]  # equations
    reads: Sequence[Sequence[Any]]  # variables, turn by turn
    makes: Sequence[Sequence[Any]]
    carried: dict[int, int]  # places of reads, and of what the turn before makes there
    stacked: tuple[int, ...]  # places of reads that are others each turn
    kept: tuple[int, ...]  # places of what is made that is read after the loop
    parts: Sequence[Sequence[Part]] = ()  # what each stack that is read is put together from, in the order of the scan
    reverse: bool = False  # whether the last turn's rows come first

    @property
    def end(self) -> int:
        """The first equation after it."""
        return self.start + sum(map(len, self.turns))

    def stacks(self) -> Iterator[tuple[Stack, list[Any]]]:
        """What it stacks, and of which variables, in the order of their rows."""
        for kind, table, places in ((MADE, self.makes, self.kept), (READ, self.reads, self.stacked)):
            yield from ((Stack(self.start, kind, place), self.ordered([row[place] for row in table])) for place in places)

    def divided(self) -> tuple[list[Any], list[Any]]:
        """A turn's equations: those that are done turn by turn, and those that can be done for all turns at once."""
        needed = {self.makes[0][place] for place in self.carried.values()}
        inside: list[Any] = []
        after: list[Any] = []
        for equation in reversed(self.turns[0]):
            late = equation.primitive.name in AFTERWARDS and not needed.intersection(equation.outvars)
            (after if late else inside).insert(0, equation)
            needed.update([] if late else filter(is_variable, equation.invars))
        return inside, _untransposed(after, {self.makes[0][place] for place in self.kept})

    def ordered(self, turns: list[Any]) -> list[Any]:
        """In the order of rows."""
        return turns[::-1] if self.reverse else turns


def _untransposed(equations: Sequence[Any], kept: set[Any]) -> list[Any]:
    """The same with Bᵀ A for (Aᵀ B)ᵀ, as JAX writes the gradients of matrices: transposing a stack would be a copy of it."""
    products = {equation.outvars[0]: equation for equation in equations if _is_of_matrices(equation)}
    read = Counter(chain(kept, *(filter(is_variable, equation.invars) for equation in equations)))
    made = {
        equation.outvars[0]: products[equation.invars[0]]
        for equation in equations
        if equation.primitive.name == "transpose" and equation.invars[0] in products and read[equation.invars[0]] == 1
    }
    left = [equation for equation in equations if equation not in made.values()]
    return [_swapped(made[e.outvars[0]], e.outvars) if e.outvars[0] in made else e for e in left]


def _is_of_matrices(equation: Any) -> bool:
    parameters = equation.params
    batch = parameters["dimension_numbers"][1] if equation.primitive.name == "dot_general" else None
    return batch == ((), ()) and equation.outvars[0].aval.ndim == 2 and parameters.get("precision") is None


def _swapped(product: Any, results: Any) -> Any:
    numbers = tuple(pair[::-1] for pair in product.params["dimension_numbers"])
    parameters = product.params | {"dimension_numbers": numbers}
    return product.replace(invars=product.invars[::-1], outvars=results, params=parameters)


def loops(jaxpr: Jaxpr) -> list[Loop]:
    """Those of a program that are cheaper as scans, in order."""
    signatures = [signature(equation) for equation in jaxpr.eqns]
    last = {variable: i for i, e in enumerate(jaxpr.eqns) for variable in e.invars if is_variable(variable)}
    last |= {variable: len(jaxpr.eqns) for variable in jaxpr.outvars if is_variable(variable)}
    found, start = [], 0
    runs = []
    for length in repeating(signatures, doubled=0):
        equations = jaxpr.eqns[start : start + length]
        numbers: dict[Any, int] = {}
        key = tuple(signatures[start : start + length]), dataflow(equations, numbers)
        runs.append((key, start, equations, numbers))
        start += length
    for _, group in groupby(runs, key=lambda run: run[0]):
        turns = list(group)
        if len(turns) >= TURNS and (loop := _loop(turns, last)):
            found.append(loop)
    return _worthwhile(found, jaxpr)


def _loop(runs: Sequence[Any], last: dict[Any, int]) -> Loop | None:
    """Runs of equations as turns, if they hang together like those of a loop and little is to be stacked."""
    _, starts, turns, numbers = zip(*runs, strict=True)
    makes = [[variable for equation in turn for variable in equation.outvars] for turn in turns]
    places = {variable: (i, place) for i, row in enumerate(makes) for place, variable in enumerate(row)}
    reads = [[v for v in each if v not in made] for each, made in zip(numbers, map(set, makes), strict=True)]
    carried: dict[int, int] = {}
    stacked: list[int] = []
    for j, column in enumerate(zip(*reads, strict=True)):
        before = [places.get(variable) for variable in column[1:]]
        if not any(before):
            stacked += [j] if len(set(column)) > 1 else []
        elif (made := before[0]) and before == [(i, made[1]) for i in range(len(before))]:
            carried[j] = made[1]
        else:
            return None
    end = starts[-1] + len(turns[-1])
    kept = []
    for place, column in enumerate(zip(*makes, strict=True)):
        counting = column[:-1] if place in carried.values() else column
        kept += [place] if any(last.get(variable, -1) >= end for variable in counting) else []
    copied = [reads[0][j] for j in stacked] + [makes[0][place] for place in kept]
    if any(equation.effects for equation in turns[0]) or not (carried or stacked) or sum(map(_bytes, copied)) > MOST_BYTES:
        return None
    return Loop(starts[0], turns, reads, makes, carried, tuple(stacked), tuple(kept))


def _bytes(variable: Any) -> int:
    return variable.aval.size * variable.aval.dtype.itemsize


Rows: TypeAlias = dict[Any, tuple[Stack, int]]  # of which stack a variable is which row


def _worthwhile(found: list[Loop], jaxpr: Jaxpr) -> list[Loop]:
    """Those of which no more than a few rows are needed one by one, with what they read from the stacks of others."""
    while True:
        rows: Rows = {}
        planned, dropped = [], set()
        for loop in found:
            if (plan := _planned(loop, rows)) is None:
                dropped.add(loop.start)
                continue
            planned.append(plan)
            for stack, column in plan.stacks():
                for i, variable in enumerate(column):
                    rows.setdefault(variable, (stack, i))
        singles = Counter(rows[v][0].loop for v in _read_alone(planned, jaxpr) if v in rows and rows[v][0].kind == MADE)
        dropped |= {loop.start for loop in planned if singles[loop.start] >= min(SINGLES, len(loop.turns))}
        if not dropped:
            return planned
        found = [loop for loop in found if loop.start not in dropped]


def _read_alone(planned: Sequence[Loop], jaxpr: Jaxpr) -> set[Any]:
    inside = {i for loop in planned for i in range(loop.start, loop.end)}
    outside = (equation for i, equation in enumerate(jaxpr.eqns) if i not in inside)
    read = {v for equation in outside for v in equation.invars if is_variable(v)}
    return read.union(*({v for j, v in enumerate(loop.reads[0]) if j not in loop.stacked} for loop in planned))


def _planned(loop: Loop, rows: Rows) -> Loop | None:
    columns = [[row[j] for row in loop.reads] for j in loop.stacked]
    steps = sum(part.rows for column in columns for part in _parts(column, rows) if abs(part.rows) > 1)
    loop = replace(loop, reverse=steps < 0)
    found = []
    for column in columns:
        parts = _parts(loop.ordered(column), rows)
        if len(parts) > PARTS:
            if any(variable in rows and rows[variable][0].kind == MADE for variable in column):
                return None
            parts = [Part(variable) for variable in loop.ordered(column)]
        found.append(parts)
    return replace(loop, parts=found)


def _parts(column: Sequence[Any], rows: Rows) -> list[Part]:
    """The column as few neighbouring rows."""
    parts: list[Part] = []
    for variable in column:
        if variable not in rows:
            parts.append(Part(variable))
            continue
        stack, row = rows[variable]
        source, first, count = parts[-1] if parts else Part(None)
        if source == stack and row - first == count:
            parts[-1] = Part(stack, first, count + (1 if count > 0 else -1))
        elif source == stack and count == 1 and row - first == -1:
            parts[-1] = Part(stack, first, -2)
        else:
            parts.append(Part(stack, row, 1))
    return parts
