"""Runs a sweep: chunk after chunk through the engine, rows into the run's folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array
from jax.sharding import Mesh
from tqdm import tqdm

from bench.activations import ACTIVATIONS
from bench.draws import draw_networks, segment_program
from bench.gradients import LAYERS, Segment, seeds_per_device
from bench.initializers import INITIALIZERS
from bench.losses import LOSSES
from bench.measure import Measured, measure, place, seed_mesh
from bench.plan import Chunk, keeps_weights
from bench.store import RunFolder
from bench.sweep import Sweep

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
    error. Raises :class:`bench.RunError` (a ValueError) before anything is written for a name or folder that cannot be
    used, or that holds another sweep.
    """
    with jax.enable_x64(sweep.dtype == "float64"), closing(RunFolder(results, name, sweep)) as folder:
        missing = folder.missing()
        if missing or folder.manifest.get("finished") is None:
            folder.begin()
            with _bar(folder, missing, progress) as bar:
                compiled: set[tuple[str, int]] = set()
                for _, chunks in groupby(missing, key=lambda chunk: chunk.draw):
                    _run_with_one_draw(folder, list(chunks), bar, compiled)
            folder.finish()
        return folder.path


def _bar(folder: RunFolder, missing: Iterable[Chunk], progress: bool) -> tqdm:
    cells = [cells_of(folder.sweep, chunk) for chunk in missing]
    done = folder.sweep.cells - sum(cells)
    return tqdm(
        total=folder.sweep.cells,
        initial=done,
        bar_format=BAR,
        unit=" cells",
        disable=not progress,
        mininterval=0.1 if sys.stderr.isatty() else 10,
    )


def cells_of(sweep: Sweep, chunk: Chunk) -> int:
    """How many rows a chunk has."""
    return (chunk.seeds[1] - chunk.seeds[0]) * (chunk.lanes[1] - chunk.lanes[0]) * len(sweep.depths)


class Batch(NamedTuple):
    """The seeds that the devices work on at a time, and their networks."""

    seeds: slice  # of the chunk's
    inputs: Array  # [padded seeds, width]
    readout: Array  # [padded seeds, width]
    segments: Callable[[int], Segment]


def _run_with_one_draw(folder: RunFolder, chunks: list[Chunk], bar: tqdm, compiled: set[tuple[str, int]]) -> None:
    """Chunks that share initializer, width and seeds: their weights are drawn once where they fit in memory.

    ``compiled``: the programs that the run has met, as (initializer or activation, width); grows.
    """
    sweep, first = folder.sweep, chunks[0]
    count = first.seeds[1] - first.seeds[0]
    per_device = seeds_per_device(first.width, jax.local_devices()[0].platform)
    mesh = seed_mesh(count, per_device)
    batches = _batches(sweep, first, mesh, per_device * mesh.size)
    for chunk in chunks:
        label = f"{chunk.initializer} {chunk.activation} width {chunk.width}"
        programs = {(chunk.initializer, chunk.width), (chunk.activation, chunk.width)}
        bar.set_description_str(f"{label}: compiling" if programs - compiled else label)
        compiled |= programs
        folder.write(chunk, tables(sweep, chunk, _measure_batches(sweep, chunk, mesh, batches, bar, label)))


def _batches(sweep: Sweep, chunk: Chunk, mesh: Mesh, size: int) -> list[Batch]:
    """The chunk's seeds, ``size`` at a time; the last seed stands in for those that are too few, and is dropped later."""
    count = chunk.seeds[1] - chunk.seeds[0]
    keep = keeps_weights(sweep, chunk.width, count + size)
    batches = []
    for first in range(0, count, size):
        seeds = np.minimum(chunk.seeds[0] + np.arange(first, first + size), chunk.seeds[1] - 1)
        keys, inputs, readout = place(mesh, draw_networks(sweep.key, chunk.width, seeds.tolist(), sweep.dtype), 0)
        valid = slice(first, min(first + size, count))
        batches.append(Batch(valid, inputs, readout, _segments(sweep, chunk, mesh, keys, keep=keep)))
    return batches


