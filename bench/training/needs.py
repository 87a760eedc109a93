"""What a training needs of a machine, told by its numbers alone: nothing is listed, drawn or written for it."""

from __future__ import annotations

import math
from itertools import product

import jax

from bench.runs.memory import check_chunks, check_room, device_bytes, host_bytes
from bench.training.loop import Metrics
from bench.training.sizes import cell_bytes, cells_per_chunk, cells_per_device
from bench.training.training import Training


def check_room_for(training: Training) -> None:
    """Raises SweepError for a training whose smallest piece, or whose plan, is larger than this machine's memory."""
    devices, host, room, chunks = jax.local_devices(), host_bytes(), device_bytes(), 0
    rates = len(training.learning_rates) * max(1, len(training.readout_learning_rates))
    schemes = len(training.initializers) * len(training.bias_stds) * len(training.scales)
    cells = schemes * rates * training.seeds
    for architecture, width, depth in product(training.architectures, training.widths, training.depths):
        tile = cells_per_device(training, depth, width, devices[0].platform, architecture) * len(devices)
        needed = tile * cell_bytes(training, depth, width, architecture)
        field, value = ("widths", width) if width > depth else ("depths", depth)
        check_room(field, value, needed, f"depth {depth} at width {width}", room)
        per_chunk = cells_per_chunk(training, depth, width, architecture)
        kept = min(cells, per_chunk) + tile
        metrics = 2 * kept * training.steps * len(Metrics._fields) * 8
        check_room("steps", training.steps, metrics, f"what {kept:,} networks tell of every step", host)
        chunks += len(training.activations) * len(training.optimizers) * math.ceil(cells / per_chunk)
    check_chunks(chunks)
