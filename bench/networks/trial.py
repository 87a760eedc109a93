"""Schemes and functions of the user's own, tried at the sizes and in the dtype in which they will be used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

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
    with _refused("initializers", name, f"an init(key, shape, dtype) that draws {shape[0]} × {shape[1]} of {dtype} too"):
        init = INITIALIZERS[name].family.init
        made = jax.eval_shape(lambda key: init(key, shape, jnp.dtype(dtype)), jax.random.key(0))
        _check_made(made, shape, dtype)


def _check_function(name: str, width: int, dtype: str) -> None:
    value, exponent = (jax.ShapeDtypeStruct(shape, jnp.dtype(dtype)) for shape in ((2, width), (2,)))
    with _refused("activations", name, f"a function of arrays of {width} numbers of {dtype} too"):
        made = jax.eval_shape(ACTIVATIONS[name].propagate, value, exponent)
        _check_made(made.value, value.shape, dtype)


def _check_made(made: Any, shape: tuple[int, ...], dtype: str) -> None:
    if made.shape != shape or made.dtype != dtype:
        raise ValueError(f"{made.dtype}{list(made.shape)} came back")


@contextmanager
def _refused(field: str, name: str, accepted: str) -> Iterator[None]:
    """Raises SweepError for whatever is raised inside, if it is not in the user's own words already."""
    try:
        yield
    except UsageError:
        raise
    except (Exception, SystemExit) as error:  # the user's code may fail in any way
        raise SweepError(field, name, f"{accepted} ({describe(error)})") from error
