"""Decades as colours: white where nothing changes, and ends that a few huge cells do not move."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.ticker import FuncFormatter

from analysis.drawing.style import tidy
from analysis.numbers.grid import Grid
from analysis.numbers.statistics import number_range

ROBUST = 0.7  # the colours resolve this share of the cells' magnitudes
PALE = 0.05  # of the colours' limit: up to there a map is white, and its sign says nothing
# Red and blue are the same grey: what is larger than 1 is hatched, so that a print without colour shows it.
ABOVE: Any = {"facecolor": "none", "edgecolor": "0.55", "hatch": "\\\\\\\\", "linewidth": 0}


class Colours(NamedTuple):
    """How values become colours, and the extremes of the data, of which some may lie beyond them."""

    cmap: Colormap
    norm: Normalize
    extend: str
    lowest: float
    highest: float

    @property
    def hatched(self) -> float:
        """Decades from which a map is hatched; inf for colours that start at 0."""
        low, high = self.norm.vmin or 0.0, self.norm.vmax or 0.0
        return PALE * high if low < 0 else np.inf


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


def draw_colorbar(panels: list[Axes], colours: Colours, words: str) -> None:
    """One bar for all panels, hatched as they are, with these words."""
    low, high = colours.norm.vmin or 0.0, colours.norm.vmax or 1.0
    figure: Any = panels[0].figure
    mappable = ScalarMappable(colours.norm, colours.cmap)
    # These span all rows and columns, and a layout measures the bar once for each that is named.
    ends = [panels[0], *panels[1:][-1:]]
    bar = figure.colorbar(mappable, ax=ends, extend=colours.extend, aspect=30, pad=0.015, label=words)
    bar.set_ticks(np.linspace(low, high, 5))
    bar.formatter = FuncFormatter(lambda decades, _: f"{decades:g}".replace("-", "−"))
    bar.update_ticks()
    bar.outline.set_linewidth(0.6)
    if colours.hatched < high:
        bar.ax.axhspan(colours.hatched, high, **ABOVE)
    tidy(bar.ax)
