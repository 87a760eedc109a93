"""What a training costs, counted from its plan: arithmetic, calls, programs, memory and disk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

import jax

from bench.networks.block_trial import block_of
from bench.runs.estimate import MANIFEST_BYTES, SHARD_BYTES, Estimate, Room, Work, estimate
from bench.settings.defaults import PLAIN
from bench.training.needs import needs_of
from bench.training.plan import Chunk, plan, sharing
from bench.training.rows import recorded_steps
from bench.training.sizes import STEPS, cells_per_device, work
from bench.training.tasks import Task, load_task
from bench.training.training import Training

# In entries of the engine's backward pass, as measured on CPUs
ENTRY = 0.2  # an entry of a layer's examples, in one step
OF_BLOCKS = 0.6  # a number that a block computes, in one step
# In units of what the engine's backward pass takes to compile
COMPILED = {PLAIN: 5.0}
OTHER = 12.0  # blocks
CELL_BYTES, CURVE_BYTES = 50, 28  # of a row on disk


def plan_of(training: Training) -> Estimate:
    """The training's cells, arithmetic, time, memory and disk on this machine. Nothing is drawn or written."""
    chunks, total = plan(training), Work()
    task = load_task(training.task)
    for _, group in groupby(chunks, key=lambda chunk: chunk.program):
        total += _trained(training, task, list(group))
    cells = sum(chunk.count for chunk in chunks)
    total += Work(programs=sum(_programs(chunks).values()), rows=cells * (1 + _curve(training)))
    room = room_of(training, chunks)
    return estimate("training", cells=cells, chunks=len(chunks), work=total, room=room, dtype=training.dtype)


def room_of(training: Training, chunks: Sequence[Chunk]) -> Room:
    """What the whole training, in these chunks, needs of memory and disk."""
    needs = [needs_of(training, *place) for place in dict.fromkeys((c.architecture, c.depth, c.width) for c in chunks)]
    disk = sum(chunk.count for chunk in chunks) * (CELL_BYTES + CURVE_BYTES * _curve(training))
    disk += MANIFEST_BYTES + SHARD_BYTES * len(chunks) * (1 + training.curves)
    return Room(max(each.device for each in needs), max(each.host for each in needs), disk)


def _curve(training: Training) -> int:
    """Rows of a cell's learning curve."""
    return len(recorded_steps(training.steps)) * training.curves


def _trained(training: Training, task: Task, chunks: list[Chunk]) -> Work:
    """Chunks whose cells are trained side by side."""
    first, devices = chunks[0], jax.local_devices()
    network = first.depth, first.width
    cells = sum(chunk.count for chunk in chunks)
    per_device = cells_per_device(training, sharing(training, first), *network, first.architecture)
    tiles = math.ceil(cells / (per_device * len(devices)))
    computed = tiles * per_device * len(devices)
    blocks = math.ceil(training.steps / STEPS)
    steps = blocks * math.ceil(training.steps / blocks)
    batch = min(training.batch, len(task.x_train))
    multiply_adds = work(training, *network, first.architecture) / 2
    evaluated = multiply_adds / training.steps / batch / 3 * (len(task.x_train) + len(task.x_test))
    entries = first.depth * first.width * training.length
    if first.architecture != PLAIN:
        size = (2, training.length, first.width)
        entries = first.depth * block_of(first.architecture, first.activation, size, training.dtype).numbers / 2
    return Work(
        useful=cells * (multiply_adds + evaluated),
        padded=computed * (multiply_adds * steps / training.steps + evaluated),
        entries=(ENTRY if first.architecture == PLAIN else OF_BLOCKS) * computed * entries * batch * steps,
        values=computed * 6 * steps,
        calls=tiles * (blocks + 4),
    )


def _programs(chunks: tuple[Chunk, ...]) -> dict[tuple[object, ...], float]:
    """What is to be compiled; initializers are data to it."""
    return {chunk.program[1:]: COMPILED.get(chunk.architecture, OTHER) for chunk in chunks}
