"""Learning curves: loss, accuracy and gradients while training, so that gradients are seen to recover or to die."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.drawing.command import Command
from analysis.drawing.curve_panel import CROSS, LAYER_STYLES, TRIANGLE, colours_of, draw_panel, limits_of
from analysis.drawing.style import DOUBLE_COLUMN, SINGLE_COLUMN, STYLE, new_axes, new_figure, tidy
from analysis.rows.load import load_curves
from analysis.rows.options import TRAINED, add_training_options, selected
from analysis.rows.select import (
    SelectionError,
    check_name,
    distinct,
    facet_title,
    facets,
    one_facet,
    select,
    spread,
    varying,
)

VALUES = {
    "loss": "batch loss",
    "accuracy": "batch accuracy",
    "log10_grad": r"$\log_{10}\,\Vert\partial\ell/\partial W_l\Vert_\mathrm{F}$",
}
MOST_SCALES = 5  # that many colours can be told apart; by default
PER_ROW = 5  # entries of the legend, across two columns of a page
NARROW_ROW = 3  # across one
LEGEND_ROW = 0.16  # inches
MOST_DEPTHS = 3
MOST_ROWS = 6  # by default
STEP_LABEL = "step"
LAYER_NAMES = ("first layer, $W_1$", "middle, $W_{L/2}$", "last hidden, $W_{L-1}$")


class Row(NamedTuple):
    """The panels of one setting and depth."""

    title: str
    rows: pd.DataFrame


def plot_curves(
    frame: pd.DataFrame,
    *,
    value: str = "loss",
    depth: int | None = None,
    scales: Sequence[float] | None = None,
    learning_rate: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One panel: loss, accuracy or gradients of the batch before each step, against the step; a colour for each scale.

    frame: rows of ``load_curves`` with one initializer, activation, width, bias_std and optimizer; ``value`` is ``loss``
    (log axis), ``accuracy``, or ``log10_grad``: in decades, the first, middle and last hidden layer as line styles. The
    step axis is linear up to 1 and logarithmic beyond. Lines are medians over the seeds that have not diverged, bands reach
    from the smallest to the largest of these (of gradients the first layer's alone); a line ends where more than half have
    diverged. A cross is where a seed that diverges was last finite, a triangle in the band at the bottom where the median
    is exactly zero. By default: the largest depth, up to five spread scales, and the middle learning rate. Raises
    SelectionError (a ValueError) for values that the frame does not hold.
    """
    facet = one_facet(frame)
    check_name("value", value, VALUES)
    rows = choose(frame, [distinct(frame, "depth")[-1] if depth is None else depth], scales, learning_rate)
    colours, limits = colours_of(rows), limits_of(rows, value)
    if ax is not None:
        draw_panel(ax, rows, value, colours, limits)
        return ax
    own = new_axes(SINGLE_COLUMN, 3.0)
    with mpl.rc_context(STYLE):
        marks = draw_panel(own, rows, value, colours, limits)
        own.set(xlabel=STEP_LABEL, ylabel=VALUES[value])
        own.set_title(f"{facet_title(facet, ())}, L = {distinct(rows, 'depth')[0]}\n{_rate_words(rows, frame)}")
        _legend(own.get_figure(root=True), rows, marks, layered=value == "log10_grad")
    return own


