"""Runs a training: chunk after chunk through the loop, rows into the run's folder."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import jax
import numpy as np
from jax import Array
from jax.sharding import Mesh
from tqdm import tqdm

from bench.networks.block_trial import check_architectures
from bench.networks.initializers import INITIALIZERS
from bench.networks.seeds import fetch_behind, place, seed_mesh
from bench.networks.trial import check_own
from bench.runs.contents import Contents
from bench.runs.executors.executor import Executor
from bench.runs.folder import RunFolder
from bench.runs.job import Job
from bench.runs.loop import LOCAL, fill
from bench.runs.multiplied import multiplied
from bench.settings.defaults import PLAIN
from bench.settings.errors import SweepError
from bench.training.aligned import check_aligned
from bench.training.draws import orders
from bench.training.loop import Kind, evaluate, train_program
from bench.training.needs import check_room_for
from bench.training.optimizers import parse_optimizer, schedule_factors
from bench.training.plan import Cell, Chunk, cells_in, plan, schemes_in, sharing
from bench.training.rows import Table, Trained, join, tables
from bench.training.sizes import STEPS, cells_per_device, work
from bench.training.specs import parse_schedule
from bench.training.start import cast, network_of, rates_of, starting_state
from bench.training.tasks import Task, load_task
from bench.training.training import Training

BAR = "{desc}: {percentage:3.0f}%|{bar}| [{elapsed}<{remaining}]"


def train(
    training: Training,
    *,
    results: str | os.PathLike[str] = "results",
    name: str = "training",
    progress: bool = True,
    overwrite: bool = False,
    max_memory: int | None = None,
    executor: Executor = LOCAL,
) -> Path:
    """Train what is missing of ``training`` in the folder ``results/name`` and return the folder.

    Started again after a kill, it finishes the rest, on the same devices with the same rows to the bit. ``progress`` draws a
    bar on standard error; ``overwrite`` removes the run of that name first; ``max_memory`` is what it may take, all there
    is by default. Where a scheme is undefined, as at a critical point that does not exist, rows are NaN and one line on
    standard error says why. Raises :class:`bench.RunError` (a ValueError) before anything is written for a name or folder
    that cannot be used, or that holds another run, and :class:`bench.SweepError` for a task that cannot be loaded, and a
    training that does not fit.
    """
    task = check(training, max_memory)
    opened = partial(RunFolder, results, name, contents_of(training), overwrite=overwrite)
    how = {"dtype": training.dtype, "precision": training.precision, "progress": progress, "executor": executor}
    return fill(opened, job_of(training, task.digest), **how)


def job_of(training: Training, digest: str) -> Job[Chunk]:
    """How a run trains it, on the data with that digest. Raises SweepError where these are others, as on another machine."""
    task = load_task(training.task)
    if task.digest != digest:
        raise SweepError("task", training.task, "the data with which the run was begun")
    return Job(
        group=lambda chunk: chunk.program,
        measure=multiplied(_measuring(training, task), training.precision),
        cells=lambda chunk: chunk.count,
        work=lambda chunk: chunk.count * _work(training, chunk),  # a deep network takes longer
        undefined=lambda chunk: _undefined(training, chunk),
        bar={"bar_format": BAR},
        recipe=partial(job_of, training, digest),
        devices=len(jax.local_devices()),  # another number may round differently
    )


def check(training: Training, max_memory: int | None = None) -> Task:
    """The task. Raises SweepError for one that does not go with the rest of the training, or does not fit into memory."""
    task = load_task(training.task)
    check_fit(training, task)
    check_room_for(training, max_memory)
    return task


def check_fit(training: Training, task: Task) -> None:
    """Raises SweepError where the task and the rest of the training do not go together."""
    kind, _ = training.target_value
    for field, value, needs_classes in (
        ("loss", training.loss, training.loss == "cross_entropy"),
        ("target", training.target, kind == "accuracy"),
    ):
        if needs_classes and task.outputs == 1:
            raise SweepError(field, value, "mse and a target such as loss=0.1: the task has one output, so no classes")
    others = [name for name in training.architectures if name != PLAIN]
    if others and task.inputs % training.length:
        raise SweepError("length", training.length, f"a divisor of the task's {task.inputs} inputs, for {others[0]}")
    check_aligned(training, task)
    if kernels := [name for name in training.initializers if INITIALIZERS[name].family.of_kernels]:
        raise SweepError("initializers", kernels[0], "one for the input's matrix too, which is no kernel")
    shapes = [shape for width in training.widths for shape in ((task.inputs, width), (width, width))]
    functions = training.initializers, training.activations
    seen = {"batch": min(training.batch, len(task.x_train)), "length": training.length}
    check_architectures(training.architectures, *functions, widths=training.widths, dtype=training.dtype, **seen)
    check_own(*functions, shapes=shapes, widths=training.widths, dtype=training.dtype)


def contents_of(training: Training) -> Contents[Chunk]:
    """What the training's folder holds; the data are part of what identifies it."""
    fields = training.to_dict() | {"data": load_task(training.task).digest}
    tables = ("cells", "curves") if training.curves else ("cells",)
    return Contents("training", fields, plan(training), tables)


def _work(training: Training, chunk: Chunk) -> float:
    return work(training, chunk.depth, chunk.width, chunk.architecture)


