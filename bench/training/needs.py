"""What a training needs of a machine, told by its numbers alone: nothing is listed, drawn or written for it."""

from __future__ import annotations

import math
from itertools import product
from typing import NamedTuple

import jax

from bench.runs.memory import BASE_BYTES, check_chunks, check_room, device_bytes, host_bytes
from bench.training.loop import Metrics
from bench.training.sizes import cells_per_chunk, cells_per_device, peak_bytes
from bench.training.training import Training

METRICS = 4  # copies of what is seen of all steps: in blocks, joined, with other tiles', and averaged over windows


class Needs(NamedTuple):
    """Bytes at the peak of networks of one depth and width."""

    device: float
    host: float
    kept: int  # networks whose metrics the host keeps
    chunks: int  # of each activation and optimizer


def check_room_for(training: Training, max_memory: int | None = None) -> None:
    """Raises SweepError for a training whose smallest piece, or whose plan, is larger than memory, or than it may take."""
    host, room, chunks = host_bytes(), device_bytes(), 0
    for architecture, width, depth in product(training.architectures, training.widths, training.depths):
        needed = needs_of(training, architecture, depth, width)
        field, value = ("widths", width) if width > depth else ("depths", depth)
        check_room(field, value, needed.device, f"depth {depth} at width {width}", room, max_memory)
        told = f"what {needed.kept:,} networks tell of every step"
        check_room("steps", training.steps, needed.host, told, host, max_memory)
        chunks += len(training.activations) * len(training.optimizers) * needed.chunks
    check_chunks(chunks)


def needs_of(training: Training, architecture: str, depth: int, width: int) -> Needs:
    """What networks of that depth and width need, told by numbers alone."""
    rates = len(training.learning_rates) * max(1, len(training.readout_learning_rates))
    schemes = len(training.initializers) * len(training.bias_stds) * len(training.scales)
    cells = schemes * rates * training.seeds
    tile = cells_per_device(training, cells, depth, width, architecture) * len(jax.local_devices())
    per_chunk = cells_per_chunk(training, depth, width, architecture)
    kept = min(cells, per_chunk) + tile
    metrics = METRICS * kept * training.steps * len(Metrics._fields) * 8
    device = tile * peak_bytes(training, depth, width, architecture)
    return Needs(device, BASE_BYTES + metrics, kept, math.ceil(cells / per_chunk))
