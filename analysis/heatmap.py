"""The atlas: log10 of a gradient norm over depth and weight scale, as a map for each initializer and activation."""

from __future__ import annotations

import math
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PatchCollection
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from analysis.contours import Limit, draw_limits, limit_handle
from analysis.grid import Grid, cell_edges, evenly_spaced_in_log, to_grid
from analysis.labels import CELL_VALUES, symbol
from analysis.select import Facet, check_name, distinct, facet_title, facets, one_facet, varying
from analysis.statistics import STATISTICS, number_range
from analysis.style import DOUBLE_COLUMN, SINGLE_COLUMN, STYLE, depth_ticks, new_axes, new_figure, tidy

ROBUST = 0.7  # the colours resolve this share of the cells' magnitudes
ZERO = {"facecolor": "0.55", "edgecolor": "black", "hatch": "/////", "linewidth": 0}
UNDEFINED = {"facecolor": "0.92", "edgecolor": "0.35", "hatch": ".....", "linewidth": 0}
DEPTH_LABEL = "depth $L$ (weight matrices)"
SCALE_LABEL = "weight scale"


class Colours(NamedTuple):
    """How values become colours, and the extremes of the data, of which some may lie beyond them."""

    cmap: Colormap
    norm: Normalize
    extend: str
    lowest: float
    highest: float


def plot_heatmap(
    frame: pd.DataFrame,
    *,
    value: str = "log10_grad_first",
    stat: str = "median",
    limit: float | None = None,
    loss: str = "output",
    ax: Axes | None = None,
) -> Axes:
    """One map: depth L on a logarithmic x axis, weight scale on y, a statistic over seeds as colour.

    frame: rows of ``load_cells`` with one initializer, activation, width and bias_std; ``value`` is one of its log10
    columns, ``stat`` a name in ``statistics.STATISTICS``. Colours are in decades, white at 10^0, blue below, red above,
    and stop at ±``limit`` (by default what resolves 70 % of the cells, and no more than float32's range). Black lines:
    where number types end. Hatched: exactly zero; dotted: undefined; empty: not measured. Without ``ax`` a figure of one
    column's width is made, with colorbar and legend. Raises SelectionError (a ValueError) for other names or frames.
    """
    facet = one_facet(frame)
    _check(value, stat)
    grid = to_grid(frame, value, stat)
    colours = choose_colours([grid], stat, limit)
    if ax is not None:
        _draw(ax, grid, colours, stat)
        return ax
    own = new_axes(SINGLE_COLUMN, 2.6)
    with mpl.rc_context(STYLE):
        limits = _draw(own, grid, colours, stat)
        own.set(xlabel=DEPTH_LABEL, ylabel=SCALE_LABEL, title=facet_title(facet, ()))
        _finish(own.get_figure(root=True), [own], [grid], colours, limits, _colour_label(frame, value, stat, loss))
    return own


def draw_heatmaps(
    frame: pd.DataFrame,
    *,
    value: str = "log10_grad_first",
    stat: str = "median",
    limit: float | None = None,
    loss: str = "output",
) -> Figure:
    """Maps for a whole run with one colorbar: a column for each activation, a row for each initializer.

    Where widths or bias_stds are several, each has rows of its own, named in the titles. Up to four columns fill a
    page's two columns; more make the figure wider. Arguments and errors are those of :func:`plot_heatmap`.
    """
    _check(value, stat)
    grids = {facet: to_grid(rows, value, stat) for facet, rows in facets(frame)}
    activations = list(dict.fromkeys(frame["activation"]))
    settings = sorted(dict.fromkeys((i, w, b) for i, _, w, b in grids), key=lambda s: s[1:])
    named = varying(frame)
    colours = choose_colours(list(grids.values()), stat, limit)
    columns, rows = len(activations), len(settings)
    width = SINGLE_COLUMN if columns == 1 else max(DOUBLE_COLUMN if columns > 2 else 5.2, 1.8 * columns)
    with mpl.rc_context(STYLE):
        figure = new_figure(width, (2.2 if columns == 1 else 1.75) * rows + 0.45)
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        limits: list[Limit] = []
        for (row, (initializer, n, bias)), (column, activation) in (
            (r, c) for r in enumerate(settings) for c in enumerate(activations)
        ):
            ax, key = panels[row, column], Facet(initializer, activation, n, bias)
            tidy(ax)
            if key not in grids:
                ax.set_axis_off()
                continue
            limits += [found for found in _draw(ax, grids[key], colours, stat) if found not in limits]
            ax.set_title(facet_title(key, named))
            ax.tick_params(labelbottom=row == rows - 1, labelleft=column == 0)
            ax.set_xlabel(DEPTH_LABEL if row == rows - 1 else "")
            ax.set_ylabel(SCALE_LABEL if column == 0 else "")
        _finish(figure, list(panels.flat), list(grids.values()), colours, limits, _colour_label(frame, value, stat, loss))
    return figure


