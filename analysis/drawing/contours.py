"""Lines on a heatmap where a number type ends: beyond them a gradient underflows or overflows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.contour import QuadContourSet
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from analysis.drawing.sheet import note_handle
from analysis.drawing.style import DASHES
from analysis.numbers.grid import Grid
from analysis.numbers.level import field_about
from analysis.numbers.lost import Lost, Measured
from analysis.numbers.statistics import NumberRange, number_range

DTYPES = ("float16", "bfloat16", "float32")
INDISTINCT = 0.12  # of the decades to an end, and so of the depth: closer lines would lie on one another on its log axis
WIDTH, THIN = 0.9, 0.45
# White and without gaps under every line, so that black dashes are seen on the darkest colours.
HALO, THIN_HALO = (
    withStroke(linewidth=width + rim, foreground="white", dashes={"dash_offset": 0, "dash_list": None})
    for width, rim in ((WIDTH, 1.2), (THIN, 0.8))
)


class Limit(NamedTuple):
    """The range that one number type has, and others nearly so, and its line style."""

    dtypes: tuple[str, ...]
    range: NumberRange
    style: Any

    @property
    def names(self) -> str:
        """The first, whose line it is, and how much deeper the others reach on it."""
        first, *others = self.dtypes
        deeper = max((number_range(other).underflow / self.range.underflow - 1 for other in others), default=0.0)
        return f"{first} ({', '.join(others)}: {deeper:.0%} deeper)".replace("%", " %") if others else first

    @property
    def ends(self) -> str:
        """In words that fit after a name."""
        low, high = self.range
        return rf"below $10^{{{low:.1f}}}$ or above $10^{{{high:.1f}}}$"


def range_limits(dtypes: tuple[str, ...] = DTYPES) -> list[Limit]:
    """The types' ranges; those that differ by less than a line's width (bfloat16, float32) are one, the narrower."""
    shared: list[tuple[list[str], NumberRange]] = []
    for dtype in dtypes:
        found = number_range(dtype)
        for names, known in shared:
            if max(abs(end / other - 1) for end, other in zip(found, known, strict=True)) < INDISTINCT + 1e-3:
                names.append(dtype)
                break
        else:
            shared.append(([dtype], found))
    return [Limit(tuple(names), found, DASHES[i % len(DASHES)]) for i, (names, found) in enumerate(shared)]


class Line(NamedTuple):
    """One kind of line, as the legend names it."""

    style: Any
    label: str


def draw_limits(ax: Axes, lost: Lost | Measured) -> list[Line]:
    """Draw a line where the fields cross each end of each range, or half was lost; returns those that there are.

    Between neighbouring depths the log10 of a number is taken as linear in the depth, as it is far from the first layers. A
    cell that is exactly zero lies below every range; undefined and unmeasured cells end a line, and so does scale 0, where
    there is nothing between exactly 0 and what does not depend on the scale.
    """
    if isinstance(lost, Measured):
        return _draw_measured(ax, lost)
    crossed = []
    if min(lost.half.field.shape) < 2:
        return crossed
    for limit in range_limits():
        look: Any = {"linestyles": [limit.style]}
        if lost.tenth is not None:
            draw_level(ax, lost.tenth, limit.range.underflow, linewidths=THIN, zorder=2.9, **look)
        ends = zip((lost.half, lost.largest), limit.range, strict=True)
        if [lines for grid, level in ends if (lines := draw_level(ax, grid, level, **look))]:
            words = limit.names if lost.tenth else f"{limit.names}: {lost.words} {limit.ends}"
            crossed.append(Line(limit.style, words))
    return crossed


def _draw_measured(ax: Axes, measured: Measured) -> list[Line]:
    """Draw where a format lost half, and thin where it lost a tenth."""
    crossed = []
    for number, (name, grid) in enumerate(measured.shares.items()):
        look: Any = {"linestyles": [DASHES[number % len(DASHES)]]}
        if min(grid.field.shape) < 2:
            continue
        draw_level(ax, grid, 0.1, linewidths=THIN, zorder=2.9, **look)
        if draw_level(ax, grid, 0.5, **look):
            crossed.append(Line(look["linestyles"][0], name))
    return crossed


def limit_handles(crossed: Iterable[Line], lost: Lost | Measured) -> list:
    """The legend's entries: the types, and what it is that they lose."""
    look: Any = {"color": "black", "linewidth": WIDTH}
    lines = sorted(set(crossed), key=lambda line: DASHES.index(line.style))
    handles: list = [Line2D([], [], linestyle=line.style, label=line.label, **look) for line in lines]
    noted = isinstance(lost, Measured) or lost.tenth is not None
    return [*handles, note_handle(lost.words)] if handles and noted else handles


def draw_level(ax: Axes, grid: Grid, level: float, **look: Any) -> QuadContourSet | None:
    """Draw the line along which the grid's values are ``level``, if there is one; what ends it is as above.

    look: of the line, for :meth:`matplotlib.axes.Axes.contour`; black and ``WIDTH`` points by default.
    """
    found = field_about(grid, level)
    if found is None:
        return None
    look = {"colors": "black", "linewidths": WIDTH, "zorder": 3} | look
    lines = ax.contour(*found, levels=[level], **look)
    lines.set_path_effects([HALO if look["linewidths"] > THIN else THIN_HALO])
    return lines
