"""Layer by layer: how gradients, cotangents and activations grow or shrink through one network."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from analysis.drawing.command import Command
from analysis.drawing.labels import LAYER_VALUES, axis_label, panel_title
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.sheet import add_key, legend_below, new_sheet
from analysis.drawing.style import DOUBLE_COLUMN, SINGLE_COLUMN, SMALL, STYLE
from analysis.numbers.statistics import seed_statistic
from analysis.rows.load import load_cells, load_layers
from analysis.rows.options import SWEPT, add_cells, add_swept, selected
from analysis.rows.select import Facet, check_name, distinct, facets, one_facet, select, spread, varying

MOST_ROWS = 8  # of a page
MOST_SCALES = 5  # that many lines can be told apart
DEPTH_STYLES = ("solid", (0, (4, 1.5)), (0, (1, 1.2)), (0, (4, 1.5, 1, 1.5)))
LAYER_LABEL = "layer $l$"
HEADINGS = {
    "log10_grad": "gradient of the layer's weights",
    "log10_delta": "signal that comes back to the layer",
    "log10_activation": "output of the layer",
}
THINGS = {"log10_grad": "gradients", "log10_delta": "gradients", "log10_activation": "outputs"}
FIRST, EDGE = 0.1, 0.02  # of the layers: none of these has a tick beside the first; and free at both ends
LEAST = 0.2  # decades of a y axis
DWARFED = 4.0  # times as many decades as another row's: a shared axis would flatten that


def plot_profile(
    frame: pd.DataFrame,
    *,
    value: str = "log10_grad",
    depths: Sequence[int] | None = None,
    scales: Sequence[float] | None = None,
    loss: str = "output",
    ax: Axes | None = None,
    key: bool = False,
) -> Axes:
    """One quantity against the layer l = 1 … L: a line for each scale (colour) and depth (line style).

    frame: rows of ``load_layers`` with one initializer, activation, width and bias_std; ``value`` is ``log10_grad``,
    ``log10_delta`` or ``log10_activation``, in decades. Lines are medians over seeds, bands reach from the smallest seed
    to the largest; where a bound is exactly zero (``-inf``) or undefined, line and band have a gap. By default: the
    largest depth and up to five scales spread over the run. An ``ax`` that is given gets its legend with ``key``. Raises
    SelectionError (a ValueError) for values that the frame does not hold.
    """
    facet = one_facet(frame)
    check_name("value", value, LAYER_VALUES)
    chosen = choose(frame, depths, scales)
    with given_or_new(ax, SINGLE_COLUMN, 3.0) as own:
        _draw(own, chosen, value, distinct(chosen, "depth")[-1])
        label(own, LAYER_LABEL, axis_label(value, loss=loss), panel_title(facet, ()))
        if ax is None or key:
            words = _words(chosen) if ax is None else ""
            add_key(own, _handles(chosen), inside=ax is not None, title="\n".join(words.split("; ")))
    return own


def draw_profiles(
    frame: pd.DataFrame,
    *,
    depths: Sequence[int] | None = None,
    scales: Sequence[float] | None = None,
    loss: str = "output",
) -> Figure:
    """Three panels side by side, gradient, cotangent and activation; a row for each setting, of which a page holds eight.

    Arguments and errors are those of :func:`plot_profile`. All panels of a row share one network; each column shares
    its y axis, so that rows can be compared, unless one would be flat beside another.
    """
    chosen = choose(frame, depths, scales)
    every, deepest = facets(chosen), distinct(chosen, "depth")[-1]
    panel_rows, named = every[:MOST_ROWS], varying(chosen)
    count = len(panel_rows)
    left_out = f"; the first {count} of {len(every)} settings" if count < len(every) else ""
    with mpl.rc_context(STYLE):
        used = np.ones((count, len(LAYER_VALUES)), dtype=bool)
        height = (2.1 if count == 1 else 1.45) * count + 0.5
        figure, panels = new_sheet(used, DOUBLE_COLUMN, height, labels=(LAYER_LABEL, ""), share=False, sharex=True)
        for row, (key, rows) in enumerate(panel_rows):
            for ax, value in zip(panels[row], LAYER_VALUES, strict=True):
                _draw(ax, rows, value, deepest)
                ax.set_ylabel(axis_label(value, loss=loss))
                ax.set_title(HEADINGS[value] if row == 0 else "")
            if count > 1:
                panels[row, 0].annotate(
                    panel_title(key, named),
                    (0, 1),
                    (-26, 16 if row == 0 else 4),
                    xycoords="axes fraction",
                    textcoords="offset points",
                    fontweight="bold",
                    fontsize=SMALL,
                )
        for column in panels.T:
            _share_heights([ax for ax in column if len(ax.get_yticks())])
        if count == 1:
            facet = panel_rows[0][0]
            figure.suptitle(panel_title(facet, ["width"]), fontsize=8)
        legend_below(figure, _handles(chosen), title=f"{_words(chosen)}{left_out}")
    return figure


def _share_heights(column: Sequence[Axes]) -> None:
    """One y axis for a column's panels, where none of them is flat on it."""
    if not column:
        return
    limits = np.array([ax.get_ylim() for ax in column])
    if np.ptp(limits) <= DWARFED * np.min(np.diff(limits)):
        for ax in column:
            ax.set_ylim(limits.min(), limits.max())


