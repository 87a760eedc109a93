"""An axis of decades, linear near 0 and logarithmic beyond, with bands at its ends for exact zeros and for overflows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from analysis.drawing.step_axis import BAND
from analysis.drawing.style import SMALL

LINEAR = 3.0  # decades around 0 within which the axis is linear
TICKS = (3, 10, 30, 100, 300, 1000, 3000)
EACH, MOST = 0.035, 0.3  # of the axis: a band's height for each line in it, and at most


class DecadeAxis(NamedTuple):
    """Ends (first, last) of the finite values and of the bands, in :func:`_up`'s units; a band without lines is empty."""

    inside: tuple[float, float]
    zeros: float  # where the band below begins
    overflows: float  # where the band above ends
    lines: int


def decade_axis(values: np.ndarray, lines: int) -> DecadeAxis:
    """The axis that shows these decades, of any shape; -inf: exactly zero, inf: beyond range; NaN is not shown."""
    finite = _up(values[np.isfinite(values)])
    low, high = min(finite.min(initial=0.0), -1.0), max(finite.max(initial=0.0), 1.0)
    margin = 0.06 * (high - low)
    low, high = low - margin, high + margin
    room = min(EACH * lines + 0.06, MOST) * (high - low)
    return DecadeAxis(
        (low, high),
        low - room * np.isneginf(values).any(),
        high + room * np.isposinf(values).any(),
        lines,
    )


def decade_heights(axis: DecadeAxis, values: np.ndarray, line: int) -> np.ndarray:
    """Where the decades of that line are drawn: infinite ones in its lane of a band; NaN stays."""
    share = (line + 0.9) / (axis.lines + 1.4)  # the first line is on top
    zeros = axis.inside[0] - share * (axis.inside[0] - axis.zeros)
    overflows = axis.overflows - share * (axis.overflows - axis.inside[1])
    return np.where(np.isneginf(values), _down(zeros), np.where(np.isposinf(values), _down(overflows), values))


def set_decade_axis(ax: Axes, axis: DecadeAxis) -> None:
    """Give a panel that y axis, its ticks, and its bands with their names."""
    ax.set_yscale("function", functions=(_up, _down))
    ax.set_ylim(_down(axis.zeros), _down(axis.overflows))
    low, high = map(_down, axis.inside)
    ticks = [tick for tick in (*(-tick for tick in TICKS), 0, *TICKS) if low <= tick <= high]
    ax.yaxis.set_major_locator(FixedLocator(ticks))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}".replace("-", "−")))
    ax.axhline(0, color="0.6", linewidth=0.5, zorder=1)
    place = {"xycoords": ax.get_yaxis_transform(), "textcoords": "offset points", "fontsize": SMALL, "color": "0.35"}
    if axis.zeros < axis.inside[0]:
        ax.axhspan(_down(axis.zeros), low, **BAND)
        ax.annotate("exactly zero", (0, _down(axis.zeros)), xytext=(3, 2), va="bottom", **place)
    if axis.overflows > axis.inside[1]:
        ax.axhspan(high, _down(axis.overflows), **BAND)
        ax.annotate("loss beyond range", (0, high), xytext=(3, 2), va="bottom", **place)


def _up(decades: Any) -> Any:
    return np.arcsinh(np.asarray(decades, float) / LINEAR)


def _down(position: Any) -> Any:
    return LINEAR * np.sinh(position)
