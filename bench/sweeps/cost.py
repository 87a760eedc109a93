"""What a sweep costs, counted from its plan: arithmetic, random numbers, calls, programs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

import jax

from bench.engine.gradients import Shape
from bench.engine.streams import streams_for
from bench.networks.architectures.registry import architecture_of
from bench.networks.block_trial import block_of
from bench.networks.initializers import INITIALIZERS
from bench.networks.segments import segments_to
from bench.networks.unit_variance import BATCH
from bench.runs.estimate import Estimate, Work, estimate
from bench.settings.defaults import PLAIN
from bench.sweeps.needs import room_of, rows_of
from bench.sweeps.plan import Chunk, cells_of, keeps_weights, plan
from bench.sweeps.shapes import calls_of, seeds_at_once, shape_of
from bench.sweeps.sweep import Sweep

# In entries of a backward pass, or numbers of a Gaussian draw, as measured on CPUs
FORWARD = 4.0  # an entry in the forward pass, with its activation's tails
TRACED = 0.8  # a number that a block computes, in floats without an end
DECOMPOSED = 0.1  # a number of a matrix that is decomposed, for each row it has
# In units of what the engine's backward pass takes to compile
COMPILED = {"forward": 1.5, "backward": 1.0, "draw": 1.2, "entries": 0.8, "pairs": 1.5, "special": 4.0, "block": 1.9}
COMPILED_NUMBER = 0.65  # that a block computes for each entry of its state


class Tiles(NamedTuple):
    """How the networks of a chunk are computed side by side."""

    batches: int
    seeds: int  # of a batch
    tiles: int
    shape: Shape
    useful: float  # the share of those networks that the chunk has
    shared: float  # how much longer they take than on all devices
    devices: int  # that are busy

    @property
    def networks(self) -> int:
        """All that are computed."""
        return self.batches * self.seeds * self.tiles * self.shape.lanes


def plan_of(sweep: Sweep) -> Estimate:
    """The sweep's cells, arithmetic, time, memory and disk on this machine. Nothing is drawn or written."""
    work, chunks = work_of(sweep)
    cells = sum(cells_of(sweep, chunk) for chunk in chunks)
    return estimate("sweep", cells=cells, chunks=len(chunks), work=work, room=room_of(sweep, len(chunks)), dtype=sweep.dtype)


def work_of(sweep: Sweep) -> tuple[Work, tuple[Chunk, ...]]:
    """What there is to do for it, and its chunks."""
    chunks, work = plan(sweep), Work()
    for _, group in groupby(chunks, key=lambda chunk: chunk.draw):
        work += _drawn(sweep, list(group))
    for chunk in chunks:
        work += _measured(sweep, chunk)
    return work + Work(programs=_programs(sweep, chunks)), chunks


def tiles_of(sweep: Sweep, chunk: Chunk) -> Tiles:
    """How a chunk is padded."""
    seeds, lanes = (last - first for first, last in (chunk.seeds, chunk.lanes))
    per_device, devices = seeds_at_once(sweep, seeds, chunk.width, chunk.architecture), len(jax.local_devices())
    busy = min(devices, math.ceil(seeds / per_device))
    shape = shape_of(sweep, lanes, chunk.width, chunk.architecture)
    together, tiles = busy * per_device, math.ceil(lanes / shape.lanes)
    batches = math.ceil(seeds / together)
    useful = seeds * lanes / (batches * together * tiles * shape.lanes)
    return Tiles(batches, together, tiles, shape, useful, devices / busy, busy)


def _measured(sweep: Sweep, chunk: Chunk) -> Work:
    """The passes of a chunk."""
    side, architecture = tiles_of(sweep, chunk), architecture_of(chunk.architecture)
    runs = [(depth,) for depth in sweep.depths] if architecture.by_depth else [sweep.depths]
    together, layers = side.shape.depths, side.shape.layers
    calls = calls_of(sweep, side.shape, chunk.architecture)
    forward, backward = (layers * each for each in calls)
    examples = sweep.batch * sweep.length
    products = examples * sum(map(math.prod, architecture.shapes(chunk.width).values()))
    if chunk.architecture == PLAIN:
        done, entries = forward + together * backward, chunk.width * (FORWARD * forward + together * backward)
    else:  # blocks are computed again before they are walked back; norms of gradients of several examples are a product
        done = forward + backward * (1 + together * (1 + (0 if examples == 1 else min(1, examples / chunk.width))))
        entries = TRACED * examples * chunk.width * _block(sweep, chunk) * (forward + backward * (1 + together))
        entries /= streams_for(side.seeds * side.shape.lanes * examples * chunk.width * together, side.devices)
    useful = sum(depth - 1 for depth in sweep.depths) + sum(max(run) - 1 for run in runs)
    inputs = 1 + 2 * len(sweep.correlations)
    done += (inputs - 1) * (forward + layers * sum(segments_to(depth, layers) for depth in sweep.depths))
    return Work(
        useful=side.networks * side.useful * inputs * products * useful,
        padded=side.networks * products * done,
        entries=side.networks * inputs * entries * side.shared,
        values=side.networks * inputs * (6 * forward + 2 * together * backward),
        rows=sum(rows_of(sweep, chunk)),
        calls=side.batches * side.tiles * inputs * sum(calls),
    )


def _drawn(sweep: Sweep, chunks: list[Chunk]) -> Work:
    """The random numbers of chunks that share a draw, and what normalizes them on data."""
    first, side = chunks[0], tiles_of(sweep, chunks[0])
    family = INITIALIZERS[first.initializers[0]].family
    count, segments = first.seeds[1] - first.seeds[0], segments_to(max(sweep.depths), side.shape.layers)
    kept = keeps_weights(sweep, first.width, count + side.seeds, first.architecture)
    times = 1 if kept else (2 + 2 * len(sweep.correlations)) * len(chunks)
    numbers = sum(
        rows * columns * (1 + (DECOMPOSED * min(rows, columns) if family.decomposes else 0))
        for rows, columns in architecture_of(first.architecture).shapes(first.width).values()
    )
    layers = side.batches * side.seeds * segments * side.shape.layers
    normalized = BATCH * first.width * layers * len(chunks) if family.unit_variance else 0
    return Work(
        padded=normalized * first.width,
        entries=FORWARD * normalized * side.shared,
        numbers=times * layers * numbers * side.shared,
        calls=times * side.batches * segments,
    )


def _block(sweep: Sweep, chunk: Chunk) -> float:
    """How many numbers a block computes for each entry of its state."""
    size = sweep.batch, sweep.length, chunk.width
    return block_of(chunk.architecture, chunk.activation, size, sweep.dtype).numbers / math.prod(size)


def _programs(sweep: Sweep, chunks: Iterable[Chunk]) -> float:
    """What is to be compiled: a program for each family, for each activation, and for each width."""
    found: dict[tuple[object, ...], float] = {}
    for chunk in chunks:
        place = chunk.architecture, chunk.width
        family = INITIALIZERS[chunk.initializers[0]].family.template
        found["draw", family, *place] = COMPILED["special" if family.decomposes or family.unit_variance else "draw"]
        if chunk.architecture != PLAIN:
            found["block", chunk.activation, *place] = COMPILED["block"] + COMPILED_NUMBER * _block(sweep, chunk)
            continue
        found["forward", chunk.activation, *place] = COMPILED["forward"]
        found["backward", *place] = COMPILED["backward"] + COMPILED["entries"]
        if sweep.correlations:
            found["pairs", chunk.activation, *place] = COMPILED["pairs"]
    return sum(found.values())
