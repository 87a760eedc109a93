"""A page of panels: their places, labels on its outer edge only, titles that fit above them, and a legend below.

All of it is called within ``mpl.rc_context(STYLE)``, as everything that draws.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from analysis.drawing.labels import plain
from analysis.drawing.style import SINGLE_COLUMN, SMALL, new_figure, tidy

PAGE = 9.5  # inches: the height of a figure that fits on a page with its caption
LINE = 0.16  # inches that a line of a legend or title takes
ROOMY = 1.2  # times a label's length: a row of panels in which it does not crowd the next one's
POINTS = 72  # an inch
BREAKS = (
    ", ",
    " ",
    ":",
    "_",
    ",",
    "=",
    ".",
)  # of a title: at the next only if a piece is too wide by itself
# Below a panel's own tick labels and label: for a map, which leaves no place for a legend inside.
UNDER: Any = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "borderaxespad": 5.5}
KEY = 4.5  # of a legend's type size: what a column takes beside its words


def in_rows(count: int, columns: int) -> np.ndarray:
    """[rows, columns]: which places ``count`` panels take, in reading order."""
    rows = math.ceil(count / columns)
    return np.arange(rows * columns).reshape(rows, columns) < count


def new_sheet(
    used: np.ndarray, width: float, height: float, *, labels: tuple[str, str] = ("", ""), share: bool = True, **grid: Any
) -> tuple[Figure, np.ndarray]:
    """A figure of that size in inches, without its legend, and its panels [rows, columns]; the places not used are empty.

    labels: of x and y, on the lowest panel of each column and the first of each row, or one y for all rows where these are
    too low for it. ``share``: all panels have the same
    axes, and ticks are labelled there alone. grid: for :meth:`matplotlib.figure.Figure.subplots`, such as ``height_ratios``.
    """
    figure = new_figure(width, min(height, PAGE))
    room = (min(height, PAGE) / len(used) - 2 * LINE) * POINTS  # of a row beside its title
    crowded = ROOMY * text_width(labels[1], mpl.rcParams["axes.labelsize"]) > room
    if crowded:
        figure.supylabel(labels[1])
    shared = {"sharex": share, "sharey": share} | grid
    panels = figure.subplots(*used.shape, squeeze=False, **shared)
    for (row, column), ax in np.ndenumerate(panels):
        if not used[row, column]:
            ax.set_axis_off()
            continue
        tidy(ax)
        lowest, first = not used[row + 1 :, column].any(), not used[row, :column].any()
        ax.set(xlabel=labels[0] if lowest else "", ylabel=labels[1] if first and not crowded else "")
        if share:
            ax.tick_params(labelbottom=lowest, labelleft=first)
            _quieten(ax, inner_x=shared["sharex"] and not lowest, inner_y=shared["sharey"] and not first)
    return figure, panels


def _quieten(ax: Axes, *, inner_x: bool, inner_y: bool) -> None:
    """An axis without labels keeps its long ticks only, and a layout, whose time goes there, measures its spine instead."""
    for inner, axis, spine in ((inner_x, ax.xaxis, ax.spines.bottom), (inner_y, ax.yaxis, ax.spines.left)):
        axis.set_in_layout(not inner)
        spine.set_in_layout(inner)
        if inner:
            axis.set_tick_params(which="minor", left=False, bottom=False, labelleft=False, labelbottom=False)


def fit_titles(figure: Any, panels: Iterable[Axes]) -> None:
    """Break titles and labels of x so that none is wider than its panel; the figure grows by the lines that this adds."""
    figure.get_layout_engine().execute(figure)
    added: dict[int, int] = {}
    panels = list(panels)
    for text in figure.texts:  # the label of all rows, which beside a legend is not in the middle of the figure
        if text.get_rotation():
            text.set_y(sum(f(getattr(ax.get_position(), y) for ax in panels) for f, y in ((min, "y0"), (max, "y1"))) / 2)
    for ax in panels:
        place, width = ax.get_subplotspec(), ax.get_window_extent().width / figure.dpi * POINTS
        rows = (place.rowspan.start, place.rowspan.stop) if place else (0, 1)
        for text, row in zip((ax.title, ax.xaxis.label), rows, strict=True):
            before = text.get_text()
            text.set_text("\n".join(broken(before, width, float(text.get_fontsize()))))
            added[row] = max(added.get(row, 0), text.get_text().count("\n") - before.count("\n"))
    grow(figure, sum(added.values()) * LINE)


def broken(text: str, width: float, size: float, marks: Sequence[str] = BREAKS) -> list[str]:
    """The lines of a text that are at most ``width`` points wide at that type size, where it can be broken so."""
    lines: list[str] = []
    for whole in text.split("\n"):
        line = ""
        for piece in _pieces(whole, width, size, marks):
            if line and text_width(line + piece, size) > width:
                lines.append(line.rstrip())
                line = ""
            line += piece
        lines.append(line.rstrip())
    return lines


def _pieces(text: str, width: float, size: float, marks: Sequence[str]) -> list[str]:
    if not marks or text_width(text, size) <= width:
        return [text]
    parts = [""]
    for part in re.split(rf"(?<={re.escape(marks[0])})(?=\S)", text):
        if parts[-1].replace(r"\$", "").count("$") % 2:  # within mathematics
            parts[-1] += part
        else:
            parts.append(part)
    return [piece for part in parts[1:] for piece in _pieces(part, width, size, marks[1:])]


def shortened(name: str, width: float, size: float) -> str:
    """A name as it is, ready for matplotlib, without as much of its beginning as makes it wider than ``width`` points.

    The end of package.module:function is what names it.
    """
    ends = (plain(name), *(f"…{plain(name[start:])}" for start in range(1, len(name))))
    return next((end for end in ends if text_width(end, size) <= width), "…")


@cache
def text_width(text: str, size: float) -> float:
    """In points, at that type size: between the outermost points of its outlines, which lie on them."""
    if not text.strip():
        return 0.0
    outlines = TextPath((0, 0), text.rstrip(), size=size)
    return float(np.ptp(outlines.vertices[outlines.codes != Path.CLOSEPOLY, 0]))


def legend_below(figure: Figure, handles: Sequence[Any], *, title: str = "", most: int | None = None, **look: Any) -> None:
    """A legend under all panels, in as many columns as fit (and ``most``, if given); the figure grows by its height.

    look: for :meth:`matplotlib.figure.Figure.legend`.
    """
    if not handles:
        return
    labels = [handle.get_label().split("\n") for handle in handles]
    widest = max(text_width(line, SMALL) for label in labels for line in label) + KEY * SMALL
    columns = max(int(figure.get_figwidth() * POINTS // widest), 1)
    columns = min(columns, len(handles), most or len(handles))
    lines = math.ceil(sum(map(len, labels)) / columns) + (title.count("\n") + 1 if title else 0)
    grow(figure, 0.08 + LINE * lines)
    look = {"handlelength": 2.4, "columnspacing": 1.4} | look
    legend = figure.legend(handles=handles, title=title or None, loc="outside lower center", ncols=columns, **look)
    legend.get_title().set_multialignment("center")


def note_handle(text: str) -> Patch:
    """A sentence as an entry of a legend, in lines that fit one column."""
    width = SINGLE_COLUMN * POINTS - (KEY + 1) * SMALL
    return Patch(facecolor="none", edgecolor="none", label="\n".join(broken(text, width, SMALL, BREAKS[1:])))


def grow(figure: Figure, inches: float) -> None:
    """Make a figure higher, up to a page."""
    figure.set_figheight(max(min(figure.get_figheight() + inches, PAGE), figure.get_figheight()))


def add_key(ax: Axes, handles: Sequence[Any], *, inside: bool, title: str = "", **look: Any) -> None:
    """A panel's legend: inside it, or below the figure of which it is the only panel.

    look: of the legend inside, for :meth:`matplotlib.axes.Axes.legend`, such as :data:`UNDER`.
    """
    if inside and handles:
        ax.legend(handles=handles, title=title or None, **look)
    elif handles:
        figure: Any = ax.get_figure(root=True)
        legend_below(figure, handles, title=title)
