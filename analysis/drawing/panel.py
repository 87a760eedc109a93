"""What all maps over depth and weight scale share: their axes, and cells that have no colour."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from analysis.drawing.style import depth_ticks
from analysis.numbers.grid import Grid, cell_edges, evenly_spaced_in_log

ZERO = {"facecolor": "0.55", "edgecolor": "black", "hatch": "/////", "linewidth": 0}
UNDEFINED = {"facecolor": "0.92", "edgecolor": "0.35", "hatch": ".....", "linewidth": 0}
DEPTH_LABEL = "depth $L$ (weight matrices)"
SCALE_LABEL = "weight scale"


class Edges(NamedTuple):
    """Where a map's cells end: depths on x, scales on y."""

    x: np.ndarray
    y: np.ndarray


def set_axes(ax: Axes, grid: Grid) -> Edges:
    """A logarithmic depth axis and a scale axis that end with the grid's cells, or at scale 0, with few round ticks."""
    scales_in_log = evenly_spaced_in_log(grid.scales)
    x, y = cell_edges(grid.depths, logarithmic=True), cell_edges(grid.scales, logarithmic=scales_in_log)
    y = np.maximum(y, 0) if grid.scales[0] >= 0 else y
    # Only what is not so yet: where panels share their axes each of these goes through all of them.
    if ax.get_xscale() != "log":
        ax.set_xscale("log")
    if ax.get_yscale() != (of_scales := "log" if scales_in_log else "linear"):
        ax.set_yscale(of_scales)
    if ax.get_autoscalex_on() or ax.get_xlim() != (x[0], x[-1]):
        ax.set_xlim(x[0], x[-1])
    if ax.get_autoscaley_on() or ax.get_ylim() != (y[0], y[-1]):
        ax.set_ylim(y[0], y[-1])
    ax.xaxis.set_major_locator(FixedLocator(depth_ticks(grid.depths[0], grid.depths[-1])))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda depth, _: f"{depth:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    if len(grid.scales) <= 3:
        ax.yaxis.set_major_locator(FixedLocator(grid.scales.tolist()))
        ax.yaxis.set_minor_locator(FixedLocator([]))
    if len(grid.scales) <= 3 or scales_in_log:
        ax.yaxis.set_major_formatter(FuncFormatter(lambda scale, _: f"{scale:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
    return Edges(x, y)


def draw_cells(ax: Axes, edges: Edges, mask: np.ndarray, look: dict) -> None:
    """Draw the cells of a mask [scales, depths] as rectangles that look like that; neighbours along the depth as one."""
    x, y = edges
    steps = np.diff(np.pad(mask.astype(int), ((0, 0), (1, 1))), axis=1)
    runs = zip(np.argwhere(steps > 0).tolist(), np.argwhere(steps < 0)[:, 1].tolist(), strict=True)
    cells = [Rectangle((x[first], y[i]), x[end] - x[first], y[i + 1] - y[i]) for (i, first), end in runs]
    if cells:
        ax.add_collection(PatchCollection(cells, zorder=2, **look), autolim=False)


def zero(grid: Grid) -> np.ndarray:
    """Which cells are exactly zero."""
    return np.isneginf(grid.field)


def undefined(grid: Grid) -> np.ndarray:
    """Which cells are measured and neither a number nor zero."""
    return grid.measured & ~np.isfinite(grid.field) & ~zero(grid)
