"""From weights to log10 norms: walks the engine over segments, tiles and blocks, and puts mantissas and exponents together.

The host only dispatches and adds exponents (float64, exact). It runs a few segments ahead of the devices and no further,
which bounds memory, lets it work while they do, and makes progress real.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jax import Array
from jax.sharding import Mesh

from bench.arithmetic.extended import EXPONENT_OF_ZERO
from bench.engine.gradients import DEPTHS, LANES, Lanes, State, Trace, backward_program, forward_program
from bench.networks.activations import Activation
from bench.networks.losses import Loss
from bench.networks.seeds import fetch_behind, place
from bench.networks.segments import Segment, segments_to

LOG10_2 = float(np.log10(2.0))


class Measured(NamedTuple):
    """One depth L of a tile of lanes; every array is float64 and has one row for each layer 1 … L."""

    depth: int
    lanes: slice
    log10_grad: np.ndarray  # [L, seeds, lanes]: log10 ‖∂loss/∂W_l‖_F
    log10_delta: np.ndarray  # [L, seeds, lanes]: log10 ‖∂loss/∂z_l‖; at L, of ∂loss/∂y
    log10_activation: np.ndarray  # [L, seeds, lanes]: log10 ‖h_l‖; at L, of |y|


class Block(NamedTuple):
    """Up to DEPTHS depths, deepest first, over one tile of lanes."""

    depths: tuple[int, ...]
    tile: int
    derivative: Array  # [seeds, DEPTHS, LANES]: mantissa of ∂loss/∂y, on the devices
    log2_derivative: np.ndarray  # [DEPTHS, seeds, LANES]: log2 |∂loss/∂y|
    exponent: np.ndarray  # [DEPTHS, seeds, LANES]: what its mantissa is to be multiplied by
    probed: list[np.ndarray]  # [DEPTHS, LAYERS, seeds, LANES, 2] for each segment, the last segment first

    @property
    def segments(self) -> int:
        """How many segments the deepest of its depths crosses."""
        return segments_to(self.depths[0])


def split_lanes(scales: np.ndarray, bias_stds: np.ndarray, dtype: np.dtype) -> list[Lanes]:
    """Tiles of LANES pairs as mantissas and exponents; the last is padded with zeros, networks that are zero throughout."""

    def split(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mantissa, exponent = np.frexp(np.pad(values, (0, -len(values) % LANES)))
        exponent = np.where(mantissa == 0, EXPONENT_OF_ZERO, exponent)
        return mantissa.reshape(-1, LANES).astype(dtype), exponent.reshape(-1, LANES).astype(dtype)

    return [Lanes(*tile) for tile in zip(*split(scales), *split(bias_stds), strict=True)]


def measure(
    segments: Callable[[int], Segment],
    inputs: Array,
    readout: Array,
    *,
    mesh: Mesh,
    activation: Activation,
    loss: Loss,
    scales: np.ndarray,
    bias_stds: np.ndarray,
    depths: Sequence[int],
    input_exponent: int = 0,
    advance: Callable[[float], None] = lambda _share: None,
) -> Iterator[Measured]:
    """Every norm of every network, from one forward and one backward pass for all depths and lanes.

    segments: index → Segment, asked for in order and then, backward, in reverse; inputs, readout: [seeds, width], split
    over ``mesh``, the inputs to be multiplied by 2^input_exponent; scales, bias_stds: [lanes], pairwise; depths: each ≥ 2,
    in any order. ``advance`` is told the share of the work that has come back, in steps that add up to 1. Yields depth by
    depth and tile by tile, in no particular order.
    """
    dtype = np.dtype(inputs.dtype)
    tiles = split_lanes(scales, bias_stds, dtype)
    lanes = place(mesh, tiles)
    forward, backward = forward_program(mesh, activation), backward_program(mesh)
    count = segments_to(max(depths))
    deepest_first = sorted(depths, reverse=True)
    groups = [tuple(deepest_first[i : i + DEPTHS]) for i in range(0, len(depths), DEPTHS)]
    steps = len(tiles) * (count + sum(segments_to(group[0]) for group in groups))
    at_rest = np.zeros((*inputs.shape[:1], DEPTHS, LANES, *inputs.shape[1:]), dtype)
    slopes: dict[tuple[int, int], Array] = {}

    def run_forward() -> Iterator[tuple[int, Array]]:
        value = np.repeat(np.asarray(inputs)[:, None, :], LANES, axis=1)
        start = place(mesh, State(value, np.full(value.shape[:2], input_exponent, dtype)), 0)
        states = [start for _ in tiles]
        for index in range(count):
            segment = segments(index)
            for tile, lane in enumerate(lanes):
                states[tile], trace, slopes[tile, index] = forward(segment, states[tile], readout, lane)
                yield tile, trace

    def run_backward(blocks: Sequence[Block]) -> Iterator[tuple[Block, Array]]:
        cotangents = [place(mesh, at_rest, 0)] * len(blocks)
        padded = [place(mesh, np.pad(block.depths, (0, DEPTHS - len(block.depths))).astype(np.int32)) for block in blocks]
        for index in reversed(range(count)):
            segment = segments(index)
            for number, block in enumerate(blocks):
                if index < block.segments:
                    cotangents[number], probed = backward(
                        segment,
                        slopes[block.tile, index],
                        readout,
                        lanes[block.tile],
                        cotangents[number],
                        block.derivative,
                        padded[number],
                        np.int32(index),
                    )
                    yield block, probed
            for tile in range(len(tiles)):
                del slopes[tile, index]

    pieces: list[list[np.ndarray]] = [[] for _ in tiles]
    for tile, trace in fetch_behind(run_forward()):
        pieces[tile].append(trace)
        advance(1 / steps)
    traces = [Trace(*np.concatenate(piece, axis=1).astype(float)) for piece in pieces]
    with np.errstate(divide="ignore"):
        log2_input = np.log2(np.linalg.norm(np.asarray(inputs, float), axis=-1)) + input_exponent
    blocks = [
        Block(group, tile, *_derivatives(mesh, loss, trace, group, dtype), [])
        for tile, trace in enumerate(traces)
        for group in groups
    ]
    for block, probed in fetch_behind(run_backward(blocks)):
        block.probed.append(probed)
        advance(1 / steps)
        if len(block.probed) == block.segments:
            first = block.tile * LANES
            yield from _assemble(block, traces[block.tile], log2_input, slice(first, min(first + LANES, len(scales))))
            block.probed.clear()


def _derivatives(
    mesh: Mesh, loss: Loss, trace: Trace, depths: Sequence[int], dtype: np.dtype
) -> tuple[Array, np.ndarray, np.ndarray]:
    """∂loss/∂y of a block: mantissas on the devices, log2 of the whole, exponents (Block's fields)."""
    last_hidden = np.array(depths) - 2
    mantissa, exponent = loss.derivative(trace.output[last_hidden], trace.exponent[last_hidden])
    padded = np.pad(mantissa, ((0, DEPTHS - len(depths)), (0, 0), (0, 0))).astype(dtype)
    with np.errstate(divide="ignore"):
        log2 = np.log2(np.abs(mantissa)) + exponent
    return place(mesh, padded.swapaxes(0, 1), 0), log2, exponent


def _assemble(block: Block, trace: Trace, log2_input: np.ndarray, lanes: slice) -> Iterator[Measured]:
    """The norms of a finished block: ‖δ_l‖ is the probed mantissa times every power of two taken out on the way to layer l.

    Those are the probes' shifts and the exponents of phi' at layers ≥ l, and the exponents of scale · W at layers > l.
    """
    kept = slice(0, lanes.stop - lanes.start)
    norm, shift = np.moveaxis(np.concatenate(block.probed[::-1], axis=1).astype(float), -1, 0)
    with np.errstate(divide="ignore"):
        log2_hidden = np.log2(trace.norm) + trace.exponent
        log2_output = np.log2(np.abs(trace.output)) + trace.exponent
        for number, depth in enumerate(block.depths):
            hidden = slice(0, depth - 1)
            taken = shift[number, hidden] + trace.slope_exponent[hidden]
            taken[:-1] += trace.weight_exponent[1 : depth - 1]
            exponent = np.cumsum(taken[::-1], axis=0)[::-1] + block.exponent[number]
            delta = np.concatenate([np.log2(norm[number, hidden]) + exponent, block.log2_derivative[number][None]])
            entering = np.concatenate([np.broadcast_to(log2_input[:, None], delta.shape[1:])[None], log2_hidden[hidden]])
            leaving = np.concatenate([log2_hidden[hidden], log2_output[depth - 2][None]])
            values = (delta + entering, delta, leaving)
            yield Measured(depth, lanes, *(LOG10_2 * value[:, :, kept] for value in values))
