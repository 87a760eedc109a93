"""The atlas: log10 of a gradient norm over depth and weight scale, as a map for each initializer and activation."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.drawing.colours import ABOVE, Colours, choose_colours, clipping, draw_colorbar
from analysis.drawing.command import Command
from analysis.drawing.contours import Line, draw_limits, limit_handles
from analysis.drawing.edge import SCALE_FREE, describe_missing, draw_edge, edge_handle, scale_free
from analysis.drawing.labels import CELL_VALUES, WORDS, axis_label, panel_title
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.pack import pack
from analysis.drawing.panel import DEPTH_LABEL, SCALE_LABEL, UNDEFINED, ZERO, draw_cells, set_axes, undefined, zero
from analysis.drawing.sheet import UNDER, add_key, fit_titles, legend_below, new_sheet, note_handle
from analysis.drawing.style import SINGLE_COLUMN, STYLE
from analysis.figures.residual import draw_residuals
from analysis.numbers.agreement import VALUE, agreement, sizes_of
from analysis.numbers.columns import needed_for, with_value
from analysis.numbers.grid import Grid, to_grid
from analysis.numbers.groups import STATISTICS
from analysis.numbers.lost import ENTRIES, Lost, Measured, lost_of, with_measured
from analysis.rows.load import load_cells, load_formats
from analysis.rows.options import SWEPT, add_cells, add_swept, positive, selected
from analysis.rows.select import Facet, SelectionError, check_name, distinct, facets, one_facet, varying

LARGEST_ON_AXIS = 1e300
LOWEST_ROW = 0.68  # inches of a row of panels and its title


class Map(NamedTuple):
    """What one panel shows."""

    grid: Grid
    lost: Lost | Measured | None


class Drawn(NamedTuple):
    """What one panel has for the legend."""

    limits: list[Line]
    missing: str  # why there is no critical line
    above: bool


class Look(NamedTuple):
    """What all panels of a figure share."""

    value: str
    stat: str
    loss: str
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

    frame: rows of ``load_cells`` with one initializer, activation, width and bias_std; ``value`` is one of its columns in
    :data:`analysis.drawing.labels.WORDS`, or ``relative_imbalance``, the relative gradient of the first hidden layer over
    that of the last, which no rescaling of the whole network changes; ``stat`` is a name in ``groups.STATISTICS``. Colours
    are in decades, white at 10^0, blue below, red and hatched above, and stop at ±``limit`` (by default what resolves 70 %
    of the cells, and no more than float32's range). Black lines, on maps of what a network computes: beyond them a number
    type loses half of the entries of ∂loss/∂W_1 that are not exactly zero, rounded to zero, or one overflows; thin: a tenth
    (:func:`analysis.numbers.lost.lost_of`: as measured, where the frame has it; of other layers, the norm itself). Green,
    unless ``theory`` is False: mean-field theory's critical scale, if there is one and the column depends on the scale. Grey
    and hatched: exactly zero; dotted: undefined; empty: not measured. Without ``ax`` a figure of one column's width is made,
    with colorbar and legend; an ``ax`` that is given gets them with ``key``. Raises SelectionError (a ValueError) for other
    names or frames, and for a run that was measured without the column.
    """
    facet = one_facet(frame)
    found = _to_map(_checked(frame, value, stat), value, stat)
    look = Look(value, stat, loss, choose_colours([found.grid], stat, limit), theory)
    with given_or_new(ax, SINGLE_COLUMN, 2.6) as own:
        drawn = _draw(own, facet, found, look)
        label(own, DEPTH_LABEL, SCALE_LABEL, "\n".join([*_title(value), panel_title(facet, ())]))
        if ax is None or key:
            draw_colorbar([own], look.colours, _colour_label(frame, look))
            add_key(own, _handles({facet: found}, {facet: drawn}, look), inside=ax is not None, **UNDER)
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
    maps = {facet: _to_map(rows, value, stat) for facet, rows in facets(_checked(frame, value, stat))}
    packed, named = pack(maps, LOWEST_ROW), varying(frame)
    look = Look(value, stat, loss, choose_colours([found.grid for found in maps.values()], stat, limit), theory)
    rows, columns = packed.used.shape
    with mpl.rc_context(STYLE):
        height = (2.2 if columns == 1 else 1.75) * rows + 0.45
        figure, places = new_sheet(packed.used, packed.width, height, labels=packed.labels)
        drawn = {}
        for facet, place in packed.places.items():
            drawn[facet] = _draw(places[place], facet, maps[facet], look)
            places[place].set_title(panel_title(facet, named))
        title = [*_title(value), *([packed.left_out] if packed.left_out else [])]
        if title:
            figure.suptitle("; ".join(title), fontsize=8)
        draw_colorbar(list(places.flat), look.colours, _colour_label(frame, look))
        legend_below(figure, _handles(maps, drawn, look))
        fit_titles(figure, places[packed.used])
    return figure


