"""What is left of the atlas when theory is taken away: standard errors over depth and weight scale, and which cells pass."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.drawing.panel import DEPTH_LABEL, SCALE_LABEL, UNDEFINED, ZERO, arrange, draw_cells, set_axes
from analysis.drawing.style import DOUBLE_COLUMN, SINGLE_COLUMN, STYLE, new_axes, new_figure, tidy
from analysis.numbers.agreement import PASSES, VERDICTS
from analysis.numbers.grid import Grid, to_grid
from analysis.rows.select import distinct, facet_title, facets, one_facet, varying

LIMIT = 6
LEVELS = (-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6)
# Not the colours of vanishing and exploding; what passes is pale, and there is a step at ±3.
_SHADES = (0.0, 0.06, 0.12, 0.34, 0.42, 0.5, 0.58, 0.66, 0.88, 0.94, 1.0)
COLOURS = ListedColormap(mpl.colormaps["PuOr_r"](_SHADES)).with_extremes(
    under=mpl.colormaps["PuOr_r"](0.0), over=mpl.colormaps["PuOr_r"](1.0)
)
NORM = BoundaryNorm(LEVELS, COLOURS.N)
# Told apart by every kind of eye, and in grey by their lightness.
LOOKS: Mapping[str, dict] = MappingProxyType(
    {
        "pass": {"facecolor": "#0072b2", "edgecolor": "none", "linewidth": 0},
        "fail": {"facecolor": "#f0a202", "edgecolor": "none", "linewidth": 0},
        "no theory": {"facecolor": "0.85", "edgecolor": "none", "linewidth": 0},
        "zero": ZERO,
        "undefined": UNDEFINED,
    }
)
LABELS = (f"pass: within {PASSES:g} standard errors", "fail", "no theory", "exactly zero in all seeds", "undefined")


def plot_residual(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """One map: depth L on a logarithmic x axis, weight scale on y, standard errors from theory as colour.

    frame: rows of ``agreement`` with one initializer, activation, width and bias_std. Purple: measured gradients are
    smaller than predicted, orange: larger; pale up to ±3, and colours end at ±6. Light grey: no theory; hatched: exactly
    zero in all seeds; dotted: undefined. Without ``ax`` a figure of one column's width is made, with colorbar and legend.
    Raises SelectionError (a ValueError) for several facets.
    """
    return _plot(frame, ax, _draw_errors, "")


def plot_verdict(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """One map: depth L on a logarithmic x axis, weight scale on y; blue: passes, orange: fails, light grey: no theory.

    Frame, hatches and errors are those of :func:`plot_residual`. The title counts what passes.
    """
    return _plot(frame, ax, _draw_verdicts, f"\n{_count(frame)}")


def draw_residuals(frame: pd.DataFrame) -> Figure:
    """For a whole run: a column for each activation; for each initializer a row of errors and one of what passes.

    frame: rows of ``agreement``.
    """
    rows_of = dict(facets(frame))
    page, named = arrange(rows_of), varying(frame)
    columns, pairs = len(page.activations), len(page.settings)
    with mpl.rc_context(STYLE):
        figure = new_figure(page.width, (3.6 if columns == 1 else 2.95) * pairs + 0.6)
        panels = figure.subplots(
            2 * pairs, columns, sharex=True, sharey=True, squeeze=False, height_ratios=[1, 0.62] * pairs
        )
        for pair, column, facet in page.places():
            above, below = panels[2 * pair : 2 * pair + 2, column]
            for ax in (above, below):
                tidy(ax)
                ax.set_ylabel(SCALE_LABEL if column == 0 else "")
            if facet not in rows_of:
                above.set_axis_off()
                below.set_axis_off()
                continue
            _draw_errors(above, rows_of[facet])
            _draw_verdicts(below, rows_of[facet])
            above.set_title(facet_title(facet, named))
            below.set_title(_count(rows_of[facet]), fontsize=7)
            below.set_xlabel(DEPTH_LABEL if pair == pairs - 1 else "")
        _finish(figure, list(panels.flat), frame)
    return figure


def _plot(frame: pd.DataFrame, ax: Axes | None, draw, words: str) -> Axes:
    facet = one_facet(frame)
    if ax is not None:
        draw(ax, frame)
        return ax
    own = new_axes(SINGLE_COLUMN, 2.6)
    with mpl.rc_context(STYLE):
        draw(own, frame)
        own.set(xlabel=DEPTH_LABEL, ylabel=SCALE_LABEL, title=facet_title(facet, ()) + words)
        _finish(own.get_figure(root=True), [own], frame)
    return own


def _draw_errors(ax: Axes, frame: pd.DataFrame) -> None:
    grid = to_grid(frame, "z", "mean")
    edges = set_axes(ax, grid)
    ax.pcolormesh(*edges, np.ma.masked_invalid(grid.field), cmap=COLOURS, norm=NORM, rasterized=True, zorder=1)
    for verdict in VERDICTS[2:]:
        draw_cells(ax, edges, _where(frame, grid, verdict), LOOKS[verdict])


def _draw_verdicts(ax: Axes, frame: pd.DataFrame) -> None:
    grid = to_grid(frame, "z", "mean")
    edges = set_axes(ax, grid)
    places = np.full(grid.field.shape, np.nan)
    for place, verdict in enumerate(VERDICTS[:3]):
        places[_where(frame, grid, verdict)] = place
    flat = ListedColormap([LOOKS[verdict]["facecolor"] for verdict in VERDICTS[:3]])
    ax.pcolormesh(*edges, np.ma.masked_invalid(places), cmap=flat, vmin=-0.5, vmax=2.5, rasterized=True, zorder=1)
    for verdict in VERDICTS[3:]:
        draw_cells(ax, edges, _where(frame, grid, verdict), LOOKS[verdict])


def _where(frame: pd.DataFrame, grid: Grid, verdict: str) -> np.ndarray:
    """The cells of that verdict: [scales, depths]."""
    rows = frame.loc[(frame["verdict"] == verdict).to_numpy()]
    mask = np.zeros(grid.field.shape, dtype=bool)
    mask[np.searchsorted(grid.scales, rows["scale"]), np.searchsorted(grid.depths, rows["depth"])] = True
    return mask


def _count(frame: pd.DataFrame) -> str:
    verdicts = frame["verdict"].tolist()
    passed, tested = verdicts.count("pass"), verdicts.count("pass") + verdicts.count("fail")
    return f"{passed} of {tested} pass ({100 * passed / tested:.1f} %)" if tested else "no theory to pass"


def _finish(figure, panels: list[Axes], frame: pd.DataFrame) -> None:
    seeds = " to ".join(f"{count}" for count in sorted({min(frame["seeds"]), max(frame["seeds"])}))
    label = r"$\log_{10}\,\Vert\partial y/\partial W_1\Vert_\mathrm{F}$ from theory, in standard errors"
    widths = distinct(frame, "width")
    label += f"\n(mean of {seeds} seeds" + (f", $n = {widths[0]}$)" if len(widths) == 1 else ")")
    bar = figure.colorbar(
        ScalarMappable(NORM, COLOURS), ax=panels, extend="both", spacing="proportional", aspect=40, pad=0.015, label=label
    )
    bar.set_ticks([-6, -3, -1, 1, 3, 6], labels=["−6", "−3", "−1", "1", "3", "6"])
    bar.ax.axhline(-PASSES, color="black", linewidth=1)
    bar.ax.axhline(PASSES, color="black", linewidth=1)
    bar.outline.set_linewidth(0.6)
    tidy(bar.ax)
    counts = {verdict: frame["verdict"].tolist().count(verdict) for verdict in VERDICTS}
    handles = [
        Patch(label=f"{words} ({counts[verdict]} cells)", **LOOKS[verdict])
        for verdict, words in zip(VERDICTS, LABELS, strict=True)
        if counts[verdict]
    ]
    notes = []
    z = frame["z"].to_numpy()
    if np.any(np.abs(z) > LIMIT):
        notes.append(f"colours end at ±{LIMIT}; data reach {np.nanmin(z):.3g} and {np.nanmax(z):.3g}".replace("-", "−"))
    dead = int(np.sum(frame["dead"].to_numpy()))
    if dead:
        notes.append(f"{dead} gradients are exactly zero: means, and theory, are of the others")
    handles += [Patch(facecolor="none", edgecolor="none", label=note) for note in notes]
    columns = 2 if figure.get_figwidth() >= DOUBLE_COLUMN else 1
    figure.set_figheight(figure.get_figheight() + 0.1 + 0.16 * math.ceil(len(handles) / columns))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=2.6, columnspacing=1.6)
