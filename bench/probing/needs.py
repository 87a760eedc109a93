"""How much memory a probe takes, so that what cannot fit is refused before anything runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from jax.extend.core import ClosedJaxpr

from bench.arithmetic.interpret import inner_programs
from bench.runs.memory import check_room, device_bytes, host_bytes

WRITTEN = ("dot_general", "conv_general_dilated", "gather", "scatter", "scatter-add", "sort", "fft", "cumsum", "cholesky")
NOT_KEPT = ("remat", "remat2", "checkpoint", "while")
HOST_BYTES = 64  # for each entry of a parameter, whose numbers become rows one parameter after another, in float64


def check_room_for(program: ClosedJaxpr, parameters: Sequence[Any]) -> None:
    """Raises SweepError for a model whose gradients, by its program, are larger than this machine's memory."""
    entries = [math.prod(array.shape) for array in parameters]
    told = f"{sum(entries):,} floats"
    check_room("params", told, needed_bytes(program, len(entries)), "their gradient, by the program,", device_bytes())
    check_room("params", told, HOST_BYTES * max(entries), "the table of the largest array", host_bytes())


def needed_bytes(program: ClosedJaxpr, parameters: int) -> int:
    """Arguments, a gradient of every parameter, and what the forward pass keeps for the backward pass.

    An estimate: of what the compiler must write down (:data:`WRITTEN`), the results, and as much again for what is computed
    of them entry by entry.
    """
    given = [v.aval for v in (*program.jaxpr.invars, *program.jaxpr.constvars)]
    return sum(map(_bytes, given)) + sum(map(_bytes, given[:parameters])) + 2 * _kept(program)


def _kept(program: Any) -> int:
    """Once for each step of a scan, of the larger branch; nothing of what is computed again or has no backward pass."""
    total = 0
    for equation in getattr(program, "jaxpr", program).eqns:
        name = equation.primitive.name
        if name in WRITTEN:
            total += sum(_bytes(v.aval) for v in equation.outvars)
        elif name not in NOT_KEPT:
            total += equation.params.get("length", 1) * max(map(_kept, inner_programs(equation)), default=0)
    return total


def _bytes(of: Any) -> int:
    itemsize = getattr(getattr(of, "dtype", None), "itemsize", 0)
    return math.prod(getattr(of, "shape", ())) * itemsize
