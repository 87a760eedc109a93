"""Which networks can be trained: steps to the target over depth and weight scale (Schoenholz et al. 2017)."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from analysis.drawing.command import Command
from analysis.drawing.contours import draw_level
from analysis.drawing.panel import DEPTH_LABEL, SCALE_LABEL, UNDEFINED, arrange, draw_cells, set_axes
from analysis.drawing.style import DOUBLE_COLUMN, SINGLE_COLUMN, STYLE, depth_ticks, new_axes, new_figure, tidy
from analysis.numbers.best_rate import RATES, best_rate
from analysis.numbers.depth_scales import PAPER, depth_scales, describe_thresholds
from analysis.numbers.grid import Grid, to_grid
from analysis.rows.load import load_trained
from analysis.rows.options import TRAINED, add_training_options, positive, selected
from analysis.rows.select import Facet, distinct, facet_title, facets, one_facet, varying

COLOURS = "viridis_r"  # dark is slow, and what is never learned is grey, which no colour of the map is
LOOKS: Mapping[str, dict] = MappingProxyType(
    {
        "never": {"facecolor": "0.87", "edgecolor": "none", "linewidth": 0},
        "diverged": {"facecolor": "0.87", "edgecolor": "0.45", "hatch": "xxxxx", "linewidth": 0},
        "undefined": UNDEFINED,
    }
)
CORRELATION = r"\,\xi_c"
THEORY: Mapping[str, dict] = MappingProxyType(
    {
        CORRELATION: {"color": "#d55e00", "linestyle": "solid", "linewidth": 1.4},
        r"/|\ln\chi_1|": {"color": "black", "linestyle": (0, (4, 1.5)), "linewidth": 1.4},
    }
)
HALO = withStroke(linewidth=2.6, foreground="white")
CONTOURS: Any = {"colors": "0.15", "linewidths": 0.7, "linestyles": "dotted"}
LEVELS = (-80, -40, -20, -10, -5, -2, -1, 0, 1, 2, 5, 10, 20, 40, 80)  # decades
POINTS = 121  # on a line of theory
MEDIAN = "steps_to_target"


def plot_trainability(
    frame: pd.DataFrame,
    *,
    target: str,
    steps: int,
    correlation: Sequence[float] = (PAPER,),
    gradient: Sequence[float] = (12.0,),
    contours: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """One map: depth L on a logarithmic x axis, weight scale on y, steps to the target as colour, logarithmic.

    frame: rows of ``load_trained`` with one initializer, activation, width, bias_std and optimizer; ``target`` and ``steps``
    are the training's. Colour is the median over seeds at each network's best learning rate (:func:`best_rate`). Grey: the
    target is not reached within ``steps``; crossed: most seeds diverged; dotted: undefined. Lines: L = m ξ_c for every m in
    ``correlation``, and L = m / |ln χ₁| for every m in ``gradient``, both of mean-field theory, where there is one. Dotted
    contours: the median log10 ‖∂ℓ/∂W_1‖ at initialization. Raises SelectionError (a ValueError) for several facets.
    """
    facet = one_facet(frame)
    rows = best_rate(frame)
    norm = _norm([to_grid(rows, MEDIAN, "median")], steps)
    own = new_axes(SINGLE_COLUMN, 2.6) if ax is None else ax
    with mpl.rc_context(STYLE):
        handles = _draw(own, facet, rows, norm, correlation, gradient, contours)
        if ax is None:
            own.set(xlabel=DEPTH_LABEL, ylabel=SCALE_LABEL, title=facet_title(facet, ()))
            _finish(own.get_figure(root=True), [own], norm, handles, _label(frame, target), steps)
    return own


def draw_trainability(
    frame: pd.DataFrame,
    *,
    target: str,
    steps: int,
    correlation: Sequence[float] = (PAPER,),
    gradient: Sequence[float] = (12.0,),
    contours: bool = True,
) -> Figure:
    """Maps for a whole training with one colorbar: a column for each activation, a row for each other setting.

    Arguments and errors are those of :func:`plot_trainability`.
    """
    found = {facet: best_rate(rows) for facet, rows in facets(frame)}
    norm = _norm([to_grid(rows, MEDIAN, "median") for rows in found.values()], steps)
    page, named = arrange(found), varying(frame)
    columns, rows = len(page.activations), len(page.settings)
    side_by_side = columns == 1 and rows in (2, 3)  # a page is wider than it is high
    shape = (1, rows) if side_by_side else (rows, columns)
    with mpl.rc_context(STYLE):
        width = DOUBLE_COLUMN if side_by_side else page.width
        figure = new_figure(width, (2.2 if shape[1] == 1 else 1.9) * shape[0] + 0.35)
        panels = figure.subplots(*shape, sharex=True, sharey=True, squeeze=False)
        handles: dict[str, Any] = {}
        for row, column, facet in page.places():
            place = (column, row) if side_by_side else (row, column)
            ax = panels[place]
            tidy(ax)
            if facet not in found:
                ax.set_axis_off()
                continue
            handles |= _draw(ax, facet, found[facet], norm, correlation, gradient, contours)
            ax.set_title(facet_title(facet, named))
            ax.tick_params(labelbottom=place[0] == shape[0] - 1, labelleft=place[1] == 0)
            ax.set_xlabel(DEPTH_LABEL if place[0] == shape[0] - 1 else "")
            ax.set_ylabel(SCALE_LABEL if place[1] == 0 else "")
        _finish(figure, list(panels.flat), norm, handles, _label(frame, target), steps)
    return figure


def _norm(grids: Sequence[Grid], steps: int) -> LogNorm:
    """From the fastest network's steps to all that there are; a target that was met before the first update counts as 1."""
    values = np.concatenate([grid.field[np.isfinite(grid.field)] for grid in grids])
    return LogNorm(min(max(float(values.min()), 1.0) if values.size else 1.0, steps / 2), steps)


