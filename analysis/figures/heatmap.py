"""The atlas: log10 of a gradient norm over depth and weight scale, as a map for each initializer and activation."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from analysis.drawing.colours import Colours, choose_colours, clipping
from analysis.drawing.command import Command
from analysis.drawing.contours import Limit, draw_limits, limit_handle
from analysis.drawing.edge import describe_missing, draw_edge, edge_handle
from analysis.drawing.labels import CELL_VALUES, panel_title, symbol
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.pack import pack
from analysis.drawing.panel import DEPTH_LABEL, SCALE_LABEL, UNDEFINED, ZERO, draw_cells, set_axes, undefined, zero
from analysis.drawing.sheet import UNDER, add_key, fit_titles, legend_below, new_sheet, note_handle
from analysis.drawing.style import SINGLE_COLUMN, STYLE, tidy
from analysis.figures.residual import draw_residuals
from analysis.numbers.agreement import VALUE, agreement
from analysis.numbers.grid import Grid, to_grid
from analysis.numbers.groups import STATISTICS
from analysis.rows.load import load_cells
from analysis.rows.options import NETWORKS, add_cells, add_networks, positive, selected
from analysis.rows.select import Facet, SelectionError, check_name, distinct, facets, one_facet, varying

LARGEST_ON_AXIS = 1e300
LOWEST_ROW = 0.68  # inches of a row of panels and its title
PALE = 0.05  # of the colours' limit: up to there a map is white, and its sign says nothing
# Red and blue are the same grey: what is larger than 1 is hatched, so that a print without colour shows it.
ABOVE: Any = {"facecolor": "none", "edgecolor": "0.55", "hatch": "\\\\\\\\", "linewidth": 0}


class Drawn(NamedTuple):
    """What one panel has for the legend."""

    limits: list[Limit]
    missing: str  # why there is no critical line
    above: bool


class Look(NamedTuple):
    """What all panels of a figure share."""

    stat: str
    colours: Colours
    theory: bool


def plot_heatmap(
    frame: pd.DataFrame,
    *,
    value: str = "log10_grad_first",
    stat: str = "median",
    limit: float | None = None,
    loss: str = "output",
    theory: bool = True,
    ax: Axes | None = None,
    key: bool = False,
) -> Axes:
    """One map: depth L on a logarithmic x axis, weight scale on y, a statistic over seeds as colour.

    frame: rows of ``load_cells`` with one initializer, activation, width and bias_std; ``value`` is one of its log10
    columns, ``stat`` a name in ``groups.STATISTICS``. Colours are in decades, white at 10^0, blue below, red and
    hatched above, and stop at ±``limit`` (by default what resolves 70 % of the cells, and no more than float32's range).
    Black lines: where number types end; green, unless ``theory`` is False: the critical scale of mean-field theory, if
    there is one. Grey and hatched: exactly zero; dotted: undefined; empty: not measured. Without ``ax`` a figure of one
    column's width is made, with colorbar and legend; an ``ax`` that is given gets them with ``key``. Raises
    SelectionError (a ValueError) for other names or frames.
    """
    facet = one_facet(frame)
    _check(value, stat)
    grid = to_grid(frame, value, stat)
    look = Look(stat, choose_colours([grid], stat, limit), theory)
    with given_or_new(ax, SINGLE_COLUMN, 2.6) as own:
        drawn = _draw(own, facet, grid, look)
        label(own, DEPTH_LABEL, SCALE_LABEL, panel_title(facet, ()))
        if ax is None or key:
            _draw_bar([own], look, _colour_label(frame, value, stat, loss))
            add_key(own, _handles({facet: grid}, {facet: drawn}, look), inside=ax is not None, **UNDER)
        if ax is None:
            fit_titles(own.get_figure(root=True), [own])
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

    Where widths or bias_stds are several, each has rows of its own, named in the titles; a scheme whose bias is another for
    each activation has one row. Settings that a page has no room for are left out, and the title says how many are shown.
    Arguments and errors are those of :func:`plot_heatmap`.
    """
    _check(value, stat)
    grids = {facet: to_grid(rows, value, stat) for facet, rows in facets(frame)}
    packed, named = pack(grids, LOWEST_ROW), varying(frame)
    look = Look(stat, choose_colours(list(grids.values()), stat, limit), theory)
    rows, columns = packed.used.shape
    with mpl.rc_context(STYLE):
        height = (2.2 if columns == 1 else 1.75) * rows + 0.45
        figure, places = new_sheet(packed.used, packed.width, height, labels=packed.labels)
        drawn = {}
        for facet, place in packed.places.items():
            drawn[facet] = _draw(places[place], facet, grids[facet], look)
            places[place].set_title(panel_title(facet, named))
        if packed.left_out:
            figure.suptitle(packed.left_out, fontsize=8)
        _draw_bar(list(places.flat), look, _colour_label(frame, value, stat, loss))
        legend_below(figure, _handles(grids, drawn, look))
        fit_titles(figure, places[packed.used])
    return figure


def _check(value: str, stat: str) -> None:
    check_name("value", value, CELL_VALUES)
    check_name("stat", stat, STATISTICS)


def _draw(ax: Axes, facet: Facet, grid: Grid, look: Look) -> Drawn:
    edges = set_axes(ax, grid)
    shown = np.ma.masked_invalid(grid.field)
    # Only the mesh is a bitmap in a pdf or svg: thousands of vector cells show hairlines between them.
    ax.pcolormesh(*edges, shown, cmap=look.colours.cmap, norm=look.colours.norm, rasterized=True, zorder=1)
    above = np.isfinite(grid.field) & (grid.field > PALE * (look.colours.norm.vmax or 0)) & (look.stat != "std")
    draw_cells(ax, edges, above, ABOVE)
    draw_cells(ax, edges, zero(grid), ZERO)
    draw_cells(ax, edges, undefined(grid), UNDEFINED)
    limits = draw_limits(ax, grid) if look.stat != "std" else []
    return Drawn(limits, draw_edge(ax, facet) if look.theory else "", bool(above.any()))


def _colour_label(frame: pd.DataFrame, value: str, stat: str, loss: str) -> str:
    seeds, widths = len(distinct(frame, "seed")), distinct(frame, "width")
    of = f"{stat} of {seeds} seeds" if seeds > 1 else "1 seed"
    of += f", $n = {widths[0]}$" if len(widths) == 1 else ""
    return rf"$\log_{{10}}\,{symbol(value, loss=loss)}$" + f"\n({of})"


def _draw_bar(panels: list[Axes], look: Look, words: str) -> None:
    cmap, norm = look.colours.cmap, look.colours.norm
    figure: Any = panels[0].figure
    bar = figure.colorbar(
        ScalarMappable(norm, cmap), ax=panels, extend=look.colours.extend, aspect=30, pad=0.015, label=words
    )
    bar.set_ticks(np.linspace(norm.vmin or 0.0, norm.vmax or 1.0, 5))
    bar.formatter = FuncFormatter(lambda decades, _: f"{decades:g}".replace("-", "−"))
    bar.update_ticks()
    bar.outline.set_linewidth(0.6)
    if look.stat != "std":
        bar.ax.axhspan(PALE * (norm.vmax or 0), norm.vmax or 0, **ABOVE)
    tidy(bar.ax)


def _handles(grids: Mapping[Facet, Grid], drawn: Mapping[Facet, Drawn], look: Look) -> list:
    """The legend's entries: lines, cells that have no colour, and what there is not."""
    limits = {limit.label: limit_handle(limit) for panel in drawn.values() for limit in panel.limits}
    missing = {facet: panel.missing for facet, panel in drawn.items() if panel.missing}
    handles: list = list(limits.values())
    if look.theory and len(missing) < len(drawn):
        handles.append(edge_handle())
    if any(panel.above for panel in drawn.values()):
        handles.append(Patch(label=f"larger than $10^{{{PALE * (look.colours.norm.vmax or 0):g}}}$", **ABOVE))
    if any(zero(grid).any() for grid in grids.values()):
        handles.append(Patch(label="exactly zero", **ZERO))
    if any(undefined(grid).any() for grid in grids.values()):
        handles.append(Patch(label="undefined", **UNDEFINED))
    notes = [clipping(look.colours)] if look.colours.extend != "neither" else []
    notes += describe_missing(missing, list(drawn))
    return handles + [note_handle(note) for note in notes]


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
        raise SelectionError("run", f"loss {loss}", "a run with loss output: theory is of the gradient of y itself")
    if arguments.value != VALUE:
        raise SelectionError("value", arguments.value, f"{VALUE} with --residual: theory is of that")
    for option in ("stat", "limit"):
        if getattr(arguments, option) is not None:
            raise SelectionError(option, getattr(arguments, option), "none with --residual: means, and colours to ±6")


FIGURE = Command(
    summary="gradient norms over depth and weight scale, a map for each initializer and activation",
    example="depthscale plot heatmap results/atlas --activations tanh relu --out atlas.pdf",
    draw=_draw_from,
    add_options=_add_options,
    file=lambda arguments: "residual.png" if arguments.residual else "heatmap.png",
)
