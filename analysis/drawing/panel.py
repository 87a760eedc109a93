"""What all maps over depth and weight scale share: their axes, cells that have no colour, and their places on a page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from analysis.drawing.style import DOUBLE_COLUMN, SINGLE_COLUMN, depth_ticks
from analysis.numbers.grid import Grid, cell_edges, evenly_spaced_in_log
from analysis.rows.select import Facet

ZERO = {"facecolor": "0.55", "edgecolor": "black", "hatch": "/////", "linewidth": 0}
UNDEFINED = {"facecolor": "0.92", "edgecolor": "0.35", "hatch": ".....", "linewidth": 0}
DEPTH_LABEL = "depth $L$ (weight matrices)"
SCALE_LABEL = "weight scale"


class Edges(NamedTuple):
    """Where a map's cells end: depths on x, scales on y."""

    x: np.ndarray
    y: np.ndarray


def set_axes(ax: Axes, grid: Grid) -> Edges:
    """A logarithmic depth axis and a scale axis that end with the grid's cells, with few round ticks."""
    scales_in_log = evenly_spaced_in_log(grid.scales)
    x, y = cell_edges(grid.depths, logarithmic=True), cell_edges(grid.scales, logarithmic=scales_in_log)
    ax.set_xscale("log")
    ax.set_yscale("log" if scales_in_log else "linear")
    ax.set_xlim(x[0], x[-1])
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
    """Draw the cells of a mask [scales, depths] as rectangles that look like that."""
    x, y = edges
    cells = [Rectangle((x[j], y[i]), x[j + 1] - x[j], y[i + 1] - y[i]) for i, j in np.argwhere(mask).tolist()]
    if cells:
        ax.add_collection(PatchCollection(cells, zorder=2, **look), autolim=False)


def zero(grid: Grid) -> np.ndarray:
    """Which cells are exactly zero."""
    return np.isneginf(grid.field)


def undefined(grid: Grid) -> np.ndarray:
    """Which cells are measured and neither a number nor zero."""
    return grid.measured & ~np.isfinite(grid.field) & ~zero(grid)


class Page(NamedTuple):
    """A column for each activation, a row for each (initializer, width, bias_std, optimizer); inches."""

    activations: list[str]
    settings: list[tuple[str, int, float, str]]
    width: float

    def places(self) -> list[tuple[int, int, Facet]]:
        """Row, column and facet of every panel, measured or not."""
        return [
            (row, column, Facet(initializer, activation, n, bias, optimizer))
            for row, (initializer, n, bias, optimizer) in enumerate(self.settings)
            for column, activation in enumerate(self.activations)
        ]


def arrange(found: Iterable[Facet]) -> Page:
    """The page for these facets. Up to four columns fill a page's two columns; more make it wider."""
    known = list(found)
    activations = list(dict.fromkeys(facet.activation for facet in known))
    settings = dict.fromkeys((facet.initializer, facet.width, facet.bias_std, facet.optimizer) for facet in known)
    columns = len(activations)
    width = SINGLE_COLUMN if columns == 1 else max(DOUBLE_COLUMN if columns > 2 else 5.2, 1.8 * columns)
    return Page(activations, sorted(settings, key=lambda setting: setting[1:]), width)
