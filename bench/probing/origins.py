"""Where a program first leaves the range of its floats: its equations are run one after another, as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.core import eval_jaxpr
from jax.extend.core import ClosedJaxpr, Literal
from jax.extend.source_info_util import summarize

from bench.arithmetic.interpret import bind
from bench.arithmetic.rules.control import closed
from bench.probing.uses import Place, subprogram


class Origin(NamedTuple):
    """The equation from whose finite inputs comes what is not finite."""

    place: Place
    primitive: str
    dtype: str
    source: str  # file:line (function)
    what: str  # inf or nan
    step: int | None = None  # of the scan around it


def origin_of(program: ClosedJaxpr, arguments: Sequence[Any]) -> Origin | None:
    """The first equation from which a path of infinities and NaN leads to the first result that is not finite."""
    return next((origin for origin in _run(program, arguments, ())[1] if origin), None)


def _run(program: ClosedJaxpr, arguments: Sequence[Any], around: Place) -> tuple[list[Any], list[Origin | None]]:
    """Results, and for each that is not finite where that is from; arguments are taken as they are."""
    jaxpr = program.jaxpr
    known = dict(zip([*jaxpr.invars, *jaxpr.constvars], [*arguments, *program.consts], strict=True))
    origins: dict[Any, Origin] = {}
    for number, equation in enumerate(jaxpr.eqns):
        inputs = [atom.val if isinstance(atom, Literal) else known[atom] for atom in equation.invars]
        before = [origins[atom] for atom in equation.invars if not isinstance(atom, Literal) and atom in origins]
        results = bind(equation, *inputs)
        known.update(zip(equation.outvars, results, strict=True))
        wrong = [i for i, result in enumerate(results) if _what(result)]
        if not wrong:
            continue
        place = (*around, number)
        began = before[0] if before else _within(equation, inputs, place, _what(results[wrong[0]]))
        if began is not None:
            origins.update({equation.outvars[i]: began for i in wrong})
    found = [None if isinstance(atom, Literal) else origins.get(atom) for atom in jaxpr.outvars]
    return [atom.val if isinstance(atom, Literal) else known[atom] for atom in jaxpr.outvars], found


def _within(equation: Any, inputs: Sequence[Any], place: Place, what: str) -> Origin | None:
    """The equation itself, or one of those that it holds; None where it only passes on what is meant, as masks are."""
    found: Origin | None = None
    if (program := subprogram(equation)) is not None:
        found = next(filter(None, _run(program, inputs, place)[1]), None)
    elif equation.primitive.name == "cond":
        branch = closed(equation.params["branches"][int(inputs[0])])
        found = next(filter(None, _run(branch, inputs[1:], place)[1]), None)
    elif equation.primitive.name == "scan":
        found = _in_scan(equation, inputs, place)
    elif what == "inf" and any(_what(each) == "inf" for each in inputs):
        return None
    here = Origin(place, equation.primitive.name, str(equation.outvars[0].aval.dtype), summarize(equation.source_info), what)
    return found or here


def _in_scan(equation: Any, inputs: Sequence[Any], place: Place) -> Origin | None:
    parameters = equation.params
    consts, carries = parameters["num_consts"], parameters["num_carry"]
    body, length = parameters["jaxpr"], parameters["length"]
    step = jax.jit(lambda *values: eval_jaxpr(body.jaxpr, body.consts, *values))
    carry = list(inputs[consts : consts + carries])
    for turn in range(length):
        at = length - 1 - turn if parameters["reverse"] else turn
        values = [*inputs[:consts], *carry, *(array[at] for array in inputs[consts + carries :])]
        results = step(*values)
        if any(map(_what, results)):
            found = next(filter(None, _run(body, values, (*place, turn))[1]), None)
            if found is not None:
                return found if found.step is not None else found._replace(step=at)
        carry = results[:carries]
    return None


def _what(value: Any) -> str:
    """``nan`` or ``inf`` if there is one among these numbers, else nothing."""
    if not hasattr(value, "dtype") or not jnp.issubdtype(value.dtype, jnp.floating):
        return ""
    value = value.astype(jnp.float32) if jnp.finfo(value.dtype).bits < 32 else value
    if bool(jnp.isfinite(value).all()):
        return ""
    return "nan" if bool(jnp.isnan(value).any()) else "inf"
