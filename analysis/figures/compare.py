"""Initializers beside one another: how fast gradients change with depth, ranked, and what theory expects."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from analysis.drawing.command import Command
from analysis.drawing.style import DOUBLE_COLUMN, SINGLE_COLUMN, STYLE, new_axes, new_figure, tidy
from analysis.rows.load import load_table
from analysis.rows.options import NETWORKS, add_networks, add_scales, add_widths, selected
from analysis.rows.select import SelectionError, distinct

LINEAR = 1e-3  # decades a layer up to which the axis is linear: one decade in 1000 layers
TICKS = (0.001, 0.1, 10.0, 1000.0)  # with a number; every second decade has room for it
ROW = 0.165  # inches
SLOPE_LABEL = r"decades per layer of $\Vert\partial y/\partial W_1\Vert_\mathrm{F}$"
AGREES, DIFFERS = "#0072b2", "#c23b00"
THEORY_BAND = {"color": "0.78", "linewidth": 0}
MEASURED = {"marker": "o", "markersize": 4, "linestyle": "none", "markeredgewidth": 0.7}
THEORY = {"marker": "D", "markersize": 5.5, "linestyle": "none", "markerfacecolor": "none", "markeredgecolor": "0.15"}


def plot_compare(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """One panel: a row for each scheme, best on top; on x the slope, in decades of gradient per layer of depth.

    frame: rows of ``load_table`` with one activation and one width. Filled: the measured slope and its 95 % interval; open
    diamond: theory's, on its band; 0 keeps gradients, left of it they vanish, right of it they explode. The axis is linear
    up to ±0.001 and logarithmic beyond. On the right: the rank (1: nearest to 0), ≠ where measurement and theory differ,
    and how many seeds have a gradient of exactly zero. Schemes without a slope are named last. Raises SelectionError (a
    ValueError) for several activations or widths.
    """
    for column in ("activation", "width"):
        if len(distinct(frame, column)) != 1:
            raise SelectionError(f"{column}s", distinct(frame, column), "one for a panel")
    if ax is not None:
        _draw(ax, frame, frame)
        return ax
    own = new_axes(SINGLE_COLUMN, 0.6 + ROW * len(frame))
    with mpl.rc_context(STYLE):
        _draw(own, frame, frame)
        own.set(xlabel=SLOPE_LABEL, title=_title(frame, frame))
        _finish(own.get_figure(root=True), frame)
    return own


def draw_compare(frame: pd.DataFrame) -> Figure:
    """A panel for each activation and width, two beside one another, that share their slope axis."""
    groups: Any = frame.groupby(["width", "activation"], sort=False)
    panels_rows = [rows for _, rows in groups]
    if len(panels_rows) == 1:
        figure = plot_compare(frame).get_figure(root=True)
        assert isinstance(figure, Figure)
        return figure
    pairs = math.ceil(len(panels_rows) / 2)
    heights = [max(len(rows) for rows in panels_rows[2 * i : 2 * i + 2]) for i in range(pairs)]
    with mpl.rc_context(STYLE):
        figure = new_figure(DOUBLE_COLUMN, ROW * sum(heights) + 0.42 * pairs + 0.3)
        panels = figure.subplots(pairs, 2, squeeze=False, height_ratios=heights)
        for ax, rows in zip(panels.flat, panels_rows, strict=False):
            tidy(ax)
            _draw(ax, rows, frame)
            ax.set_title(_title(rows, frame))
        for ax in panels.flat[len(panels_rows) :]:
            ax.set_axis_off()
        for ax in (panels.flat[i] for i in range(max(0, len(panels_rows) - 2), len(panels_rows))):
            ax.set_xlabel(SLOPE_LABEL)
        _finish(figure, frame)
    return figure


def _draw(ax: Axes, frame: pd.DataFrame, whole: pd.DataFrame) -> None:
    """``whole``: what the axis and the labels have to suit."""
    rows = frame.sort_values(["rank", "initializer", "scale", "bias_std"], na_position="last").to_dict("records")
    ax.axvline(0, color="0.4", linewidth=0.7, zorder=1)
    margin = ax.get_yaxis_transform()
    for y, row in enumerate(rows):
        theory = np.isfinite([row["predicted"], row["predicted_low"], row["predicted_high"]]).all()
        if theory:
            band = row["predicted_high"] - row["predicted_low"]
            ax.barh(y, band, left=row["predicted_low"], height=0.72, zorder=2, **THEORY_BAND)
            ax.plot(row["predicted"], y, zorder=4, **THEORY)
        differs = row["verdict"] == "differs"
        if row["verdict"] == "undefined" or not np.isfinite(row["slope"]):
            words = "undefined" + (f": {row['dead']:g} of {row['seeds']:g} seeds dead" if row["dead"] else "")
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
            ax.text(0.5, y, words, transform=margin, ha="center", va="center", style="italic", color="0.35", bbox=box)
            continue
        colour = DIFFERS if differs else AGREES if row["verdict"] == "agrees" else "black"
        ax.plot([row["slope_low"], row["slope_high"]], [y, y], color=colour, linewidth=1.2, zorder=3)
        ax.plot(row["slope"], y, color=colour, zorder=5, **MEASURED)
        rank = f"{row['rank']:g}" if np.isfinite(row["rank"]) else "–"
        weight = "bold" if differs else "normal"
        words = rank + (" ≠" if differs else "") + (f", {row['dead']:g} dead" if row["dead"] else "")
        ax.text(1.02, y, words, transform=margin, va="center", color=colour, fontweight=weight)
    ax.set_yticks(range(len(rows)), [_label(row, whole) for row in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    _slope_axis(ax, whole)


def _slope_axis(ax: Axes, frame: pd.DataFrame) -> None:
    columns = ["slope", "slope_low", "slope_high", "predicted_low", "predicted_high"]
    values = np.abs(frame[columns].to_numpy(float))
    largest = float(np.max(values[np.isfinite(values)], initial=LINEAR)) * 1.6
    ax.set_xscale("symlog", linthresh=LINEAR, linscale=1.0)
    ax.set_xlim(-largest, largest)
    ticks = [tick for tick in TICKS if tick <= largest]
    ax.xaxis.set_major_locator(FixedLocator([*(-tick for tick in reversed(ticks)), 0.0, *ticks]))
    ax.xaxis.set_minor_locator(FixedLocator([sign * 10 * tick for tick in ticks for sign in (-1, 1)]))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda slope, _: f"{slope:g}".replace("-", "−")))


def _label(row: dict[Any, Any], whole: pd.DataFrame) -> str:
    words = [row["initializer"]]
    words += [f"× {row['scale']:g}"] if len(distinct(whole, "scale")) > 1 else []
    words += [f"bias {row['bias_std']:.2g}"] if row["bias_std"] and len(distinct(whole, "bias_std")) > 1 else []
    return " ".join(words)


def _title(rows: pd.DataFrame, whole: pd.DataFrame) -> str:
    several = len(distinct(whole, "width")) > 1
    return f"{rows['activation'].iloc[0]}" + (f", n = {rows['width'].iloc[0]}" if several else "")


def _finish(figure, frame: pd.DataFrame) -> None:
    words = {
        "agrees": ("measured, with 95 % interval: agrees with theory", AGREES),
        "differs": ("measured: differs from theory (≠)", DIFFERS),
        "no theory": ("measured: no theory", "black"),
    }
    found = set(frame["verdict"])
    handles: list = [Line2D([], [], color=words[v][1], label=words[v][0], **MEASURED) for v in words if v in found]
    if np.isfinite(frame["predicted"].to_numpy(float)).any():
        handles += [Line2D([], [], label="theory", **THEORY), Patch(label="theory's 95 % band", **THEORY_BAND)]
    handles.append(Patch(facecolor="none", edgecolor="none", label="right margin: rank, 1 is nearest to 0"))
    columns = 2 if figure.get_figwidth() >= DOUBLE_COLUMN else 1
    figure.set_figheight(figure.get_figheight() + 0.15 + 0.16 * math.ceil(len(handles) / columns))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=1.6, columnspacing=1.6)


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_networks(parser)
    add_widths(parser)
    add_scales(parser)


def _draw_from(arguments: argparse.Namespace, _: Mapping[str, Any]) -> Figure:
    return draw_compare(selected(arguments, load_table(arguments.run_dir), (*NETWORKS, "scales")))


FIGURE = Command(
    summary="initializers ranked by how fast gradients change with depth, beside theory (needs python -m bench compare)",
    example="python -m analysis compare results/compare --activations tanh relu",
    draw=_draw_from,
    add_options=_add_options,
    table="table.csv",
)
