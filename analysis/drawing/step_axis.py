"""A logarithmic axis of steps to a target, with a band on top for what was not reached within the steps that were run."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from analysis.drawing.style import SMALL

NO_STEP = 0.5  # where a log axis shows 0: a target that was met before the first update
SHARE = 0.35  # of the axis, that the band takes at most
WIDE = 300.0  # an axis that long has ticks at powers of ten alone
BAND = {"color": "0.91", "linewidth": 0, "zorder": 0}


class StepAxis(NamedTuple):
    """From ``low`` to ``top``, with a band above ``steps`` for what is not reached within them, if there is any."""

    low: float
    top: float
    steps: int
    lanes: np.ndarray | None  # [lines]: where in the band each line's markers are


def step_axis(values: np.ndarray, steps: int, lines: int) -> StepAxis:
    """The axis that shows these numbers of steps, of any shape; inf: not within ``steps``; NaN is not shown."""
    reached = np.maximum(values[np.isfinite(values)], NO_STEP)
    low, high = (float(reached.min()) / 1.3, float(reached.max()) * 1.3) if reached.size else (1.0, float(steps))
    if not np.isposinf(values).any():
        return StepAxis(low, high, steps, None)
    share = min(0.1 + 0.04 * lines, SHARE)
    low = min(low, steps / 2)
    top = steps * (steps / low) ** (share / (1 - share))
    # The first line is on top, as in a legend; words have the lowest lane.
    lanes = steps * (top / steps) ** (1 - (np.arange(lines) + 0.7) / (lines + 1.9))
    return StepAxis(low, top, steps, lanes)


def heights(axis: StepAxis, values: np.ndarray, line: int) -> np.ndarray:
    """Where numbers of steps of that line are drawn: inf in its lane, 0 at :data:`NO_STEP`; NaN stays."""
    beyond = axis.lanes[line] if axis.lanes is not None else np.nan
    return np.where(np.isposinf(values), beyond, np.maximum(values, NO_STEP))


def set_step_axis(ax: Axes, axis: StepAxis, words: str) -> None:
    """Give a panel that y axis, its ticks, and the band with these words."""
    ax.set(yscale="log", ylim=(axis.low, axis.top))
    end = axis.top if axis.lanes is None else axis.steps
    decades = 10.0 ** np.arange(max(math.floor(math.log10(axis.low)), 0), math.ceil(math.log10(end)) + 1)
    digits = (1,) if end / axis.low > WIDE else (1, 2, 5)
    major = [decade * digit for decade in decades for digit in digits if decade * digit <= end]
    minor = [decade * digit for decade in decades for digit in range(2, 10) if decade * digit <= end]
    ax.yaxis.set_major_locator(FixedLocator([NO_STEP, *major]))
    ax.yaxis.set_minor_locator(FixedLocator(minor))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda count, _: "0" if count == NO_STEP else f"{count:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    if axis.lanes is not None:
        ax.axhspan(axis.steps, axis.top, **BAND)
        place = {"xycoords": ax.get_yaxis_transform(), "xytext": (3, 2), "textcoords": "offset points"}
        ax.annotate(words, (0, axis.steps), va="bottom", fontsize=SMALL, color="0.35", **place)
