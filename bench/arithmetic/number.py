"""An array of numbers of any magnitude: a mantissa, and powers of two kept aside as integers."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.core import Tracer
from jax.experimental.xla_metadata import set_xla_metadata

ZERO = -(2**30)  # the exponent of what is exactly zero: below any other, and twice it is still an int32
LOG10_2 = float(np.log10(2.0))
WINDOW = 32  # entries of an axis that a CPU's compiler reduces in one kernel, with what makes them; longer axes are halved
HALVINGS = 5  # beyond, the largest float takes less time to be found than the largest integer


@jax.tree_util.register_dataclass
@dataclass(frozen=True, repr=False)
class Extended:
    """Numbers ``mantissa · 2^exponent``.

    mantissa is an array of floats, the largest of which is within a factor of 4 of ±1 in every block. exponent is an array
    of int32 of the same rank, of whose axes each has length 1, one exponent for the whole axis, or the mantissa's length: a
    block is what shares an exponent. Entries more than 2^126 below the largest of their block (float32; 2^1022 in float64)
    are zero. Zero has the exponent -2^30; infinities and NaN are mantissas.
    """

    mantissa: Any
    exponent: Any

    @property
    def shape(self) -> tuple[int, ...]:
        return self.mantissa.shape

    @property
    def ndim(self) -> int:
        return self.mantissa.ndim

    @property
    def dtype(self) -> Any:
        return self.mantissa.dtype

    def __getitem__(self, index: Any) -> Extended:
        with self._own_precision():
            return Extended(self.mantissa[index], jnp.broadcast_to(self.exponent, self.shape)[index])

    def to_float(self) -> Array:
        """The numbers as floats of the mantissa's dtype: 0 and ±inf where they are out of its range."""
        with self._own_precision():
            return times_power_of_two(jnp.asarray(self.mantissa), jnp.asarray(self.exponent))

    def _own_precision(self) -> AbstractContextManager:
        """Where float64 stays float64, for what has left the program that asked for it."""
        return jax.enable_x64(True) if self.dtype == np.float64 else nullcontext()

    def log10_abs(self) -> Any:
        """log₁₀ of the magnitude of every entry, -inf for zero: NumPy's float64 outside of compiled programs."""
        xp, mantissa, exponent = self._host()
        with np.errstate(divide="ignore"):
            return xp.log10(xp.abs(mantissa)) + xp.where(mantissa == 0, 0, exponent) * LOG10_2

    def log10_norm(self) -> Any:
        """log₁₀ of the root of the sum of all squares, -inf if all are zero."""
        xp, mantissa, exponent = self._host()
        largest = xp.max(exponent, initial=ZERO)
        squares = xp.square(mantissa * xp.exp2(xp.clip(exponent - largest, -2000, 0).astype(mantissa.dtype)))
        with np.errstate(divide="ignore"):
            return xp.log10(xp.sum(squares)) / 2 + largest * LOG10_2

    def _host(self) -> tuple[Any, Any, Any]:
        """NumPy with float64, or inside a compiled program jax.numpy with the floats that there are."""
        if isinstance(self.mantissa, Tracer) or isinstance(self.exponent, Tracer):
            wide = at_least_float32(self.mantissa.dtype)
            return jnp, self.mantissa.astype(wide), self.exponent.astype(wide)
        return np, np.asarray(self.mantissa, np.float64), np.asarray(self.exponent, np.float64)

    def __repr__(self) -> str:
        if isinstance(self.mantissa, Tracer) or not hasattr(self.mantissa, "dtype"):
            return f"Extended({self.mantissa}, {self.exponent})"
        kind = f"{self.dtype}[{','.join(map(str, self.shape))}]"
        if self.mantissa.size != 1:
            return f"Extended({kind}, log10_norm={self.log10_norm():.6g})"
        return f"Extended({kind}, {_decimal(self)})"


def _decimal(number: Extended) -> str:
    """One number in decimal digits."""
    mantissa = float(np.asarray(number.mantissa, np.float64).item())
    if mantissa == 0 or not np.isfinite(mantissa):
        return f"{mantissa:g}"
    log10 = float(np.asarray(number.log10_abs()).item())
    power = int(np.floor(log10))
    return f"{'-' if mantissa < 0 else ''}{10 ** (log10 - power):.6g}e{power:+d}"


def at_least_float32(dtype: Any) -> Any:
    """The dtype itself, or float32 for shorter ones."""
    return dtype if jnp.finfo(dtype).bits >= 32 else jnp.dtype("float32")


def binary_exponent(value: Array) -> Array:
    """The integer e with 2^e ≤ |value| < 2^(e+1); of zero and what is below the normal range, ZERO; of inf and NaN, 0."""
    value = lax.convert_element_type(value, at_least_float32(value.dtype))
    limits = jnp.finfo(value.dtype)
    integer = jnp.dtype(f"int{limits.bits}")
    bits = lax.bitcast_convert_type(lax.abs(value), integer)
    biased = lax.convert_element_type(lax.shift_right_logical(bits, integer.type(limits.nmant)), np.int32)
    exponent = lax.sub(biased, np.int32(limits.maxexp - 1))
    exponent = lax.select(lax.eq(exponent, np.int32(limits.maxexp)), lax.full_like(exponent, 0), exponent)
    return lax.select(lax.eq(biased, np.int32(0)), lax.full_like(exponent, ZERO), exponent)


