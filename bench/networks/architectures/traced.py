"""One block as the program that JAX makes of it: what it looks at, and how many numbers it computes on the way."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from bench.networks.architectures.architecture import Architecture, Step, dense


class Traced(NamedTuple):
    """Of one network and one lane."""

    before: Any  # the state, as shapes
    after: Any  # what the block makes of it
    by_depth: bool  # it looks at the depth L
    driven: bool  # it looks at the inputs x_l
    numbers: int  # that it computes, none of them left out: what a backward pass keeps is no more


@cache
def traced(architecture: Architecture, phi: Callable[[Array], Array], examples: tuple[int, int, int], dtype: str) -> Traced:
    """Trace a block on [batch, length, width], which computes nothing. Raises whatever the block does."""
    h, number = jax.ShapeDtypeStruct(examples, jnp.dtype(dtype)), jax.ShapeDtypeStruct((), jnp.dtype(dtype))
    state = jax.eval_shape(architecture.start, h)
    matrices = {key: jax.ShapeDtypeStruct(size, h.dtype) for key, size in architecture.shapes(examples[-1]).items()}

    def block(state: Any, matrices: dict[str, Array], layer: Array, depth: Array, x: Array) -> Any:
        weights = {key: lambda v, matrix=matrix: dense(matrix, v) for key, matrix in matrices.items()}
        return architecture.block(state, weights, Step(layer, depth, phi, x, architecture.begun(examples[-1])))

    program, after = jax.make_jaxpr(block, return_shape=True)(state, matrices, number, number, h)
    *_, depth, x = program.jaxpr.invars
    read = {atom for equation in program.jaxpr.eqns for atom in equation.invars if not isinstance(atom, Literal)}
    return Traced(state, after, depth in read, x in read, sum(_sizes(program.jaxpr)))


def _sizes(jaxpr: Jaxpr) -> Iterator[int]:
    """Of everything that is computed, in programs inside of it too."""
    for equation in jaxpr.eqns:
        yield from (math.prod(getattr(value.aval, "shape", ())) for value in equation.outvars)
        for inner in jax.tree.leaves(equation.params, is_leaf=lambda leaf: isinstance(leaf, (Jaxpr, ClosedJaxpr))):
            if isinstance(inner, (Jaxpr, ClosedJaxpr)):
                yield from _sizes(inner.jaxpr if isinstance(inner, ClosedJaxpr) else inner)