def _checked(frame: pd.DataFrame, value: str, stat: str) -> pd.DataFrame:
    """The rows with that column. Raises SelectionError."""
    check_name("stat", stat, STATISTICS)
    return with_value(frame, check_name("value", value, CELL_VALUES))


def _to_map(rows: pd.DataFrame, value: str, stat: str) -> Map:
    return Map(to_grid(rows, value, stat), lost_of(rows, value, stat))


def _title(value: str) -> list[str]:  # where it is not the usual
    return [WORDS[value]] if value != VALUE else []


def _draw(ax: Axes, facet: Facet, found: Map, look: Look) -> Drawn:
    grid = found.grid
    edges = set_axes(ax, grid)
    shown = np.ma.masked_invalid(grid.field)
    # Only the mesh is a bitmap in a pdf or svg: thousands of vector cells show hairlines between them.
    ax.pcolormesh(*edges, shown, cmap=look.colours.cmap, norm=look.colours.norm, rasterized=True, zorder=1)
    above = np.isfinite(grid.field) & (grid.field > look.colours.hatched)
    draw_cells(ax, edges, above, ABOVE)
    draw_cells(ax, edges, zero(grid), ZERO)
    draw_cells(ax, edges, undefined(grid), UNDEFINED)
    limits = draw_limits(ax, found.lost) if found.lost else []
    missing = SCALE_FREE if scale_free(facet, look.value, look.loss) else draw_edge(ax, facet) if look.theory else ""
    return Drawn(limits, missing, bool(above.any()))


def _colour_label(frame: pd.DataFrame, look: Look) -> str:
    """In words, as mathematics, and of what."""
    seeds, widths = len(distinct(frame, "seed")), distinct(frame, "width")
    of = f"{look.stat} of {seeds} seeds" if seeds > 1 else "1 seed"
    of += f", $n = {widths[0]}$" if len(widths) == 1 else ""
    return f"{WORDS[look.value]}\n{axis_label(look.value, loss=look.loss)}\n({of})"


def _handles(maps: Mapping[Facet, Map], drawn: Mapping[Facet, Drawn], look: Look) -> list:
    """The legend's entries: lines, cells that have no colour, and what there is not."""
    lost, grids = next(iter(maps.values())).lost, [found.grid for found in maps.values()]
    crossed = [line for panel in drawn.values() for line in panel.limits]
    missing = {facet: panel.missing for facet, panel in drawn.items() if panel.missing}
    handles: list = limit_handles(crossed, lost) if lost else []
    if look.theory and len(missing) < len(drawn):
        handles.append(edge_handle())
    if any(panel.above for panel in drawn.values()):
        handles.append(Patch(label=f"larger than $10^{{{look.colours.hatched:g}}}$", **ABOVE))
    for where, words, look_of in ((zero, "exactly zero", ZERO), (undefined, "undefined", UNDEFINED)):
        handles += [Patch(label=words, **look_of)] if any(where(grid).any() for grid in grids) else []
    notes = [clipping(look.colours)] if look.colours.extend != "neither" else []
    notes += describe_missing(missing, list(drawn))
    return handles + [note_handle(note) for note in notes]


def _add_options(parser: argparse.ArgumentParser) -> None:
    values = f"what is drawn: {', '.join(CELL_VALUES)} (default: %(default)s)"
    parser.add_argument("--value", default=CELL_VALUES[0], metavar="COLUMN", help=values)
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
    add_swept(parser)
    add_cells(parser)


def _draw_from(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    loss = manifest["sweep"].get("loss", "")
    if arguments.residual:
        _check_residual(arguments, loss)
    cells = load_cells(arguments.run_dir, values=[*needed_for(arguments.value), *ENTRIES])
    whole = with_measured(cells, load_formats(arguments.run_dir)) if "precision" in manifest else cells
    cells = selected(arguments, whole, (*SWEPT, "depths", "scales"))
    largest = float(np.max(cells["scale"].to_numpy()))
    if largest > LARGEST_ON_AXIS:
        raise SelectionError("scales", f"{largest:g}", f"scales up to {LARGEST_ON_AXIS:g}, which an axis can hold")
    if arguments.residual:
        return draw_residuals(agreement(cells, **sizes_of(manifest), progress=True))
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
