"""From what the engine measured to a sweep's rows: one for each cell, and one for each layer of each cell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from bench.engine.measure import Measured
from bench.sweeps.plan import Chunk, lanes_in
from bench.sweeps.sweep import Sweep

VALUES = ("log10_grad", "log10_delta", "log10_activation")

Table = dict[str, Any]


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
