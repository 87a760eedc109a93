"""Runs a training: chunk after chunk through the loop, rows into the run's folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from jax import Array
from tqdm import tqdm

from bench.activations import ACTIVATIONS
from bench.initializers import INITIALIZERS
from bench.measure import fetch_behind, place, seed_mesh
from bench.store import RunFolder
from bench.training.draws import Factors, draw, orders
from bench.training.loop import Kind, State, evaluate, start_program, train_program
from bench.training.optimizers import parse_optimizer, parse_schedule, schedule_factors
from bench.training.plan import Cell, Chunk, cells_in, cells_per_device, plan, work
from bench.training.rows import Trained, tables
from bench.training.tasks import Task, load_task
from bench.training.training import Training

BAR = "{desc}: {percentage:3.0f}%|{bar}| [{elapsed}<{remaining}]"
STEPS = 64  # of a block: what is compiled as one loop, and told to the bar


def train(
    training: Training,
    *,
    results: str | os.PathLike[str] = "results",
    name: str = "training",
    progress: bool = True,
) -> Path:
    """Train what is missing of ``training`` in the folder ``results/name`` and return the folder.

    Started again after a kill, it finishes the rest, with the same rows to the bit. ``progress`` draws a bar on standard
    error. Where a scheme is undefined, as at a critical point that does not exist, rows are NaN and one line on standard
    error says why. Raises :class:`bench.RunError` (a ValueError) before anything is written for a name or folder that
    cannot be used, or that holds another run, and :class:`bench.SweepError` for a task that cannot be loaded.
    """
    task = load_task(training.task)
    with jax.enable_x64(training.dtype == "float64"), closing(folder_of(training, results, name)) as folder:
        missing = folder.missing()
        if missing or folder.manifest.get("finished") is None:
            folder.begin()
            _report_undefined(training, missing)
            with _bar(training, folder, missing, progress) as bar:
                for chunk in missing:
                    trained = train_chunk(training, task, chunk, bar.update, bar.set_description_str)
                    folder.write(chunk, tables(training, task, chunk, trained))
            folder.finish()
        return folder.path


def folder_of(training: Training, results: str | os.PathLike[str], name: str) -> RunFolder[Chunk]:
    """The training's folder, held open; the data are part of what identifies it. Raises :class:`bench.RunError`."""
    fields = training.to_dict() | {"data": load_task(training.task).digest}
    return RunFolder(
        results, name, kind="training", fields=fields, chunks=plan(training), tables=("cells", "curves")
    )


def _report_undefined(training: Training, chunks: Iterable[Chunk]) -> None:
    """One line for everything that is undefined."""
    undefined = {
        f"{cell.initializer} {chunk.activation} at bias_std {cell.bias_std:g} ({cell.note})": None
        for chunk in chunks
        for cell in cells_in(training, chunk)
        if np.isnan(cell.factor)
    }
    if undefined:
        print(f"undefined, their rows are NaN: {'; '.join(undefined)}", file=sys.stderr)


def _bar(training: Training, folder: RunFolder[Chunk], missing: Iterable[Chunk], progress: bool) -> tqdm:
    """Its unit is an operation, since a deep network takes longer than a shallow one."""
    total = sum(_chunk_work(training, chunk) for chunk in folder.chunks)
    return tqdm(
        total=total,
        initial=total - sum(_chunk_work(training, chunk) for chunk in missing),
        bar_format=BAR,
        disable=not progress,
        mininterval=0.1 if sys.stderr.isatty() else 10,
    )


def _chunk_work(training: Training, chunk: Chunk) -> float:
    return (chunk.cells[1] - chunk.cells[0]) * work(training, chunk.depth, chunk.width)


class Tile(NamedTuple):
    """Cells that are trained at a time; the last one stands in for those that are too few, and is dropped later."""

    cells: Sequence[Cell]
    padded: Sequence[Cell]


