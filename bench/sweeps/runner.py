"""Runs a sweep: chunk after chunk through the engine, rows into the run's folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jax.sharding import Mesh
from tqdm import tqdm

from bench.engine.measure import Measured, measure
from bench.engine.measure_blocks import measure_blocks
from bench.networks.activations import ACTIVATIONS
from bench.networks.architectures.registry import architecture_of
from bench.networks.batches import Batch, networks_of
from bench.networks.block_trial import check_architectures
from bench.networks.blocks import BlockBatch, blocks_of, rectangular_gains
from bench.networks.initializers import INITIALIZERS
from bench.networks.losses import LOSSES
from bench.networks.seeds import seed_mesh
from bench.networks.trial import check_own
from bench.runs.contents import Contents
from bench.runs.executors.executor import Executor
from bench.runs.folder import RunFolder
from bench.runs.job import Job
from bench.runs.loop import LOCAL, fill
from bench.runs.multiplied import multiplied
from bench.settings.defaults import PLAIN
from bench.sweeps.needs import check_blocks_fit, check_fits
from bench.sweeps.pairs import measure_pairs
from bench.sweeps.plan import Chunk, cells_of, keeps_weights, lanes_in, plan
from bench.sweeps.rows import Table, pairs_table, tables
from bench.sweeps.shapes import seeds_at_once, shape_of
from bench.sweeps.sweep import Sweep

Batches = list[tuple[slice, Any]]  # of the chunk's seeds
Beside = Callable[[Chunk, Mesh, Batches, Mapping[str, Table], tqdm], Mapping[str, Table]]  # with the chunk's tables
BAR = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} cells [{elapsed}<{remaining}, {rate_fmt}]"


def run(
    sweep: Sweep,
    *,
    results: str | os.PathLike[str] = "results",
    name: str = "sweep",
    progress: bool = True,
    overwrite: bool = False,
    max_memory: int | None = None,
    executor: Executor = LOCAL,
) -> Path:
    """Measure what is missing of ``sweep`` in the folder ``results/name`` and return the folder.

    Started again after a kill, it finishes the rest, with the same rows to the bit. ``progress`` draws a bar on standard
    error; ``overwrite`` removes the run of that name first; ``max_memory`` is what it may take, all there is by default.
    Where a scheme is undefined, as at a critical point that does not exist, rows are NaN and one line on standard error says
    why. Raises :class:`bench.RunError` (a ValueError) before anything is written for a name or folder that cannot be used,
    or that holds another sweep, and :class:`bench.SweepError` for one that does not fit.
    """
    check(sweep, max_memory)
    opened = partial(RunFolder, results, name, contents_of(sweep), overwrite=overwrite)
    how = {"dtype": sweep.dtype, "precision": sweep.precision, "progress": progress, "executor": executor}
    return fill(opened, job_of(sweep), **how)


def check(sweep: Sweep, max_memory: int | None = None) -> None:
    """Raises SweepError for a sweep that does not fit into memory, or whose functions cannot be used."""
    check_fits(sweep, max_memory)
    functions = sweep.architectures, sweep.initializers, sweep.activations
    check_architectures(*functions, widths=sweep.widths, batch=sweep.batch, length=sweep.length, dtype=sweep.dtype)
    check_blocks_fit(sweep, max_memory)
    blocks = [architecture_of(name).shapes(width) for name in sweep.architectures for width in sweep.widths]
    shapes = dict.fromkeys((fan_in, fan_out) for block in blocks for fan_out, fan_in in block.values())
    check_own(sweep.initializers, sweep.activations, shapes=shapes, widths=sweep.widths, dtype=sweep.dtype)


def job_of(sweep: Sweep, beside: Beside | None = None) -> Job[Chunk]:
    """How a run measures the sweep, and what else it measures of the same networks."""
    return Job(
        group=lambda chunk: chunk.draw,
        measure=multiplied(_measuring(sweep, beside), sweep.precision),
        cells=lambda chunk: cells_of(sweep, chunk),
        work=lambda chunk: cells_of(sweep, chunk),
        undefined=lambda chunk: _undefined(sweep, chunk),
        bar={"bar_format": BAR, "unit": " cells"},
        recipe=partial(job_of, sweep) if beside is None else None,
    )


def contents_of(sweep: Sweep) -> Contents[Chunk]:
    """What the sweep's folder holds."""
    return Contents("sweep", sweep.to_dict(), plan(sweep), tables_of(sweep))


def tables_of(sweep: Sweep) -> tuple[str, ...]:
    """The tables that a sweep fills."""
    return ("cells", *(["layers"] if sweep.layers else []), *(["pairs"] if sweep.correlations else []))


def _undefined(sweep: Sweep, chunk: Chunk) -> Iterator[str]:
    for lane in lanes_in(sweep, chunk):
        if np.isnan(lane.engine_scale):
            yield f"{lane.initializer} {chunk.activation} at bias_std {lane.bias_std:g} ({lane.note})"


