"""Two inputs: what a chunk's networks make of x and of a second input at a given angle to it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jax.sharding import Mesh

from bench.engine.angles import Pairs, pairs, partner
from bench.networks.activations import ACTIVATIONS
from bench.networks.batches import Batch
from bench.networks.seeds import place
from bench.runs.chunk import blocks
from bench.sweeps.plan import Chunk, lanes_in
from bench.sweeps.shapes import shape_of
from bench.sweeps.sweep import Sweep


def measure_pairs(
    sweep: Sweep, chunk: Chunk, mesh: Mesh, batches: list[tuple[slice, Batch]]
) -> Iterator[tuple[slice, slice, int, Pairs]]:
    """(the chunk's seeds, its lanes, the number of the correlation, their cosines), a tile of lanes at a time.

    Tiles are padded with networks that are zero, so that the bits of a cell do not depend on those beside it.
    """
    lanes = lanes_in(sweep, chunk)
    per_tile = shape_of(sweep, len(lanes), chunk.width).lanes
    for seeds, batch in batches:
        inputs, directions = np.asarray(batch.inputs), batch.directions()
        for first, last in blocks(len(lanes), per_tile):
            tile = lanes[first:last]
            missing = 0, per_tile - len(tile)
            scales = np.nan_to_num(np.pad([lane.engine_scale for lane in tile], missing))
            for number, correlation in enumerate(sweep.correlations):
                found = pairs(
                    batch.segments(chunk.activation),
                    batch.inputs,
                    place(mesh, partner(inputs, directions, correlation), 0),
                    batch.readout,
                    depths=sweep.depths,
                    mesh=mesh,
                    activation=ACTIVATIONS[chunk.activation],
                    scales=scales,
                    bias_stds=np.pad([lane.bias_std for lane in tile], missing),
                    input_norms=np.pad([lane.input_norm for lane in tile], missing, constant_values=1),
                    layers=batch.layers,
                )
                yield seeds, slice(first, last), number, found
