"""Learning curves: loss, accuracy and gradients while training, so that gradients are seen to recover or to die."""

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
from analysis.drawing.curve_panel import CROSS, TRIANGLE, draw_panel, limits_of, looks_of
from analysis.drawing.labels import panel_title
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.sheet import add_key, legend_below, new_sheet, note_handle
from analysis.drawing.style import DOUBLE_COLUMN, SINGLE_COLUMN, STYLE
from analysis.numbers.mode_law import LAWLESS, describe_law, has_law, is_aligned, law_line
from analysis.numbers.seed_curves import describe_gradients
from analysis.rows.load import load_curves
from analysis.rows.options import TRAINED, add_training_options, selected
from analysis.rows.select import SelectionError, check_name, distinct, facets, one_facet, select, spread, varying

VALUES = {
    "loss": "batch loss",
    "accuracy": "batch accuracy",
    "log10_grad_first": r"$\log_{10}\,\Vert\partial\ell/\partial W_1\Vert_\mathrm{F}$",
    "log10_grad_middle": r"$\log_{10}\,\Vert\partial\ell/\partial W_{L/2}\Vert_\mathrm{F}$",
    "log10_grad_last": r"$\log_{10}\,\Vert\partial\ell/\partial W_{L-1}\Vert_\mathrm{F}$",
}
GRADIENTS = tuple(VALUES)[2:]
TITLES = {"log10_grad_first": "first layer, $W_1$", "log10_grad_middle": "middle, $W_{L/2}$"}
TITLES |= {"log10_grad_last": "last hidden, $W_{L-1}$"}
GRADIENT_LABEL = r"$\log_{10}\,\Vert\partial\ell/\partial W_l\Vert_\mathrm{F}$"
MOST_SCALES = 4  # lines in one panel
MOST_DEPTHS = 3  # by default
MOST_ROWS, PAGE_ROWS = 6, 10  # by default, and what a page holds
ROWS_HEIGHT = 7.8  # inches, at most
STEP_LABEL = "step"
# over what was measured
LAW: Any = {"color": "black", "linestyle": (0, (3, 2)), "linewidth": 0.8, "marker": "", "zorder": 6}


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
    key: bool = False,
) -> Axes:
    """One panel: loss, accuracy or a gradient of the batch before each step, against the step; a line for each scale.

    frame: rows of ``load_curves`` with one initializer, activation, width, bias_std and optimizer; ``value`` is ``loss``
    (log axis), ``accuracy``, or the decades of a gradient, ``log10_grad_first``, ``_middle`` or ``_last`` of the hidden
    layers. The step axis is linear up to 1 and logarithmic beyond. Lines are medians over the seeds that have not diverged,
    bands reach from the smallest to the largest of these; a line ends where more than half have diverged. A cross is where a
    seed that diverges was last finite, a triangle in the band at the bottom where the median is exactly zero. By default:
    the largest depth, up to four spread scales, and the middle learning rate. Where deep linear networks learn their modes
    one by one (``saxe:aligned=true``), the law of their loss is drawn over it, dashed (Saxe et al. 2014). ``key``: an ``ax``
    that is given gets its legend too. Raises SelectionError (a ValueError) for values that the frame does not hold, and for
    more than four scales.
    """
    facet = one_facet(frame)
    check_name("value", value, VALUES)
    rows = choose(frame, [distinct(frame, "depth")[-1] if depth is None else depth], scales, learning_rate)
    with given_or_new(ax, SINGLE_COLUMN, 2.4) as own:
        marks = draw_panel(own, rows, value, looks_of(rows), limits_of(rows, [value])) | _draw_law(own, rows, value)
        title = f"{panel_title(facet, ())}, L = {distinct(rows, 'depth')[0]}\n{_rate_words(rows, frame)}"
        label(own, STEP_LABEL, VALUES[value], title)
        if ax is None or key:
            add_key(own, _handles(rows, marks), inside=ax is not None, title=_words(rows, marks, ",\n"))
    return own


