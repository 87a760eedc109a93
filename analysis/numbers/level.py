"""Where a grid's values cross a level."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from analysis.numbers.grid import Grid


class Field(NamedTuple):
    """What a level is looked for in: values [scales, depths], masked where there is no number."""

    depths: np.ndarray
    scales: np.ndarray
    values: np.ma.MaskedArray


def field_about(grid: Grid, level: float) -> Field | None:
    """The grid with numbers for its exact zeros; None where no value lies on one of the level's sides.

    Zero has no logarithm to interpolate: it stands as far beyond the level as the level is from 1, so that a line
    runs near the edge between the last gradient of ordinary size and the first zero. Of scale 0 that says nothing:
    a power of the scale leaves a type much nearer to 0 than to the next scale, and at depth 2 not at all.
    """
    scales, field = grid.scales[grid.scales != 0], grid.field[grid.scales != 0]
    values = np.ma.masked_invalid(np.where(np.isneginf(field), 2 * min(level, -level), field))
    if len(scales) < 2 or values.count() == 0 or not values.min() < level < values.max():
        return None
    return Field(grid.depths, scales, values)


def lines_at(grid: Grid, level: float) -> list[np.ndarray]:
    """The lines along which the grid's values are ``level``: each [points, 2], depths and scales."""
    from contourpy import contour_generator

    found = field_about(grid, level)
    lines: Any = [] if found is None else contour_generator(*found).lines(level)
    return list(lines)