def choose_colours(grids: list[Grid], stat: str, limit: float | None = None) -> Colours:
    """Diverging colours that are symmetric about 10^0; for a standard deviation, sequential ones from 0."""
    values = np.concatenate([grid.field[np.isfinite(grid.field)] for grid in grids])
    lowest, highest = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if limit is None:
        limit = _round_up(_robust_limit(values))
    bottom = 0.0 if stat == "std" else -limit
    ends = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
    extend = ends[lowest < bottom, highest > limit]
    cmap = mpl.colormaps["cividis" if stat == "std" else "RdBu_r"]
    return Colours(cmap, Normalize(bottom, limit), extend, lowest, highest)


def _robust_limit(values: np.ndarray) -> float:
    # A few huge cells must not pale all others, nor may a flat field look dramatic: the limit lies between float16's
    # range (or what the data reach of it) and float32's.
    magnitudes = np.abs(values) if values.size else np.zeros(1)
    narrow, wide = number_range("float16").overflow, number_range("float32").overflow
    return max(0.1, min(max(float(np.quantile(magnitudes, ROBUST)), min(float(magnitudes.max()), narrow)), wide))


def _check(value: str, stat: str) -> None:
    check_name("value", value, CELL_VALUES)
    check_name("stat", stat, STATISTICS)


def _round_up(value: float) -> float:
    decade = 10.0 ** math.floor(math.log10(value))
    return next(step * decade for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * decade >= value * (1 - 1e-9))


def _draw(ax: Axes, grid: Grid, colours: Colours, stat: str) -> list[Limit]:
    scales_in_log = evenly_spaced_in_log(grid.scales)
    x, y = cell_edges(grid.depths, logarithmic=True), cell_edges(grid.scales, logarithmic=scales_in_log)
    ax.set_xscale("log")
    ax.set_yscale("log" if scales_in_log else "linear")
    drawn = np.ma.masked_invalid(grid.field)
    # Only the mesh is a bitmap in a pdf or svg: thousands of vector cells show hairlines between them.
    ax.pcolormesh(x, y, drawn, cmap=colours.cmap, norm=colours.norm, rasterized=True, zorder=1)
    for mask, look in ((_zero(grid), ZERO), (_undefined(grid), UNDEFINED)):
        cells = [Rectangle((x[j], y[i]), x[j + 1] - x[j], y[i + 1] - y[i]) for i, j in np.argwhere(mask).tolist()]
        if cells:
            ax.add_collection(PatchCollection(cells, zorder=2, **look), autolim=False)
    limits = draw_limits(ax, grid) if stat != "std" else []
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
    return limits


def _zero(grid: Grid) -> np.ndarray:
    return np.isneginf(grid.field)


def _undefined(grid: Grid) -> np.ndarray:
    return grid.measured & ~np.isfinite(grid.field) & ~_zero(grid)


def _colour_label(frame: pd.DataFrame, value: str, stat: str, loss: str) -> str:
    seeds, widths = len(distinct(frame, "seed")), distinct(frame, "width")
    of = f"{stat} of {seeds} seeds" if seeds > 1 else "1 seed"
    of += f", $n = {widths[0]}$" if len(widths) == 1 else ""
    return rf"$\log_{{10}}\,{symbol(value, loss=loss)}$" + f"\n({of})"


def _finish(figure, panels: list[Axes], grids: list[Grid], colours: Colours, limits: list[Limit], label: str) -> None:
    mappable = ScalarMappable(colours.norm, colours.cmap)
    bar = figure.colorbar(mappable, ax=panels, extend=colours.extend, aspect=30, pad=0.015, label=label)
    bar.set_ticks(np.linspace(colours.norm.vmin or 0.0, colours.norm.vmax or 1.0, 5))
    bar.formatter = FuncFormatter(lambda decades, _: f"{decades:g}".replace("-", "−"))
    bar.update_ticks()
    bar.outline.set_linewidth(0.6)
    tidy(bar.ax)
    handles: list = [limit_handle(limit) for limit in limits]
    if any(_zero(grid).any() for grid in grids):
        handles.append(Patch(label="exactly zero", **ZERO))
    if any(_undefined(grid).any() for grid in grids):
        handles.append(Patch(label="undefined", **UNDEFINED))
    if colours.extend != "neither":
        # Colours that stop must say how far the data go on.
        handles.append(Patch(facecolor="none", edgecolor="none", label=_clipping(colours)))
    if handles:
        # Room for the legend is added, not taken from the panels.
        columns = 2 if figure.get_figwidth() >= DOUBLE_COLUMN and len(handles) > 1 else 1
        figure.set_figheight(figure.get_figheight() + 0.1 + 0.16 * math.ceil(len(handles) / columns))
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=2.6, columnspacing=1.6)


def _clipping(colours: Colours) -> str:
    ends = {"min": [colours.lowest], "max": [colours.highest], "both": [colours.lowest, colours.highest]}[colours.extend]
    stop = f"±{colours.norm.vmax:g}" if (colours.norm.vmin or 0) < 0 else f"{colours.norm.vmax:g}"
    return f"colours end at {stop}; data reach {' and '.join(f'{end:.3g}' for end in ends)}".replace("-", "−")
