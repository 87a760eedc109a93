"""How figures look in print: sizes of a journal's columns, type of at least 7 points, thin lines."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

SINGLE_COLUMN = 3.5  # inches, as all sizes here
DOUBLE_COLUMN = 7.2
DPI = 300
SMALL = 7  # points
# Okabe & Ito's colours without the yellow, which is lost on paper; with six shapes no pair returns before the 43rd line.
QUALITATIVE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "black", "#56b4e9", "#e69f00")
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES: Any = ("solid", (0, (4, 1.5)), (0, (1, 1.2)), (0, (4, 1.5, 1, 1.5)))
# Of the machine or the user's window system, and none of a figure's looks.
OTHERS = ("backend", "interactive", "toolbar", "timezone", "date.epoch", "savefig.directory", "docstring.hardcopy")
WINDOWS = ("webagg.", "tk.", "keymap.", "figure.raise_window", "figure.max_open_warning", "backend_fallback")

STYLE: Any = {
    # All of matplotlib's defaults, so that no settings file of the user's changes a figure.
    **{
        name: mpl.rcParamsDefault[name]
        for name in mpl.rcParamsDefault
        if name not in OTHERS and not name.startswith(WINDOWS)
    },
    "font.size": SMALL,
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that a figure is the same on every machine
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.titlepad": 4,
    "axes.linewidth": 0.6,
    "figure.labelsize": 8,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.title_fontsize": SMALL,
    "legend.frameon": False,
    "lines.linewidth": 1.0,
    "hatch.linewidth": 0.5,
    "svg.fonttype": "none",  # text stays text
    "pdf.fonttype": 42,  # TrueType, which journals ask for
    "svg.hashsalt": "depthscale",  # the same figure is the same bytes
}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that size in inches, outside pyplot's global list."""
    return Figure(figsize=(width, height), layout="constrained")


def new_axes(width: float, height: float) -> Axes:
    """One panel on a new figure of that size in inches."""
    with mpl.rc_context(STYLE):
        axes = new_figure(width, height).add_subplot()
        tidy(axes)
    return axes


def tidy(axes: Axes) -> None:
    """Print-size ticks: set on the axes, because ticks are made when drawn, after any style context has ended."""
    axes.tick_params(which="major", labelsize=SMALL, width=0.6, length=2.5, pad=2)
    axes.tick_params(which="minor", width=0.4, length=1.5)
    for side in ("top", "right"):  # nothing stands out there, and for each spine a layout makes all ticks again
        axes.spines[side].set_in_layout(False)


def depth_ticks(first: float, last: float) -> list[float]:
    """Round numbers on a log axis from ``first`` to ``last``: both ends, and powers of ten that stand clear of them."""
    clear = 0.16 * np.log10(last / first) if last > first else 0.0
    powers = 10.0 ** np.arange(np.ceil(np.log10(first)), np.floor(np.log10(last)) + 1)
    inner = [p for p in powers if np.log10(p / first) > clear and np.log10(last / p) > clear]
    return sorted({float(first), *map(float, inner), float(last)})


def round_ticks(first: float, last: float) -> list[float]:
    """1, 2 and 5 times the powers of ten from ``first`` to ``last``, both included."""
    powers = 10.0 ** np.arange(np.floor(np.log10(first)), np.ceil(np.log10(last)) + 1)
    return [float(digit * power) for power in powers for digit in (1, 2, 5) if first <= digit * power <= last * (1 + 1e-9)]
