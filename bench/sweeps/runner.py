"""Runs a sweep: chunk after chunk through the engine, rows into the run's folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh
from tqdm import tqdm

from bench.engine.gradients import seeds_per_device
from bench.engine.measure import Measured, measure
from bench.networks.activations import ACTIVATIONS
from bench.networks.batches import Batch, networks_of
from bench.networks.losses import LOSSES
from bench.networks.seeds import seed_mesh
from bench.runs.folder import RunFolder
from bench.sweeps.plan import Chunk, keeps_weights, lanes_in, plan
from bench.sweeps.sweep import Sweep
from bench.terminal.progress import progress_bar, report_undefined

BAR = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} cells [{elapsed}<{remaining}, {rate_fmt}]"
VALUES = ("log10_grad", "log10_delta", "log10_activation")

Table = dict[str, Any]


def run(
    sweep: Sweep,
    *,
    results: str | os.PathLike[str] = "results",
    name: str = "sweep",
    progress: bool = True,
) -> Path:
    """Measure what is missing of ``sweep`` in the folder ``results/name`` and return the folder.

    Started again after a kill, it finishes the rest, with the same rows to the bit. ``progress`` draws a bar on standard
    error. Where a scheme is undefined, as at a critical point that does not exist, rows are NaN and one line on standard
    error says why. Raises :class:`bench.RunError` (a ValueError) before anything is written for a name or folder that
    cannot be used, or that holds another sweep.
    """
    with jax.enable_x64(sweep.dtype == "float64"), closing(folder_of(sweep, results, name)) as folder:
        missing = folder.missing()
        if missing or folder.manifest.get("finished") is None:
            folder.begin()
            report_undefined(_undefined(sweep, missing))
            with _bar(sweep, folder, missing, progress) as bar:
                compiled: set[tuple[object, int]] = set()
                for _, chunks in groupby(missing, key=lambda chunk: chunk.draw):
                    _run_with_one_draw(sweep, folder, list(chunks), bar, compiled)
            folder.finish()
        return folder.path


def folder_of(sweep: Sweep, results: str | os.PathLike[str], name: str) -> RunFolder[Chunk]:
    """The sweep's folder, held open. Raises :class:`bench.RunError`."""
    tables = ("cells", "layers") if sweep.layers else ("cells",)
    return RunFolder(results, name, kind="sweep", fields=sweep.to_dict(), chunks=plan(sweep), tables=tables)


def _undefined(sweep: Sweep, chunks: Iterable[Chunk]) -> Iterator[str]:
    for chunk in chunks:
        for lane in lanes_in(sweep, chunk):
            if np.isnan(lane.engine_scale):
                yield f"{lane.initializer} {chunk.activation} at bias_std {lane.bias_std:g} ({lane.note})"


def _bar(sweep: Sweep, folder: RunFolder[Chunk], missing: Iterable[Chunk], progress: bool) -> tqdm:
    total, left = (sum(cells_of(sweep, chunk) for chunk in chunks) for chunks in (folder.chunks, missing))
    return progress_bar(total, left, cells=left, shown=progress, bar_format=BAR, unit=" cells")


def cells_of(sweep: Sweep, chunk: Chunk) -> int:
    """How many rows a chunk has."""
    return (chunk.seeds[1] - chunk.seeds[0]) * (chunk.lanes[1] - chunk.lanes[0]) * len(sweep.depths)


def _run_with_one_draw(
    sweep: Sweep, folder: RunFolder[Chunk], chunks: list[Chunk], bar: tqdm, compiled: set[tuple[object, int]]
) -> None:
    """Chunks that share a draw: their weights are drawn once where they fit in memory.

    ``compiled``: the programs that the run has met, as (family or activation, width); grows.
    """
    first = chunks[0]
    count = first.seeds[1] - first.seeds[0]
    per_device = seeds_per_device(first.width, jax.local_devices()[0].platform)
    mesh = seed_mesh(count, per_device)
    biased = any(lane.bias_std > 0 for chunk in chunks for lane in lanes_in(sweep, chunk))
    batches = list(_batches(sweep, first, mesh, per_device * mesh.size, biased=biased))
    for chunk in chunks:
        others = len(chunk.initializers) - 1
        schemes = chunk.initializers[0] + (f" + {others}" if others else "")
        label = f"{schemes} {chunk.activation} width {chunk.width}"
        programs = {(chunk.initializers, chunk.width), (chunk.activation, chunk.width)}
        bar.set_description_str(f"{label}: compiling" if programs - compiled else label)
        compiled |= programs
        folder.write(chunk, tables(sweep, chunk, _measure_batches(sweep, chunk, mesh, batches, bar, label)))


