"""A statistic on the grid of depths and scales, and where the cells of a grid end."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.numbers.statistics import seed_statistic


class Grid(NamedTuple):
    """field[i, j] at scales[i] and depths[j]; NaN also where nothing was measured, which ``measured`` tells apart."""

    depths: np.ndarray
    scales: np.ndarray
    field: np.ndarray
    measured: np.ndarray


def to_grid(frame: pd.DataFrame, value: str, stat: str) -> Grid:
    """The statistic over seeds of one facet's rows, as a matrix: rows are scales, columns are depths, both ascending."""
    table = seed_statistic(frame, value, stat, by=("scale", "depth"))
    scales, depths = (np.unique(table.index.get_level_values(name)) for name in ("scale", "depth"))
    row = np.searchsorted(scales, table.index.get_level_values("scale"))
    column = np.searchsorted(depths, table.index.get_level_values("depth"))
    field = np.full((len(scales), len(depths)), np.nan)
    measured = np.zeros(field.shape, dtype=bool)
    field[row, column] = table.to_numpy()
    measured[row, column] = True
    return Grid(depths.astype(float), scales.astype(float), field, measured)


def cell_edges(centres: np.ndarray, *, logarithmic: bool) -> np.ndarray:
    """Where cells end: halfway between centres, geometrically on a log axis; len(centres) + 1 ascending numbers.

    A single centre gets a cell of its own: a factor of √2 to each side, or a tenth.
    """
    positions = np.log(centres) if logarithmic else np.asarray(centres, dtype=float)
    if len(positions) == 1:
        half = np.log(2) / 2 if logarithmic else 0.1 * max(abs(positions[0]), 1.0)
        ends = positions[0] + np.array([-half, half])
    else:
        middles = (positions[1:] + positions[:-1]) / 2
        ends = np.concatenate([[2 * positions[0] - middles[0]], middles, [2 * positions[-1] - middles[-1]]])
    return np.exp(ends) if logarithmic else ends


def evenly_spaced_in_log(values: np.ndarray) -> bool:
    """Whether at least three positive values are a geometric sequence, up to rounding."""
    if len(values) < 3 or values[0] <= 0:
        return False
    ratios = np.diff(np.log(values))
    return bool(np.std(ratios) < 0.05 * np.mean(ratios))
