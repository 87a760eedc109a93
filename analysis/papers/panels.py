"""The panels of a paper's figure: on a new page in our style, or on axes that are given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.drawing.style import DASHES, DOUBLE_COLUMN, MARKERS, QUALITATIVE, STYLE, new_figure, tidy

BAND = 0.18  # how much of a band's colour is seen
THEORY: Any = {"color": "black", "linewidth": 0.9, "linestyle": (0, (4, 1.5)), "zorder": 5}


@contextmanager
def panels(
    count: int, axes: Sequence[Axes] | None, *, rows: int = 1, height: float = 2.35, width: float = DOUBLE_COLUMN
) -> Iterator[np.ndarray]:
    """``count`` panels, row by row, the last row perhaps short: the axes given, or of a new figure of that size in inches.

    Raises ValueError for another number of axes.
    """
    if axes is not None:
        given = np.ravel(np.asarray(axes, object))
        if len(given) != count:
            raise ValueError(f"axes: got {len(given)}, expected {count}")
        yield given
        return
    with mpl.rc_context(STYLE):
        made = new_figure(width, height).subplots(rows, -(-count // rows), squeeze=False).ravel()
        for ax in made[:count]:
            tidy(ax)
        for ax in made[count:]:
            ax.remove()
        yield made[:count]


def look(place: int) -> dict[str, Any]:
    """Colour, dash and marker of the line at that place among others: told apart without colour too."""
    return {
        "color": QUALITATIVE[place % len(QUALITATIVE)],
        "linestyle": DASHES[place % len(DASHES)],
        "marker": MARKERS[place % len(MARKERS)],
        "markersize": 3,
    }


def line_over_seeds(ax: Axes, frame: pd.DataFrame, x: str, y: str, place: int = 0, **words: Any) -> None:
    """The median over seeds of y against x, on a band from the 10 % to the 90 % quantile."""
    low, middle, high = (frame.groupby(x, sort=True)[y].quantile(q) for q in (0.1, 0.5, 0.9))
    style = look(place) | words
    ax.fill_between(
        middle.index.to_numpy(float),
        low.to_numpy(float),
        high.to_numpy(float),
        color=style["color"],
        alpha=BAND,
        linewidth=0,
    )
    ax.plot(middle.index.to_numpy(float), middle.to_numpy(float), **style)


def name_panels(axes: Any, titles: Sequence[str]) -> None:
    """Titles, and a legend wherever there are lines with names."""
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title)
        if ax.get_legend_handles_labels()[1]:
            ax.legend(handlelength=2.2, frameon=True, framealpha=0.75, edgecolor="none")
