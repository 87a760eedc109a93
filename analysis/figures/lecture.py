"""The lecture's figure: outputs, as scale^(L-1), and gradients, as scale^(L-2), of W = scale · E against depth."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.drawing.command import Command
from analysis.drawing.labels import axis_label
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.panel import DEPTH_LABEL
from analysis.drawing.sheet import add_key, legend_below
from analysis.drawing.style import DOUBLE_COLUMN, SINGLE_COLUMN, SMALL, STYLE, new_figure, tidy
from analysis.numbers.closed_form import VALUES, closed_form, relative_deviation
from analysis.numbers.statistics import number_range
from analysis.rows.load import load_cells
from analysis.rows.options import add_input_norms, add_scales, add_widths, selected
from analysis.rows.select import SelectionError, check_name, distinct, facet_title, facets, one_facet, select, spread
from bench.settings.defaults import PLAIN

MARKED_DEPTHS = (152, 852)  # of the ResNet and of the lecture
MOST_SCALES = 7
GREY = "0.35"
HEADINGS = {  # and the growth of each, which differs: W_1's own factor is not in its gradient
    "log10_output": r"output, $\propto$ scale$^{L-1}$",
    "log10_grad_first": r"gradient of the first layer, $\propto$ scale$^{L-2}$",
}
POINTS = {"linestyle": "none", "marker": "o", "markersize": 3, "markeredgewidth": 0.7, "markerfacecolor": "white"}


class End(NamedTuple):
    """Where a line ends, and what is written there."""

    height: float
    scale: float
    colour: tuple[float, float, float, float]


def lecture_rows(frame: pd.DataFrame, *, scales: Sequence[float] | None = None) -> pd.DataFrame:
    """The rows that the closed form speaks of: plain, identity weights, linear, no bias; one width and input; wanted scales.

    Raises SelectionError if there are none, or several widths or norms of the input.
    """
    fitting = (frame["initializer"] == "identity") & (frame["activation"] == "linear") & (frame["bias_std"] == 0)
    if "architecture" in frame:  # older runs have none
        fitting &= frame["architecture"] == PLAIN
    kept = frame.loc[fitting.to_numpy()]
    if kept.empty:
        found = dict.fromkeys(facet_title(facet, ()) for facet, _ in facets(frame))
        wanted = "a run with architecture plain, initializer identity, activation linear, bias_std 0"
        raise SelectionError("run", "; ".join(found), wanted)
    one_facet(kept)
    return select(kept, scales=scales)


def plot_lecture(frame: pd.DataFrame, *, value: str = "log10_output", ax: Axes | None = None, key: bool = False) -> Axes:
    """Measured points and the closed form as lines, in decades against the depth L; one colour for each scale.

    frame: rows of ``load_cells`` with identity weights, linear activations and one width; ``value`` is ``log10_output``
    or ``log10_grad_first``. The output grows as scale^(L-1), as does the readout's gradient; the gradient of every hidden
    layer as scale^(L-2). Draws the first seed and up to seven scales spread over the run. Grey: what float32 can hold, as
    a number of that size (entries of a gradient are about n times smaller than its norm); dotted: where float64 ends, if the
    data come near. An ``ax`` that is given gets its legend with ``key``. Raises SelectionError (a ValueError) for other
    frames.
    """
    check_name("value", value, VALUES)
    rows = lecture_rows(frame)
    with given_or_new(ax, SINGLE_COLUMN, 2.7) as own:
        _draw(own, rows, value)
        label(own, DEPTH_LABEL, axis_label(value), HEADINGS[value])
        if ax is None or key:
            add_key(own, _handles(), inside=ax is not None)
    return own


def draw_lecture(frame: pd.DataFrame, *, scales: Sequence[float] | None = None) -> Figure:
    """Two panels, |y| and ‖∂y/∂W_1‖_F against depth, that share their axes. Errors: see :func:`plot_lecture`."""
    rows = lecture_rows(frame, scales=scales)
    with mpl.rc_context(STYLE):
        figure = new_figure(DOUBLE_COLUMN, 2.9)
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        heights = []
        for ax, value, letter in zip(panels, VALUES, "ab", strict=True):
            tidy(ax)
            _draw(ax, rows, value)
            ax.set(xlabel=DEPTH_LABEL, ylabel=axis_label(value))
            ax.set_title(letter, loc="left", fontweight="bold")
            ax.set_title(HEADINGS[value])
            ax.tick_params(labelleft=True)
            heights += ax.get_ylim()
        panels[0].set_ylim(min(heights), max(heights))  # each panel has set its own, on the axis that they share
        legend_below(figure, _handles())
    return figure


def _draw(ax: Axes, frame: pd.DataFrame, value: str) -> None:
    frame = frame.assign(expected=closed_form(frame, value))
    frame = select(frame, scales=spread(distinct(frame, "scale"), MOST_SCALES))
    drawn = (frame["seed"] == min(frame["seed"])) & np.isfinite(frame["expected"])
    rows = frame.loc[drawn].sort_values(by="depth")
    if rows.empty:
        raise SelectionError("scales", distinct(frame, "scale"), "a scale above 0: there is nothing to draw on a log axis")
    scales, depths = distinct(rows, "scale"), distinct(rows, "depth")
    # Without the palest end of the map, which is hard to read as type.
    colours = mpl.colormaps["viridis"](np.linspace(0, 0.8, max(len(scales), 2))).tolist()
    ends = []
    for scale, colour in zip(scales, map(tuple, colours), strict=False):
        line = rows.loc[rows["scale"] == scale]
        depth, expected, measured = (line[name].to_numpy() for name in ("depth", "expected", value))
        ax.plot(depth, expected, color=colour, linewidth=0.8, zorder=2)
        apart = _spaced(depth, depths[-1] / 60)
        ax.plot(depth[apart], np.where(np.isfinite(measured), measured, np.nan)[apart], color=colour, zorder=3, **POINTS)
        ends.append(End(float(expected[-1]), scale, colour))
    _mark_depths(ax, depths)
    low, high = _mark_ranges(ax, min(rows["expected"]), max(rows["expected"]))
    _label_ends(ax, ends, depths[-1], (high - low) / 18)


def _spaced(depths: np.ndarray, gap: float) -> np.ndarray:
    """Which points to draw: closer ones would merge into a band."""
    keep, last = [], -np.inf
    for depth in depths:
        keep.append(bool(depth - last >= gap or depth in MARKED_DEPTHS))
        last = depth if keep[-1] else last
    return np.array(keep)


def _mark_depths(ax: Axes, depths: list[int]) -> None:
    marked = [depth for depth in MARKED_DEPTHS if depth in depths]
    for depth in marked:
        ax.axvline(depth, color="0.75", linewidth=0.6, zorder=0.5)
    if depths[-1] in marked:
        round_ones = [tick for tick in (2, 50, 100, 400, 600) if min(abs(tick - depth) for depth in marked) > depths[-1] / 9]
        ax.set_xticks(sorted({*marked, *(tick for tick in round_ones if tick == 2 or depths[-1] / 9 < tick < depths[-1])}))


def _mark_ranges(ax: Axes, low: float, high: float) -> tuple[float, float]:
    """Shade float32's range, draw float64's ends that the data come near to; returns the y axis without its margin."""
    single, double = number_range("float32"), number_range("float64")
    low, high = min(low, single.underflow), max(high, single.overflow)
    near = [end for end in double if low * 1.4 < end < high * 1.4]
    low, high = min(low, *near, low), max(high, *near, high)
    margin = 0.05 * (high - low)
    ax.set_ylim(low - margin, high + margin)
    ax.axhspan(*single, color="0.93", linewidth=0, zorder=0)

    def write(text: str, x: float, y: float, side: str) -> None:
        place = {"xycoords": ax.get_yaxis_transform(), "xytext": (0, 1), "textcoords": "offset points"}
        ax.annotate(text, (x, y), ha=side, va="bottom", color=GREY, fontsize=SMALL, **place)

    write("float32 range", 0.8, single.overflow, "right")
    for end in near:
        ax.axhline(end, color=GREY, linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=1)
        write("float64 ends", 0.03, end, "left")
    return low, high


def _label_ends(ax: Axes, ends: list[End], x: float, gap: float) -> None:
    """Each line's scale beside its end, pushed apart where lines end closer than a line of type."""
    height = -np.inf
    ordered = sorted(ends)
    for end in ordered:
        height = max(end.height, height + gap)
        text = f"scale {end.scale:g}" if end is ordered[-1] else f"{end.scale:g}"
        ax.annotate(text, (x, height), (5, 0), textcoords="offset points", va="center", color=end.colour, fontsize=SMALL)
    ax.set_xlim(-0.02 * x, x * 1.23)


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], color="0.2", label="measured", **POINTS),
        Line2D([], [], color="0.2", linewidth=0.8, label="closed form"),
    ]


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_widths(parser)
    add_input_norms(parser)
    add_scales(parser, "weight scales (default: a few, spread)")


def _draw_from(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    """Also prints how far the measurement is from the closed form."""
    loss = manifest["sweep"].get("loss")
    if loss != "output":
        raise SelectionError("run", f"loss {loss}", "a run with loss output: the closed form is that of y itself")
    rows = lecture_rows(
        selected(arguments, load_cells(arguments.run_dir), ("widths", "input_norms")), scales=arguments.scales
    )
    figure = draw_lecture(rows)
    for value, words in zip(VALUES, ("|y|", "‖∂y/∂W_1‖_F"), strict=True):
        deviation = relative_deviation(rows, value)
        largest = int(np.argmax(deviation))  # the first NaN, if there is one: it must be seen, not skipped
        cell = rows.iloc[largest]
        print(
            f"largest relative deviation of {words} from the closed form: {deviation[largest]:.2g} "
            f"(depth {cell['depth']}, scale {cell['scale']:g}; of {len(rows)} cells)"
        )
    return figure


FIGURE = Command(
    summary="identity weights, linear activations: measured points on their closed form",
    example="depthscale plot lecture results/lecture --out lecture.svg",
    draw=_draw_from,
    add_options=_add_options,
)