def _batches(sweep: Sweep, chunk: Chunk, mesh: Mesh, size: int, *, biased: bool) -> Iterator[tuple[slice, Batch]]:
    """The chunk's seeds, ``size`` at a time; the last seed stands in for those that are too few, and is dropped later."""
    count = chunk.seeds[1] - chunk.seeds[0]
    keep = keeps_weights(sweep, chunk.width, count + size)
    for first in range(0, count, size):
        seeds = np.minimum(chunk.seeds[0] + np.arange(first, first + size), chunk.seeds[1] - 1)
        yield (
            slice(first, min(first + size, count)),
            networks_of(
                chunk.initializers[0],
                key=sweep.key,
                width=chunk.width,
                seeds=seeds.tolist(),
                dtype=sweep.dtype,
                mesh=mesh,
                keep=keep,
                biased=biased,
            ),
        )


def _measure_batches(
    sweep: Sweep, chunk: Chunk, mesh: Mesh, batches: list[tuple[slice, Batch]], bar: tqdm, label: str
) -> Iterator[tuple[slice, Measured]]:
    """What :func:`measure` yields for each batch, with the chunk's seeds that it is for."""
    lanes = lanes_in(sweep, chunk)
    scales = np.array([0.0 if np.isnan(lane.engine_scale) else lane.engine_scale for lane in lanes])
    cells = cells_of(sweep, chunk)
    end = bar.n + cells

    def advance(share: float) -> None:
        bar.set_description_str(label, refresh=False)
        bar.update(min(share * cells / len(batches), end - bar.n))

    for seeds, batch in batches:
        results = measure(
            batch.segments(chunk.activation),
            batch.inputs,
            batch.readout,
            mesh=mesh,
            activation=ACTIVATIONS[chunk.activation],
            loss=LOSSES[sweep.loss],
            scales=scales,
            bias_stds=np.array([lane.bias_std for lane in lanes]),
            depths=sweep.depths,
            advance=advance,
        )
        for result in results:
            yield seeds, result
    bar.update(end - bar.n)


def tables(sweep: Sweep, chunk: Chunk, measured: Iterable[tuple[slice, Measured]]) -> dict[str, Table]:
    """The rows of a chunk by kind, ordered by depth, initializer, bias_std, scale, seed and layer."""
    seeds, lanes = chunk.seeds[1] - chunk.seeds[0], chunk.lanes[1] - chunk.lanes[0]
    cells = np.empty((4, len(sweep.depths), lanes, seeds))
    layers = {depth: np.empty((3, lanes, seeds, depth)) for depth in sweep.depths if sweep.layers}
    for block, result in measured:
        grad, delta, activation = (value[:, : block.stop - block.start] for value in result[2:])
        with np.errstate(invalid="ignore"):  # NaN is data
            everything = np.logaddexp.reduce(2 * np.log(10) * grad, axis=0) / (2 * np.log(10))
        summary = np.stack([grad[0], grad[-2], everything, activation[-1]])
        cells[:, sweep.depths.index(result.depth), result.lanes, block] = summary.swapaxes(1, 2)
        if sweep.layers:
            layers[result.depth][:, result.lanes, block] = np.stack([grad, delta, activation]).transpose(0, 3, 2, 1)
    undefined = np.isnan([lane.engine_scale for lane in lanes_in(sweep, chunk)])
    cells[:, :, undefined] = np.nan
    for values in layers.values():
        values[:, undefined] = np.nan
    names = ("log10_grad_first", "log10_grad_last", "log10_grad_global", "log10_output")
    rows = {"cells": _cell_columns(sweep, chunk) | {name: cells[i].ravel() for i, name in enumerate(names)}}
    if sweep.layers:
        rows["layers"] = _layer_columns(sweep, chunk, layers)
    return rows


def _cell_columns(sweep: Sweep, chunk: Chunk) -> Table:
    lanes = lanes_in(sweep, chunk)
    depth, lane, seed = (
        grid.ravel() for grid in np.meshgrid(sweep.depths, np.arange(len(lanes)), np.arange(*chunk.seeds), indexing="ij")
    )
    member = np.array([chunk.initializers.index(each.initializer) for each in lanes], np.int16)
    return {
        "initializer": (chunk.initializers, member[lane]),
        "activation": ((chunk.activation,), np.zeros(lane.size, np.int16)),
        "width": np.full(lane.size, chunk.width),
        "bias_std": np.array([each.bias_std for each in lanes])[lane],
        "depth": depth,
        "scale": np.array([each.scale for each in lanes])[lane],
        "seed": seed,
    }


def _layer_columns(sweep: Sweep, chunk: Chunk, layers: dict[int, np.ndarray]) -> Table:
    cells = _cell_columns(sweep, chunk)
    repeats = cells["depth"]
    columns: Table = {
        name: (values[0], np.repeat(values[1], repeats)) if isinstance(values, tuple) else np.repeat(values, repeats)
        for name, values in cells.items()
    }
    columns["layer"] = np.concatenate([np.tile(np.arange(1, depth + 1), len(repeats) // len(layers)) for depth in layers])
    return columns | {name: np.concatenate([layers[d][i].ravel() for d in layers]) for i, name in enumerate(VALUES)}
