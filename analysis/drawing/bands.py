"""Points that an axis has no place for, in bands beside the others: what never came, exact zeros, what overflowed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from analysis.drawing.labels import counted
from analysis.drawing.step_axis import NO_STEP
from analysis.drawing.style import round_ticks

LINEAR = 0.5  # decades on either side of 0 within which the x axis is nearly linear; beyond, logarithmic
# The multiples of these fill an interval evenly, and both together a square (Roberts' R2 sequence): a jitter without chance.
ACROSS, UP = 0.7548776662466927, 0.5698402909980532
MARGIN, SIDE, TOP = 0.03, 0.075, 0.27  # of the width or height that the finite values take
WRITTEN = 0.3  # of the band on top is left to its name
GREY: dict[str, Any] = {"color": "0.9", "linewidth": 0}
DECADE_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class Bands(NamedTuple):
    """Ends (first, last) of the finite values and of the bands; positions are arcsinh(x / LINEAR), and ln(y)."""

    x: tuple[float, float]
    y: tuple[float, float]
    left: tuple[float, float]
    right: tuple[float, float]
    top: tuple[float, float]


def lay_out(x: np.ndarray, y: np.ndarray, steps: int) -> Bands:
    """Room for all finite decades x and steps y < ``steps``, and bands beyond for ``-inf`` and ``inf``."""
    across = np.arcsinh(x[np.isfinite(x)] / LINEAR)
    low, high = min(across, default=0.0), max(across, default=0.0)
    low, high = min(low, -LINEAR), max(high, LINEAR)
    width, margin = high - low, MARGIN * (high - low)
    upper = np.log(steps)
    lower = min(np.log(np.maximum(y[np.isfinite(y)], NO_STEP)), default=upper)
    lower = min(lower, upper - np.log(2))
    height = upper - lower
    return Bands(
        (low - margin, high + margin),
        (lower - MARGIN * height, upper),
        (low - margin - SIDE * width, low - margin),
        (high + margin, high + margin + SIDE * width),
        (upper + MARGIN * height, upper + (MARGIN + TOP) * height),
    )


def place(bands: Bands, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the points are drawn, as decades and steps: infinite ones evenly jittered within their bands, in their order."""
    with np.errstate(over="ignore"):
        across, up = np.arcsinh(x / LINEAR), np.log(np.maximum(y, NO_STEP))
    for values, beyond, (first, last), share, step in (
        (across, np.isneginf(x), bands.left, 1.0, ACROSS),
        (across, np.isposinf(x), bands.right, 1.0, ACROSS),
        (up, np.isposinf(y), bands.top, 1 - WRITTEN, UP),
    ):
        spread = 0.08 + 0.84 * (step * np.arange(beyond.sum()) % 1)
        values[beyond] = first + share * spread * (last - first)
    return LINEAR * np.sinh(across), np.exp(up)


def beyond_top(bands: Bands, y: np.ndarray) -> np.ndarray:
    """The steps y, with ``inf`` in the middle of the points of the band on top: for lines."""
    first, last = bands.top
    return np.where(np.isposinf(y), np.exp(first + (1 - WRITTEN) / 2 * (last - first)), np.maximum(y, NO_STEP))


def draw_bands(ax: Axes, bands: Bands, x: np.ndarray, y: np.ndarray, steps: int) -> list[Patch]:
    """Both axes, and each band that has points: grey, with its name and their number.

    Returns the legend's entry that says what a place in a band means, if there is one.
    """
    zeros, overflows, never = int(np.isneginf(x).sum()), int(np.isposinf(x).sum()), int(np.isposinf(y).sum())
    ax.set_xscale("asinh", linear_width=LINEAR)
    ax.set_yscale("log")
    ends = bands.left[0] if zeros else bands.x[0], bands.right[1] if overflows else bands.x[1]
    ax.set_xlim(*(LINEAR * np.sinh(end) for end in ends))
    ax.set_ylim(*np.exp((bands.y[0], bands.top[1] if never else bands.top[0])))
    look = GREY | {"zorder": 0}
    ax.axvline(0, color="0.6", linewidth=0.5, zorder=1)
    if never:
        ax.axhspan(*np.exp(bands.top), **look)
        text = f"not within {steps} steps ({never} of {counted(len(y), 'network')})"
        top = {"xycoords": "axes fraction", "xytext": (0, -2.5), "textcoords": "offset points", "bbox": GREY | {"pad": 1}}
        ax.annotate(text, (0.5, 1), ha="center", va="top", zorder=6, **top)
    for count, band, name in ((zeros, bands.left, "exactly zero"), (overflows, bands.right, "beyond range")):
        if count:
            ax.axvspan(*(LINEAR * np.sinh(end) for end in band), **look)
            middle = LINEAR * np.sinh(sum(band) / 2)
            across = ax.get_xaxis_transform()
            ax.text(middle, 0.02, f"{name} ({count})", rotation=90, ha="center", va="bottom", transform=across, zorder=6)
    _set_ticks(ax, bands)
    words = [f"target not reached\nwithin {steps} steps"] if never else []
    words += ["gradient exactly zero"] if zeros else []
    words += ["gradient beyond range"] if overflows else []
    if not words:
        return []
    return [Patch(label="\n".join(["band: " + ";\n".join(words) + ";", "place in it (jitter)", "means nothing"]), **GREY)]


def _set_ticks(ax: Axes, bands: Bands) -> None:
    """Few round numbers, and none in a band."""
    low, high = (LINEAR * np.sinh(end) for end in bands.x)
    decades = [0.0, *(sign * tick for tick in DECADE_TICKS for sign in (-1, 1))]
    if min(-low, high) < 1:  # a side has no other tick
        decades += [-0.5, 0.5, -0.2, 0.2]
    ax.xaxis.set_major_locator(FixedLocator([tick for tick in decades if low <= tick <= high]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}".replace("-", "−")))
    ax.xaxis.set_minor_locator(NullLocator())
    first, last = np.exp(bands.y).tolist()
    steps = [tick for tick in round_ticks(max(first, NO_STEP), last) if tick >= 1]
    ax.yaxis.set_major_locator(FixedLocator([*([NO_STEP] if first <= NO_STEP else []), *steps]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: "0" if tick == NO_STEP else f"{tick:g}"))
    ax.yaxis.set_minor_locator(NullLocator())
