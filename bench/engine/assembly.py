"""From mantissas and exponents to log10 norms: what the two passes hand out, put together on the host in float64."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jax import Array
from jax.sharding import Mesh

from bench.engine.gradients import Shape, Trace
from bench.networks.losses import Loss, log2_of
from bench.networks.seeds import place
from bench.networks.segments import segments_to

LOG10_2 = float(np.log10(2.0))


class Measured(NamedTuple):
    """One depth L of a tile of lanes; every array is float64 and has one row for each layer 1 … L."""

    depth: int
    lanes: slice
    log10_grad: np.ndarray  # [L, seeds, lanes]: log10 ‖∂loss/∂W_l‖_F
    log10_delta: np.ndarray  # [L, seeds, lanes]: log10 ‖∂loss/∂z_l‖; at L, of ∂loss/∂y
    log10_activation: np.ndarray  # [L, seeds, lanes]: log10 ‖h_l‖; at L, of |y|
    log10_weight: np.ndarray  # [L, seeds, lanes]: log10 ‖W_l‖_F of the scaled matrices; at L, ‖u‖
    log10_relative: np.ndarray  # [L, seeds, lanes]: log10 ‖∂loss/∂W_l‖_F ‖W_l‖_F / |loss|; NaN where it is 0/0
    # [3, seeds, lanes]: log10 of the 10 % and 50 % quantiles of the entries |δ_i x_j| that are not zero, and of the largest
    log10_entries: np.ndarray | None = None
    cosine: np.ndarray | None = None  # [seeds, lanes]: of h_{L-1} of several examples or positions; NaN where one is zero


class Logs(NamedTuple):
    """The norms of a tile that do not depend on the depth, as log2: [hidden layers, seeds, LANES] but where told."""

    input: np.ndarray  # ‖x‖ [seeds, LANES]
    hidden: np.ndarray  # ‖h_l‖
    output: np.ndarray  # |u · h_l|
    weight: np.ndarray  # ‖W_l‖_F
    readout: np.ndarray  # ‖u‖ [seeds]


class Block(NamedTuple):
    """At most DEPTHS depths, deepest first, over one tile of lanes."""

    depths: tuple[int, ...]
    tile: int
    derivative: Array  # [seeds, DEPTHS, LANES]: mantissa of ∂loss/∂y, on the devices
    log2_derivative: np.ndarray  # [DEPTHS, seeds, LANES]: log2 |∂loss/∂y|
    exponent: np.ndarray  # [DEPTHS, seeds, LANES]: what its mantissa is to be multiplied by
    log2_loss: np.ndarray  # [DEPTHS, seeds, LANES]: log2 |loss|
    segments: int  # that the deepest of its depths crosses
    probed: list[np.ndarray]  # [DEPTHS, layers, seeds, LANES, 2] for each of these, the last first


def log2_norms(vectors: Array) -> np.ndarray:
    """Log2 of the lengths of vectors [seeds, width]."""
    lengths = np.linalg.norm(np.asarray(vectors, float), axis=-1)
    return log2_of(lengths, np.zeros_like(lengths))


def logs_of(trace: Trace, log2_input: np.ndarray, log2_readout: np.ndarray) -> Logs:
    """A tile's trace as log2."""
    return Logs(
        log2_input,
        log2_of(trace.norm, trace.exponent),
        log2_of(trace.output, trace.exponent),
        log2_of(trace.weight_norm, trace.weight_exponent),
        log2_readout,
    )


def block_of(mesh: Mesh, loss: Loss, trace: Trace, depths: Sequence[int], tile: int, dtype: np.dtype, shape: Shape) -> Block:
    """A block before its backward pass, with ∂loss/∂y of its own on the devices."""
    last_hidden = np.array(depths) - 2
    output = trace.output[last_hidden], trace.exponent[last_hidden]
    mantissa, exponent = loss.derivative(*output)
    padded = np.pad(mantissa, ((0, shape.depths - len(depths)), (0, 0), (0, 0))).astype(dtype)
    derivative = place(mesh, padded.swapaxes(0, 1), 0)
    segments = segments_to(depths[0], shape.layers)
    return Block(tuple(depths), tile, derivative, log2_of(mantissa, exponent), exponent, loss.log2(*output), segments, [])


def assemble(block: Block, trace: Trace, logs: Logs, lanes: slice, spread: np.ndarray | None = None) -> Iterator[Measured]:
    """The norms of a finished block: ‖δ_l‖ is the probed mantissa times every power of two taken out on the way to layer l.

    Those are the probes' shifts and the exponents of phi' at layers ≥ l, and the exponents of scale · W at layers > l.
    spread: [3, DEPTHS, seeds, LANES], log2 of the entries' quantiles in units of their norm.
    """
    kept = slice(0, lanes.stop - lanes.start)
    norm, shift = np.moveaxis(np.concatenate(block.probed[::-1], axis=1).astype(float), -1, 0)
    for number, depth in enumerate(block.depths):
        hidden = slice(0, depth - 1)
        taken = shift[number, hidden] + trace.slope_exponent[hidden]
        taken[:-1] += trace.weight_exponent[1 : depth - 1]
        exponent = np.cumsum(taken[::-1], axis=0)[::-1] + block.exponent[number]
        delta = np.concatenate([log2_of(norm[number, hidden], exponent), block.log2_derivative[number][None]])
        shape = delta.shape[1:]
        entering = np.concatenate([logs.input[None], logs.hidden[hidden]])
        leaving = np.concatenate([logs.hidden[hidden], logs.output[depth - 2][None]])
        weight = np.concatenate([logs.weight[hidden], np.broadcast_to(logs.readout[:, None], shape)[None]])
        grad = delta + entering
        with np.errstate(invalid="ignore"):  # a dead network's relative gradient is 0/0
            relative = grad + weight - block.log2_loss[number]
        values = (grad, delta, leaving, weight, relative)
        entries = None if spread is None else LOG10_2 * (spread[:, number] + grad[0])[:, :, kept]
        yield Measured(depth, lanes, *(LOG10_2 * value[:, :, kept] for value in values), log10_entries=entries)
