"""Which networks can be trained: steps to the target over depth and weight scale (Schoenholz et al. 2017)."""

from __future__ import annotations

import argparse
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
from analysis.drawing.depth_axis import set_depth_ticks
from analysis.drawing.depth_lines import draw_depth_lines
from analysis.drawing.labels import panel_title
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.pack import pack
from analysis.drawing.panel import DEPTH_LABEL, SCALE_LABEL, UNDEFINED, draw_cells, set_axes
from analysis.drawing.sheet import PAGE, UNDER, add_key, fit_titles, legend_below, new_sheet
from analysis.drawing.style import DOUBLE_COLUMN, SINGLE_COLUMN, STYLE, depth_ticks, round_ticks, tidy
from analysis.numbers.best_rate import RATES, best_rate
from analysis.numbers.depth_rules import describe_rules
from analysis.numbers.grid import Grid, to_grid
from analysis.numbers.published import TRAINABLE
from analysis.rows.load import load_trained
from analysis.rows.options import TRAINED, Joined, add_training_options, positives, selected
from analysis.rows.select import Facet, distinct, facets, one_facet, varying

COLOURS = "viridis_r"  # dark is slow, and what is never learned is hatched
LOOKS: Mapping[str, dict] = MappingProxyType(
    {
        "never": {"facecolor": "0.85", "edgecolor": "0.55", "hatch": "//////", "linewidth": 0},
        "diverged": {"facecolor": "0.85", "edgecolor": "0.25", "hatch": "xxxxxx", "linewidth": 0},
        "undefined": UNDEFINED,
    }
)
CONTOURS: Any = {"colors": "0.15", "linewidths": 0.7, "linestyles": "dotted"}
LEVELS = (-80, -40, -20, -10, -5, -2, -1, 0, 1, 2, 5, 10, 20, 40, 80)  # decades
HIGHEST_ROW = 2.0  # inches of a row of panels
WRITTEN = 1.3  # inches of a panel's width, from which lines are labelled in it
MEDIAN = "steps_to_target"


def plot_trainability(
    frame: pd.DataFrame,
    *,
    target: str,
    steps: int,
    correlation: Sequence[float] = (TRAINABLE,),
    gradient: Sequence[float] = (12.0,),
    contours: bool = True,
    ax: Axes | None = None,
    key: bool = False,
) -> Axes:
    """One map: depth L on a logarithmic x axis, weight scale on y, steps to the target as colour, logarithmic.

    frame: rows of ``load_trained`` with one initializer, activation, width, bias_std and optimizer; ``target`` and ``steps``
    are the training's. Colour is the median over seeds at each network's best learning rate (:func:`best_rate`). Hatched:
    the target is not reached within ``steps``; crossed: most seeds diverged; dotted: undefined. Lines: L = m ξ_c for every m
    in ``correlation``, and L = m / |ln χ₁| for every m in ``gradient``, both of mean-field theory, where there is one.
    Dotted contours: the median log10 ‖∂ℓ/∂W_1‖ at initialization. ``key``: an ``ax`` that is given gets colorbar and legend
    too. Raises SelectionError (a ValueError) for several facets.
    """
    facet = one_facet(frame)
    rows = best_rate(frame)
    norm = _norm([to_grid(rows, MEDIAN, "median")], steps)
    with given_or_new(ax, SINGLE_COLUMN, 2.6) as own:
        handles = _draw(own, facet, rows, norm, correlation, gradient, contours)
        label(own, DEPTH_LABEL, SCALE_LABEL, panel_title(facet, ()))
        if ax is None or key:
            _colorbar(own.get_figure(root=True), [own], norm, _label(frame, target))
            add_key(own, _named(handles, steps), inside=ax is not None, **UNDER)
    return own


