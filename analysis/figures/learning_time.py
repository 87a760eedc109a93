"""Learning time against depth, for each initializer at its best learning rate (Saxe, McClelland & Ganguli 2014)."""

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
from matplotlib.patches import Patch

from analysis.drawing.command import Command
from analysis.drawing.depth_axis import set_depth_ticks
from analysis.drawing.labels import plain
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.panel import DEPTH_LABEL
from analysis.drawing.sheet import add_key, fit_titles, in_rows, legend_below, new_sheet
from analysis.drawing.step_axis import StepAxis, heights, set_step_axis, step_axis
from analysis.drawing.style import DASHES, DOUBLE_COLUMN, MARKERS, QUALITATIVE, SINGLE_COLUMN, STYLE
from analysis.numbers import median_ends
from analysis.numbers.best_rate import RATES
from analysis.numbers.reached import describe_growth, learning_times
from analysis.rows.load import load_trained
from analysis.rows.options import TRAINED, add_training_options, selected
from analysis.rows.select import SelectionError, distinct, select, varying

PANEL = ("architecture", "activation", "width", "bias_std", "optimizer")
DODGE = 0.011  # of the axis, at most, between lines, so that their bars stand beside one another
MOST_HEIGHT = 8.0  # inches of panels
MOST_DODGE = 0.04  # of the axis, between the first line and the last
POINTS: Any = {"markersize": 4, "markeredgewidth": 0.8}
LOST: Any = {"linestyle": "none", "marker": "x", "markersize": 2.6, "markeredgewidth": 0.7}


class Look(NamedTuple):
    """How the line of one initializer and scale is drawn, and its place among the others."""

    colour: str
    marker: str
    style: Any
    place: int


Looks = dict[tuple[str, float], Look]


def plot_learning_time(
    frame: pd.DataFrame,
    *,
    target: str,
    steps: int,
    scales: Sequence[float] | None = None,
    ax: Axes | None = None,
    key: bool = False,
) -> Axes:
    """Steps to the target against depth L, both on log axes: a line for each initializer, at its best learning rate.

    frame: rows of ``load_trained`` with one architecture, activation, width, bias_std and optimizer; ``target`` and
    ``steps`` are the training's. Points are medians over seeds, bars its 95 % interval by order (of fewer than
    six seeds: from the smallest to the largest). The best rate is chosen by the same seeds, network by network.
    Hollow, in the band on top: not reached within ``steps``, with a cross where most seeds diverged; a bar that ends there
    has an infinite end. Lines are shifted sideways a little. By default the scale nearest to 1; several scales differ in
    line style. ``key``: an ``ax`` that is given gets its legend too. Raises SelectionError (a ValueError) for values that
    the frame does not hold, and for more than four scales.
    """
    for column in _panel(frame):
        if len(distinct(frame, column)) != 1:
            raise SelectionError(f"{column}s", len(distinct(frame, column)), "one for a panel")
    rows = choose(frame, scales)
    times, looks = learning_times(rows), _looks(rows)
    axis = _axis(times, looks, steps)
    with given_or_new(ax, SINGLE_COLUMN, 2.5) as own:
        _draw(own, times, looks, axis)
        label(own, DEPTH_LABEL, _label(target), _title(times, ()))
        if ax is None or key:
            add_key(own, _handles(rows, times, looks), inside=ax is not None, title=_words(rows, times, "\n"))
    return own


def draw_learning_times(frame: pd.DataFrame, *, target: str, steps: int, scales: Sequence[float] | None = None) -> Figure:
    """A panel for each (architecture, activation, width, bias_std, optimizer), on the same axes.

    Arguments and errors are those of :func:`plot_learning_time`.
    """
    rows = choose(frame, scales)
    times, looks = learning_times(rows), _looks(rows)
    axis = _axis(times, looks, steps)
    groups: Any = times.groupby(_panel(times), sort=False, observed=True)
    panels = [panel for _, panel in groups]
    columns = 2 if len(panels) == 4 else min(len(panels), 3)
    used = in_rows(len(panels), columns)
    width = (SINGLE_COLUMN, 5.6, DOUBLE_COLUMN)[columns - 1]
    with mpl.rc_context(STYLE):
        height = (2.5 if columns == 1 else 2.1) * len(used)
        figure, axes = new_sheet(used, width, min(height, MOST_HEIGHT), labels=(DEPTH_LABEL, _label(target)))
        shown = axes.flat[: len(panels)]
        for ax, panel in zip(shown, panels, strict=True):
            _draw(ax, panel, looks, axis)
            ax.set_title(_title(panel, varying(rows)))
        fit_titles(figure, shown)
        title = _words(rows, times, "\n" if columns == 1 else " ")
        legend_below(figure, _handles(rows, times, looks), title=title)
    return figure


def choose(frame: pd.DataFrame, scales: Sequence[float] | None) -> pd.DataFrame:
    """The rows of the wanted scales, of the one nearest to 1 by default. Raises SelectionError for more than four."""
    if scales is None:
        scales = [min(distinct(frame, "scale"), key=lambda scale: abs(scale - 1))]
    rows = select(frame, scales=scales)
    found = distinct(rows, "scale")
    if len(found) > len(DASHES):
        raise SelectionError("scales", len(found), f"up to {len(DASHES)}, which line styles can tell apart")
    return rows


def _panel(frame: pd.DataFrame) -> list[str]:
    """The columns of :data:`PANEL` that the frame has: older runs have no architecture."""
    return [name for name in PANEL if name in frame]


