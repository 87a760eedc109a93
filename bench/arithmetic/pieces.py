"""A program cut into pieces that repeat, each of which is compiled once.

A network whose layers are a Python loop is one long program in which the same equations come again and again. Compiled as
a whole it costs as much as if they were all different; cut where it repeats, one layer is compiled for all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import jax
import numpy as np
from jax.core import Tracer
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from bench.arithmetic.bounds import alike, bounds, measured, within
from bench.arithmetic.interpret import Arithmetic
from bench.arithmetic.values import SETTLED, Scaled, Value, eased, extended, is_float, public, settled

# Equations in a piece, and in one that repeats itself; how often a piece must occur; equations in a piece that does not
LONGEST, DOUBLED, REPEATED, UNIQUE = 1000, 16, 3, 400
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

        return jax.jit(run)


class Program:
    """A traced program, ready to run in another arithmetic."""

    def __init__(self, context: Arithmetic, program: ClosedJaxpr):
        self.context, self.program = context, program
        self.compiled: dict[Hashable, Callable[[list[Value]], list[Value]]] = {}
        self.bounds: dict[Hashable, list[Any]] = {}  # of what each piece was given so far
        self.pieces: list[Piece] = []
        self.constants: list[Value] = []

    def __call__(self, values: Sequence[Value]) -> list[Any]:
        """Results as a user gets them; compiled piece by piece, or, within a compiled program, part of it."""
        if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves((list(values), self.program.consts))):
            return [public(value) for value in self.context.run(self.program, [*map(in_bounds, values)])]
        values = measured(values)
        if not self.pieces:
            self.pieces, self.constants = cut(self.program), [*map(self.context.constant, self.program.consts)]
            self.compiled = {piece.key: piece.function(self.context) for piece in self.pieces}
            for _ in range(PASSES):
                self._run(values, lambda piece, given: jax.eval_shape(self.compiled[piece.key], given))
        results = self._run(values, lambda piece, given: self.compiled[piece.key](given))
        return [*map(_finished, results)]

    def _run(self, values: Sequence[Value], call: Callable[[Piece, list[Value]], list[Value]]) -> list[Value]:
        """One piece after the other. Each is given bounds that hold for all its turns, so that it is compiled once."""
        jaxpr = self.program.jaxpr
        known = dict(zip(jaxpr.invars, values, strict=True))
        known |= dict(zip(jaxpr.constvars, self.constants, strict=True))
        for piece in self.pieces:
            given = [known[variable] for variable in piece.inputs]
            given = [*map(within, given, self.bounds.get(piece.key, map(bounds, given)))]
            self.bounds[piece.key] = [*map(bounds, given)]
            known.update(zip(piece.outputs, call(piece, given), strict=True))
            for variable in piece.forgotten:
                del known[variable]
        return [self.context.read(known, atom) for atom in jaxpr.outvars]


_public = jax.jit(public)


def in_bounds(value: Value) -> Value:
    """As rules take it: arguments come as they are, and are normalized where they are first used, not one by one before."""
    return eased(value) if isinstance(value, Scaled) else value


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
    for length in repeating(signatures):
        end = start + length
        pieces.append(_piece(jaxpr.eqns[start:end], signatures[start:end], last, end, results))
        start = end
    return _shared(pieces)


def _piece(
    equations: Sequence[Any], signatures: Sequence[tuple], last: dict[Any, int], end: int, results: set[Any]
) -> Piece:
    numbers: dict[Any, int] = {}
    reading = tuple(zip(signatures, _dataflow(equations, numbers), strict=True))
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


def signature(equation: Any) -> tuple:
    """What an equation does, whatever it is done to: equal for the same layer of two depths, and for nothing else."""
    parameters = tuple((name, _exactly(value)) for name, value in sorted(equation.params.items()) if name not in IGNORED)
    return equation.primitive.name, parameters, tuple(str(v.aval) for v in (*equation.invars, *equation.outvars))


IGNORED = {"jvp_jaxpr_fun", "jvp_jaxpr_thunk", "fwd_jaxpr_thunk", "fwd", "bwd", "name"}  # rules of differentiation, labels


def _dataflow(equations: Sequence[Any], numbers: dict[Any, int]) -> tuple:
    """What each equation reads: literals, and variables by the numbers that they are given here when they first occur."""
    found = []
    for equation in equations:
        found.append(tuple(_atom(atom, numbers) for atom in equation.invars))
        for variable in equation.outvars:
            numbers[variable] = len(numbers)
    return tuple(found)


def _atom(atom: Any, numbers: dict[Any, int]) -> Hashable:
    return np.asarray(atom.val).tobytes() if isinstance(atom, Literal) else numbers.setdefault(atom, len(numbers))


def _exactly(value: Any) -> Hashable:
    """A parameter such that two are equal only where they do the same; functions are themselves."""
    if isinstance(value, ClosedJaxpr):
        return _program(value.jaxpr), tuple(map(id, value.consts))
    if isinstance(value, Jaxpr):
        return _program(value)
    if isinstance(value, tuple | list):
        return tuple(map(_exactly, value))
    if isinstance(value, dict):
        return tuple((key, _exactly(each)) for key, each in value.items())
    if isinstance(value, np.ndarray):
        return value.shape, str(value.dtype), value.tobytes()
    try:
        hash(value)
    except TypeError:
        return type(value), id(value)
    return type(value), value


@lru_cache(maxsize=1024)
def _program(jaxpr: Jaxpr) -> Hashable:
    numbers = {variable: i for i, variable in enumerate((*jaxpr.constvars, *jaxpr.invars))}
    arguments = tuple(str(variable.aval) for variable in numbers)
    signatures = tuple(signature(equation) for equation in jaxpr.eqns)
    return arguments, signatures, _dataflow(jaxpr.eqns, numbers), tuple(_atom(atom, numbers) for atom in jaxpr.outvars)


def repeating(symbols: Sequence[Hashable]) -> list[int]:
    """Lengths of consecutive runs of symbols such that as few different runs as possible make up the sequence.

    Byte-pair encoding: the most frequent pair of neighbours becomes one, again and again. What occurs once is joined.
    """
    names: dict[Hashable, int] = {}
    tokens = [(names.setdefault(symbol, len(names)), 1) for symbol in symbols]
    while True:
        counts = Counter(pair for pair in pairwise(tokens) if _may_join(*pair))
        pair, often = max(counts.items(), key=lambda item: item[1], default=(None, 0))
        if pair is None or often < REPEATED:
            break
        tokens = _joined(tokens, pair, (names.setdefault(pair, len(names)), pair[0][1] + pair[1][1]))
    often = Counter(tokens)
    lengths: list[int] = []
    before = False
    for token in tokens:
        alone = often[token] < REPEATED
        if alone and before and lengths[-1] + token[1] <= UNIQUE:
            lengths[-1] += token[1]
        else:
            lengths.append(token[1])
        before = alone
    return lengths


def _may_join(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return a[1] + b[1] <= (DOUBLED if a == b else LONGEST)


def _joined(tokens: list[tuple[int, int]], pair: tuple, name: tuple[int, int]) -> list[tuple[int, int]]:
    found, i = [], 0
    while i < len(tokens):
        if i + 1 < len(tokens) and (tokens[i], tokens[i + 1]) == pair:
            found.append(name)
            i += 2
        else:
            found.append(tokens[i])
            i += 1
    return found
