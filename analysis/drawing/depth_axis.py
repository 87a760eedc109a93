"""Ticks at the depths that were run, so that no label stands where no network was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from analysis.drawing.style import SMALL
from analysis.numbers.grid import evenly_spaced_in_log

DIGIT, SPACE = 0.64, 0.9  # of the type size: the width of a digit, and what stays free between labels


def set_depth_ticks(ax: Axes, depths: Sequence[float]) -> None:
    """On a log axis with its limits set: a tick at every depth, labelled where there is room."""
    low, high = np.log(ax.get_xlim())
    figure = ax.get_figure(root=True)
    # The layout is not made yet; the grid that it starts from is wide enough to go by.
    points = ax.get_position().width * (figure.get_figwidth() if figure else 1.0) * 72
    unit = points / (high - low)

    def clear(one: float, other: float) -> bool:
        return abs(math.log(one / other)) * unit > SMALL * ((len(f"{one:g}{other:g}") / 2) * DIGIT + SPACE)

    shown: list[float] = []
    if evenly_spaced_in_log(np.array(depths)):
        for stride in range(1, len(depths)):
            shown = list(depths[::stride] if (len(depths) - 1) % stride == 0 else depths[::-stride])
            if all(clear(one, other) for one, other in pairwise(shown)):
                break
    else:
        for depth in (depths[0], depths[-1], *depths):
            if all(clear(depth, other) for other in shown):
                shown.append(depth)
    ax.xaxis.set_major_locator(FixedLocator(sorted(shown)))
    ax.xaxis.set_minor_locator(FixedLocator(list(depths)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda depth, _: f"{depth:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