def choose(frame: pd.DataFrame, depths: Sequence[int] | None, scales: Sequence[float] | None) -> pd.DataFrame:
    """The rows of the wanted depths and scales; of the largest depth and of up to five spread scales by default."""
    if depths is None:
        depths = [distinct(frame, "depth")[-1]]
    if scales is None:
        scales = spread(distinct(frame, "scale"), MOST_SCALES)
    return select(frame, depths=depths, scales=scales)


def _draw(ax: Axes, frame: pd.DataFrame, value: str, deepest: int) -> None:
    colours, styles = _looks(frame)
    groups: Any = frame.groupby(["scale", "depth"])
    for (scale, depth), rows in groups:
        low, middle, high = (seed_statistic(rows, value, stat, by=["layer"]) for stat in ("min", "median", "max"))
        layers = middle.index.to_numpy()
        drawn = [np.where(np.isfinite(bound), bound, np.nan) for bound in (low, middle, high)]
        # A single finite layer between gaps has no line to be part of; without a marker it would vanish.
        alone = "." if np.isfinite(drawn[1]).sum() == 1 else ""
        ax.plot(layers, drawn[1], color=colours[scale], linestyle=styles[depth], marker=alone, zorder=3)
        if len(distinct(rows, "seed")) > 1:
            ax.fill_between(layers, drawn[0], drawn[2], color=colours[scale], alpha=0.2, linewidth=0, zorder=2)
    ticks = [tick for tick in MaxNLocator(5, integer=True).tick_values(1, deepest) if FIRST < tick / deepest <= 1]
    ax.xaxis.set_major_locator(FixedLocator([1, *ticks]))
    ax.set_xlim(1 - EDGE * deepest, deepest + EDGE * deepest)
    _say_what_has_no_line(ax, frame, value)


def _say_what_has_no_line(ax: Axes, frame: pd.DataFrame, value: str) -> None:
    """Where there is no number at all the panel says so in its middle; in its corner, which scales are zero throughout."""
    values = frame[value].to_numpy(float)
    look: Any = {"transform": ax.transAxes, "fontsize": SMALL, "zorder": 4}
    if not np.isfinite(values).any():
        zero, undefined = np.isneginf(values).all(), np.isnan(values).all()
        words = "exactly 0" if zero else "undefined" if undefined else "exactly 0 or undefined"
        ax.text(0.5, 0.5, f"all {THINGS[value]} are {words}", ha="center", va="center", **look)
        ax.yaxis.set_major_locator(NullLocator())
        return
    ax.axhline(0, color="0.7", linewidth=0.5, zorder=1)
    low, high = ax.get_ylim()
    if high - low < LEAST:  # what is rounding shall not look like a slope
        ax.set_ylim((low + high - LEAST) / 2, (low + high + LEAST) / 2)
    dead = [scale for scale in distinct(frame, "scale") if np.isneginf(values[frame["scale"].to_numpy() == scale]).all()]
    if dead:
        scales = ", ".join(f"{scale:g}" for scale in dead)
        paper = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
        ax.text(0.02, 0.03, f"scale {scales}: all exactly 0", color="0.3", bbox=paper, **look)


def _looks(frame: pd.DataFrame) -> tuple[dict[float, Any], dict[int, Any]]:
    scales, depths = distinct(frame, "scale"), distinct(frame, "depth")
    # Without its palest end, which is hard to see on paper; lightness alone tells the scales apart.
    colours = mpl.colormaps["viridis"](np.linspace(0.0, 0.88, len(scales)) if len(scales) > 1 else [0.0])
    return (
        {scale: tuple(colour) for scale, colour in zip(scales, colours, strict=True)},
        {depth: DEPTH_STYLES[i % len(DEPTH_STYLES)] for i, depth in enumerate(depths)},
    )


def _handles(frame: pd.DataFrame) -> list[Line2D]:
    colours, styles = _looks(frame)
    handles = [Line2D([], [], color=colour, label=f"scale {scale:g}") for scale, colour in reversed(colours.items())]
    if len(styles) > 1:
        handles += [Line2D([], [], color="0.3", linestyle=style, label=f"$L = {depth}$") for depth, style in styles.items()]
    return handles


def _words(frame: pd.DataFrame) -> str:
    """What lines and bands are."""
    seeds, depths = len(distinct(frame, "seed")), distinct(frame, "depth")
    words = f"median (lines) and smallest to largest (bands) of {seeds} seeds" if seeds > 1 else "1 seed"
    return f"depth $L = {depths[0]}$; {words}" if len(depths) == 1 else words


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_swept(parser)
    add_cells(parser, "depths (default: the largest)", "weight scales (default: a few, spread)")


def _draw_from(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    # Layers are many times as many as cells: what is drawn is chosen by the cells, and only that is read.
    cells = selected(arguments, load_cells(arguments.run_dir, values=()), (*SWEPT, "depths", "scales"))
    cells = choose(cells, arguments.depths, arguments.scales)
    drawn = [column for column in (*Facet._fields, "depth", "scale") if column in cells]
    layers = load_layers(arguments.run_dir, filters=[(column, "in", distinct(cells, column)) for column in drawn])
    loss = manifest["sweep"].get("loss", "")
    return draw_profiles(layers, depths=distinct(cells, "depth"), scales=distinct(cells, "scale"), loss=loss)


FIGURE = Command(
    summary="gradient, cotangent and activation norms against the layer (needs a run with --layers)",
    example="depthscale plot profile results/smoke --depths 64 --scales 0.5 1 2 --activations tanh",
    draw=_draw_from,
    add_options=_add_options,
    table="layers",
)
