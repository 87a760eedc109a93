"""The atlas: log10 of a gradient norm over depth and weight scale, as a map for each initializer and activation."""

from __future__ import annotations

import math
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from analysis.drawing.contours import draw_limits, limit_handle
from analysis.drawing.edge import draw_edge, edge_handle
from analysis.drawing.labels import CELL_VALUES, symbol
from analysis.drawing.panel import DEPTH_LABEL, SCALE_LABEL, UNDEFINED, ZERO, arrange, draw_cells, set_axes, undefined, zero
from analysis.drawing.style import DOUBLE_COLUMN, SINGLE_COLUMN, STYLE, new_axes, new_figure, tidy
from analysis.numbers.grid import Grid, to_grid
from analysis.numbers.statistics import STATISTICS, number_range
from analysis.rows.select import Facet, check_name, distinct, facet_title, facets, one_facet, varying

ROBUST = 0.7  # the colours resolve this share of the cells' magnitudes


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
    theory: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """One map: depth L on a logarithmic x axis, weight scale on y, a statistic over seeds as colour.

    frame: rows of ``load_cells`` with one initializer, activation, width and bias_std; ``value`` is one of its log10
    columns, ``stat`` a name in ``statistics.STATISTICS``. Colours are in decades, white at 10^0, blue below, red above,
    and stop at ±``limit`` (by default what resolves 70 % of the cells, and no more than float32's range). Black lines:
    where number types end; green, unless ``theory`` is False: the critical scale of mean-field theory, if there is one.
    Hatched: exactly zero; dotted: undefined; empty: not measured. Without ``ax`` a figure of one column's width is made,
    with colorbar and legend. Raises SelectionError (a ValueError) for other names or frames.
    """
    facet = one_facet(frame)
    _check(value, stat)
    grid = to_grid(frame, value, stat)
    colours = choose_colours([grid], stat, limit)
    edge_of = facet if theory else None
    if ax is not None:
        _draw(ax, grid, colours, stat, edge_of)
        return ax
    own = new_axes(SINGLE_COLUMN, 2.6)
    with mpl.rc_context(STYLE):
        lines = _draw(own, grid, colours, stat, edge_of)
        own.set(xlabel=DEPTH_LABEL, ylabel=SCALE_LABEL, title=facet_title(facet, ()))
        _finish(own.get_figure(root=True), [own], [grid], colours, lines, _colour_label(frame, value, stat, loss))
    return own


def draw_heatmaps(
    frame: pd.DataFrame,
    *,
    value: str = "log10_grad_first",
    stat: str = "median",
    limit: float | None = None,
    loss: str = "output",
    theory: bool = True,
) -> Figure:
    """Maps for a whole run with one colorbar: a column for each activation, a row for each initializer.

    Where widths or bias_stds are several, each has rows of its own, named in the titles. Arguments and
    errors are those of :func:`plot_heatmap`.
    """
    _check(value, stat)
    grids = {facet: to_grid(rows, value, stat) for facet, rows in facets(frame)}
    page, named = arrange(grids), varying(frame)
    colours = choose_colours(list(grids.values()), stat, limit)
    columns, rows = len(page.activations), len(page.settings)
    with mpl.rc_context(STYLE):
        figure = new_figure(page.width, (2.2 if columns == 1 else 1.75) * rows + 0.45)
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        lines: dict[str, Line2D] = {}
        for row, column, facet in page.places():
            ax = panels[row, column]
            tidy(ax)
            if facet not in grids:
                ax.set_axis_off()
                continue
            lines |= _draw(ax, grids[facet], colours, stat, facet if theory else None)
            ax.set_title(facet_title(facet, named))
            ax.tick_params(labelbottom=row == rows - 1, labelleft=column == 0)
            ax.set_xlabel(DEPTH_LABEL if row == rows - 1 else "")
            ax.set_ylabel(SCALE_LABEL if column == 0 else "")
        _finish(figure, list(panels.flat), list(grids.values()), colours, lines, _colour_label(frame, value, stat, loss))
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


def _draw(ax: Axes, grid: Grid, colours: Colours, stat: str, edge_of: Facet | None) -> dict[str, Line2D]:
    """Returns the legend's entries for the lines that are drawn, by their labels."""
    edges = set_axes(ax, grid)
    drawn = np.ma.masked_invalid(grid.field)
    # Only the mesh is a bitmap in a pdf or svg: thousands of vector cells show hairlines between them.
    ax.pcolormesh(*edges, drawn, cmap=colours.cmap, norm=colours.norm, rasterized=True, zorder=1)
    draw_cells(ax, edges, zero(grid), ZERO)
    draw_cells(ax, edges, undefined(grid), UNDEFINED)
    handles = [limit_handle(limit) for limit in (draw_limits(ax, grid) if stat != "std" else [])]
    if edge_of is not None and draw_edge(ax, edge_of):
        handles.append(edge_handle())
    return {str(handle.get_label()): handle for handle in handles}


def _colour_label(frame: pd.DataFrame, value: str, stat: str, loss: str) -> str:
    seeds, widths = len(distinct(frame, "seed")), distinct(frame, "width")
    of = f"{stat} of {seeds} seeds" if seeds > 1 else "1 seed"
    of += f", $n = {widths[0]}$" if len(widths) == 1 else ""
    return rf"$\log_{{10}}\,{symbol(value, loss=loss)}$" + f"\n({of})"


def _finish(figure, panels: list[Axes], grids: list[Grid], colours: Colours, lines: dict[str, Line2D], label: str) -> None:
    mappable = ScalarMappable(colours.norm, colours.cmap)
    bar = figure.colorbar(mappable, ax=panels, extend=colours.extend, aspect=30, pad=0.015, label=label)
    bar.set_ticks(np.linspace(colours.norm.vmin or 0.0, colours.norm.vmax or 1.0, 5))
    bar.formatter = FuncFormatter(lambda decades, _: f"{decades:g}".replace("-", "−"))
    bar.update_ticks()
    bar.outline.set_linewidth(0.6)
    tidy(bar.ax)
    handles: list = list(lines.values())
    if any(zero(grid).any() for grid in grids):
        handles.append(Patch(label="exactly zero", **ZERO))
    if any(undefined(grid).any() for grid in grids):
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
