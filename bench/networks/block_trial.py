"""Architectures tried at the sizes in which they will be used."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from itertools import product
from typing import Any

import jax

from bench.arithmetic.numerics import settled
from bench.networks.activations import ACTIVATIONS
from bench.networks.architectures.registry import FIELD, architecture_of
from bench.networks.architectures.traced import Traced, traced
from bench.networks.initializers import INITIALIZERS
from bench.settings.defaults import PLAIN
from bench.settings.errors import SweepError, UsageError
from bench.settings.registry import describe


def check_architectures(
    architectures: Iterable[str],
    initializers: Iterable[str],
    activations: Iterable[str],
    *,
    widths: Iterable[int],
    batch: int,
    length: int,
    dtype: str,
) -> None:
    """Trace one block of each, which computes nothing. Raises SweepError with the user's own exception."""
    others = [name for name in architectures if name != PLAIN]
    normalized = [name for name in initializers if INITIALIZERS[name].family.unit_variance] if others else []
    if normalized:
        raise SweepError("initializers", normalized[0], f"no scheme that is normalized on data, for {others[0]}")
    for name, width in product(others, widths):
        _check_kernels(name, width, initializers)
    for name, width, activation in product(others, widths, activations):
        _check(name, activation, (batch, length, width), dtype)


def check_sizes(name: str, width: int, batch: int, length: int) -> None:
    """Raises SweepError where an architecture cannot be as large, or a user's own does not say how large it is."""
    architecture = architecture_of(name)
    try:
        shapes = {str(matrix): tuple(map(operator.index, shape)) for matrix, shape in architecture.shapes(width).items()}
        if not shapes or any(len(shape) != 2 or min(shape) < 1 for shape in shapes.values()):
            raise ValueError(f"{shapes} came back")
    except (Exception, SystemExit) as error:  # the user's code may fail in any way
        accepted = f"shapes(width) of an Architecture: name → (out, in) at width {width}"
        raise SweepError(FIELD, name, f"{accepted} ({describe(error)})") from error
    try:
        factors = {**architecture.factors(2), **architecture.radii}
        if unknown := [matrix for matrix, factor in factors.items() if matrix not in shapes or not math.isfinite(factor)]:
            raise ValueError(f"{unknown[0]} is {factors[unknown[0]]}")
    except (Exception, SystemExit) as error:
        accepted = f"factors(depth) and radii of an Architecture: a number for each of {', '.join(shapes)}, or for some"
        raise SweepError(FIELD, name, f"{accepted} ({describe(error)})") from error
    try:
        if (wrong := architecture.check(width, batch, length)) is None:
            return
        field, value, wanted = wrong
    except (Exception, SystemExit) as error:
        accepted = "check(width, batch, length) of an Architecture: None, or (field, its value, what is wanted)"
        raise SweepError(FIELD, name, f"{accepted} ({describe(error)})") from error
    raise SweepError(FIELD, name, wanted, beside=(field, value))


def _check_kernels(name: str, width: int, initializers: Iterable[str]) -> None:
    """What is not square is a kernel of an odd number of taps, for schemes that take it for one."""
    architecture = architecture_of(name)
    for initializer in (each for each in initializers if INITIALIZERS[each].family.of_kernels):
        for fan_out, fan_in in architecture.shapes(width).values():
            if fan_in != fan_out and (architecture.name != "conv" or fan_in // fan_out % 2 == 0):
                accepted = f"one for the {fan_out} × {fan_in} matrices of {name} (it is of square ones and odd kernels)"
                raise SweepError("initializers", initializer, accepted)


def block_of(name: str, activation: str, examples: tuple[int, int, int], dtype: str) -> Traced:
    """A block, traced on states [batch, length, width]. Raises whatever it does."""
    with settled(dtype):
        return traced(architecture_of(name), ACTIVATIONS[activation].function, examples, dtype)


def _check(name: str, activation: str, examples: tuple[int, int, int], dtype: str) -> None:
    accepted = f"a block that hands on what it is given, {list(examples)} of {dtype}"
    try:
        block = block_of(name, activation, examples, dtype)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:  # the user's code may fail in any way
        raise SweepError(FIELD, name, f"{accepted} ({describe(error)})") from error
    if block.after != block.before:
        found = ", ".join(f"{leaf.dtype}{list(leaf.shape)}" for leaf in jax.tree.leaves(block.after))
        raise SweepError(FIELD, name, f"{accepted} ({found} came back)")
    _check_read(name, jax.tree.leaves(block.before)[0], examples, dtype)
    for flag, field in (("by_depth", "depth"), ("driven", "input")):
        if getattr(block, flag) and not getattr(architecture_of(name), flag):
            wanted = f"an Architecture with {flag}=True, since its block looks at step.{field}"
            raise SweepError(FIELD, name, wanted)


def _check_read(name: str, state: Any, examples: tuple[int, int, int], dtype: str) -> None:
    accepted = f"a read(h) of an Architecture that returns {list(examples)} of {dtype}"
    try:
        with settled(dtype):
            read = jax.eval_shape(architecture_of(name).read, state)
        if (read.shape, read.dtype) != (examples, dtype):
            raise ValueError(f"{read.dtype}{list(read.shape)} came back")
    except (Exception, SystemExit) as error:
        raise SweepError(FIELD, name, f"{accepted} ({describe(error)})") from error
