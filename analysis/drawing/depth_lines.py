"""Lines on a map over depth and weight scale where theory's depth scales end, each with its multiple written on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from analysis.drawing.sheet import text_width
from analysis.numbers.depth_scales import depth_scales
from analysis.numbers.published import TRAINABLE
from analysis.rows.select import Facet

CORRELATION, GRADIENT = r"\,\xi_c", r"/|\ln\chi_1|"
COLOURS: Mapping[str, str] = MappingProxyType({CORRELATION: "#d55e00", GRADIENT: "black"})
DASHES: Mapping[str, tuple] = MappingProxyType(  # of the first multiple, the second, …
    {
        CORRELATION: ("solid", (0, (6, 1.5)), (0, (6, 1.5, 1, 1.5)), (0, (1, 1.2))),
        GRADIENT: ((0, (3, 1.5)), (0, (3, 1.5, 1, 1.5, 1, 1.5)), (0, (1, 2.4)), (0, (9, 2))),
    }
)
WIDTH = 1.3
# White and without gaps under every line, so that dashes are seen on any colour.
HALO = withStroke(linewidth=WIDTH + 1.2, foreground="white", dashes={"dash_offset": 0, "dash_list": None})
POINTS = 121  # on a line
SIZE = 6  # of what is written on a line, points
LABEL: Any = {"fontsize": SIZE, "ha": "center", "va": "center", "zorder": 6, "clip_on": True}
LABEL_HALO = withStroke(linewidth=2, foreground="white")
INSIDE = (0.1, 0.9)  # of an axis: where a label may stand


def draw_depth_lines(
    ax: Axes, facet: Facet, correlation: Sequence[float], gradient: Sequence[float], *, labelled: bool = True
) -> dict[str, Line2D]:
    """Draw L = m ξ_c for every m in ``correlation`` and L = m / |ln χ₁| for every m in ``gradient``, where theory has them.

    The panel's limits are set, and stay. Returns the legend's entries by their labels.
    """
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    scales = np.linspace(max(low, (high - low) / POINTS), high, POINTS)
    lengths = depth_scales(facet, scales.tolist()) if len(correlation) or len(gradient) else None
    handles: dict[str, Line2D] = {}
    drawn: list[tuple[str, Line2D]] = []
    if lengths is None:
        return handles
    for symbol, length, multiples in zip(COLOURS, lengths, (correlation, gradient), strict=True):
        for place, multiple in enumerate(multiples):
            # a line to infinity, at the critical scale, leaves the map and comes back
            with np.errstate(over="ignore"):
                depth = np.minimum(multiple * length, 1e3 * right)
            if not ((depth > left) & (depth < right)).any():
                continue
            style = DASHES[symbol][place % len(DASHES[symbol])]
            look: Any = {"color": COLOURS[symbol], "linestyle": style, "linewidth": WIDTH}
            (line,) = ax.plot(depth, scales, zorder=4, path_effects=[HALO], **look)
            drawn.append((f"${multiple:g}{symbol}$", line))
            paper = " (Schoenholz et al. 2017)" if symbol == CORRELATION and multiple == TRAINABLE else ""
            label = f"theory: $L = {multiple:g}{symbol}${paper}"
            handles[label] = Line2D([], [], label=label, **look)
    ax.set(xlim=(left, right), ylim=(low, high))
    if labelled:
        _label(ax, drawn)
    return handles


def _label(ax: Axes, drawn: list[tuple[str, Line2D]]) -> None:
    """Write on each line what it is, where that is farthest from the other lines and from what is written already.

    Distances are in labels: across in their width, up in their height.
    """
    to_axes = ax.transData + ax.transAxes.inverted()
    figure: Any = ax.get_figure(root=True)
    place = ax.get_position()
    across, up = (figure.get_size_inches() * (place.width, place.height) * 72).tolist()
    paths = [to_axes.transform(np.column_stack(line.get_data())) for _, line in drawn]
    written = [to_axes.transform([text.get_position()]) for text in ax.texts]
    for index, (words, line) in enumerate(drawn):
        path = paths[index]
        free = path[((path > INSIDE[0]) & (path < INSIDE[1])).all(axis=1)]
        if not len(free):
            continue
        size = np.array([(text_width(words, SIZE) + SIZE) / across, 1.6 * SIZE / up])
        others = np.concatenate([*paths[:index], *paths[index + 1 :], *written, np.full((1, 2), 9.0)])
        distance = np.abs((free[:, None] - others[None]) / size).max(axis=2).min(axis=1)
        x, y = free[int(distance.argmax())]
        written.append(np.column_stack([np.linspace(-0.5, 0.5, 5) * size[0] + x, np.full(5, y)]))
        text = ax.text(x, y, words, transform=ax.transAxes, color=line.get_color(), **LABEL)
        text.set_path_effects([LABEL_HALO])
