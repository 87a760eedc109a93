"""Horizons: the depth at which each number format loses the gradient of the first layer, for each scheme and scale."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from analysis.drawing.command import Command
from analysis.drawing.labels import panel_title, plain
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.pack import pack
from analysis.drawing.panel import SCALE_LABEL
from analysis.drawing.sheet import add_key, fit_titles, legend_below, new_sheet
from analysis.drawing.step_axis import StepAxis, heights, set_step_axis, step_axis
from analysis.drawing.style import DASHES, MARKERS, QUALITATIVE, SINGLE_COLUMN, STYLE
from analysis.numbers import median_ends
from analysis.numbers.grid import evenly_spaced_in_log
from analysis.numbers.horizon import first_lost, horizons
from analysis.rows.load import load_formats
from analysis.rows.options import SWEPT, add_cells, add_formats, add_swept, selected
from analysis.rows.select import distinct, facets, one_facet, varying

DEPTH = r"depth $L$ at which $\partial\ell/\partial W_1$ is lost"
LOWEST_ROW = 1.3  # inches of a row of panels and its title
POINTS: Any = {"markersize": 3.6, "markeredgewidth": 0.8, "linestyle": "none"}
BARS: Any = {"linewidth": 0.9, "alpha": 0.7, "zorder": 3}


def plot_horizon(frame: pd.DataFrame, *, ax: Axes | None = None, key: bool = False) -> Axes:
    """One panel: on x the weight scale, on y the least depth of the run at which a format has lost ∂loss/∂W_1.

    That is where half of its entries that are not exactly zero are zero in the format, or one overflows, or the output
    does. frame: rows of ``load_formats`` with one initializer, activation, width and bias_std. Points are medians over
    seeds, bars its 95 % interval by order (of fewer than six seeds: from the smallest to the largest);
    hollow, in the band on top: the deepest network keeps its gradient. Lines: the median of what the exact entries of the
    same networks predict, on the same depths. Seeds without a gradient are left out. ``key``: an ``ax`` that is given gets
    its legend too. Raises SelectionError (a ValueError) for several facets.
    """
    facet = one_facet(frame)
    networks = first_lost(frame)
    found = horizons(networks)
    formats = list(dict.fromkeys(frame["format"]))
    with given_or_new(ax, SINGLE_COLUMN, 2.6) as own:
        _draw(own, found, formats, _axis(frame, found, formats))
        label(own, SCALE_LABEL, DEPTH, panel_title(facet, ()))
        if ax is None or key:
            add_key(own, _handles(formats), inside=ax is not None, title=_words(frame, networks, "\n"))
    return own


def draw_horizons(frame: pd.DataFrame) -> Figure:
    """A panel for each scheme and activation, on the same axes. Errors are those of :func:`plot_horizon`."""
    panels = dict(facets(frame))
    networks = first_lost(frame)
    found, formats = horizons(networks), list(dict.fromkeys(frame["format"]))
    axis = _axis(frame, found, formats)
    packed, named = pack(panels, LOWEST_ROW), varying(frame)
    rows, columns = packed.used.shape
    with mpl.rc_context(STYLE):
        height = (2.4 if columns == 1 else 1.9) * rows + 0.3
        figure, places = new_sheet(packed.used, packed.width, height, labels=(SCALE_LABEL, DEPTH))
        for facet, place in packed.places.items():
            _draw(places[place], dict(facets(found))[facet], formats, axis)
            places[place].set_title(panel_title(facet, named))
        if packed.left_out:
            figure.suptitle(packed.left_out, fontsize=8)
        legend_below(figure, _handles(formats), title=_words(frame, networks, "\n" if columns == 1 else " "))
        fit_titles(figure, places[packed.used])
    return figure


def _axis(frame: pd.DataFrame, found: pd.DataFrame, formats: list[str]) -> StepAxis:
    values = found[["median", "low", "high", "predicted"]].to_numpy(float)
    return step_axis(values, int(np.max(frame["depth"].to_numpy())), len(formats))


def _draw(ax: Axes, found: pd.DataFrame, formats: list[str], axis: StepAxis) -> None:
    scales = np.array(distinct(found, "scale"))
    if evenly_spaced_in_log(scales):
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda scale, _: f"{scale:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
    set_step_axis(ax, axis, f"beyond L = {axis.steps}")
    for number, name in enumerate(formats):
        rows = found.loc[found["format"] == name].sort_values(by="scale")
        colour, marker = QUALITATIVE[number % len(QUALITATIVE)], MARKERS[number % len(MARKERS)]
        x = rows["scale"].to_numpy(float)
        low, middle, high = (heights(axis, rows[column].to_numpy(float), number) for column in ("low", "median", "high"))
        told = rows["predicted"].to_numpy(float)
        ax.plot(x, np.where(np.isinf(told), np.nan, told), color=colour, linestyle=DASHES[number % len(DASHES)], zorder=2)
        beyond = np.isposinf(rows["median"].to_numpy(float))
        spread = high > low
        ax.vlines(x[spread], low[spread], high[spread], color=colour, **BARS)
        for which, face in ((~beyond, colour), (beyond, "white")):
            look: Any = {"color": colour, "marker": marker, "markerfacecolor": face, "zorder": 4, **POINTS}
            ax.plot(x[which], middle[which], **look)


def _handles(formats: list[str]) -> list[Line2D]:
    looks = zip(formats, (QUALITATIVE * 2), (MARKERS * 2), (DASHES * 2), strict=False)
    points = {name: value for name, value in POINTS.items() if name != "linestyle"}
    return [
        Line2D([], [], color=colour, marker=marker, linestyle=dashes, label=plain(name), **points)
        for name, colour, marker, dashes in looks
    ]


def _words(frame: pd.DataFrame, networks: pd.DataFrame, end: str) -> str:
    """What points, bars and lines are, how well they agree, and which loss scale."""
    seeds, scale = len(distinct(frame, "seed")), distinct(frame, "loss_scale")[0]
    steps = networks["steps"].dropna().to_numpy()
    bars = median_ends.name(seeds)
    words = f"points: median of {seeds} networks, bars: {bars}" if seeds > 1 else "points: 1 network"
    words += f";{end}lines: as the exact entries predict" + (f"; loss scale {scale:g}" if scale != 1 else "")
    if not len(steps):
        return words
    same, beside = (f"{100 * np.mean(steps == apart):.0f} %" for apart in (0, 1))
    return f"{words}\nof the networks that lose it, {same} do{end}at the predicted depth, {beside} at the one beside it"


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_formats(parser)
    add_swept(parser)
    add_cells(parser)


def _draw_from(arguments: argparse.Namespace, _: Mapping[str, Any]) -> Figure:
    rows = selected(arguments, load_formats(arguments.run_dir), (*SWEPT, "formats", "depths", "widths", "scales"))
    return draw_horizons(rows)


FIGURE = Command(
    summary="the depth at which each number format loses the gradient of the first layer, beside the exact entries",
    example="depthscale plot horizon results/precision --formats float16 bfloat16",
    draw=_draw_from,
    add_options=_add_options,
    reads="precision",
    table="formats",
)
