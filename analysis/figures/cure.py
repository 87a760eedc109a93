"""What each remedy buys: steps to the target against depth for different architectures, beside their first gradients."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.drawing.command import Command
from analysis.drawing.decade_axis import decade_axis, decade_heights, set_decade_axis
from analysis.drawing.depth_axis import set_depth_ticks
from analysis.drawing.labels import panel_title, plain
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.panel import DEPTH_LABEL
from analysis.drawing.sheet import add_key, fit_titles, legend_below, new_sheet
from analysis.drawing.step_axis import heights, set_step_axis, step_axis
from analysis.drawing.style import DASHES, DOUBLE_COLUMN, MARKERS, QUALITATIVE, SINGLE_COLUMN, STYLE
from analysis.numbers import median_ends
from analysis.numbers.reached import describe_growth, first_gradients, learning_times
from analysis.rows.load import load_trained
from analysis.rows.options import TRAINED, add_training_options, selected
from analysis.rows.select import Facet, SelectionError, distinct, facets, select

GRADIENT_LABEL = r"$\log_{10}\,\Vert\partial\ell/\partial W_1\Vert_\mathrm{F}$ at initialization"
APART = 0.008  # of the depth axis, between lines, so that their bars stand beside one another
SPREAD = ("low", "median", "high")
POINTS: Any = {"markersize": 4, "markeredgewidth": 0.8}


class Line(NamedTuple):
    """How one architecture is drawn, and its place among the others."""

    name: str
    colour: str
    marker: str
    style: Any  # another one where colours begin anew
    place: float  # among the others, 0 in the middle


def plot_cure(frame: pd.DataFrame, *, target: str, steps: int, ax: Axes | None = None, key: bool = True) -> Axes:
    """Steps to the target against depth L, both on log axes: a line for each architecture, at its best learning rate.

    frame: rows of ``load_trained`` that differ in architecture, depth, learning rates and seed alone; ``target`` and
    ``steps`` are the training's. Points are medians over seeds, bars its 95 % interval by order (of fewer than
    six seeds: from the smallest to the largest). The best rate is chosen by the same seeds, network by network.
    Hollow, in the band on top: not reached within ``steps``. Lines are shifted sideways a little. Raises SelectionError (a
    ValueError) where rows differ in anything else.
    """
    lines, times = _lines(frame), learning_times(frame)
    with given_or_new(ax, SINGLE_COLUMN, 3.0) as own:
        _draw_steps(own, lines, times, steps)
        label(own, DEPTH_LABEL, _words(target), "")
        if key:
            add_key(own, _handles(lines), inside=ax is not None)
    return own


def draw_cure(frame: pd.DataFrame, *, target: str, steps: int) -> Figure:
    """Beside the panel of :func:`plot_cure`: the first block's gradient before the first step, of the same networks.

    Its y axis is linear within three decades of 1 and logarithmic in decades beyond; hollow, in the bands at its ends:
    exactly zero, and beyond the range of floats, as the loss itself is. Without ``scales``, of several the scale nearest
    to 1. Arguments and errors are those of :func:`plot_cure`.
    """
    rows, scale = nearest_to_1(frame)
    lines, times, gradients = _lines(rows), learning_times(rows), first_gradients(rows)
    with mpl.rc_context(STYLE):
        figure, panels = new_sheet(np.ones((1, 2), bool), DOUBLE_COLUMN, 3.1, labels=(DEPTH_LABEL, ""), share=False)
        left, right = panels[0]
        decades = decade_axis(gradients[[*SPREAD]].to_numpy(float), len(lines))
        set_decade_axis(left, decades)
        _draw(left, lines, gradients, partial(decade_heights, decades))
        _draw_steps(right, lines, times, steps)
        left.set_ylabel(GRADIENT_LABEL)
        right.set_ylabel(_words(target))
        setting = facets(rows)[0][0]._replace(architecture="plain")
        figure.suptitle(f"{panel_title(setting, ['width'])}, scale {scale:g}", fontsize=8)
        fit_titles(figure, panels.flat)
        legend_below(figure, _handles(lines), title=_chosen(rows, times))
    return figure


def nearest_to_1(frame: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """The rows of the weight scale that is nearest to 1, and that scale."""
    scale = min(distinct(frame, "scale"), key=lambda each: abs(each - 1))
    return select(frame, scales=[scale]), scale


def _lines(frame: pd.DataFrame) -> list[Line]:
    """A line for each architecture, in the order of the run. Raises SelectionError."""
    panels: list[Facet] = [facet for facet, _ in facets(frame)]
    others, scales = {facet._replace(architecture="") for facet in panels}, distinct(frame, "scale")
    if len(others) != 1 or len(scales) != 1:
        raise SelectionError("SELECTION", f"{len(others)} settings, {len(scales)} scales", "one of each")
    middle, colours = (len(panels) - 1) / 2, len(QUALITATIVE)

    def line(number: int, facet: Facet) -> Line:
        look = QUALITATIVE[number % colours], MARKERS[number % len(MARKERS)], DASHES[number // colours % len(DASHES)]
        return Line(facet.architecture, *look, number - middle)

    return [line(number, facet) for number, facet in enumerate(panels)]


def _draw_steps(ax: Axes, lines: list[Line], times: pd.DataFrame, steps: int) -> None:
    axis = step_axis(times[[*SPREAD]].to_numpy(float), steps, len(lines))
    set_step_axis(ax, axis, f"not within {steps} steps")
    _draw(ax, lines, times, partial(heights, axis))


def _draw(ax: Axes, lines: list[Line], table: pd.DataFrame, place: Callable[[np.ndarray, int], np.ndarray]) -> None:
    """table: rows of networks with :data:`SPREAD`; place: where values of the line of that number are drawn."""
    depths = distinct(table, "depth")
    span = depths[-1] / depths[0] if len(depths) > 1 else 2.0
    ax.set(xscale="log", xlim=(depths[0] / span**0.09, depths[-1] * span**0.09))
    set_depth_ticks(ax, depths)
    for number, line in enumerate(lines):
        own = table["architecture"] == line.name if "architecture" in table else slice(None)
        rows = table.loc[own].sort_values(by="depth")
        x = rows["depth"].to_numpy(float) * span ** (APART * line.place)
        low, middle, high = (place(rows[name].to_numpy(), number) for name in SPREAD)
        inside = np.isfinite(rows["median"].to_numpy())
        look: Any = {"color": line.colour, "marker": line.marker, "zorder": 4, **POINTS}
        ax.vlines(x, low, high, color=line.colour, linewidth=0.9, alpha=0.6, zorder=2)
        ax.plot(x, middle, color=line.colour, linewidth=0.5, alpha=0.5, zorder=2)
        ax.plot(x, np.where(inside, middle, np.nan), linestyle=line.style, **look)
        ax.plot(x[~inside], middle[~inside], linestyle="none", markerfacecolor="white", **look)


def _words(target: str) -> str:
    return f"steps to {target.replace('=', ' ')}"


def _handles(lines: list[Line]) -> list[Line2D]:
    return [
        Line2D([], [], color=line.colour, marker=line.marker, linestyle=line.style, label=plain(line.name), **POINTS)
        for line in lines
    ]


def _chosen(rows: pd.DataFrame, times: pd.DataFrame) -> str:
    seeds, rates = distinct(times, "seeds")[-1], len(distinct(rows, "learning_rate"))
    bars = median_ends.name(seeds)
    words = f"median of {seeds} seeds, bars: {bars}" if seeds > 1 else "1 seed"
    if rates == 1:
        return words
    largest = int(np.sum(times["largest"].to_numpy()))
    edge = f"\n(the largest of them at {largest} of {len(times)} points)" if largest else ""
    return f"{words}; at the best of {rates} learning rates, chosen by the same seeds{edge}"


def _draw_from(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    """Also prints how much longer the deepest networks learn than the shallowest."""
    rows, _ = nearest_to_1(selected(arguments, load_trained(arguments.run_dir), TRAINED))
    training = manifest["training"]
    figure = draw_cure(rows, target=training["target"], steps=training["steps"])
    for line in describe_growth(learning_times(rows), training["steps"]):
        print(line)
    return figure


FIGURE = Command(
    summary="steps to the target against depth for different architectures, beside their first gradients",
    example="depthscale plot cure results/remedies --depths 8 32 152",
    draw=_draw_from,
    add_options=add_training_options,
    reads="training",
)
