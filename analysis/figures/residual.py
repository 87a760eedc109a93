"""What is left of the atlas when theory is taken away: standard errors over depth and weight scale, and which cells pass."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.drawing.labels import panel_title
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.pack import pack
from analysis.drawing.panel import DEPTH_LABEL, SCALE_LABEL, UNDEFINED, ZERO, draw_cells, set_axes
from analysis.drawing.sheet import UNDER, add_key, fit_titles, legend_below, new_sheet, note_handle
from analysis.drawing.style import SINGLE_COLUMN, STYLE, tidy
from analysis.numbers.agreement import PASSES, VERDICTS
from analysis.numbers.grid import Grid, to_grid
from analysis.rows.select import distinct, facets, one_facet, varying

LOWEST_ROW = 0.85  # inches of a row of panels and its title
LIMIT = 6
LEVELS = (-6, -5, -4, -3, -PASSES, -1, 1, PASSES, 3, 4, 5, 6)
# Not the colours of vanishing and exploding; what passes is pale, and there is a step at ±PASSES.
_SHADES = (0.0, 0.05, 0.1, 0.15, 0.4, 0.5, 0.6, 0.85, 0.9, 0.95, 1.0)
COLOURS = ListedColormap(mpl.colormaps["PuOr_r"](_SHADES)).with_extremes(
    under=mpl.colormaps["PuOr_r"](0.0), over=mpl.colormaps["PuOr_r"](1.0)
)
NORM = BoundaryNorm(LEVELS, COLOURS.N)
LOOKS: Mapping[str, dict] = MappingProxyType(
    {
        "no theory": {"facecolor": "0.85", "edgecolor": "none", "linewidth": 0},
        "gated": {"facecolor": "white", "edgecolor": "0.6", "hatch": "++", "linewidth": 0},
        "zero": ZERO,
        "undefined": UNDEFINED,
    }
)
WORDS = {
    "no theory": "no theory",
    "gated": "gated: 0 by design",
    "zero": "exactly zero in all seeds",
    "undefined": "undefined",
}
FAIL: Any = {"marker": "x", "color": "black", "linestyle": "none", "markeredgewidth": 0.6}
LARGEST_MARK = 3.5  # points
LABEL = r"$\log_{10}\,\Vert\partial y/\partial W_1\Vert_\mathrm{F}$ from theory, in standard errors"


def plot_residual(frame: pd.DataFrame, *, ax: Axes | None = None, key: bool = False) -> Axes:
    """One map: depth L on a logarithmic x axis, weight scale on y, standard errors from theory as colour.

    frame: rows of ``agreement`` with one initializer, activation, width and bias_std. Purple: measured gradients are
    smaller than predicted, orange: larger; pale up to ±1.96, beyond which a cell fails (at 95 %: one in 20 does by
    chance) and has a cross; colours end at ±6. Where theory is mean field, of most other architectures, nothing is tested
    and nothing has a cross. Light grey: no theory; grey grid: gated, 0 by design; hatched: exactly zero in all seeds;
    dotted: undefined. The title counts what passes. Without ``ax`` a figure of one column's width is made, with colorbar and
    legend; an ``ax`` that is given gets them with ``key``. Raises SelectionError (a ValueError) for several facets.
    """
    facet = one_facet(frame)
    with given_or_new(ax, SINGLE_COLUMN, 2.6) as own:
        _draw(own, frame)
        label(own, DEPTH_LABEL, SCALE_LABEL, f"{panel_title(facet, ())}\n{_count(frame)}")
        if ax is None or key:
            _draw_bar([own], frame)
            add_key(own, _handles(frame), inside=ax is not None, **UNDER)
        if ax is None:
            fit_titles(own.get_figure(root=True), [own])
    return own


def draw_residuals(frame: pd.DataFrame) -> Figure:
    """Maps for a whole run with one colorbar: a column for each activation, a row for each other setting.

    frame: rows of ``agreement``.
    """
    rows_of = dict(facets(frame))
    packed, named = pack(rows_of, LOWEST_ROW), varying(frame)
    rows, columns = packed.used.shape
    with mpl.rc_context(STYLE):
        height = (2.3 if columns == 1 else 1.85) * rows + 0.45
        figure, places = new_sheet(packed.used, packed.width, height, labels=packed.labels)
        for facet, place in packed.places.items():
            places[place].set_title(f"{panel_title(facet, named)}\n{_count(rows_of[facet])}")
        if packed.left_out:
            figure.suptitle(packed.left_out, fontsize=8)
        _draw_bar(list(places.flat), frame)
        legend_below(figure, _handles(frame))
        fit_titles(figure, places[packed.used])
        for facet, place in packed.places.items():
            _draw(places[place], rows_of[facet])
    return figure


def _draw(ax: Axes, frame: pd.DataFrame) -> None:
    grid = to_grid(frame, "z", "mean")
    edges = set_axes(ax, grid)
    ax.pcolormesh(*edges, np.ma.masked_invalid(grid.field), cmap=COLOURS, norm=NORM, rasterized=True, zorder=1)
    for verdict, look in LOOKS.items():
        draw_cells(ax, edges, _where(frame, grid, verdict), look)
    rows, columns = np.nonzero(_where(frame, grid, "fail"))
    # Crosses that touch would be a pattern, not marks; the packed is near enough to its end to go by.
    box, figure = ax.get_window_extent(), ax.figure
    room = 72 / figure.dpi * min(box.width / len(grid.depths), box.height / len(grid.scales))
    ax.plot(grid.depths[columns], grid.scales[rows], markersize=min(0.75 * room, LARGEST_MARK), zorder=3, **FAIL)


def _where(frame: pd.DataFrame, grid: Grid, verdict: str) -> np.ndarray:
    """The cells of that verdict: [scales, depths]."""
    rows = frame.loc[(frame["verdict"] == verdict).to_numpy()]
    mask = np.zeros(grid.field.shape, dtype=bool)
    mask[np.searchsorted(grid.scales, rows["scale"]), np.searchsorted(grid.depths, rows["depth"])] = True
    return mask


def _count(frame: pd.DataFrame) -> str:
    verdicts = frame["verdict"].tolist()
    passed, tested = verdicts.count("pass"), verdicts.count("pass") + verdicts.count("fail")
    words = [f"{100 * passed / tested:.1f} % of {tested} pass"] if tested else []
    if beside := verdicts.count("mean field"):
        near = int(np.sum((frame["verdict"] == "mean field").to_numpy() & (np.abs(frame["z"].to_numpy()) <= PASSES)))
        words.append(f"{100 * near / beside:.0f} % of {beside} near mean field")
    return ", ".join(words) or ("gated" if "gated" in verdicts else "no theory to pass")


def _draw_bar(panels: list[Axes], frame: pd.DataFrame) -> None:
    seeds = " to ".join(f"{count}" for count in sorted({min(frame["seeds"]), max(frame["seeds"])}))
    widths = distinct(frame, "width")
    words = f"{LABEL}\n(mean of {seeds} seeds" + (f", $n = {widths[0]}$)" if len(widths) == 1 else ")")
    figure: Any = panels[0].figure
    mappable = ScalarMappable(NORM, COLOURS)
    bar = figure.colorbar(mappable, ax=panels, extend="both", spacing="proportional", aspect=40, pad=0.015, label=words)
    bar.set_ticks([-6, -3, -1, 1, 3, 6], labels=["−6", "−3", "−1", "1", "3", "6"])
    bar.ax.axhline(-PASSES, color="black", linewidth=1)
    bar.ax.axhline(PASSES, color="black", linewidth=1)
    bar.outline.set_linewidth(0.6)
    tidy(bar.ax)


def _handles(frame: pd.DataFrame) -> list:
    """The legend's entries: what fails, cells without a colour, and what the colours do not show."""
    counts = {verdict: frame["verdict"].tolist().count(verdict) for verdict in VERDICTS}
    tested = counts["pass"] + counts["fail"]
    handles: list = []
    if tested:
        words = f"beyond {PASSES:g} standard errors, as 5 % are by chance ({counts['fail']} of {tested} cells)"
        handles.append(Line2D([], [], label=words, markersize=LARGEST_MARK, **FAIL))
    if counts["mean field"]:
        words = f"mean field: at infinite width, lowered by the measured spread; near: within {PASSES:g} standard errors"
        handles.append(note_handle(words))
    handles += [Patch(label=f"{WORDS[name]} ({counts[name]} cells)", **look) for name, look in LOOKS.items() if counts[name]]
    z, dead = frame["z"].to_numpy(), int(np.sum(frame["dead"].to_numpy()[(frame["verdict"] != "gated").to_numpy()]))
    if np.any(np.abs(z) > LIMIT):
        note = f"colours end at ±{LIMIT}; data reach {np.nanmin(z):.3g} and {np.nanmax(z):.3g}"
        handles.append(note_handle(note.replace("-", "−")))
    if dead:
        handles.append(note_handle(f"{dead} gradients are exactly zero: means, and theory, are of the others"))
    return handles