def train_chunk(
    training: Training,
    task: Task,
    chunk: Chunk,
    advance: Callable[[float], object] = lambda _work: None,
    describe: Callable[[str], object] = lambda _text: None,
) -> list[Trained]:
    """What the chunk's cells did, in order. ``advance`` is told of work that is done, ``describe`` of what is under way."""
    describe(f"{chunk.optimizer} {chunk.activation} depth {chunk.depth} width {chunk.width}")
    cells = cells_in(training, chunk)
    per_device = cells_per_device(training, chunk.depth, chunk.width, jax.local_devices()[0].platform)
    mesh = seed_mesh(len(cells), per_device)
    size = per_device * mesh.size
    trained = []
    for first in range(0, len(cells), size):
        own = cells[first : first + size]
        tile = Tile(own, own + [own[-1]] * (size - len(own)))
        done = len(own) * work(training, chunk.depth, chunk.width)
        trained.append(train_tile(training, task, chunk, tile, mesh, lambda share, done=done: advance(share * done)))
    return trained


def train_tile(
    training: Training, task: Task, chunk: Chunk, tile: Tile, mesh: jax.sharding.Mesh, advance: Callable[[float], object]
) -> Trained:
    """Trains a tile from its draw to its evaluation."""
    dtype = training.dtype
    activation, optimizer = ACTIVATIONS[chunk.activation], parse_optimizer(chunk.optimizer)
    arrays = [array.astype(dtype) for array in task]
    x, y = place(mesh, arrays[:2])
    rates = place(mesh, np.array([cell.learning_rate for cell in tile.padded], dtype), 0)
    state = _start(training, task, chunk, tile, mesh, rates, x)
    kind = Kind(activation, training.loss, optimizer, clipped=training.clip > 0)
    program = train_program(mesh, kind)
    count = -(-training.steps // STEPS)
    length = -(-training.steps // count)
    factors = np.zeros(count * length)
    factors[: training.steps] = schedule_factors(parse_schedule(training.schedule), training.steps)
    active = np.arange(count * length) < training.steps
    seeds = [cell.seed for cell in tile.padded]

    def run() -> Iterator[tuple[int, Array]]:
        nonlocal state
        for block in range(count):
            here = slice(block * length, (block + 1) * length)
            examples = {
                seed: orders(
                    training.key,
                    seed,
                    examples=len(task.x_train),
                    batch=training.batch,
                    first=here.start,
                    count=length,
                )
                for seed in set(seeds)
            }
            order = place(mesh, np.stack([examples[seed] for seed in seeds]), 0)
            shared = place(mesh, (factors[here].astype(dtype), active[here]))
            clip = np.asarray(training.clip, dtype)
            state, metrics = program(state, order, rates, *shared, x, y, clip)
            yield block, metrics

    pieces = []
    for _, metrics in fetch_behind(run()):
        pieces.append(metrics)
        advance(1 / count)
    final = [
        evaluate(state.parameters, *examples, mesh=mesh, activation=activation, loss=training.loss)
        for examples in (arrays[:2], arrays[2:])
    ]
    kept = len(tile.cells)
    metrics = np.concatenate(pieces, axis=1)[:kept, : training.steps].astype(float)
    return Trained(tile.cells, metrics, final[0][:kept], final[1][:kept])


def _start(
    training: Training, task: Task, chunk: Chunk, tile: Tile, mesh: jax.sharding.Mesh, rates: Array, x: Array
) -> State:
    """The tile's networks as they begin. Undefined ones are zero throughout."""
    drawn = draw(
        chunk.initializers[0],
        key=training.key,
        width=chunk.width,
        inputs=task.inputs,
        outputs=task.outputs,
        depth=chunk.depth,
        seeds=[cell.seed for cell in tile.padded],
        dtype=training.dtype,
        mesh=mesh,
    )
    columns = [(cell.input_factor, cell.input_bias_std, cell.factor, cell.bias_std) for cell in tile.padded]
    factors = Factors(*np.nan_to_num(np.array(columns), nan=0.0).T.astype(training.dtype))
    normalizing = ACTIVATIONS[chunk.activation] if INITIALIZERS[chunk.initializers[0]].family.unit_variance else None
    program = start_program(mesh, chunk.depth, parse_optimizer(chunk.optimizer), normalizing, biased=chunk.biased)
    return program(drawn, place(mesh, factors, 0), rates, x)
