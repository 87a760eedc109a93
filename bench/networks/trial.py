"""Schemes and functions of the user's own, tried at the sizes and in the dtype in which they will be used."""

from __future__ import annotations

from collections.abc import Iterable

import jax
import jax.numpy as jnp

from bench.arithmetic.numerics import settled
from bench.networks.activations import ACTIVATIONS
from bench.networks.initializers import INITIALIZERS
from bench.settings.errors import SweepError, UsageError
from bench.settings.registry import describe


def check_own(
    initializers: Iterable[str],
    activations: Iterable[str],
    *,
    shapes: Iterable[tuple[int, int]],
    widths: Iterable[int],
    dtype: str,
) -> None:
    """Trace them, which computes nothing: what fails in the last hour of a run fails before it has begun.

    shapes: of the matrices that are to be drawn, as ``init(key, shape, dtype)`` is asked for them. Raises SweepError with
    the user's own exception.
    """
    shapes, widths = list(shapes), list(widths)
    with settled(dtype):
        for name in (name for name in initializers if name not in INITIALIZERS):
            for shape in shapes:
                _check_draw(name, shape, dtype)
        for name in (name for name in activations if name not in ACTIVATIONS):
            for width in widths:
                _check_function(name, width, dtype)


def _check_draw(name: str, shape: tuple[int, int], dtype: str) -> None:
    init = INITIALIZERS[name].family.init
    try:
        made = jax.eval_shape(lambda key: init(key, shape, jnp.dtype(dtype)), jax.random.key(0))
        if made.shape != shape or made.dtype != dtype:
            raise ValueError(f"{made.dtype}{list(made.shape)} came back")
    except UsageError:
        raise  # in the user's own words already
    except (Exception, SystemExit) as error:  # the user's code may fail in any way
        accepted = f"an init(key, shape, dtype) that draws {shape[0]} × {shape[1]} of {dtype} too ({describe(error)})"
        raise SweepError("initializers", name, accepted) from error


def _check_function(name: str, width: int, dtype: str) -> None:
    value, exponent = (jax.ShapeDtypeStruct(shape, jnp.dtype(dtype)) for shape in ((2, width), (2,)))
    try:
        made = jax.eval_shape(ACTIVATIONS[name].propagate, value, exponent)
        if made.value.shape != value.shape or made.value.dtype != dtype:
            raise ValueError(f"{made.value.dtype}{list(made.value.shape)} came back")
    except UsageError:
        raise  # in the user's own words already
    except (Exception, SystemExit) as error:
        accepted = f"a function of arrays of {width} numbers of {dtype} too ({describe(error)})"
        raise SweepError("activations", name, accepted) from error
