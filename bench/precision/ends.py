"""Where a number format ends on this machine: below which numbers it has zeros, and which is its largest."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from bench.arithmetic.formats import FORMATS, round_to


class Ends(NamedTuple):
    """As log2: what is not above ``zero`` is rounded to zero, and nothing is above ``largest``."""

    zero: float
    largest: float


@cache
def ends_of(name: str, dtype: str) -> Ends:
    """Half the smallest number of the format; where this machine holds no subnormal numbers, its smallest normal one.

    dtype: the floats in which the format is kept. The machine is asked: each power of two is made by a product, and rounded.
    """
    to, own = FORMATS[name], np.finfo(dtype)
    powers = np.arange(max(to.least - to.digits, own.minexp - own.nmant), max(to.least, own.minexp) + 2)
    halves = powers // 2, powers - powers // 2
    made = jax.jit(lambda a, b: round_to(a * b, to))(*(np.exp2(half).astype(dtype) for half in halves))
    least = int(powers[np.asarray(made != jnp.zeros_like(made))].min())
    subnormal = least < max(to.least, own.minexp)
    return Ends(least - subnormal, float(np.log2(min(to.largest, float(own.max)))))
