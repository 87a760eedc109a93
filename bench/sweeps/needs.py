"""What a sweep needs of a machine, told by its numbers alone: nothing is listed, drawn or written for it."""

from __future__ import annotations

import math
from itertools import product
from operator import mul
from typing import NamedTuple

import jax
import numpy as np

from bench.engine.block_norms import thin
from bench.engine.measure_blocks import passes_at_once
from bench.engine.streams import streams_for
from bench.networks.architectures.architecture import same
from bench.networks.architectures.registry import architecture_of
from bench.networks.block_trial import block_of
from bench.networks.initializers import INITIALIZERS
from bench.networks.seeds import RUN_AHEAD
from bench.networks.segments import LAYERS, segments_to
from bench.runs.estimate import MANIFEST_BYTES, SHARD_BYTES, Room
from bench.runs.memory import BASE_BYTES, check_chunks, check_room, device_bytes, host_bytes
from bench.settings.defaults import PLAIN
from bench.sweeps.plan import ROW_BYTES, Chunk, cut, keeps_weights, weight_bytes
from bench.sweeps.shapes import calls_of, seeds_at_once, shape_of
from bench.sweeps.sweep import Sweep

LANE_BYTES = 400  # of a lane's numbers as a list holds them
TRACE_NUMBERS = 14  # float64, that the host keeps of each layer of a seed and lane: a trace, in pieces, joined, and its logs
CELL_BYTES, LAYER_BYTES, PAIR_BYTES = 80, 38, 22  # of a row on disk
ASSEMBLED_NUMBERS = 22  # of one tile, while its norms become logs
TOLD = 1.5  # copies of what is told of a segment, while its norms are taken
DRAWN = 3  # copies of a segment while it is drawn, beside those that are under way
NORMALIZED = 2  # more, where it is normalized on data


def check_fits(sweep: Sweep, max_memory: int | None = None) -> None:
    """Raises SweepError for a sweep whose smallest piece, or whose plan, is larger than memory, or than it may take."""
    lanes, host, room, chunks = _lanes(sweep), host_bytes(), device_bytes(), 0
    check_room("scales", len(sweep.scales), lanes * LANE_BYTES, f"a list of {lanes:,} weight settings", host, max_memory)
    for architecture, width in product(sweep.architectures, sweep.widths):
        needed = needs_of(sweep, architecture, width)
        deepest = max(sweep.depths)
        field, value = ("widths", width) if needed.weights > needed.work else ("depths", deepest)
        here, beside = f"depth {deepest} at width {width}", needed.host if jax.default_backend() == "cpu" else 0
        if architecture != PLAIN:
            here += _seen(sweep, architecture)
            if field == "depths":
                field, value = max((field, value), *_examples(sweep), key=lambda each: each[1])
        check_room(field, value, needed.weights + needed.work + beside, here, room, max_memory)
        check_room("depths", deepest, needed.host, f"what {here} tells", host, max_memory)
        chunks += len(sweep.activations) * needed.chunks
    check_chunks(chunks)


class Needs(NamedTuple):
    """Bytes at the peak of the sweep's chunks at one width, and how many these are, of each activation."""

    weights: float
    work: float  # on the devices beside them
    host: float
    chunks: int