def _measuring(
    sweep: Sweep, beside: Beside | None
) -> Callable[[list[Chunk], tqdm], Iterator[tuple[Chunk, Mapping[str, Table]]]]:
    """Measures chunks that share a draw: their weights are drawn once where they fit in memory."""
    compiled: set[tuple[object, int]] = set()  # the programs that the run has met, as (family or activation, width)

    def measured(chunks: list[Chunk], bar: tqdm) -> Iterator[tuple[Chunk, Mapping[str, Table]]]:
        first = chunks[0]
        count = first.seeds[1] - first.seeds[0]
        per_device = seeds_at_once(sweep, count, first.width, first.architecture)
        mesh = seed_mesh(count, per_device)
        biased = any(lane.bias_std > 0 for chunk in chunks for lane in lanes_in(sweep, chunk))
        batches = list(_batches(sweep, first, mesh, per_device * mesh.size, biased=biased))
        for chunk in chunks:
            others = len(chunk.initializers) - 1
            schemes = chunk.initializers[0] + (f" + {others}" if others else "")
            named = "" if chunk.architecture == PLAIN else f"{chunk.architecture} "
            label = f"{named}{schemes} {chunk.activation} width {chunk.width}"
            programs = {(*chunk.initializers, named, chunk.width), (chunk.activation, named, chunk.width)}
            bar.set_description_str(f"{label}: compiling" if programs - compiled else label)
            compiled.update(programs)
            found = tables(sweep, chunk, _measure_batches(sweep, chunk, mesh, batches, bar, label))
            if sweep.correlations:
                bar.set_description_str(f"{label}: pairs")
                found["pairs"] = pairs_table(sweep, chunk, measure_pairs(sweep, chunk, mesh, batches))
            if beside is not None:
                found |= beside(chunk, mesh, batches, found, bar)
            yield chunk, found

    return measured


def _batches(sweep: Sweep, chunk: Chunk, mesh: Mesh, size: int, *, biased: bool) -> Iterator[tuple[slice, Any]]:
    """The chunk's seeds, ``size`` at a time; the last seed stands in for those that are too few, and is dropped later."""
    count = chunk.seeds[1] - chunk.seeds[0]
    keep = keeps_weights(sweep, chunk.width, count + size, chunk.architecture)
    shared = {"key": sweep.key, "width": chunk.width, "dtype": sweep.dtype, "mesh": mesh, "keep": keep, "biased": biased}
    for first in range(0, count, size):
        seeds = np.minimum(chunk.seeds[0] + np.arange(first, first + size), chunk.seeds[1] - 1)
        if chunk.architecture == PLAIN:
            layers = shape_of(sweep, 1, chunk.width).layers
            drawn: Batch | BlockBatch = networks_of(chunk.initializers[0], seeds=seeds.tolist(), layers=layers, **shared)
        else:
            examples = {"batch": sweep.batch, "length": sweep.length}
            family = INITIALIZERS[chunk.initializers[0]].family
            drawn = blocks_of(architecture_of(chunk.architecture), family, seeds=seeds.tolist(), **examples, **shared)
        yield slice(first, min(first + size, count)), drawn


def _measure_batches(
    sweep: Sweep, chunk: Chunk, mesh: Mesh, batches: Batches, bar: tqdm, label: str
) -> Iterator[tuple[slice, Measured]]:
    """What :func:`measure` yields for each batch, with the chunk's seeds that it is for."""
    lanes = lanes_in(sweep, chunk)
    scales = np.array([0.0 if np.isnan(lane.engine_scale) else lane.engine_scale for lane in lanes])
    cells = cells_of(sweep, chunk)
    end = bar.n + cells

    def advance(share: float) -> None:
        bar.set_description_str(label, refresh=False)
        bar.update(min(share * cells, end - bar.n))

    shared = {
        "mesh": mesh,
        "activation": ACTIVATIONS[chunk.activation],
        "loss": LOSSES[sweep.loss],
        "scales": scales,
        "bias_stds": np.array([lane.bias_std for lane in lanes]),
        "input_norms": np.array([lane.input_norm for lane in lanes]),
        "depths": sweep.depths,
        "shape": shape_of(sweep, len(lanes), chunk.width, chunk.architecture),
    }
    if chunk.architecture == PLAIN:
        for seeds, batch in batches:
            asked = {"alone": batch.alone, "kept": batch.kept, "entries": True}
            asked["advance"] = lambda share: advance(share / len(batches))
            for result in measure(batch.segments(chunk.activation), batch.inputs, batch.readout, **asked, **shared):
                yield seeds, result
    else:
        architecture = architecture_of(chunk.architecture)
        gains = [
            rectangular_gains(INITIALIZERS[lane.initializer], architecture, chunk.width, lane.scale, scale)
            for lane, scale in zip(lanes, scales.tolist(), strict=True)
        ]
        shared["gains"] = {name: np.array([gain[name] for gain in gains]) for name in gains[0]}
        drawn = [batch for _, batch in batches]
        for number, result in measure_blocks(drawn, architecture=architecture, advance=advance, **shared):
            yield batches[number][0], result
    bar.update(end - bar.n)
