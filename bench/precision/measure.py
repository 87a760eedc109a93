"""What number formats lose of a chunk's networks: an exact pass and one in each format, a few depths and lanes at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from bench.engine.gradients import DEPTHS, seeds_per_device
from bench.engine.lanes import lanes_at, start_states
from bench.networks.activations import ACTIVATIONS
from bench.networks.batches import Batch
from bench.networks.losses import LOSSES
from bench.networks.seeds import fetch_behind, place
from bench.networks.segments import LAYERS, Segment, segments_to
from bench.precision.exact import Entering, backward_program, forward_program
from bench.precision.losses import Seen, layers_of, losses_program, overflowed
from bench.precision.network import Settings, network_program
from bench.precision.precision import Precision
from bench.runs.chunk import blocks
from bench.runs.memory import check_room, device_bytes
from bench.sweeps.lanes import Lane
from bench.sweeps.plan import Chunk, lanes_in

TILE = 8  # lanes that one call works on


class Found(NamedTuple):
    """Networks of one depth in one format: their hidden layers, and whether their outputs are no finite numbers."""

    format: int
    depth: int
    seeds: slice  # of the chunk
    lanes: slice
    seen: Seen  # fields [seeds, lanes, L - 1], float64
    output_lost: np.ndarray  # [seeds, lanes]


def measure(
    precision: Precision, chunk: Chunk, mesh: Mesh, batches: list[tuple[slice, Batch]], done: Callable[[int], object]
) -> Iterator[Found]:
    """Every network of the chunk in every format; ``done`` is told of networks that have come back.

    Tiles of lanes and groups of depths are padded, so that the bits of a cell do not depend on those beside it.
    """
    lanes = lanes_in(precision, chunk)
    deepest_first = sorted(precision.depths, reverse=True)
    groups = [tuple(deepest_first[i : i + DEPTHS]) for i in range(0, len(deepest_first), DEPTHS)]

    in_tile = partial(_in_formats, precision, chunk, mesh, groups=groups)

    def dispatched() -> Iterator[tuple[tuple[int, slice, slice, tuple[int, ...]], Any]]:
        for seeds, batch in batches:
            segment = _stacked(batch, chunk, max(precision.depths))
            for first, last in blocks(len(lanes), TILE):
                for number, group, results in in_tile(batch, segment, lanes[first:last]):
                    yield (number, seeds, slice(first, last), group), results

    for (number, seeds, tile, group), (pieces, outputs) in fetch_behind(dispatched()):
        kept = slice(seeds.stop - seeds.start), slice(tile.stop - tile.start)
        fields = np.concatenate(pieces, axis=3).astype(float)[*kept[:1], :, kept[1]]
        for place_, depth in enumerate(group):
            seen = Seen(*fields[:, :, :, : depth - 1, place_].swapaxes(0, 1))
            yield Found(number, depth, seeds, tile, seen, outputs[*kept, place_] > 0)
        done(math.prod(part.stop for part in kept) * len(group))


def _stacked(batch: Batch, chunk: Chunk, depth: int) -> Segment:
    """All hidden layers, and zeros: as many segments as a power of two, so that few lengths are compiled."""
    segments, length = batch.segments(chunk.activation), _segments(depth) * LAYERS
    drawn = [segments(index) for index in range(segments_to(depth, batch.layers))]
    joined = jax.tree.map(lambda *parts: jnp.concatenate(parts)[:length], *drawn)
    return jax.tree.map(lambda part: jnp.pad(part, [(0, length - len(part))] + [(0, 0)] * (part.ndim - 1)), joined)


def _segments(depth: int) -> int:
    # what leaves the last hidden layer enters one more
    return 2 ** math.ceil(math.log2(segments_to(depth + 1)))


def _in_formats(
    precision: Precision,
    chunk: Chunk,
    mesh: Mesh,
    batch: Batch,
    segment: Segment,
    lanes: tuple[Lane, ...],
    groups: list[tuple[int, ...]],
) -> Iterator[tuple[int, tuple[int, ...], Any]]:
    """The number of each format, each group of depths, and what is seen of a tile of lanes, in pieces of LAYERS layers."""
    dtype, missing = np.dtype(precision.dtype), (0, TILE - len(lanes))
    activation = ACTIVATIONS[chunk.activation]
    scales = np.nan_to_num(np.pad([lane.engine_scale for lane in lanes], missing))
    bias_stds = np.pad([lane.bias_std for lane in lanes], missing)
    norms = np.pad([lane.input_norm for lane in lanes], missing, constant_values=1)
    tile = place(mesh, lanes_at(scales, bias_stds, dtype))
    with np.errstate(over="ignore"):
        settings = place(mesh, Settings(*(part.astype(dtype) for part in (scales, bias_stds, norms))))
    factor = place(mesh, np.asarray(precision.loss_scale, dtype))
    start = place(mesh, start_states(batch.inputs, norms[None])[0], 0)
    passed = forward_program(mesh, activation)(segment, start, batch.readout, tile)
    outputs, exponents = (np.asarray(part).astype(float) for part in (passed.output, passed.output_exponent))
    for group in groups:
        padded = np.pad(group, (0, DEPTHS - len(group))).astype(np.int32)
        last, depths = np.maximum(padded - 2, 0), place(mesh, padded)
        derivative = LOSSES[precision.loss].derivative(outputs[:, last], exponents[:, last])
        entering = place(mesh, Entering(*(part.astype(dtype) for part in derivative)), 0)
        exact = backward_program(mesh)(segment, passed, batch.readout, tile, entering, depths)
        for number, name in enumerate(precision.formats):
            run, see = network_program(mesh, activation, precision.loss, name), losses_program(mesh, name)
            computed = run(segment, batch.inputs, batch.readout, settings, depths, factor)
            pieces = [see(layers_of(computed, exact, index)) for index in range(segments_to(group[0]))]
            yield number, group, (pieces, overflowed(computed.output))


def check_room_for(precision: Precision) -> None:
    """Raises SweepError for networks whose weights and vectors are larger than this machine's memory."""
    devices, deepest, room = jax.local_devices(), max(precision.depths), device_bytes()
    layers = LAYERS * _segments(deepest)
    for width in precision.widths:
        seeds = seeds_per_device(width, devices[0].platform) * len(devices)
        numbers = 3 * layers * width**2 + layers * TILE * width * (4 * DEPTHS + 6)  # drawn, scaled and rounded weights
        field, value = ("widths", width) if width > deepest else ("depths", deepest)
        needed = seeds * numbers * np.dtype(precision.dtype).itemsize
        check_room(field, value, needed, f"depth {deepest} at width {width} in a number format", room)