def draw_trainability(
    frame: pd.DataFrame,
    *,
    target: str,
    steps: int,
    correlation: Sequence[float] = (TRAINABLE,),
    gradient: Sequence[float] = (12.0,),
    contours: bool = True,
) -> Figure:
    """Maps for a whole training with one colorbar: a column for each activation, or several blocks of such columns.

    Arguments and errors are those of :func:`plot_trainability`. What does not fit on a page is left out, and the title says
    how many settings are.
    """
    found = {facet: best_rate(rows) for facet, rows in facets(frame)}
    norm = _norm([to_grid(rows, MEDIAN, "median") for rows in found.values()], steps)
    named = varying(frame)
    packed = pack(found)
    rows, columns = packed.used.shape
    width = (SINGLE_COLUMN, 5.6)[columns - 1] if columns * rows in (1, 4) and columns < 3 else DOUBLE_COLUMN
    height = min(HIGHEST_ROW * (1.2 if columns < 3 else 1) * rows + 0.35, PAGE - 1.2)
    with mpl.rc_context(STYLE):
        figure, panels = new_sheet(packed.used, width, height, labels=(DEPTH_LABEL, SCALE_LABEL))
        handles: dict[str, Any] = {}
        for facet, place in packed.places.items():
            handles |= _draw(panels[place], facet, found[facet], norm, correlation, gradient, contours)
            panels[place].set_title(panel_title(facet, named))
        if packed.left_out:
            figure.suptitle(packed.left_out, fontsize=8)
        _colorbar(figure, list(panels.flat), norm, _label(frame, target))
        fit_titles(figure, panels[packed.used])
        legend_below(figure, _named(handles, steps))
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
    set_depth_ticks(ax, grid.depths.tolist())
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
    figure = ax.get_figure(root=True)
    wide = figure is None or ax.get_position().width * figure.get_figwidth() > WRITTEN
    return handles | draw_depth_lines(ax, facet, correlation, gradient, labelled=wide)


def _draw_contours(ax: Axes, gradients: Grid) -> bool:
    drawn = [lines for level in LEVELS if (lines := draw_level(ax, gradients, level, **CONTOURS)) is not None]
    for lines in drawn:
        lines.set_path_effects([withStroke(linewidth=1.6, foreground="white", alpha=0.8)])
        for text in lines.clabel(fontsize=6, fmt=lambda level: f"{level:g}".replace("-", "−")):
            text.set_path_effects([withStroke(linewidth=1.6, foreground="white")])
    return bool(drawn)


def _label(frame: pd.DataFrame, target: str) -> str:
    seeds = len(distinct(frame, "seed"))
    rates = len(frame[list(RATES)].drop_duplicates())
    words = [f"median of {seeds} seeds" if seeds > 1 else "1 seed"]
    words += [f"best of {rates} learning rates"] if rates > 1 else []
    newline = ",\n"
    return f"steps to {target.replace('=', ' ')}\n({newline.join(words)})"


def _colorbar(figure: Any, panels: list[Axes], norm: LogNorm, label: str) -> None:
    look: Any = {"aspect": max(30, 12 * figure.get_figheight()), "pad": 0.015}  # as wide on every page
    bar = figure.colorbar(ScalarMappable(norm, COLOURS), ax=panels, label=label, **look)
    first, last = float(norm.vmin or 1), float(norm.vmax or 1)
    inside = round_ticks(first * 1.15, last / 1.15)
    bar.ax.yaxis.set_major_locator(FixedLocator([first, *inside, last] if len(inside) < 5 else depth_ticks(first, last)))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:g}"))
    bar.ax.yaxis.set_minor_formatter(NullFormatter())
    bar.outline.set_linewidth(0.6)
    tidy(bar.ax)


def _named(handles: Mapping[str, Any], steps: int) -> list[Any]:
    """The legend's entries with their labels."""
    words = {"never": f"not within {steps} steps", "diverged": "diverged", "undefined": "undefined"}
    for name, handle in handles.items():
        handle.set_label(words.get(name, name))
    return list(handles.values())


def _add_options(parser: argparse.ArgumentParser) -> None:
    for flag, meaning, default in (
        ("--xi-c", "ξ_c, over which correlations of inputs are kept", TRAINABLE),
        ("--xi-grad", "1/|ln χ₁|, over which gradients are", 12.0),
    ):
        help_line = f"draw the depths L = M · {meaning}; without a number none (default: {default:g})"
        parser.add_argument(flag, nargs="*", action=Joined, type=positives, default=[default], metavar="M", help=help_line)
    parser.add_argument("--no-contours", action="store_true", help="without the contours of initial gradients")
    add_training_options(parser)


def _draw_from(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    """Also prints which multiple of ξ_c is the limit, beside the rules that it must beat."""
    cells = selected(arguments, load_trained(arguments.run_dir), TRAINED)
    target, steps = manifest["training"]["target"], manifest["training"]["steps"]
    for line in describe_rules(cells, target=target, steps=steps):
        print(line)
    theory = {"correlation": arguments.xi_c, "gradient": arguments.xi_grad}
    return draw_trainability(cells, target=target, steps=steps, contours=not arguments.no_contours, **theory)


FIGURE = Command(
    summary="steps to the target over depth and weight scale, with the depths that theory says can be trained",
    example="depthscale plot trainability results/digits --xi-c 6 --xi-grad 12",
    draw=_draw_from,
    add_options=_add_options,
    reads="training",
)
