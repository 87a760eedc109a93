"""Lines on a heatmap where a number type ends: beyond them a gradient underflows or overflows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.contour import QuadContourSet
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from analysis.numbers.grid import Grid
from analysis.numbers.statistics import NumberRange, number_range

DTYPES = ("float16", "bfloat16", "float32")
STYLES = ("solid", (0, (3.5, 1.6)), (0, (1, 1.2)))  # told apart without colour
INDISTINCT = 0.05  # decades: closer lines would lie on one another
WIDTH = 0.9
# White and without gaps under every line, so that black dashes are seen on the darkest colours.
HALO = withStroke(linewidth=WIDTH + 1.2, foreground="white", dashes={"dash_offset": 0, "dash_list": None})


class Limit(NamedTuple):
    """The range that one or several number types share, and its line style."""

    dtypes: tuple[str, ...]
    range: NumberRange
    style: Any

    @property
    def label(self) -> str:
        """Names and range, for a legend."""
        low, high = self.range
        return rf"{', '.join(self.dtypes)}: underflow $10^{{{low:.1f}}}$, overflow $10^{{{high:.1f}}}$"


def range_limits(dtypes: tuple[str, ...] = DTYPES) -> list[Limit]:
    """The types' ranges; those that differ by less than a line's width (bfloat16, float32) are one."""
    shared: list[tuple[list[str], NumberRange]] = []
    for dtype in dtypes:
        found = number_range(dtype)
        for names, known in shared:
            if max(abs(found.underflow - known.underflow), abs(found.overflow - known.overflow)) < INDISTINCT:
                names.append(dtype)
                break
        else:
            shared.append(([dtype], found))
    return [Limit(tuple(names), found, STYLES[i % len(STYLES)]) for i, (names, found) in enumerate(shared)]


def draw_limits(ax: Axes, grid: Grid) -> list[Limit]:
    """Draw a line where the grid's values cross each end of each range; returns the limits that were crossed.

    Between neighbouring depths the log10 norm is taken as linear in the depth, as it is far from the first layers. A cell
    that is exactly zero lies below every range; undefined and unmeasured cells end a line.
    """
    crossed = []
    if min(grid.field.shape) < 2:
        return crossed
    for limit in range_limits():
        levels = [level for level in limit.range if draw_level(ax, grid, level, linestyles=[limit.style])]
        if levels:
            crossed.append(limit)
    return crossed


def limit_handle(limit: Limit) -> Line2D:
    """The legend's entry."""
    return Line2D([], [], color="black", linewidth=WIDTH, linestyle=limit.style, label=limit.label)


def draw_level(ax: Axes, grid: Grid, level: float, **look: Any) -> QuadContourSet | None:
    """Draw the line along which the grid's values are ``level``, if there is one; what ends it is as above.

    look: of the line, for :meth:`matplotlib.axes.Axes.contour`; black and ``WIDTH`` points by default.
    """
    # Zero has no logarithm to interpolate: it stands as far beyond the level as the level is from 1, so that the
    # line runs near the edge between the last gradient of ordinary size and the first zero.
    values = np.ma.masked_invalid(np.where(np.isneginf(grid.field), 2 * min(level, -level), grid.field))
    if values.count() == 0 or not values.min() < level < values.max():
        return None
    look = {"colors": "black", "linewidths": WIDTH, "zorder": 3} | look
    lines = ax.contour(grid.depths, grid.scales, values, levels=[level], **look)
    lines.set_path_effects([HALO])
    return lines