def needs_of(sweep: Sweep, architecture: str, width: int) -> Needs:
    """What the largest chunk of that architecture and width needs."""
    lanes, item, deepest = _lanes(sweep), np.dtype(sweep.dtype).itemsize, max(sweep.depths)
    per_block, seed_blocks = cut(sweep, width, lanes, architecture)
    seeds = seed_blocks[0][1]
    at_once = seeds_at_once(sweep, seeds, width, architecture)
    together = at_once * min(len(jax.local_devices()), math.ceil(seeds / at_once))
    shape = shape_of(sweep, per_block, width, architecture)
    tile, depths = shape.lanes, shape.depths
    padded = math.ceil(per_block / tile) * tile
    segments = segments_to(deepest, shape.layers)
    drawn = together * weight_bytes(sweep, width, architecture) * shape.segments / segments_to(deepest)
    batches = math.ceil(seeds / together)
    copies = DRAWN + NORMALIZED * any(INITIALIZERS[name].family.unit_variance for name in sweep.initializers)
    if keeps_weights(sweep, width, seeds + together, architecture):
        weights = batches * segments * drawn + copies * drawn
    else:
        weights = drawn * (copies + min(segments, RUN_AHEAD * tile / padded))
    state = width * (1 if architecture == PLAIN else sweep.batch * sweep.length)
    layers = segments * shape.layers
    cotangents = math.ceil(len(sweep.depths) / depths) * depths
    if architecture == PLAIN:
        work = together * padded * state * item * (layers + cotangents)
    else:  # the states of as many forward passes as keep all streams busy, and what comes back in each of these
        many = streams_for(together * tile * state * depths, together // at_once)
        by_depth = architecture_of(architecture).by_depth
        runs, groups = (len(sweep.depths), 1) if by_depth else (1, cotangents // depths)
        passes = min(batches * runs * padded // tile, passes_at_once(many, groups))
        states = passes * layers * (1 if architecture_of(architecture).start is same else 2)
        work = together * tile * state * item * (states + 2 * depths * many)
    if sweep.correlations:  # slopes of both inputs, one tile at a time
        work += together * 2 * layers * tile * state * item
    traces = TRACE_NUMBERS * 8 * layers
    probed = 2 * item * depths * shape.layers * calls_of(sweep, shape, architecture)[1]
    rows = seeds * per_block * ROW_BYTES * sum(_rows(sweep))
    if jax.default_backend() == "cpu":  # one memory, and most rows are made when slopes are gone
        rows = max(0, rows - work)
    assembled = ASSEMBLED_NUMBERS * 8 * layers * together * tile
    host = BASE_BYTES + together * padded * (traces + probed) + assembled + rows
    return Needs(weights, work, host, len(seed_blocks) * math.ceil(lanes / per_block))


def room_of(sweep: Sweep, chunks: int) -> Room:
    """What the whole sweep, in so many chunks, needs of memory and disk."""
    needs = [needs_of(sweep, *each) for each in product(sweep.architectures, sweep.widths)]
    device, host = max(each.weights + each.work for each in needs), max(each.host for each in needs)
    networks, rows = sweep.cells / len(sweep.depths), _rows(sweep)
    shards = chunks * sum(map(bool, rows))
    disk = networks * sum(map(mul, rows, (CELL_BYTES, LAYER_BYTES, PAIR_BYTES)))
    return Room(device, host, MANIFEST_BYTES + SHARD_BYTES * shards + disk)


def rows_of(sweep: Sweep, chunk: Chunk) -> list[int]:
    """How many rows a chunk has in cells, layers and pairs."""
    networks = (chunk.seeds[1] - chunk.seeds[0]) * (chunk.lanes[1] - chunk.lanes[0])
    return [networks * each for each in _rows(sweep)]


def _rows(sweep: Sweep) -> tuple[int, int, int]:
    """Of cells, layers and pairs, of the networks of all depths."""
    return len(sweep.depths), sum(sweep.depths) * sweep.layers, len(sweep.depths) * len(sweep.correlations)


def _lanes(sweep: Sweep) -> int:
    return len(sweep.initializers) * len(sweep.bias_stds) * len(sweep.input_norms) * len(sweep.scales)


def check_blocks_fit(sweep: Sweep, max_memory: int | None = None) -> None:
    """Raises SweepError where passes through a segment do not fit: one forward, and back as many as there are streams.

    That is forward what products multiply, of all of its blocks, back their states, and about half of what a block computes:
    what is element by element is computed again or in place. Of many vectors gradients are formed, one after the other.
    """
    room, devices, item = device_bytes(), len(jax.local_devices()), np.dtype(sweep.dtype).itemsize
    for name, width, activation in product(sweep.architectures, sweep.widths, sweep.activations):
        if name != PLAIN:
            block = block_of(name, activation, (sweep.batch, sweep.length, width), sweep.dtype)
            shape = shape_of(sweep, _lanes(sweep), width, name)
            matrices, vectors = architecture_of(name).shapes(width).values(), sweep.batch * sweep.length
            formed = max(0 if thin((vectors, ins)) else outs * ins for outs, ins in matrices)
            forward = TOLD * LAYERS * vectors * (sum(ins for _, ins in matrices) + 2 * width) + block.numbers / 2
            back = 2 * LAYERS * vectors * width + shape.depths * formed + (1 + shape.depths) * block.numbers / 2
            seeds = seeds_at_once(sweep, sweep.seeds, width, name)
            many = streams_for(seeds * devices * shape.lanes * shape.depths * vectors * width, devices)
            needed = seeds * devices * shape.lanes * (forward + many * back) * item
            field = max(*_examples(sweep), ("widths", width), key=lambda each: each[1])
            here = f"what {LAYERS} blocks compute at width {width}{_seen(sweep, name)}"
            check_room(*field, needed, here, room, max_memory)


def _examples(sweep: Sweep) -> tuple[tuple[str, int], ...]:
    """What a block sees, by field."""
    return ("length", sweep.length), ("batch", sweep.batch)


def _seen(sweep: Sweep, architecture: str) -> str:
    """What is said of an architecture's memory beside its depth and width."""
    return f" of {architecture}, for {sweep.batch} × {sweep.length} examples and positions,"
