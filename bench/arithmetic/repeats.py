"""What repeats in a program: equations that do the same, and runs of them that come again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

# Equations in a run, and in one that repeats itself; how often a run must occur; equations in a run that does not
LONGEST, DOUBLED, REPEATED, UNIQUE = 1000, 16, 3, 400


def is_variable(atom: Any) -> bool:
    """Whether it is no literal."""
    return not isinstance(atom, Literal)


def signature(equation: Any) -> tuple:
    """What an equation does, whatever it is done to: equal for the same layer of two depths, and for nothing else."""
    parameters = tuple((name, _exactly(value)) for name, value in sorted(equation.params.items()) if name not in IGNORED)
    return equation.primitive.name, parameters, tuple(str(v.aval) for v in (*equation.invars, *equation.outvars))


IGNORED = {"jvp_jaxpr_fun", "jvp_jaxpr_thunk", "fwd_jaxpr_thunk", "fwd", "bwd", "name"}  # rules of differentiation, labels


def dataflow(equations: Sequence[Any], numbers: dict[Any, int]) -> tuple:
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
    return arguments, signatures, dataflow(jaxpr.eqns, numbers), tuple(_atom(atom, numbers) for atom in jaxpr.outvars)


def repeating(symbols: Sequence[Hashable], doubled: int = DOUBLED) -> list[int]:
    """Lengths of consecutive runs of symbols such that as few different runs as possible make up the sequence.

    Byte-pair encoding: the most frequent pair of neighbours becomes one, again and again. What occurs once is joined.
    doubled: the most symbols of a run that is twice the same.
    """
    names: dict[Hashable, int] = {}
    tokens = [(names.setdefault(symbol, len(names)), 1) for symbol in symbols]
    while True:
        counts = Counter(pair for pair in pairwise(tokens) if _may_join(*pair, doubled))
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


def _may_join(a: tuple[int, int], b: tuple[int, int], doubled: int) -> bool:
    return a[1] + b[1] <= (doubled if a == b else LONGEST)


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
