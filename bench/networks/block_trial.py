"""Architectures tried at the sizes in which they will be used."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend.core import ClosedJaxpr, Literal

from bench.arithmetic.numerics import settled
from bench.networks.activations import ACTIVATIONS
from bench.networks.architectures.architecture import Step, dense
from bench.networks.architectures.registry import architecture_of
from bench.networks.initializers import INITIALIZERS
from bench.settings.defaults import PLAIN
from bench.settings.errors import SweepError, UsageError
from bench.settings.registry import describe


class Traced(NamedTuple):
    """One block as a program of (state, matrices, l, L, x_l), and what goes in and comes out."""

    program: ClosedJaxpr
    before: Any  # shapes of the state
    after: Any


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
    normalized = [name for name in initializers if INITIALIZERS[name].family.unit_variance]
    if others and normalized:
        raise SweepError("initializers", normalized[0], f"no scheme that is normalized on data, for {others[0]}")
    for name, width, activation in product(others, widths, activations):
        _check(name, activation, (batch, length, width), dtype)


@cache
def traced(name: str, activation: str, shape: tuple[int, int, int], dtype: str) -> Traced:
    """A block as JAX sees it, on states of that shape [batch, length, width]; nothing is computed."""
    architecture, h = architecture_of(name), jax.ShapeDtypeStruct(shape, jnp.dtype(dtype))
    number = jax.ShapeDtypeStruct((), jnp.dtype(dtype))

    def block(state: Any, matrices: dict[str, Array], layer: Array, depth: Array, x: Array) -> Any:
        weights = {key: lambda v, matrix=matrix: dense(matrix, v) for key, matrix in matrices.items()}
        begun = architecture.begun(shape[-1])
        return architecture.block(state, weights, Step(layer, depth, ACTIVATIONS[activation].function, x, begun))

    with settled(dtype):
        before = jax.eval_shape(architecture.start, h)
        matrices = {key: jax.ShapeDtypeStruct(size, h.dtype) for key, size in architecture.shapes(shape[-1]).items()}
        program, after = jax.make_jaxpr(block, return_shape=True)(before, matrices, number, number, h)
    return Traced(program, before, after)


def _check(name: str, activation: str, shape: tuple[int, int, int], dtype: str) -> None:
    accepted = f"a block that hands on what it is given, {list(shape)} of {dtype}"
    try:
        program, before, after = traced(name, activation, shape, dtype)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:  # the user's code may fail in any way
        raise SweepError("architectures", name, f"{accepted} ({describe(error)})") from error
    kinds = [[(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(state)] for state in (before, after)]
    if jax.tree.structure(after) != jax.tree.structure(before) or kinds[0] != kinds[1]:
        found = ", ".join(f"{leaf.dtype}{list(leaf.shape)}" for leaf in jax.tree.leaves(after))
        raise SweepError("architectures", name, f"{accepted} ({found} came back)")
    *_, depth, x = program.jaxpr.invars
    read = {atom for equation in program.jaxpr.eqns for atom in equation.invars if not isinstance(atom, Literal)}
    for flag, field, variable in (("by_depth", "depth", depth), ("driven", "input", x)):
        if variable in read and not getattr(architecture_of(name), flag):
            wanted = f"an Architecture with {flag}=True, since its block looks at step.{field}"
            raise SweepError("architectures", name, wanted)