def _draw(
    ax: Axes,
    facet: Facet,
    rows: pd.DataFrame,
    norm: LogNorm,
    correlation: Sequence[float],
    gradient: Sequence[float],
    contours: bool,
) -> dict[str, Any]:
    """Returns the legend's entries by their labels."""
    grid = to_grid(rows, MEDIAN, "median")
    diverged = to_grid(rows.assign(lost=np.isfinite(rows["diverged_at"])), "lost", "mean").field > 0.5
    edges = set_axes(ax, grid)
    drawn = np.ma.masked_invalid(np.where(grid.field == 0, 1, grid.field))
    ax.pcolormesh(*edges, drawn, cmap=COLOURS, norm=norm, rasterized=True, zorder=1)
    never = np.isposinf(grid.field)
    masks = {"never": never & ~diverged, "diverged": never & diverged, "undefined": grid.measured & np.isnan(grid.field)}
    handles: dict[str, Any] = {}
    for name, mask in masks.items():
        draw_cells(ax, edges, mask, LOOKS[name])
        if mask.any():
            handles[name] = Patch(**LOOKS[name])
    if contours and min(grid.field.shape) > 1 and _draw_contours(ax, to_grid(rows, "log10_grad_first", "median")):
        handles[r"contours: $\log_{10}\Vert\partial\ell/\partial W_1\Vert_\mathrm{F}$ at initialization"] = Line2D(
            [], [], color=CONTOURS["colors"], linewidth=CONTOURS["linewidths"], linestyle=CONTOURS["linestyles"]
        )
    return handles | _draw_theory(ax, facet, correlation, gradient)


def _draw_contours(ax: Axes, gradients: Grid) -> bool:
    drawn = [lines for level in LEVELS if (lines := draw_level(ax, gradients, level, **CONTOURS)) is not None]
    for lines in drawn:
        for label in lines.clabel(fontsize=6, fmt=lambda level: f"{level:g}".replace("-", "−")):
            label.set_path_effects([withStroke(linewidth=1.6, foreground="white")])
    return bool(drawn)


