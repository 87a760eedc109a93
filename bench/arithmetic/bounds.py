"""What is known of numbers before a program runs: how large arguments are, and what holds for all turns of a piece of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jax import lax

from bench.arithmetic.number import ZERO
from bench.arithmetic.values import PLAIN, Plain, Scaled, Value, is_float, settled

ORDINARY = 20  # powers of two by which an argument's largest entry may be away from 1 to be used as it is


def measured(values: Sequence[Value]) -> list[Value]:
    """Arguments as they are if they are of ordinary size, and normalized if not: once, and not wherever they are read."""
    unknown = [i for i, value in enumerate(values) if isinstance(value, Scaled) and value.bits > ORDINARY]
    sizes = jax.device_get([_size(values[i].mantissa) for i in unknown])
    known = list(values)
    for i, size in zip(unknown, sizes, strict=True):
        array = values[i].mantissa
        if size == 0 or 2.0**-ORDINARY <= size < 2.0**ORDINARY:
            known[i] = Scaled(array, _everywhere(ZERO if size == 0 else 0, array.ndim), ORDINARY)
        else:
            known[i] = _settled(values[i])
    return known


_settled = jax.jit(settled)


def _size(array: Any) -> Any:
    """Its largest magnitude, by who has it at hand: NumPy reads what is on the CPU faster than a program is called."""
    if isinstance(array, np.ndarray) or all(device.platform == "cpu" for device in array.devices()):
        return np.max(np.abs(np.asarray(array)), initial=0)
    return _size_there(array)


@jax.jit
def _size_there(array: Any) -> Any:
    return jax.numpy.max(lax.abs(array), initial=0)


@lru_cache(maxsize=128)
def _everywhere(exponent: int, rank: int) -> Any:
    return jax.numpy.full((1,) * rank, exponent, np.int32)


def alike(value: Value) -> Value:
    """The same with coarser bounds, so that programs are compiled for few of them."""
    if not isinstance(value, Scaled):
        return value
    return replace(value, bits=next((bits for bits in (ORDINARY, PLAIN) if value.bits <= bits), value.bits))


def bounds(value: Value) -> Any:
    """What is known of one value."""
    if isinstance(value, Plain):
        return value.bits
    return (value.bits, value.honest, value.below) if isinstance(value, Scaled) else None


def within(value: Value, other: Any) -> Value:
    """The same with bounds that hold for others of these bounds too."""
    if bounds(value) == other or not is_float(value) or not isinstance(other, tuple):
        return value
    if isinstance(value, Plain):
        value = Scaled(value.array, np.zeros((1,) * value.array.ndim, np.int32), value.bits, honest=False)
    bits, honest, below = other
    return replace(value, bits=max(value.bits, bits), honest=value.honest and honest, below=max(value.below, below))
