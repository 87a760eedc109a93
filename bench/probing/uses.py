"""Where a forward pass uses each parameter: the order of the layers, and which parameters the loss depends on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Literal
from jax.extend.source_info_util import summarize

from bench.arithmetic.rules.control import closed

Place = tuple[int, ...]  # of an equation: its number, and where it is within another one, the numbers of those around it
PRODUCTS = ("dot_general", "conv_general_dilated")
INNER = ("jaxpr", "call_jaxpr", "fun_jaxpr")
OPENED = ("jit", "pjit", "closed_call", "core_call", "remat", "remat2", "checkpoint")


class Use(NamedTuple):
    """The first equation in which a parameter meets data."""

    place: Place
    primitive: str
    source: str  # file:line (function)
    dtype: Any  # of the parameter there, which may be cast before


class Stack(NamedTuple):
    """A scan that reads a parameter a step at a time."""

    length: int
    digit: int  # which number of a place is the step
    reverse: bool


class Product(NamedTuple):
    """A product of data with weights or with other data."""

    primitive: str
    source: str
    parameters: tuple[int, ...]  # the weights in it
    shape: tuple[int, ...]
    dtype: Any
    scans: tuple[Stack, ...]  # around it, from the outermost


class Origin(NamedTuple):
    """What a value is made of: parameters, as bits of a number, and whether anything else than them and constants."""

    parameters: int = 0
    data: bool = False


@dataclass
class Uses:
    """What is known of the parameters of a program, each by its number."""

    met: dict[int, Use] = field(default_factory=dict)  # with data
    touched: dict[int, Use] = field(default_factory=dict)  # by anything at all
    stacked: dict[int, Stack] = field(default_factory=dict)
    products: dict[Place, Product] = field(default_factory=dict)
    scans: tuple[Stack, ...] | None = ()  # around what is looked at; None where it is not opened
    reached: int = 0  # the parameters that the loss depends on smoothly, as bits

    def first(self, parameter: int) -> Use | None:
        """Where the forward pass first uses it; None if nowhere."""
        return self.met.get(parameter, self.touched.get(parameter))

    def reaches(self, parameter: int) -> bool:
        """Whether there is a path from it to the loss along which a gradient can flow."""
        return bool(self.reached >> parameter & 1)


def uses_of(program: ClosedJaxpr, count: int) -> Uses:
    """The uses of the first ``count`` arguments of a program; all others are data."""
    uses = Uses()
    arguments = [Origin(1 << i) if i < count else Origin(data=True) for i in range(len(program.jaxpr.invars))]
    uses.reached = _walk(uses, program, arguments, ())[0].parameters
    return uses


def subprogram(equation: Any) -> ClosedJaxpr | None:
    """The program of an equation that only wraps one."""
    if equation.primitive.name in ("scan", "while", "cond"):
        return None
    for name in INNER:
        program = equation.params.get(name)
        if program is not None and len(getattr(program, "jaxpr", program).invars) == len(equation.invars):
            return closed(program)
    return None


def _walk(uses: Uses, program: ClosedJaxpr, arguments: Sequence[Origin], around: Place) -> list[Origin]:
    jaxpr = program.jaxpr
    known: dict[Any, Origin] = dict(zip(jaxpr.invars, arguments, strict=True))
    known |= {variable: Origin(data=bool(variable.aval.shape)) for variable in jaxpr.constvars}
    for number, equation in enumerate(jaxpr.eqns):
        origins = [Origin() if isinstance(atom, Literal) else known[atom] for atom in equation.invars]
        results = _apply(uses, equation, origins, (*around, number))
        known.update(zip(equation.outvars, results, strict=True))
    return [Origin() if isinstance(atom, Literal) else known[atom] for atom in jaxpr.outvars]


def _apply(uses: Uses, equation: Any, origins: list[Origin], place: Place) -> list[Origin]:
    name, parameters = equation.primitive.name, equation.params
    if (program := subprogram(equation)) is not None:
        with _around(uses, () if name in OPENED else None):
            return _walk(uses, program, origins, place)
    if name == "scan":
        return _scan(uses, equation, origins, place)
    if name == "cond":
        with _around(uses, None):
            taken = [_walk(uses, closed(branch), origins[1:], place) for branch in parameters["branches"]]
        return [_joined(each) for each in zip(*taken, strict=True)]
    _note(uses, equation, origins, place)
    joined = _joined(origins)
    smooth = name != "stop_gradient"
    return [Origin(joined.parameters * (smooth and _is_float(v)), joined.data) for v in equation.outvars]


def _scan(uses: Uses, equation: Any, origins: list[Origin], place: Place) -> list[Origin]:
    consts, carries = equation.params["num_consts"], equation.params["num_carry"]
    stack = Stack(equation.params["length"], len(place), equation.params["reverse"])
    for origin in origins[consts + carries :]:
        for parameter in [] if origin.data else _bits(origin.parameters):
            uses.stacked.setdefault(parameter, stack)
    carried = [Origin(origin.parameters, data=True) for origin in origins[consts : consts + carries]]
    while True:  # what a step hands to the next is made of ever more, until it is not
        inputs = [*origins[:consts], *carried, *origins[consts + carries :]]
        with _around(uses, (stack,)):
            results = _walk(uses, equation.params["jaxpr"], inputs, (*place, 0))
        grown = [Origin(a.parameters | b.parameters, data=True) for a, b in zip(carried, results, strict=False)]
        if grown == carried:
            return [*carried, *results[carries:]]
        carried = grown


@contextmanager
def _around(uses: Uses, scans: tuple[Stack, ...] | None) -> Iterator[None]:
    before = uses.scans
    uses.scans = None if scans is None or before is None else (*before, *scans)
    yield
    uses.scans = before


def _note(uses: Uses, equation: Any, origins: list[Origin], place: Place) -> None:
    meets = any(origin.data for origin in origins)
    if equation.primitive.name in PRODUCTS and uses.scans is not None and meets and _is_float(equation.outvars[0]):
        weights = tuple(bit for origin in origins if not origin.data for bit in _bits(origin.parameters))
        made, source = equation.outvars[0].aval, summarize(equation.source_info)
        uses.products[place] = Product(equation.primitive.name, source, weights, made.shape, made.dtype, uses.scans)
    for atom, origin in zip(equation.invars, origins, strict=True):
        for parameter in [] if origin.data else _bits(origin.parameters):
            use = Use(place, equation.primitive.name, "", atom.aval.dtype)
            for table in (uses.touched, uses.met) if meets else (uses.touched,):
                if parameter not in table:
                    table[parameter] = use._replace(source=summarize(equation.source_info))


def _joined(origins: Sequence[Origin]) -> Origin:
    parameters = 0
    for origin in origins:
        parameters |= origin.parameters
    return Origin(parameters, any(origin.data for origin in origins))


def _bits(number: int) -> list[int]:
    return [i for i in range(number.bit_length()) if number >> i & 1]


def _is_float(variable: Any) -> bool:
    return jnp.issubdtype(getattr(variable.aval, "dtype", jnp.int32), jnp.floating)