def _draw_theory(ax: Axes, facet: Facet, correlation: Sequence[float], gradient: Sequence[float]) -> dict[str, Any]:
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    handles: dict[str, Any] = {}
    if not (len(correlation) or len(gradient)):
        return handles
    scales = np.linspace(max(low, (high - low) / POINTS), high, POINTS)
    lengths = depth_scales(facet, scales.tolist())
    if lengths is None:
        return handles
    for (symbol, look), length, multiples in zip(THEORY.items(), lengths, (correlation, gradient), strict=True):
        for multiple in multiples:
            # a line to infinity, at the critical scale, leaves the map and comes back
            with np.errstate(over="ignore"):
                depth = np.minimum(multiple * length, 1e3 * right)
            if not ((depth > left) & (depth < right)).any():
                continue
            ax.plot(depth, scales, zorder=4, path_effects=[HALO], **look)
            paper = " (Schoenholz et al. 2017)" if look is THEORY[CORRELATION] and multiple == PAPER else ""
            handles[f"theory: $L = {multiple:g}{symbol}${paper}"] = Line2D([], [], **look)
    ax.set(xlim=(left, right), ylim=(low, high))
    return handles


def _label(frame: pd.DataFrame, target: str) -> str:
    seeds = len(distinct(frame, "seed"))
    rates = len(frame[list(RATES)].drop_duplicates())
    words = [f"median of {seeds} seeds" if seeds > 1 else "1 seed"]
    words += [f"best of {rates} learning rates"] if rates > 1 else []
    newline = ",\n"
    return f"steps to {target.replace('=', ' ')}\n({newline.join(words)})"


def _finish(figure, panels: list[Axes], norm: LogNorm, handles: dict[str, Any], label: str, steps: int) -> None:
    bar = figure.colorbar(ScalarMappable(norm, COLOURS), ax=panels, aspect=30, pad=0.015, label=label)
    ticks = [digit * 10.0**power for power in range(8) for digit in (1, 2, 5)]
    first, last = float(norm.vmin or 1), float(norm.vmax or 1)
    inside = [tick for tick in ticks if first * 1.15 <= tick <= last / 1.15]
    bar.ax.yaxis.set_major_locator(FixedLocator([first, *inside, last] if len(inside) < 5 else depth_ticks(first, last)))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:g}"))
    bar.ax.yaxis.set_minor_formatter(NullFormatter())
    bar.outline.set_linewidth(0.6)
    tidy(bar.ax)
    words = {"never": f"not within {steps} steps", "diverged": "diverged", "undefined": "undefined"}
    for name, handle in handles.items():
        handle.set_label(words.get(name, name))
    columns = 2 if figure.get_figwidth() >= DOUBLE_COLUMN and len(handles) > 1 else 1
    figure.set_figheight(figure.get_figheight() + 0.1 + 0.16 * math.ceil(len(handles) / columns))
    figure.legend(
        handles=list(handles.values()), loc="outside lower center", ncols=columns, handlelength=2.6, columnspacing=1.6
    )


def _add_options(parser: argparse.ArgumentParser) -> None:
    for flag, meaning, default in (
        ("--xi-c", "ξ_c, over which correlations of inputs are kept", PAPER),
        ("--xi-grad", "1/|ln χ₁|, over which gradients are", 12.0),
    ):
        help_line = f"draw the depths L = M · {meaning}; without a number none (default: {default:g})"
        parser.add_argument(flag, nargs="*", type=positive, default=[default], metavar="M", help=help_line)
    parser.add_argument("--no-contours", action="store_true", help="without the contours of initial gradients")
    add_training_options(parser)


def _draw_from(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    """Also prints which multiple of ξ_c is the limit."""
    cells = selected(arguments, load_trained(arguments.run_dir), TRAINED)
    for line in describe_thresholds(cells):
        print(line)
    target, steps = manifest["training"]["target"], manifest["training"]["steps"]
    theory = {"correlation": arguments.xi_c, "gradient": arguments.xi_grad}
    return draw_trainability(cells, target=target, steps=steps, contours=not arguments.no_contours, **theory)


FIGURE = Command(
    summary="steps to the target over depth and weight scale, with the depths that theory says can be trained",
    example="python -m analysis trainability results/digits --xi-c 6 --xi-grad 12",
    draw=_draw_from,
    add_options=_add_options,
    reads="training",
)