def _undefined(training: Training, chunk: Chunk) -> Iterator[str]:
    for scheme in schemes_in(training, chunk):
        if np.isnan(scheme.gain):
            yield f"{scheme.initializer} {chunk.activation} at bias_std {scheme.bias_std:g} ({scheme.note})"


def _measuring(training: Training, task: Task) -> Callable[[list[Chunk], tqdm], Iterator[tuple[Chunk, Mapping[str, Table]]]]:
    """Trains chunks whose cells are trained side by side."""
    compiled: set[tuple[object, ...]] = set()  # the programs that the run has met

    def measured(chunks: list[Chunk], bar: tqdm) -> Iterator[tuple[Chunk, Mapping[str, Table]]]:
        first = chunks[0]
        named = "" if first.architecture == PLAIN else f"{first.architecture} "
        label = f"{named}{first.optimizer} {first.activation} depth {first.depth} width {first.width}"
        program = first.program[1:]  # initializers are data to it
        bar.set_description_str(label if program in compiled else f"{label}: compiling")
        compiled.add(program)

        def advance(done: float) -> None:
            bar.set_description_str(label, refresh=False)
            bar.update(min(done, bar.total - bar.n))

        for chunk, trained in train_chunks(training, task, chunks, advance):
            yield chunk, tables(training, task, chunk, trained)

    return measured


def train_chunks(
    training: Training,
    task: Task,
    chunks: Sequence[Chunk],
    advance: Callable[[float], object] = lambda _work: None,
) -> Iterator[tuple[Chunk, Trained]]:
    """Each chunk and what its cells did, in order, as soon as they are trained; all chunks have the same program.

    Cells are trained as many at a time as fill the devices, whatever chunks they are of. ``advance`` is told of work that is
    done.
    """
    first = chunks[0]
    cells = [cell for chunk in chunks for cell in cells_in(training, chunk)]
    per_device = cells_per_device(training, sharing(training, first), first.depth, first.width, first.architecture)
    size = per_device * len(jax.local_devices())
    mesh = seed_mesh(size, per_device)  # all devices for any number of cells: one device's program may round differently
    waiting: deque[Chunk] = deque(chunks)
    finished: list[Trained] = []
    for start in range(0, len(cells), size):
        own = cells[start : start + size]
        padded = own + [own[-1]] * (size - len(own))  # the last one stands in for those that are too few
        done = len(own) * _work(training, first)
        tile = train_tile(training, task, first, padded, mesh, lambda share, done=done: advance(share * done))
        finished.append(tile.part(slice(len(own))))
        while waiting and waiting[0].count <= sum(len(part.cells) for part in finished):
            chunk, whole = waiting.popleft(), join(finished)
            yield chunk, whole.part(slice(chunk.count))
            finished = [whole.part(slice(chunk.count, None))]


def train_tile(
    training: Training,
    task: Task,
    chunk: Chunk,
    cells: Sequence[Cell],
    mesh: Mesh,
    advance: Callable[[float], object] = lambda _share: None,
) -> Trained:
    """Trains as many cells as ``mesh`` takes at a time, from their draw to their evaluation."""
    network = network_of(training, chunk)
    arrays = [array.astype(training.dtype) for array in task]
    state = starting_state(training, task, chunk, cells, mesh)
    whole, batch = training.batch >= len(task.x_train), min(training.batch, len(task.x_train))
    kind = Kind(network, training.loss, parse_optimizer(chunk.optimizer), clipped=training.clip > 0, whole=whole)
    program = train_program(mesh, kind)
    x, y = place(mesh, arrays[:2])
    rates = rates_of(training, cells, mesh)
    clip = cast(training.clip, training.dtype)
    blocks = -(-training.steps // STEPS)
    length = -(-training.steps // blocks)
    active = np.arange(blocks * length) < training.steps
    factors = np.zeros(blocks * length, training.dtype)
    factors[active] = schedule_factors(parse_schedule(training.schedule), training.steps)

    def run() -> Iterator[tuple[int, Array]]:
        nonlocal state
        for first in range(0, blocks * length, length):
            here = slice(first, first + length)
            order = place(mesh, _orders(training, len(task.x_train), cells, first, length), 0)
            shared = place(mesh, (factors[here], active[here]))
            state, metrics = program(state, order, rates, *shared, x, y, clip)
            yield first, metrics

    metrics = []
    for _, block in fetch_behind(run()):
        metrics.append(block)
        advance(1 / blocks)
    final = (
        evaluate(state.parameters, *examples, mesh=mesh, network=network, loss=training.loss, batch=batch)
        for examples in (arrays[:2], arrays[2:])
    )
    return Trained(cells, np.concatenate(metrics, axis=1)[:, : training.steps].astype(float), *final)


def _orders(training: Training, examples: int, cells: Sequence[Cell], first: int, count: int) -> np.ndarray:
    """[cells, count, batch]: each seed's order is made once. Empty where all examples are seen in every step."""
    if training.batch >= examples:
        return np.zeros((len(cells), count, 0), np.int32)
    of_seed = {
        seed: orders(training.key, seed, examples=examples, batch=training.batch, first=first, count=count)
        for seed in {cell.seed for cell in cells}
    }
    return np.stack([of_seed[cell.seed] for cell in cells])
