"""The atlas: log10 of a gradient norm over depth and weight scale, as a map for each initializer and activation."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from analysis.drawing.colours import Colours, choose_colours, clipping
from analysis.drawing.command import Command
from analysis.drawing.contours import draw_limits, limit_handle
from analysis.drawing.edge import draw_edge, edge_handle
from analysis.drawing.labels import CELL_VALUES, symbol
from analysis.drawing.panel import DEPTH_LABEL, SCALE_LABEL, UNDEFINED, ZERO, arrange, draw_cells, set_axes, undefined, zero
from analysis.drawing.style import DOUBLE_COLUMN, SINGLE_COLUMN, STYLE, new_axes, new_figure, tidy
from analysis.figures.residual import draw_residuals
from analysis.numbers.agreement import VALUE, agreement
from analysis.numbers.grid import Grid, to_grid
from analysis.numbers.statistics import STATISTICS
from analysis.rows.load import load_cells
from analysis.rows.options import NETWORKS, add_cells, add_networks, positive, selected
from analysis.rows.select import (
    Facet,
    SelectionError,
    check_name,
    distinct,
    facet_title,
    facets,
    one_facet,
    varying,
)

LARGEST_ON_AXIS = 1e300


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


def _check(value: str, stat: str) -> None:
    check_name("value", value, CELL_VALUES)
    check_name("stat", stat, STATISTICS)


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
        handles.append(Patch(facecolor="none", edgecolor="none", label=clipping(colours)))
    if handles:
        # Room for the legend is added, not taken from the panels.
        columns = 2 if figure.get_figwidth() >= DOUBLE_COLUMN and len(handles) > 1 else 1
        figure.set_figheight(figure.get_figheight() + 0.1 + 0.16 * math.ceil(len(handles) / columns))
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=2.6, columnspacing=1.6)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--value", default=CELL_VALUES[0], metavar="COLUMN", help=f"{', '.join(CELL_VALUES)} (default: %(default)s)"
    )
    parser.add_argument("--stat", metavar="STAT", help=f"over seeds: {', '.join(STATISTICS)} (default: median)")
    parser.add_argument(
        "--limit", type=positive, metavar="DECADES", help="where colours end (default: from the data, robustly)"
    )
    theory = parser.add_mutually_exclusive_group()
    theory.add_argument(
        "--residual",
        action="store_true",
        help="means against theory, in standard errors, and which cells pass (default FILE: RUN_DIR/residual.png)",
    )
    theory.add_argument("--no-theory", action="store_true", help="without the line of mean-field theory's critical scale")
    add_networks(parser)
    add_cells(parser)


def _draw_from(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    loss = manifest["sweep"].get("loss", "")
    if arguments.residual:
        _check_residual(arguments, loss)
    cells = selected(arguments, load_cells(arguments.run_dir), (*NETWORKS, "depths", "scales"))
    largest = float(np.max(cells["scale"].to_numpy()))
    if largest > LARGEST_ON_AXIS:
        raise SelectionError("scales", f"{largest:g}", f"scales up to {LARGEST_ON_AXIS:g}, which an axis can hold")
    if arguments.residual:
        return draw_residuals(agreement(cells, progress=True))
    return draw_heatmaps(
        cells,
        value=arguments.value,
        stat=arguments.stat or "median",
        limit=arguments.limit,
        loss=loss,
        theory=not arguments.no_theory,
    )


def _check_residual(arguments: argparse.Namespace, loss: str) -> None:
    """Theory is of one quantity under one loss, and of its mean. Raises SelectionError."""
    if loss != "output":
        raise SelectionError("RUN_DIR", f"loss {loss}", "a run with loss output: theory is of the gradient of y itself")
    if arguments.value != VALUE:
        raise SelectionError("value", arguments.value, f"{VALUE} with --residual: theory is of that")
    for option in ("stat", "limit"):
        if getattr(arguments, option) is not None:
            raise SelectionError(option, getattr(arguments, option), "none with --residual: means, and colours to ±6")


FIGURE = Command(
    summary="gradient norms over depth and weight scale, a map for each initializer and activation",
    example="python -m analysis heatmap results/atlas --activations tanh relu --out atlas.pdf",
    draw=_draw_from,
    add_options=_add_options,
    file=lambda arguments: "residual.png" if arguments.residual else "heatmap.png",
)
