"""What a sweep needs of a machine, told by its numbers alone: nothing is listed, drawn or written for it."""

from __future__ import annotations

import math
from itertools import product

import jax
import numpy as np

from bench.engine.gradients import DEPTHS, LANES
from bench.engine.measure_blocks import lanes_together
from bench.networks.architectures.registry import architecture_of
from bench.networks.block_trial import block_of
from bench.networks.segments import LAYERS, segments_to
from bench.runs.memory import check_chunks, check_room, device_bytes, host_bytes
from bench.settings.defaults import PLAIN
from bench.sweeps.plan import cut, keeps_weights, lane_bytes, seeds_at_once, weight_bytes
from bench.sweeps.sweep import Sweep

LANE_BYTES = 400  # of a lane's numbers as a list holds them
TRACE_NUMBERS = 14  # float64, that the host keeps of each layer of a seed and lane: a trace, in pieces, joined, and its logs


def check_fits(sweep: Sweep) -> None:
    """Raises SweepError for a sweep whose smallest piece, or whose plan, is larger than this machine's memory."""
    lanes = len(sweep.initializers) * len(sweep.bias_stds) * len(sweep.input_norms) * len(sweep.scales)
    check_room("scales", len(sweep.scales), lanes * LANE_BYTES, f"a list of {lanes:,} weight settings", host_bytes())
    devices, room, chunks = jax.local_devices(), device_bytes(), 0
    deepest = max(sweep.depths)
    for architecture, width in product(sweep.architectures, sweep.widths):
        per_block, seed_blocks = cut(sweep, width, lanes, architecture)
        seeds = seed_blocks[0][1]
        at_once = seeds_at_once(sweep, width, architecture) * len(devices)
        weights = weight_bytes(sweep, width, architecture)
        kept = keeps_weights(sweep, width, seeds + at_once, architecture)
        weights = seeds * weights if kept else at_once * weights // segments_to(deepest)
        traces = TRACE_NUMBERS * 8 * deepest * math.ceil(per_block / LANES) * LANES
        work = max(seeds, at_once) * lane_bytes(sweep, width, per_block, architecture) + at_once * traces
        field, value = ("widths", width) if weights > work else ("depths", deepest)
        check_room(field, value, weights + work, f"depth {deepest} at width {width}", room)
        chunks += len(sweep.activations) * len(seed_blocks) * math.ceil(lanes / per_block)
    check_chunks(chunks)


def check_blocks_fit(sweep: Sweep) -> None:
    """Raises SweepError where a backward pass through a segment, which keeps what its blocks compute, does not fit.

    About half of it: what is element by element is computed again or in place.
    """
    room, devices = device_bytes(), len(jax.local_devices())
    half = np.dtype(sweep.dtype).itemsize / 2
    for name, width, activation in product(sweep.architectures, sweep.widths, sweep.activations):
        if name != PLAIN:
            block = block_of(name, activation, (sweep.batch, sweep.length, width), sweep.dtype)
            passes = LAYERS + (1 if architecture_of(name).by_depth else DEPTHS)  # a segment's blocks, and one going back
            kept = lanes_together(sweep.batch, sweep.length) * passes
            needed = seeds_at_once(sweep, width, name) * devices * kept * block.numbers * half
            field = max(("length", sweep.length), ("batch", sweep.batch), ("widths", width), key=lambda each: each[1])
            check_room(*field, needed, f"what {LAYERS} blocks of {name} compute at width {width}", room)
