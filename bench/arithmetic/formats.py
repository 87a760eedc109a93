"""Number formats, and numbers rounded to them as hardware does."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import jax.numpy as jnp
import ml_dtypes
import numpy as np
from jax import Array, lax


class Format(NamedTuple):
    """Floats ±1.f · 2^e: f of ``digits`` bits, e ≥ ``least``, subnormal numbers below 2^least, ``largest`` the largest.

    beyond: what becomes of what is rounded to more than the largest, inf, nan, or the largest itself.
    """

    digits: int
    least: int
    largest: float
    beyond: float

    @property
    def quantum(self) -> float:
        """The smallest number; what is at most half of it is rounded to zero."""
        return 2.0 ** (self.least - self.digits)


def _known(name: str, beyond: float | None = np.inf) -> Format:
    info = ml_dtypes.finfo(name)
    largest = float(info.max)
    return Format(info.nmant, int(info.minexp), largest, largest if beyond is None else beyond)


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "float32": _known("float32"),
        "tf32": Format(10, -126, float(np.float32((2 - 2.0**-10) * 2.0**127)), np.inf),
        "bfloat16": _known("bfloat16"),
        "float16": _known("float16"),
        "float8_e5m2": _known("float8_e5m2"),
        "float8_e4m3fn": _known("float8_e4m3fn", np.nan),
        "float4_e2m1fn": _known("float4_e2m1fn", None),
    }
)


def round_to(numbers: Array, to: Format) -> Array:
    """The nearest numbers of the format, ties to even, in the floats that they came in.

    Subnormal numbers of a format are kept where those floats hold them as normal ones: float32 on CPUs and TPUs has none
    of its own, so that bfloat16 and tf32 have none either. NaN stays NaN; an infinity is beyond the largest number, like
    all that is.
    """
    # reduce_precision, and arithmetic: the compiler may take a pair of conversions for none
    own = jnp.finfo(numbers.dtype)
    if to.digits >= own.nmant and to.least <= own.minexp:
        return numbers
    rounded = lax.reduce_precision(numbers, exponent_bits=own.nexp, mantissa_bits=min(to.digits, own.nmant))
    size = lax.abs(numbers)
    if to.least > own.minexp:
        parts = lax.mul(numbers, lax.full_like(numbers, 1 / to.quantum))
        below = lax.mul(lax.round(parts, lax.RoundingMethod.TO_NEAREST_EVEN), lax.full_like(numbers, to.quantum))
        rounded = lax.select(lax.lt(size, lax.full_like(size, 2.0**to.least)), below, rounded)
    if to.largest < own.max:
        too_large = lax.gt(lax.abs(rounded), lax.full_like(size, to.largest))
        beyond = lax.mul(lax.sign(numbers), lax.full_like(numbers, to.beyond))
        rounded = lax.select(too_large, beyond, rounded)
    return rounded