def draw_curves(
    frame: pd.DataFrame,
    *,
    loss: str = "cross_entropy",
    depths: Sequence[int] | None = None,
    scales: Sequence[float] | None = None,
    learning_rate: float | None = None,
) -> Figure:
    """Loss, accuracy and gradients side by side; a row for each setting and depth, at one learning rate.

    ``loss`` is the training's: under ``mse`` accuracies mean nothing and are left out. Losses share their axis, and so do
    accuracies; gradients have one in each row. By default up to three depths of each setting, fewer where there are several
    settings, and no more than six rows; the title says so if settings are left out. Other arguments and errors are those of
    :func:`plot_curves`.
    """
    values = [value for value in VALUES if loss != "mse" or value != "accuracy"]
    shown = facets(frame)[:MOST_ROWS]
    if depths is None:
        known, count = distinct(frame, "depth"), min(MOST_DEPTHS, MOST_ROWS // len(shown))
        depths = spread(known, count) if count > 1 else known[-1:]
    kept = pd.concat([rows for _, rows in shown])
    chosen = choose(kept, depths, scales, learning_rate)
    page = _page(chosen)
    colours = colours_of(chosen)
    marks: set[str] = set()
    with mpl.rc_context(STYLE):
        figure = new_figure(DOUBLE_COLUMN, (1.5 if len(page) <= 3 else 1.3) * len(page) + 0.9)
        widths = [1.0] * (len(values) - 1) + [1.25]  # gradients have three lines for one
        panels = figure.subplots(len(page), len(values), sharex=True, squeeze=False, width_ratios=widths)
        for row, (title, rows) in enumerate(page):
            for ax, value in zip(panels[row], values, strict=True):
                tidy(ax)
                limits = limits_of(rows if value == "log10_grad" else chosen, value)
                marks |= draw_panel(ax, rows, value, colours, limits)
                ax.set_ylabel(VALUES[value])
                ax.set_xlabel(STEP_LABEL if row == len(page) - 1 else "")
            panels[row, 0].set_title(title, loc="left")
        figure.align_ylabels()
        figure.suptitle(_heading(chosen, frame, len(shown)), fontsize=8)
        _legend(figure, chosen, marks, layered=True)
    return figure


def choose(
    frame: pd.DataFrame, depths: Sequence[int], scales: Sequence[float] | None, learning_rate: float | None
) -> pd.DataFrame:
    """The rows of those depths, of the wanted or up to five spread scales, and of one learning rate, by default the middle.

    Where the readout has rates of its own, it is that of the other layers if the run holds it, else the middle one.
    """
    if scales is None:
        scales = spread(distinct(frame, "scale"), MOST_SCALES)
    if learning_rate is None:
        learning_rate = _middle(distinct(frame, "learning_rate"))
    rows = select(frame, depths=depths, scales=scales, learning_rates=[learning_rate])
    readout = distinct(rows, "readout_learning_rate")
    same = distinct(rows, "learning_rate")[0]
    return select(rows, readout_learning_rates=[same if same in readout else _middle(readout)])


def _middle(values: list[Any]) -> Any:
    return values[(len(values) - 1) // 2]


def _page(chosen: pd.DataFrame) -> list[Row]:
    named, several = varying(chosen), len(facets(chosen)) > 1
    return [
        Row(f"{facet_title(facet, named)}, L = {depth}" if several else f"L = {depth}", rows.loc[rows["depth"] == depth])
        for facet, rows in facets(chosen)
        for depth in distinct(rows, "depth")
    ]


def _rate_words(chosen: pd.DataFrame, frame: pd.DataFrame) -> str:
    """The one learning rate, and of how many it is one."""
    rate, readout = chosen["learning_rate"].iloc[0], chosen["readout_learning_rate"].iloc[0]
    words = f"learning rate {rate:g}" + (f" (readout {readout:g})" if readout != rate else "")
    rates = [f"{value:g}" for value in distinct(frame, "learning_rate")]
    return words + (f" (of {', '.join(rates)})" if 1 < len(rates) <= 5 else f" (of {len(rates)})" if len(rates) > 5 else "")


def _heading(chosen: pd.DataFrame, frame: pd.DataFrame, shown: int) -> str:
    settings = facets(chosen)
    words = [] if len(settings) > 1 else [facet_title(settings[0][0], ["width", "optimizer"])]
    words.append(_rate_words(chosen, frame))
    count = len(facets(frame))
    words += [f"the first {shown} of {count} settings"] if shown < count else []
    return ", ".join(words)


def _legend(figure, chosen: pd.DataFrame, marks: set[str], *, layered: bool) -> None:
    colours = colours_of(chosen)
    handles = [Line2D([], [], color=colour, label=f"scale {scale:g}") for scale, colour in reversed(colours.items())]
    others = [
        Line2D([], [], color="0.3", linestyle=style, label=name)
        for style, name in zip(LAYER_STYLES, LAYER_NAMES, strict=True)
    ]
    others = others if layered else []
    diverged = "a seed diverged" + (", or is undefined" if "undefined" in marks else "")
    others += [Line2D([], [], color="0.3", label=diverged, **CROSS)] if "cross" in marks else []
    others += [Line2D([], [], color="0.3", label="exactly zero", **TRIANGLE)] if "triangle" in marks else []
    columns = NARROW_ROW if "undefined" not in marks else 2  # its words are long
    if figure.get_figwidth() > SINGLE_COLUMN:
        # Columns are filled downwards: scales are to be above, the rest below.
        columns = min(max(len(handles), len(others)), PER_ROW)
        blank = Line2D([], [], linestyle="none", label="")
        lines = [part[start : start + columns] for part in (handles, others) for start in range(0, len(part), columns)]
        handles = [entry for column in zip_longest(*lines, fillvalue=blank) for entry in column]
    else:
        handles += others
    more = math.ceil(len(colours) / columns) - math.ceil(MOST_SCALES / columns)
    figure.set_figheight(figure.get_figheight() + LEGEND_ROW * max(more, 0))  # rows beyond the default's
    seeds = len(distinct(chosen, "seed"))
    words = [f"median (lines) and smallest to largest (bands) of {seeds} seeds" if seeds > 1 else "1 seed"]
    words += ["gradients' bands are the first layer's"] if seeds > 1 and layered else []
    words += ["without seeds that have diverged"] if seeds > 1 and "cross" in marks else []
    title = (", " if figure.get_figwidth() > SINGLE_COLUMN and len(words) < 3 else ",\n").join(words)
    legend = figure.legend(handles=handles, title=title, loc="outside lower center", ncols=columns, columnspacing=1.4)
    legend.get_title().set_multialignment("center")


def _draw_from(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    if arguments.learning_rates and len(arguments.learning_rates) > 1:
        raise SelectionError("learning_rates", arguments.learning_rates, "one: a figure is of one learning rate")
    curves = selected(arguments, load_curves(arguments.run_dir), TRAINED)
    return draw_curves(curves, loss=manifest["training"]["loss"], depths=arguments.depths, scales=arguments.scales)


FIGURE = Command(
    summary="loss, accuracy and gradients of the first, middle and last layer while training",
    example="python -m analysis curves results/digits --initializers orthogonal --depths 8 32 --scales 0.4 1 2.8",
    draw=_draw_from,
    add_options=add_training_options,
    reads="training",
    table="curves",
)
