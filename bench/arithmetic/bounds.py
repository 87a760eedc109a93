"""What is known of numbers before a program runs: how large arguments are, and what holds for all turns of a piece of it."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jax import lax

from bench.arithmetic.number import ZERO
from bench.arithmetic.values import PLAIN, Bare, Plain, Scaled, Value, clothed, is_float, settled

ORDINARY = 20  # powers of two by which an argument's largest entry may be away from 1 to be used as it is
SURELY = 2.0 ** (ORDINARY - 4)  # as far away, whatever is rounded


def measured(values: Sequence[Value], joined: Collection[int] = ()) -> list[Value]:
    """Arguments as they are if they are of ordinary size, and normalized if not: once, and not wherever they are read.

    joined: those of which stacks are made. They stay bare, of a known size or, if one is not of ordinary size, unknown.
    """
    sizes = {i: _size(value.array) for i, value in enumerate(values) if isinstance(value, Bare)}
    sizes = {i: float(size) for i, size in sizes.items()}
    ordinary = {i for i, size in sizes.items() if size == 0 or 2.0**-ORDINARY <= size < 2.0**ORDINARY}
    found = list(values)
    for i, size in sizes.items():
        array = values[i].array
        if i in joined:
            found[i] = Bare(array, ORDINARY, ORDINARY) if ordinary.issuperset(joined) else values[i]
        elif i in ordinary:
            found[i] = Scaled(array, _everywhere(ZERO if size == 0 else 0, array.ndim), ORDINARY, below=ORDINARY)
        else:
            found[i] = _settled(values[i])
    return found


@jax.jit
def _settled(value: Bare) -> Scaled:
    return settled(clothed(value))


def _size(array: Any) -> Any:
    """Its largest magnitude, or, where that is certainly ordinary, another ordinary number.

    By who has it at hand: NumPy reads what is on the CPU faster than a program is called. Of n numbers the sum of squares,
    between the square of the largest and n times that, takes less time than the largest.
    """
    if not isinstance(array, np.ndarray | np.generic) and not _on_cpu(array.sharding):
        return _size_there(array)
    array = np.asarray(array)
    if array.dtype.char in "fd" and array.size * SURELY**-2 <= float(np.vdot(array, array)) <= SURELY**2:
        return 1
    return np.max(np.abs(array), initial=0)


@lru_cache(maxsize=128)
def _on_cpu(sharding: Any) -> bool:
    return all(device.platform == "cpu" for device in sharding.device_set)


@jax.jit
def _size_there(array: Any) -> Any:
    return jax.numpy.max(lax.abs(array), initial=0)


@lru_cache(maxsize=128)
def _everywhere(exponent: int, rank: int) -> Any:
    return jax.device_put(np.full((1,) * rank, exponent, np.int32))


def alike(value: Value) -> Value:
    """The same with coarser bounds, so that programs are compiled for few of them."""
    if not isinstance(value, Scaled):
        return value
    value = settled(value) if value.part else value
    bits = next((bits for bits in (ORDINARY, PLAIN) if value.bits <= bits), value.bits)
    return replace(value, bits=bits, below=next((most for most in (1, ORDINARY, PLAIN) if value.below <= most), math.inf))


def bounds(value: Value) -> Any:
    """What is known of one value."""
    if isinstance(value, Plain):
        return value.bits, value.number
    return (value.bits, value.honest, value.below) if isinstance(value, Scaled) else None


def within(value: Value, other: Any) -> Value:
    """The same with bounds that hold for others of these bounds too."""
    if bounds(value) == other or not is_float(value) or other is None or len(other) < 3:
        return value
    if isinstance(value, Plain):
        value = Scaled(value.array, np.zeros((1,) * value.array.ndim, np.int32), value.bits, honest=False)
    bits, honest, below = other
    return replace(value, bits=max(value.bits, bits), honest=value.honest and honest, below=max(value.below, below))