def _looks(rows: pd.DataFrame) -> Looks:
    names, scales = distinct(rows, "initializer"), distinct(rows, "scale")
    return {
        (name, scale): Look(QUALITATIVE[i % len(QUALITATIVE)], MARKERS[i % len(MARKERS)], DASHES[j], i * len(scales) + j)
        for i, name in enumerate(names)
        for j, scale in enumerate(scales)
    }


def _axis(times: pd.DataFrame, looks: Looks, steps: int) -> StepAxis:
    return step_axis(times[["median", "low", "high"]].to_numpy(float), steps, len(looks))


def _draw(ax: Axes, times: pd.DataFrame, looks: Looks, axis: StepAxis) -> None:
    depths = distinct(times, "depth")
    span = depths[-1] / depths[0] if len(depths) > 1 else 2.0
    ax.set(xscale="log", xlim=(depths[0] / span**0.06, depths[-1] * span**0.06))
    set_depth_ticks(ax, depths)
    set_step_axis(ax, axis, f"not within {axis.steps} steps")
    dodge = min(DODGE, MOST_DODGE / max(len(looks) - 1, 1))
    for (initializer, scale), look in looks.items():
        rows = times.loc[(times["initializer"] == initializer) & (times["scale"] == scale)].sort_values(by="depth")
        x = rows["depth"].to_numpy(float) * span ** (dodge * (look.place - (len(looks) - 1) / 2))
        low, middle, high = (heights(axis, rows[name].to_numpy(), look.place) for name in ("low", "median", "high"))
        never = np.isposinf(rows["median"].to_numpy())
        lost = never & (rows["diverged"].to_numpy() > 0.5)
        ax.vlines(x, low, high, color=look.colour, linewidth=0.9, alpha=0.6, zorder=2)
        ax.plot(x, middle, color=look.colour, linewidth=0.5, linestyle=look.style, alpha=0.6, zorder=2)
        shown: Any = {"color": look.colour, "marker": look.marker, "zorder": 4, **POINTS}
        ax.plot(x, np.where(never, np.nan, middle), linestyle=look.style, **shown)
        ax.plot(x[never], middle[never], linestyle="none", markerfacecolor="white", **shown)
        ax.plot(x[lost], middle[lost], color=look.colour, zorder=5, **LOST)


def _label(target: str) -> str:
    return f"steps to {target.replace('=', ' ')}"


def _title(panel: pd.DataFrame, named: Sequence[str]) -> str:
    row = panel.iloc[0]
    words = [row["architecture"]] if "architecture" in named else []
    words += [row["activation"]]
    words += [row["optimizer"]] if "optimizer" in named else []
    words += [f"n = {row['width']}"] if "width" in named else []
    words += [f"bias std {row['bias_std']:g}"] if "bias_std" in named else []
    return plain(", ".join(words))


def _handles(rows: pd.DataFrame, times: pd.DataFrame, looks: Looks) -> list:
    scales = distinct(rows, "scale")
    handles: list = [
        Line2D([], [], color=look.colour, marker=look.marker, label=plain(name), **POINTS)
        for (name, scale), look in looks.items()
        if scale == scales[0]
    ]
    if len(scales) > 1:
        handles += [Line2D([], [], color="0.3", linestyle=DASHES[j], label=f"scale {s:g}") for j, s in enumerate(scales)]
    medians, diverged = times["median"].to_numpy(), times["diverged"].to_numpy()
    if np.any(np.isposinf(medians) & (diverged > 0.5)):
        handles.append(Line2D([], [], color="0.3", label="most seeds diverged", **LOST))
    if np.isnan(medians).any():
        undefined = distinct(times.loc[np.isnan(medians)], "initializer")
        handles.append(Patch(facecolor="none", edgecolor="none", label=f"undefined: {plain(', '.join(undefined))}"))
    return handles


def _words(rows: pd.DataFrame, times: pd.DataFrame, end: str) -> str:
    """What points and bars are, and how the learning rate was chosen."""
    counts, scales = distinct(times, "seeds"), distinct(rows, "scale")
    bars = median_ends.name(counts[0])
    words = f"scale {scales[0]:g}; " if len(scales) == 1 else ""
    words += "1 seed" if counts[-1] == 1 else f"median of {counts[-1]} seeds, bars: {bars}"
    rates = len(rows[list(RATES)].drop_duplicates())
    if rates == 1:
        return f"{words};{end}learning rate {rows['learning_rate'].iloc[0]:g}"
    words += f";{end}at the best of {rates} learning rates, chosen by the same seeds"
    edge = int(np.sum(times["largest"].to_numpy()))
    return words + (f"\n(the largest of them at {edge} of {len(times)} points)" if edge else "")


def _draw_from(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    """Also prints how much longer the deepest networks learn than the shallowest."""
    cells = choose(selected(arguments, load_trained(arguments.run_dir), TRAINED), arguments.scales)
    target, steps = manifest["training"]["target"], manifest["training"]["steps"]
    figure = draw_learning_times(cells, target=target, steps=steps, scales=arguments.scales)
    for line in describe_growth(learning_times(cells), steps):
        print(line)
    return figure


FIGURE = Command(
    summary="steps to the target against depth, for each initializer at its best learning rate",
    example="depthscale plot learning-time results/saxe --scales 1",
    draw=_draw_from,
    add_options=add_training_options,
    reads="training",
)