def draw_curves(
    frame: pd.DataFrame,
    *,
    loss: str = "cross_entropy",
    depths: Sequence[int] | None = None,
    scales: Sequence[float] | None = None,
    learning_rate: float | None = None,
) -> Figure:
    """Loss, accuracy and the gradients of three layers side by side; a row for each setting and depth, at one learning rate.

    ``loss`` is the training's: under ``mse`` accuracies mean nothing and are left out. Losses share their axis, and so do
    accuracies; gradients have one in each row. By default up to three depths of each setting, fewer where there are several
    settings, and no more than six rows; the title says so if settings are left out. Other arguments and errors are those of
    :func:`plot_curves`; SelectionError also for more depths than a page holds.
    """
    values = [value for value in VALUES if loss != "mse" or value != "accuracy"]
    shown, chosen = facets(frame)[:MOST_ROWS], chosen_for_page(frame, depths, scales, learning_rate)
    page, looks = _page(chosen), looks_of(chosen)
    if len(page) > PAGE_ROWS:
        most = max(PAGE_ROWS // len(shown), 1)
        accepted = f"up to {most}, which a page has room for with {len(shown)} settings"
        raise SelectionError("depths", len(distinct(chosen, "depth")), accepted)
    used = np.ones((len(page), len(values)), dtype=bool)
    marks: set[str] = set()
    with mpl.rc_context(STYLE):
        height = min((1.45 if len(page) <= 3 else 1.3) * len(page) + 0.4, ROWS_HEIGHT)
        figure, panels = new_sheet(used, DOUBLE_COLUMN, height, labels=(STEP_LABEL, ""), sharey=False)
        for row, (title, rows) in enumerate(page):
            gradients = limits_of(rows, GRADIENTS)
            for ax, value in zip(panels[row], values, strict=True):
                marks |= draw_panel(ax, rows, value, looks, gradients if value in GRADIENTS else limits_of(chosen, [value]))
                marks |= _draw_law(ax, rows, value)
                ax.tick_params(labelleft=value not in GRADIENTS[1:])
                ax.set_ylabel({GRADIENTS[0]: GRADIENT_LABEL}.get(value, "" if value in GRADIENTS else VALUES[value]))
                ax.set_title(TITLES.get(value, "") if row == 0 else "")
            # One axis, whichever of them has a band for zeros.
            alike = panels[row, -len(GRADIENTS) :]
            for ax in alike:
                ax.set_ylim(bottom=min(other.get_ylim()[0] for other in alike))
            panels[row, 0].set_title(title, loc="left")
        figure.align_ylabels([ax for ax in panels.flat if ax.get_ylabel()])
        figure.suptitle(_heading(chosen, frame, len(shown)), fontsize=8)
        legend_below(figure, _handles(chosen, marks), title=_words(chosen, marks, ", "))
    return figure


def _draw_law(ax: Axes, rows: pd.DataFrame, value: str) -> set[str]:
    """The law of each scale's loss, where there is one. rows: of one setting, depth and learning rate."""
    if value != "loss" or not is_aligned(rows):
        return set()
    if not has_law(rows):
        return {"lawless"}
    for scale in distinct(rows, "scale"):
        ax.plot(*law_line(rows.loc[rows["scale"] == scale]), **LAW)
    return {"law"}


def chosen_for_page(
    frame: pd.DataFrame,
    depths: Sequence[int] | None = None,
    scales: Sequence[float] | None = None,
    learning_rate: float | None = None,
) -> pd.DataFrame:
    """The rows that :func:`draw_curves` draws."""
    shown = facets(frame)[:MOST_ROWS]
    if depths is None:
        known, count = distinct(frame, "depth"), min(MOST_DEPTHS, MOST_ROWS // len(shown))
        depths = spread(known, count) if count > 1 else known[-1:]
    return choose(pd.concat([rows for _, rows in shown]), depths, scales, learning_rate)


def choose(
    frame: pd.DataFrame, depths: Sequence[int], scales: Sequence[float] | None, learning_rate: float | None
) -> pd.DataFrame:
    """The rows of those depths, of the wanted or up to four spread scales, and of one learning rate, by default the middle.

    Where the readout has rates of its own, it is that of the other layers if the run holds it, else the middle one.
    """
    if scales is None:
        scales = spread(distinct(frame, "scale"), MOST_SCALES)
    if learning_rate is None:
        learning_rate = _middle(distinct(frame, "learning_rate"))
    rows = select(frame, depths=depths, scales=scales, learning_rates=[learning_rate])
    if len(distinct(rows, "scale")) > MOST_SCALES:
        raise SelectionError("scales", len(distinct(rows, "scale")), f"up to {MOST_SCALES}, the lines that a panel has")
    readout = distinct(rows, "readout_learning_rate")
    same = distinct(rows, "learning_rate")[0]
    return select(rows, readout_learning_rates=[same if same in readout else _middle(readout)])


def _middle(values: list[Any]) -> Any:
    return values[(len(values) - 1) // 2]


def _page(chosen: pd.DataFrame) -> list[Row]:
    named, several = varying(chosen), len(facets(chosen)) > 1
    return [
        Row(f"{panel_title(facet, named)}, L = {depth}" if several else f"L = {depth}", rows.loc[rows["depth"] == depth])
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
    words = [] if len(settings) > 1 else [panel_title(settings[0][0], ["width", "optimizer"])]
    words.append(_rate_words(chosen, frame))
    count = len(facets(frame))
    words += [f"the first {shown} of {count} settings"] if shown < count else []
    return ", ".join(words)


def _handles(chosen: pd.DataFrame, marks: set[str]) -> list[Any]:
    handles: list[Any] = [
        Line2D([], [], label=f"scale {scale:g}", **look) for scale, look in reversed(looks_of(chosen).items())
    ]
    diverged = "a seed diverged" + (", or is undefined" if "undefined" in marks else "")
    handles += [Line2D([], [], color="0.3", label=diverged, **CROSS)] if "cross" in marks else []
    handles += [Line2D([], [], label="modes one by one (Saxe et al. 2014)", **LAW)] if "law" in marks else []
    handles += [Line2D([], [], color="0.3", label="exactly zero", **TRIANGLE)] if "triangle" in marks else []
    return handles + ([note_handle(LAWLESS)] if "lawless" in marks else [])


def _words(chosen: pd.DataFrame, marks: set[str], end: str) -> str:
    """What lines and bands are."""
    seeds = len(distinct(chosen, "seed"))
    words = [f"median (lines) and smallest to largest (bands) of {seeds} seeds" if seeds > 1 else "1 seed"]
    words += ["without seeds that have diverged"] if seeds > 1 and "cross" in marks else []
    return end.join(words)


def _draw_from(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    """Also prints how first gradients fare, and how far deep linear networks are from the law of their modes."""
    if arguments.learning_rates and len(arguments.learning_rates) > 1:
        raise SelectionError("learning_rates", arguments.learning_rates, "one: a figure is of one learning rate")
    curves = selected(arguments, load_curves(arguments.run_dir), TRAINED)
    figure = draw_curves(curves, loss=manifest["training"]["loss"], depths=arguments.depths, scales=arguments.scales)
    chosen = chosen_for_page(curves, arguments.depths, arguments.scales)
    for line in [*describe_gradients(chosen), *describe_law(chosen)]:
        print(line)
    return figure


FIGURE = Command(
    summary="loss, accuracy and gradients of the first, middle and last layer while training",
    example="depthscale plot curves results/digits --initializers orthogonal --depths 8 32 --scales 0.4 1 2.8",
    draw=_draw_from,
    add_options=add_training_options,
    reads="training",
    table="curves",
)
