"""A user's own axes, or a new one of ours: under whose settings it is drawn, and the labels that it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.axes import Axes

from analysis.drawing.style import STYLE, new_axes


@contextmanager
def given_or_new(ax: Axes | None, width: float, height: float) -> Iterator[Axes]:
    """The axes that is given, under its user's settings; or a new one of that size (inches), under ours."""
    if ax is not None:
        yield ax
        return
    with mpl.rc_context(STYLE):
        yield new_axes(width, height)


def label(ax: Axes, x: str, y: str, title: str) -> None:
    """Write what an axes lacks of its two labels and its title."""
    ax.set(xlabel=ax.get_xlabel() or x, ylabel=ax.get_ylabel() or y, title=ax.get_title() or title)
