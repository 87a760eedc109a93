"""From weights to log10 norms: walks the engine over segments, tiles and blocks.

The host only dispatches and adds exponents (float64, exact). It runs a few segments ahead of the devices and no further,
which bounds memory, lets it work while they do, and makes progress real.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Event

import numpy as np
from jax import Array
from jax.sharding import Mesh

from bench.engine.assembly import Block, Measured, assemble, block_of, log2_norms, logs_of
from bench.engine.entries import InputCounts, input_counts, spread_program, without_first_program
from bench.engine.gradients import FIXED, Lanes, Shape, State, Trace, backward_program, forward_program
from bench.engine.lanes import multiplied, split_lanes, start_states, tiled
from bench.engine.streams import counted, first_alone, in_advance, streams, streams_for
from bench.networks.activations import Activation
from bench.networks.losses import Loss
from bench.networks.seeds import fetch_behind, place
from bench.networks.segments import Segment, segments_to


class Walk:
    """Both passes over some networks' segments, as calls in order; what the first leaves for the second stays here."""

    def __init__(
        self,
        draw: Callable[[int], Future[Segment]],
        lanes: Sequence[Lanes],
        readout: Array,
        *,
        mesh: Mesh,
        shape: Shape,
        ahead: int,
    ) -> None:
        self.draw, self.ahead, self.readout, self.mesh, self.shape = draw, ahead, readout, mesh, shape
        self.call = first_alone()
        self.lanes = place(mesh, lanes)  # a tile each
        self.slopes: dict[tuple[int, int], Array] = {}  # of a tile and a segment

    def forward(self, activation: Activation, starts: Iterable[State], count: int) -> Iterator[tuple[int, Array]]:
        """Each tile's number and Trace, as one array, of so many segments, one after the other."""
        program, states = forward_program(self.mesh, activation), [place(self.mesh, start, 0) for start in starts]
        for index, segment in enumerate(in_advance(self.draw, count, self.ahead)):
            for tile, lanes in enumerate(self.lanes):
                states[tile], trace, self.slopes[tile, index] = program(segment, states[tile], self.readout, lanes)
                yield tile, trace

    def backward(
        self, blocks: Sequence[Block], at_rest: np.ndarray, counts: InputCounts | None
    ) -> Iterator[tuple[Block, tuple[Array, Array | None]]]:
        """Each block with what is probed in a segment, the last segment first, and at the first one its entries' spread.

        at_rest: cotangents of zero [seeds, DEPTHS, LANES, width]; counts: of the inputs, where the spread is asked for.
        """
        program, cotangents = backward_program(self.mesh), [place(self.mesh, at_rest, 0)] * len(blocks)
        depths = [
            place(self.mesh, np.pad(block.depths, (0, self.shape.depths - len(block.depths))).astype(np.int32))
            for block in blocks
        ]
        for index in reversed(range(max(block.segments for block in blocks))):
            segment = self.draw(index).result()
            if index == 0 and counts is not None:
                segment = self.call(without_first_program(self.mesh), segment)
            for number, block in enumerate(blocks):
                if index < block.segments:
                    given = self.slopes[block.tile, index], self.readout, self.lanes[block.tile], cotangents[number]
                    asked = block.derivative, depths[number], np.int32(index)
                    cotangents[number], probed = self.call(program, segment, *given, *asked)
                    spread = None
                    if index == 0 and counts is not None:
                        spread = self.call(spread_program(self.mesh), cotangents[number], counts)
                    yield block, (probed, spread)


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
    input_norms: np.ndarray | None = None,
    input_exponent: int = 0,
    entries: bool = False,
    shape: Shape = FIXED,
    alone: bool = True,
    kept: bool = False,
    advance: Callable[[float], None] = lambda _share: None,
) -> Iterator[Measured]:
    """Every norm of every network, from one forward and one backward pass for all depths and lanes.

    segments: index → Segment of ``shape.layers``, asked for in order and then, backward, in reverse; inputs, readout:
    [seeds, width], split over ``mesh``, the inputs to be multiplied by 2^input_exponent and by the lane's norm; scales,
    bias_stds, input_norms (all 1 by default): [lanes], together; depths: each ≥ 2, in any order; entries: whether the
    spread of the entries of ∂loss/∂W_1 is measured too; shape: how lanes, depths and layers are divided; alone: whether
    segments are asked for one after the other; kept: whether asking again costs nothing. ``advance`` is told the share of
    the work that has come back, in steps that add up to 1.
    Yields depth by depth and tile by tile, in no particular order.
    """
    dtype = np.dtype(inputs.dtype)
    tiles, factors = split_lanes(activation, scales, bias_stds, dtype, per_tile=shape.lanes)
    norms = tiled(np.ones(len(scales)) if input_norms is None else input_norms, fill=1.0, lanes=shape.lanes)
    deepest_first = sorted(depths, reverse=True)
    groups = [tuple(deepest_first[i : i + shape.depths]) for i in range(0, len(depths), shape.depths)]
    count = segments_to(deepest_first[0], shape.layers)
    steps = len(tiles) * (count + sum(segments_to(group[0], shape.layers) for group in groups))
    draws = 1 if alone else streams_for(shape.layers * len(inputs) * inputs.shape[1] ** 2, mesh.size)
    many, stopped = streams_for(inputs.size * shape.lanes * shape.depths, mesh.size) if kept else 1, Event()
    advanced = counted(advance, 1 / steps, stopped)
    with streams(draws) as drawing, streams(many, stopped) as walking:
        walk = Walk(partial(drawing, segments), tiles, readout, mesh=mesh, shape=shape, ahead=draws)
        pieces: list[list[np.ndarray]] = [[] for _ in tiles]
        for tile, trace in fetch_behind(walk.forward(activation, start_states(inputs, norms, input_exponent), count)):
            pieces[tile].append(trace)
            advanced()
        traces = [
            multiplied(Trace(*np.concatenate(piece, axis=1).astype(float)), factor)
            for piece, factor in zip(pieces, factors, strict=True)
        ]
        blocks = [
            block_of(mesh, loss, trace, group, tile, dtype, shape) for tile, trace in enumerate(traces) for group in groups
        ]
        at_rest = np.zeros((len(inputs), shape.depths, shape.lanes, inputs.shape[1]), dtype)
        counts = input_counts(mesh, inputs) if entries else None

        def walked(some: Sequence[Block]) -> list[tuple[Block, np.ndarray | None]]:
            found = []
            for block, (probed, spread) in fetch_behind(walk.backward(some, at_rest, counts)):
                block.probed.append(probed)
                if len(block.probed) == block.segments:
                    found.append((block, spread))
                advanced()
            return found

        finished = [part.result() for part in [walking(walked, some) for some in _shared_out(blocks, many)]]
    walk.slopes.clear()
    logs = [
        logs_of(trace, log2_norms(inputs)[:, None] + input_exponent + np.log2(lengths), log2_norms(readout))
        for trace, lengths in zip(traces, norms, strict=True)
    ]
    for block, spread in itertools.chain.from_iterable(finished):
        first = block.tile * shape.lanes
        lanes_of_tile = slice(first, min(first + shape.lanes, len(scales)))
        yield from assemble(block, traces[block.tile], logs[block.tile], lanes_of_tile, spread)
        block.probed.clear()


def _shared_out(blocks: Sequence[Block], parts: int) -> list[list[Block]]:
    """As many parts, of about as many segments each."""
    shares: list[list[Block]] = [[] for _ in range(min(parts, len(blocks)))]
    for block in sorted(blocks, key=lambda block: block.segments, reverse=True):
        min(shares, key=lambda share: sum(each.segments for each in share)).append(block)
    return shares
