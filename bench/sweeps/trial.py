"""Architectures tried at the sizes in which they will be used."""

from __future__ import annotations

from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend.core import Literal

from bench.arithmetic.numerics import settled
from bench.networks.activations import ACTIVATIONS
from bench.networks.architectures.architecture import Step, dense
from bench.networks.architectures.registry import architecture_of
from bench.networks.initializers import INITIALIZERS
from bench.settings.errors import SweepError, UsageError
from bench.settings.registry import describe
from bench.sweeps.sweep import PLAIN, Sweep


def check_architectures(sweep: Sweep) -> None:
    """Trace one block of each, which computes nothing. Raises SweepError with the user's own exception."""
    others = [name for name in sweep.architectures if name != PLAIN]
    normalized = [name for name in sweep.initializers if INITIALIZERS[name].family.unit_variance]
    if others and normalized:
        raise SweepError("initializers", normalized[0], f"no scheme that is normalized on data, for {others[0]}")
    with settled(sweep.dtype):
        for name, width, activation in product(others, sweep.widths, sweep.activations):
            _check(name, activation, (sweep.batch, sweep.length, width), sweep.dtype)


def _check(name: str, activation: str, shape: tuple[int, int, int], dtype: str) -> None:
    architecture, h = architecture_of(name), jax.ShapeDtypeStruct(shape, jnp.dtype(dtype))
    number = jax.ShapeDtypeStruct((), jnp.dtype(dtype))
    accepted = f"a block that hands on what it is given, {list(shape)} of {dtype}"
    try:
        state = jax.eval_shape(architecture.start, h)
        matrices = {key: jax.ShapeDtypeStruct(size, h.dtype) for key, size in architecture.shapes(shape[-1]).items()}

        def block(state: Any, matrices: dict[str, Array], layer: Array, depth: Array, x: Array) -> Any:
            weights = {key: lambda v, matrix=matrix: dense(matrix, v) for key, matrix in matrices.items()}
            begun = architecture.begun(shape[-1])
            return architecture.block(state, weights, Step(layer, depth, ACTIVATIONS[activation].function, x, begun))

        program, after = jax.make_jaxpr(block, return_shape=True)(state, matrices, number, number, h)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:  # the user's code may fail in any way
        raise SweepError("architectures", name, f"{accepted} ({describe(error)})") from error
    if jax.tree.structure(after) != jax.tree.structure(state) or any(
        (a.shape, a.dtype) != (b.shape, b.dtype) for a, b in zip(jax.tree.leaves(after), jax.tree.leaves(state), strict=True)
    ):
        found = ", ".join(f"{leaf.dtype}{list(leaf.shape)}" for leaf in jax.tree.leaves(after))
        raise SweepError("architectures", name, f"{accepted} ({found} came back)")
    *_, depth, x = program.jaxpr.invars
    read = {atom for equation in program.jaxpr.eqns for atom in equation.invars if not isinstance(atom, Literal)}
    for flag, field, variable in (("by_depth", "depth", depth), ("driven", "input", x)):
        if variable in read and not getattr(architecture, flag):
            wanted = f"an Architecture with {flag}=True, since its block looks at step.{field}"
            raise SweepError("architectures", name, wanted)