def power_of_two(exponent: Array, dtype: Any, *, normal: bool = False) -> Array:
    """2^exponent, exactly; 0 below the normal range of the dtype, inf above it, or, if normal, the nearest that is in it."""
    wide = at_least_float32(dtype)
    limits, integer = jnp.finfo(wide), jnp.dtype(f"int{jnp.finfo(wide).bits}")
    biased = lax.add(exponent, np.int32(limits.maxexp - 1))
    biased = lax.clamp(np.int32(normal), biased, np.int32(2 * limits.maxexp - 1 - normal))
    biased = lax.convert_element_type(biased, integer)
    bits = lax.shift_left(biased, integer.type(limits.nmant))
    return lax.convert_element_type(lax.bitcast_convert_type(bits, wide), dtype)


def times_power_of_two(value: Array, exponent: Array) -> Array:
    """``value · 2^exponent``, in two steps, so that no factor leaves the range before the product does."""
    half = lax.shift_right_arithmetic(exponent, np.int32(1))
    first, second = (power_of_two(part, value.dtype, normal=True) for part in (half, lax.sub(exponent, half)))
    return value * first * second


def exponent_of_largest(mantissa: Array, exponent: Array) -> Array:
    """The integer e with 2^e ≤ |x| < 2^(e+1) of the largest finite ``x = mantissa · 2^exponent`` of every block.

    ZERO where all are 0; of a mantissa of the dtype's highest power of two, one less. Blocks are as in :class:`Extended`;
    the mantissa may have length 1 where there are many exponents.
    """
    limits, (integer, one, top) = jnp.finfo(mantissa.dtype), _exponent_field(mantissa.dtype)
    block = tuple(1 if length == 1 else mantissa.shape[axis] for axis, length in enumerate(exponent.shape))
    bits = lax.reshape(_largest_bits(mantissa, block), block)
    bits = jnp.broadcast_to(lax.clamp(integer.type(one), bits, integer.type(top - one)), exponent.shape)
    own = lax.convert_element_type(lax.shift_right_logical(bits, integer.type(limits.nmant)), np.int32)
    moved = lax.max(lax.add(exponent, lax.sub(own, np.int32(limits.maxexp))), np.int32(ZERO))
    return lax.select(lax.eq(bits, integer.type(one)), lax.full_like(moved, ZERO), moved)


def _largest_bits(mantissa: Array, block: tuple[int, ...]) -> Array:
    """:func:`_exponent_bits` of the largest finite entry of every block."""
    axes = tuple(axis for axis, length in enumerate(block) if length == 1)
    halvings = [axis for axis in axes for _ in range(math.ceil(math.log2(max(1, mantissa.shape[axis] / WINDOW))))]
    if len(halvings) > HALVINGS:
        size = lax.abs(mantissa)  # lax throughout: functions of jax.numpy are programs of their own
        size = lax.select(lax.lt(size, lax.full_like(size, np.inf)), size, lax.full_like(size, 0))
        return _exponent_bits(_largest(size, axes))
    bits = _exponent_bits(mantissa)
    for axis in halvings:
        length, half = bits.shape[axis], -(-bits.shape[axis] // 2)
        halves = (lax.slice_in_dim(bits, start, start + half, axis=axis) for start in (0, length - half))
        bits = lax.max(*halves)
    return _largest(bits, axes)


def _largest(values: Array, axes: tuple[int, ...]) -> Array:
    return lax.reduce_max_p.bind(values, axes=axes, out_sharding=None) if axes else values


def _exponent_bits(value: Array) -> Array:
    """One step up: of zero and what is below the normal range one step, of infinities and NaN negative."""
    integer, one, top = _exponent_field(value.dtype)
    bits = lax.bitcast_convert_type(value, integer)
    return lax.add(lax.bitwise_and(bits, integer.type(top)), integer.type(one))


def _exponent_field(dtype: Any) -> tuple[Any, int, int]:
    """The integers as long as a float, and of its exponent bits there one step and all."""
    limits = jnp.finfo(dtype)
    return jnp.dtype(f"int{limits.bits}"), 1 << limits.nmant, (2 * limits.maxexp - 1) << limits.nmant


def normalize(mantissa: Array, exponent: Array) -> tuple[Array, Array]:
    """The same numbers with the largest mantissa of every block in ±[1, 2): nothing is rounded.

    The compiler is kept from inlining how far: it would compute the exponents of all layers before anew for every layer,
    and compile in quadratic time.
    """
    with set_xla_metadata(inlineable="false"):
        mantissa, settled = _measured(mantissa, exponent)
    factor = power_of_two(lax.sub(exponent, settled), mantissa.dtype, normal=True)
    return lax.mul(mantissa, lax.broadcast_in_dim(factor, mantissa.shape, range(mantissa.ndim))), settled


@jax.jit
def _measured(mantissa: Array, exponent: Array) -> tuple[Array, Array]:
    """The mantissa as it is, with :func:`exponent_of_largest`: whoever reads it reads what was measured.

    Else the compiler would compute it once to be measured, and anew for each who reads it.
    """
    return lax.optimization_barrier(mantissa), exponent_of_largest(mantissa, exponent)
