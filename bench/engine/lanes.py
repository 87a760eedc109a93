"""Lanes, one (scale, bias_std, input norm) each, as the engine takes them: a tile at a time, mantissas beside exponents.

For a homogeneous phi without biases ``phi(s W h) = s phi(W h)`` for s > 0: every activation of layer l is s^l times that at
scale 1, and which units are on does not depend on s. There the engine runs at scale 1 and s^l is multiplied on the host. In
the arithmetic, a scale that is no power of two would round every number its own way, and a unit whose pre-activation is
rounding alone would be on at one scale and off at another.
"""

from __future__ import annotations

import numpy as np
from jax import Array

from bench.arithmetic.extended import EXPONENT_OF_ZERO
from bench.engine.gradients import LANES, Lanes, State, Trace
from bench.networks.activations import Activation


def tiled(values: np.ndarray, fill: float = 0.0, *, lanes: int = LANES) -> np.ndarray:
    """One number of every lane, a row for each tile of so many; the last tile is padded."""
    return np.pad(values, (0, -len(values) % lanes), constant_values=fill).reshape(-1, lanes)


def lanes_at(scales: np.ndarray, bias_stds: np.ndarray, dtype: np.dtype) -> Lanes:
    """One tile, each of its numbers as a mantissa and an exponent."""

    def split(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mantissa, exponent = np.frexp(values)
        return mantissa.astype(dtype), np.where(mantissa == 0, EXPONENT_OF_ZERO, exponent).astype(dtype)

    return Lanes(*split(scales), *split(bias_stds))


def split_lanes(
    activation: Activation, scales: np.ndarray, bias_stds: np.ndarray, dtype: np.dtype, *, per_tile: int = LANES
) -> tuple[list[Lanes], np.ndarray]:
    """Tiles of pairs as mantissas and exponents, and log2 of the scales that are not in them, else 0: [tiles, lanes of one].

    The last tile is padded with zeros, networks that are zero throughout.
    """
    factors = np.where(activation.homogeneous & (bias_stds == 0) & (scales > 0), scales, 1.0)
    tiles = zip(*(tiled(each, lanes=per_tile) for each in (scales / factors, bias_stds)), strict=True)
    return [lanes_at(scale, bias_std, dtype) for scale, bias_std in tiles], np.log2(tiled(factors, fill=1.0, lanes=per_tile))


def multiplied(trace: Trace, log2_factor: np.ndarray) -> Trace:
    """The trace of a tile, all float64, with the lanes' factors on every layer: those of layer l to the power l."""
    log2 = np.arange(1, len(trace.norm) + 1)[:, None, None] * log2_factor
    whole = np.floor(log2)  # exponents stay integers
    part = np.exp2(log2 - whole)
    return trace._replace(
        norm=trace.norm * part,
        output=trace.output * part,
        exponent=trace.exponent + whole,
        weight_exponent=trace.weight_exponent + log2_factor,
    )


def start_states(inputs: Array, input_norms: np.ndarray, exponent: int = 0) -> list[State]:
    """The inputs [seeds, width] · 2^exponent of a tile of lanes, times its norms; for each tile of norms [tiles, LANES]."""
    mantissa, log2 = np.frexp(input_norms)
    dtype, x = np.dtype(inputs.dtype), np.asarray(inputs)[:, None, :]
    return [
        # mantissas in [1, 2), so that a norm of 1 changes no bit
        State((2 * factors)[:, None].astype(dtype) * x, np.tile(exponent + shifts - 1, (len(x), 1)).astype(dtype))
        for factors, shifts in zip(mantissa, log2, strict=True)
    ]
