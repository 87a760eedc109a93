"""Ticks at the depths that were run, so that no label stands where no network was."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from analysis.drawing.style import SMALL

DIGIT, SPACE = 0.64, 0.9  # of the type size: the width of a digit, and what stays free between labels


def set_depth_ticks(ax: Axes, depths: Sequence[float]) -> None:
    """On a log axis with its limits set: a tick at every depth, labelled where there is room, both ends first."""
    low, high = np.log(ax.get_xlim())
    figure = ax.get_figure(root=True)
    # The layout is not made yet; the grid that it starts from is wide enough to go by.
    points = ax.get_position().width * (figure.get_figwidth() if figure else 1.0) * 72
    unit = points / (high - low)
    shown: list[float] = []
    for depth in (depths[0], depths[-1], *depths):
        if all(abs(math.log(depth / other)) * unit > _room(depth, other) for other in shown):
            shown.append(depth)
    ax.xaxis.set_major_locator(FixedLocator(sorted(shown)))
    ax.xaxis.set_minor_locator(FixedLocator(list(depths)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda depth, _: f"{depth:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def _room(depth: float, other: float) -> float:
    """How many points the centres of two labels must be apart."""
    return SMALL * ((len(f"{depth:g}") + len(f"{other:g}")) / 2 * DIGIT + SPACE)
