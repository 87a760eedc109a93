"""How a sweep is cut into chunks: a function of the sweep alone, so that any machine resumes what another began."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np

from bench.engine.gradients import LANES
from bench.networks.architectures.registry import architecture_of
from bench.networks.schemes import families
from bench.networks.segments import LAYERS, segments_to
from bench.runs.chunk import AnyChunk, blocks
from bench.settings.defaults import PLAIN
from bench.sweeps.lanes import Lane, count_lanes, lanes_of
from bench.sweeps.sweep import Sweep

CHUNK_BYTES = 2**30  # what one chunk may hold at a time, by estimate
MOST_SEEDS = 1024
ROW_BYTES = 22 * 8  # of a table under construction


@dataclass(frozen=True)
class Chunk(AnyChunk):
    """What is measured together and becomes one shard: all depths, and a block of seeds and of lanes.

    The initializers are the sweep's of one family; lanes are numbered as :func:`bench.sweeps.lanes.lanes_of` lists theirs.
    """

    initializers: tuple[str, ...]
    activation: str
    width: int
    seeds: tuple[int, int]  # first, past the last
    lanes: tuple[int, int]
    architecture: str = PLAIN

    @property
    def draw(self) -> tuple[tuple[str, ...], int, tuple[int, int], str]:
        """What the draw depends on: chunks with the same one run one after the other and share it."""
        return self.initializers, self.width, self.seeds, self.architecture


def weight_bytes(sweep: Sweep, width: int, architecture: str = PLAIN) -> int:
    """The hidden weights of one seed at the largest depth."""
    numbers = sum(rows * columns for rows, columns in architecture_of(architecture).shapes(width).values())
    return segments_to(max(sweep.depths)) * LAYERS * numbers * np.dtype(sweep.dtype).itemsize


def keeps_weights(sweep: Sweep, width: int, seeds: int, architecture: str = PLAIN) -> bool:
    """Whether so many seeds' weights stay in memory for the backward pass and further activations, or are drawn again."""
    return seeds * weight_bytes(sweep, width, architecture) <= 2 * CHUNK_BYTES


def lane_bytes(sweep: Sweep, width: int, lanes: int, architecture: str = PLAIN) -> int:
    """An estimate of what one seed's lanes hold at their peak: slopes, cotangents, norms and rows."""
    item = np.dtype(sweep.dtype).itemsize
    if architecture != PLAIN:
        width *= sweep.batch * sweep.length  # numbers of a state
    padded = math.ceil(lanes / LANES) * LANES
    layers = segments_to(max(sweep.depths)) * LAYERS
    slopes = (layers + len(sweep.depths)) * padded * width * item
    norms = 6 * sum(sweep.depths) * padded * item
    rows = lanes * ROW_BYTES * (sum(sweep.depths) if sweep.layers else len(sweep.depths))
    if sweep.correlations:  # slopes of both inputs, one tile at a time
        slopes += 2 * layers * LANES * width * item
        rows += lanes * ROW_BYTES * len(sweep.depths) * len(sweep.correlations)
    return slopes + norms + rows


def lanes_in(sweep: Sweep, chunk: Chunk) -> tuple[Lane, ...]:
    """The chunk's lanes."""
    return lanes_of(sweep, chunk.initializers, chunk.activation, chunk.width)[slice(*chunk.lanes)]


def cells_of(sweep: Sweep, chunk: Chunk) -> int:
    """How many rows a chunk has."""
    return (chunk.seeds[1] - chunk.seeds[0]) * (chunk.lanes[1] - chunk.lanes[0]) * len(sweep.depths)


def plan(sweep: Sweep) -> tuple[Chunk, ...]:
    """The chunks of a sweep, in the order in which they run."""
    chunks: list[Chunk] = []
    for architecture, initializers, width in product(sweep.architectures, families(sweep.initializers), sweep.widths):
        lanes = {name: count_lanes(sweep, initializers, name, width) for name in sweep.activations}
        lanes_per_block, seed_blocks = cut(sweep, width, max(lanes.values()), architecture)
        chunks += [
            Chunk(len(chunks) + number, initializers, activation, width, seed_block, lane_block, architecture)
            for number, (seed_block, activation, lane_block) in enumerate(
                (seed_block, activation, lane_block)
                for seed_block in seed_blocks
                for activation in sweep.activations
                for lane_block in blocks(lanes[activation], lanes_per_block)
            )
        ]
    return tuple(chunks)


def cut(sweep: Sweep, width: int, lanes: int, architecture: str = PLAIN) -> tuple[int, list[tuple[int, int]]]:
    """The lanes of a block and the blocks of seeds that fit: whole tiles, fewer only where one seed's do not fit."""
    per_block = lanes
    while per_block > LANES and lane_bytes(sweep, width, per_block, architecture) > CHUNK_BYTES:
        per_block = math.ceil(per_block / 2 / LANES) * LANES
    weights = weight_bytes(sweep, width, architecture)
    kept = weights if weights <= CHUNK_BYTES else 0  # else drawn as they are needed, for any number of seeds
    fitting = CHUNK_BYTES // (lane_bytes(sweep, width, per_block, architecture) + kept)
    return per_block, blocks(sweep.seeds, max(1, min(fitting, MOST_SEEDS)))
