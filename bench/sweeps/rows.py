"""From what the engine measured to a sweep's rows: one for each cell, and one for each layer of each cell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from bench.engine.angles import Pairs
from bench.engine.measure import Measured
from bench.sweeps.plan import Chunk, lanes_in
from bench.sweeps.sweep import Sweep

ENTRIES = ("log10_entry_tenth", "log10_entry_median", "log10_entry_largest")
LAYER_VALUES = ("log10_grad", "log10_delta", "log10_activation", "log10_weight", "log10_relative")

Table = dict[str, Any]


def tables(sweep: Sweep, chunk: Chunk, measured: Iterable[tuple[slice, Measured]]) -> dict[str, Table]:
    """The rows of a chunk by kind, ordered by depth, initializer, bias_std, input_norm, scale, seed, layer."""
    seeds, lanes = chunk.seeds[1] - chunk.seeds[0], chunk.lanes[1] - chunk.lanes[0]
    cells: dict[str, np.ndarray] = {}
    layers = {depth: np.empty((len(LAYER_VALUES), lanes, seeds, depth)) for depth in sweep.depths if sweep.layers}
    for block, result in measured:
        kept = slice(block.stop - block.start)
        values = summary(result)
        if sweep.batch * sweep.length > 1:
            values["cosine"] = np.full_like(values["log10_output"], np.nan) if result.cosine is None else result.cosine
        for name, value in values.items():
            whole = cells.setdefault(name, np.empty((len(sweep.depths), lanes, seeds)))
            whole[sweep.depths.index(result.depth), result.lanes, block] = value[kept].T
        if sweep.layers:
            norms = np.stack([getattr(result, name)[:, kept] for name in LAYER_VALUES])
            layers[result.depth][:, result.lanes, block] = norms.transpose(0, 3, 2, 1)
    undefined = np.isnan([lane.engine_scale for lane in lanes_in(sweep, chunk)])
    for values in cells.values():
        values[:, undefined] = np.nan
    for values in layers.values():
        values[:, undefined] = np.nan
    rows = {"cells": cell_columns(sweep, chunk) | {name: values.ravel() for name, values in cells.items()}}
    if sweep.layers:
        rows["layers"] = _layer_columns(sweep, chunk, layers)
    return rows


def summary(result: Measured) -> dict[str, np.ndarray]:
    """What a cell's row says of its network, by column: [seeds, lanes] from [layers, seeds, lanes]."""
    grad, relative = result.log10_grad, result.log10_relative
    hidden, entries = grad[:-1], result.log10_entries
    assert entries is not None
    with np.errstate(invalid="ignore"):  # NaN is data
        everything = np.logaddexp.reduce(2 * np.log(10) * grad, axis=0) / (2 * np.log(10))
        per_weight = grad[0] - result.log10_weight[0]
    return {
        "log10_grad_first": hidden[0],
        "log10_grad_last": hidden[-1],
        "log10_grad_least": hidden.min(axis=0),
        "log10_grad_largest": hidden.max(axis=0),
        "log10_grad_global": everything,
        "log10_output": result.log10_activation[-1],
        "log10_relative_first": relative[0],
        "log10_relative_last": relative[-2],
        "log10_grad_per_weight_first": per_weight,
        **dict(zip(ENTRIES, entries, strict=True)),
    }


def pairs_table(sweep: Sweep, chunk: Chunk, measured: Iterable[tuple[slice, slice, int, Pairs]]) -> Table:
    """The rows of a chunk for two inputs, ordered as cells and then by correlation.

    measured: the chunk's seeds, its lanes, the number of the correlation, and the cosines.
    """
    cells = cell_columns(sweep, chunk)
    seeds, lanes = chunk.seeds[1] - chunk.seeds[0], chunk.lanes[1] - chunk.lanes[0]
    values = np.full((2, len(sweep.depths), lanes, seeds, len(sweep.correlations)), np.nan)
    for block, tile, number, found in measured:
        kept = slice(tile.stop - tile.start), slice(block.stop - block.start)
        values[:, :, tile, block, number] = np.stack(found)[:, :, *kept]
    values[:, :, np.isnan([lane.engine_scale for lane in lanes_in(sweep, chunk)])] = np.nan
    columns = repeated(cells, np.full(len(cells["depth"]), len(sweep.correlations)))
    columns["correlation"] = np.tile(sweep.correlations, len(cells["depth"]))
    return columns | {"cosine_last": values[0].ravel(), "cosine_grad_first": values[1].ravel()}


def cell_columns(sweep: Sweep, chunk: Chunk) -> Table:
    """Which cell each row is of, ordered by depth, lane and seed; words as (words, [rows] which of them)."""
    lanes = lanes_in(sweep, chunk)
    depth, lane, seed = (
        grid.ravel() for grid in np.meshgrid(sweep.depths, np.arange(len(lanes)), np.arange(*chunk.seeds), indexing="ij")
    )
    member = np.array([chunk.initializers.index(each.initializer) for each in lanes], np.int16)
    return {
        "architecture": ((chunk.architecture,), np.zeros(lane.size, np.int16)),
        "initializer": (chunk.initializers, member[lane]),
        "activation": ((chunk.activation,), np.zeros(lane.size, np.int16)),
        "width": np.full(lane.size, chunk.width),
        "bias_std": np.array([each.bias_std for each in lanes])[lane],
        "input_norm": np.array([each.input_norm for each in lanes])[lane],
        "depth": depth,
        "scale": np.array([each.scale for each in lanes])[lane],
        "seed": seed,
    }


def _layer_columns(sweep: Sweep, chunk: Chunk, layers: dict[int, np.ndarray]) -> Table:
    cells = cell_columns(sweep, chunk)
    repeats = cells["depth"]
    columns = repeated(cells, repeats)
    columns["layer"] = np.concatenate([np.tile(np.arange(1, depth + 1), len(repeats) // len(layers)) for depth in layers])
    return columns | {name: np.concatenate([layers[d][i].ravel() for d in layers]) for i, name in enumerate(LAYER_VALUES)}


def repeated(cells: Table, repeats: np.ndarray) -> Table:
    """Each row of a table so many times."""
    return {
        name: (values[0], np.repeat(values[1], repeats)) if isinstance(values, tuple) else np.repeat(values, repeats)
        for name, values in cells.items()
    }
