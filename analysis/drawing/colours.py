"""Decades as colours: white where nothing changes, and ends that a few huge cells do not move."""

from __future__ import annotations

import math
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.colors import Colormap, Normalize

from analysis.numbers.grid import Grid
from analysis.numbers.statistics import number_range

ROBUST = 0.7  # the colours resolve this share of the cells' magnitudes


class Colours(NamedTuple):
    """How values become colours, and the extremes of the data, of which some may lie beyond them."""

    cmap: Colormap
    norm: Normalize
    extend: str
    lowest: float
    highest: float


def choose_colours(grids: list[Grid], stat: str, limit: float | None = None) -> Colours:
    """Diverging colours that are symmetric about 10^0; for a standard deviation, sequential ones from 0."""
    values = np.concatenate([grid.field[np.isfinite(grid.field)] for grid in grids])
    lowest, highest = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if limit is None:
        limit = _round_up(_robust_limit(values))
    bottom = 0.0 if stat == "std" else -limit
    ends = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
    extend = ends[lowest < bottom, highest > limit]
    cmap = mpl.colormaps["cividis" if stat == "std" else "RdBu_r"]
    return Colours(cmap, Normalize(bottom, limit), extend, lowest, highest)


def _robust_limit(values: np.ndarray) -> float:
    # A few huge cells must not pale all others, nor may a flat field look dramatic: the limit lies between float16's
    # range (or what the data reach of it) and float32's.
    magnitudes = np.abs(values) if values.size else np.zeros(1)
    narrow, wide = number_range("float16").overflow, number_range("float32").overflow
    return max(0.1, min(max(float(np.quantile(magnitudes, ROBUST)), min(float(magnitudes.max()), narrow)), wide))


def _round_up(value: float) -> float:
    decade = 10.0 ** math.floor(math.log10(value))
    return next(step * decade for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * decade >= value * (1 - 1e-9))


def clipping(colours: Colours) -> str:
    """Colours that stop must say how far the data go on."""
    ends = {"min": [colours.lowest], "max": [colours.highest], "both": [colours.lowest, colours.highest]}[colours.extend]
    stop = f"±{colours.norm.vmax:g}" if (colours.norm.vmin or 0) < 0 else f"{colours.norm.vmax:g}"
    return f"colours end at {stop}; data reach {' and '.join(f'{end:.3g}' for end in ends)}".replace("-", "−")