def _measure_batches(
    sweep: Sweep, chunk: Chunk, mesh: Mesh, batches: list[Batch], bar: tqdm, label: str
) -> Iterator[tuple[slice, Measured]]:
    """What :func:`measure` yields for each batch, with the chunk's seeds that it is for."""
    scales, bias_stds = lanes_of(sweep, chunk)
    cells = cells_of(sweep, chunk)
    end = bar.n + cells

    def advance(share: float) -> None:
        bar.set_description_str(label, refresh=False)
        bar.update(min(share * cells / len(batches), end - bar.n))

    for batch in batches:
        results = measure(
            batch.segments,
            batch.inputs,
            batch.readout,
            mesh=mesh,
            activation=ACTIVATIONS[chunk.activation],
            loss=LOSSES[sweep.loss],
            scales=scales,
            bias_stds=bias_stds,
            depths=sweep.depths,
            advance=advance,
        )
        for result in results:
            yield batch.seeds, result
    bar.update(end - bar.n)


def _segments(sweep: Sweep, chunk: Chunk, mesh: Mesh, keys: Array, *, keep: bool) -> Callable[[int], Segment]:
    """Index → Segment, drawn when asked for, and drawn again each time unless ``keep``."""
    initializer, biased = INITIALIZERS[chunk.initializer], any(sweep.bias_stds)
    draw = segment_program(mesh, initializer, chunk.width, sweep.dtype, biased=biased)
    kept: dict[int, Segment] = {}

    def segment(index: int) -> Segment:
        if index in kept:
            return kept[index]
        drawn = draw(keys, np.int32(1 + index * LAYERS))
        if keep:
            kept[index] = drawn
        return drawn

    return segment


def lanes_of(sweep: Sweep, chunk: Chunk) -> tuple[np.ndarray, np.ndarray]:
    """(scales, bias_stds) of the chunk's lanes, pairwise."""
    bias_stds, scales = (grid.ravel() for grid in np.meshgrid(sweep.bias_stds, sweep.scales, indexing="ij"))
    lanes = slice(*chunk.lanes)
    return scales[lanes], bias_stds[lanes]


def tables(sweep: Sweep, chunk: Chunk, measured: Iterable[tuple[slice, Measured]]) -> dict[str, Table]:
    """The rows of a chunk by kind, ordered by depth, bias_std, scale, seed and layer."""
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
    names = ("log10_grad_first", "log10_grad_last", "log10_grad_global", "log10_output")
    rows = {"cells": _cell_columns(sweep, chunk) | {name: cells[i].ravel() for i, name in enumerate(names)}}
    if sweep.layers:
        rows["layers"] = _layer_columns(sweep, chunk, layers)
    return rows


def _cell_columns(sweep: Sweep, chunk: Chunk) -> Table:
    scales, bias_stds = lanes_of(sweep, chunk)
    depth, lane, seed = np.meshgrid(sweep.depths, np.arange(len(scales)), np.arange(*chunk.seeds), indexing="ij")
    return {
        "initializer": (chunk.initializer, depth.size),
        "activation": (chunk.activation, depth.size),
        "width": np.full(depth.size, chunk.width),
        "bias_std": bias_stds[lane.ravel()],
        "depth": depth.ravel(),
        "scale": scales[lane.ravel()],
        "seed": seed.ravel(),
    }


def _layer_columns(sweep: Sweep, chunk: Chunk, layers: dict[int, np.ndarray]) -> Table:
    cells = _cell_columns(sweep, chunk)
    repeats = cells["depth"]
    columns: Table = {
        name: (values[0], int(repeats.sum())) if isinstance(values, tuple) else np.repeat(values, repeats)
        for name, values in cells.items()
    }
    columns["layer"] = np.concatenate([np.tile(np.arange(1, depth + 1), len(repeats) // len(layers)) for depth in layers])
    return columns | {name: np.concatenate([layers[d][i].ravel() for d in layers]) for i, name in enumerate(VALUES)}
