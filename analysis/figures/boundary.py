"""Where training converges and where it diverges, over the learning rates of hidden layers and readout."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from analysis.drawing.command import Command
from analysis.drawing.labels import panel_title
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.panel import UNDEFINED, Edges, draw_cells
from analysis.drawing.sheet import legend_below
from analysis.drawing.style import DOUBLE_COLUMN, SINGLE_COLUMN, STYLE, depth_ticks, new_figure, round_ticks, tidy
from analysis.numbers.box_counting import boundary_pixels, box_dimension
from analysis.numbers.grid import cell_edges
from analysis.numbers.pairs import pair_dimension
from analysis.numbers.power_law import Dimension
from analysis.numbers.published import DIMENSIONS
from analysis.numbers.rate_plane import Plane, in_log, ranked, rate_plane, zoom_arguments, zoomed
from analysis.rows.load import load_trained
from analysis.rows.options import TRAINED, add_training_options, number, selected, whole
from analysis.rows.select import SelectionError, distinct, one_facet

X_LABEL, Y_LABEL = "learning rate of hidden layers", "learning rate of the readout"
HEIGHT, WIDTHS = 3.1, (1, 1.05)  # inches without the legend; the map is as high as the panel beside it
SHADES = 256  # of each half
COUNTED, PAIRS = "#d55e00", "#0072b2"
FEW_DECADES = 100.0  # last over first rate; below, powers of ten are too few for ticks


class Dimensions(NamedTuple):
    """Of one boundary: by boxes, as in the paper, and by pairs of pixels, which is nearer to dimensions that are known."""

    boxes: Dimension
    pairs: Dimension


def plot_boundary(frame: pd.DataFrame, *, ax: Axes | None = None, key: bool = False) -> Axes:
    """The map: x the learning rate of hidden layers, y that of the readout, each pixel a network that was trained.

    frame: rows of ``load_trained`` with one network and one seed. Colour is ``convergence``, stretched by rank within each
    half: blue where training converged, the darker the slower; yellow to red where it diverged, the paler the slower. So
    dark meets pale at the boundary, also in print without colour. Empty: not trained yet; dotted: undefined. Axes are
    logarithmic where the rates are spaced so. ``key``: an ``ax`` that is given gets its colorbar too. Raises SelectionError
    (a ValueError) for several networks or seeds, and for rates that span no plane.
    """
    plane = rate_plane(frame)
    with given_or_new(ax, SINGLE_COLUMN, 2.75) as own:
        _draw_map(own, plane)
        label(own, X_LABEL, Y_LABEL, _title(frame, plane))
        if ax is None or key:
            _draw_colorbar(own)
    return own


def draw_boundary(frame: pd.DataFrame, *, dimensions: Dimensions | None = None) -> Figure:
    """Two panels: a, the map of :func:`plot_boundary`; b, boxes and pairs of pixels on its boundary, as given or counted."""
    plane = rate_plane(frame)
    found = boundary_dimensions(frame) if dimensions is None else dimensions
    with mpl.rc_context(STYLE):
        figure = new_figure(DOUBLE_COLUMN, HEIGHT)
        left, right = figure.subplots(1, 2, width_ratios=WIDTHS)
        for ax, letter in ((left, "a"), (right, "b")):
            tidy(ax)
            ax.set_title(letter, loc="left", x=-0.1, fontweight="bold")
        _draw_map(left, plane)
        left.set(xlabel=X_LABEL, ylabel=Y_LABEL)
        left.set_title(_title(frame, plane))
        _draw_colorbar(left)
        _draw_counts(right, found)
        legend_below(figure, right.get_legend_handles_labels()[0])
    return figure


def boundary_dimensions(frame: pd.DataFrame) -> Dimensions:
    """The dimensions of the line between convergence and divergence. Errors are those of ``rate_plane``."""
    field = rate_plane(frame).field
    return Dimensions(box_dimension(boundary_pixels(field)), pair_dimension(field))


def describe(found: Dimensions) -> list[str]:
    """Both dimensions with what their errors are, in a line each."""
    boxes, pairs = found
    calibrated = "within which 95 % are of every curve of known dimension, on a map of as many pixels"
    if np.isnan(pairs.error):
        calibrated = "the map is too small for an error"
    lines = [f"dimension of the boundary, by pairs of pixels: {pairs} ({calibrated})"]
    median = "" if np.isnan(boxes.slope) else f" (median of local slopes {boxes.median:.2f}; boxes are biased low)"
    return [*lines, f"by counting boxes, as Sohl-Dickstein 2024: {boxes}{median}"]


def _title(frame: pd.DataFrame, plane: Plane) -> str:
    row, facet = frame.iloc[0], one_facet(frame)
    words = f"{panel_title(facet, ['optimizer'])}\nn = {facet.width}, $L = {row['depth']}$, scale {row['scale']:.4g}"
    # A map that is not finished must say so: its boundary has gaps.
    notes = [] if plane.measured.all() else [f"{plane.measured.sum()} of {plane.measured.size} pixels"]
    notes += ["dotted: undefined"] if _undefined(plane).any() else []
    return "\n".join([words, ", ".join(notes)] if notes else [words])


def _undefined(plane: Plane) -> np.ndarray:
    """Which pixels were trained and have no number."""
    return plane.measured & np.isnan(plane.field)


def _colours() -> ListedColormap:
    """Blues that darken, then pale yellow to red: lightness falls, jumps at the boundary, and falls again."""
    converged = mpl.colormaps["Blues"](np.linspace(0.35, 1, SHADES))
    diverged = mpl.colormaps["YlOrRd"](np.linspace(0, 0.75, SHADES))
    return ListedColormap(np.concatenate([converged, diverged]))


def _draw_map(ax: Axes, plane: Plane) -> None:
    edges = Edges(*(cell_edges(rates, logarithmic=in_log(rates)) for rates in (plane.x, plane.y)))
    ax.set(xscale="log" if in_log(plane.x) else "linear", yscale="log" if in_log(plane.y) else "linear")
    _set_ticks(ax.xaxis, plane.x)
    _set_ticks(ax.yaxis, plane.y)
    drawn = np.ma.masked_invalid(ranked(plane.field))
    ax.pcolormesh(*edges, drawn, cmap=_colours(), norm=Normalize(-1, 1), rasterized=True, zorder=1)
    draw_cells(ax, edges, _undefined(plane), UNDEFINED)
    ax.set(xlim=(edges.x[0], edges.x[-1]), ylim=(edges.y[0], edges.y[-1]))
    ax.set_box_aspect(1)


def _set_ticks(axis: Axis, rates: np.ndarray) -> None:
    if not in_log(rates):
        axis.set_major_locator(MaxNLocator(4))
    elif rates[-1] / rates[0] < FEW_DECADES:
        inside = round_ticks(float(rates[0]), float(rates[-1]))
        axis.set_major_locator(FixedLocator(inside if len(inside) > 1 else depth_ticks(rates[0], rates[-1])))
        axis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:.4g}"))
        axis.set_minor_formatter(NullFormatter())


def _draw_colorbar(ax: Axes) -> None:
    """As high as the map, in the same figure."""
    figure: Any = ax.get_figure(root=True)
    bar = figure.colorbar(ScalarMappable(Normalize(-1, 1), _colours()), cax=ax.inset_axes((1.03, 0, 0.045, 1)))
    words = {-0.97: "learns\nfast", -0.08: "slowly", 0.08: "slowly", 0.97: "diverges\nfast"}
    bar.set_ticks(list(words), labels=list(words.values()))
    for text, side in zip(bar.ax.get_yticklabels(), ("bottom", "center", "center", "top"), strict=True):
        text.set_verticalalignment(side)
    bar.ax.tick_params(length=0, labelsize=7)
    bar.outline.set_linewidth(0.6)


def _draw_counts(ax: Axes, found: Dimensions) -> None:
    """Boxes against their side, pairs against their distance, both fits, and published slopes from the same first count."""
    ax.set(xscale="log", yscale="log", xlabel="side $s$ of boxes, distance $s$ of pairs (pixels)")
    ax.set_ylabel("boxes on the boundary, $N(s)$")
    boxes, pairs = found
    if np.isnan(boxes.slope):
        ax.text(0.5, 0.5, "too small a boundary\nto be measured", ha="center", va="center", transform=ax.transAxes)
        return
    sizes, counts = boxes.sizes.astype(float), boxes.counts.astype(float)
    low, high = (counts[0] * sizes**-slope for slope in reversed(DIMENSIONS))
    published = f"slopes {DIMENSIONS[0]} to {DIMENSIONS[1]} (Sohl-Dickstein 2024)"
    ax.fill_between(sizes, low, high, color="0.85", linewidth=0, zorder=1, label=published)
    ax.plot(sizes, counts[0] / sizes, color="0.4", linestyle=(0, (1, 1.5)), zorder=2, label="slope 1, a smooth line")
    _draw_fit(ax, boxes, COUNTED, "o", f"boxes (median slope {boxes.median:.2f})")
    shown = counts
    if not np.isnan(pairs.slope):
        _draw_fit(ax, pairs, PAIRS, "s", r"pairs, $N(s) = $ pixels $\cdot\, P(s)/s^2$")
        shown = np.concatenate([counts, pairs.counts])
    ax.set_ylim(shown.min() / 1.6, shown.max() * 1.6)
    ax.xaxis.set_major_locator(FixedLocator(sizes.tolist()))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(FixedLocator(round_ticks(*ax.get_ylim())))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:g}"))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_title(f"dimension (95 %)\nof pairs {pairs}, of boxes {boxes}")


def _draw_fit(ax: Axes, found: Dimension, colour: str, marker: str, name: str) -> None:
    sizes, counts = found.sizes.astype(float), found.counts.astype(float)
    centre = np.exp(np.mean(np.log(counts)) + found.slope * np.mean(np.log(sizes)))
    ax.plot(sizes, centre * sizes**-found.slope, color=colour, linewidth=1, zorder=3)
    ax.plot(sizes, counts, linestyle="none", marker=marker, markersize=4, color=colour, zorder=4, label=name)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=whole, metavar="N", help="of several seeds that one (default: the smallest)")
    parser.add_argument(
        "--zoom",
        nargs=4,
        type=number,
        metavar=("X_LOW", "X_HIGH", "Y_LOW", "Y_HIGH"),
        help="only this window of the learning rates of hidden layers (x) and readout (y); also prints how to train it",
    )
    add_training_options(parser)


def _draw_from(arguments: argparse.Namespace, _: Mapping[str, Any]) -> Figure:
    """Also prints the boundary's dimensions, and how to train a window."""
    trained = load_trained(arguments.run_dir, values=["convergence"])
    cells = _one_seed(selected(arguments, trained, TRAINED), arguments.seed)
    shown = cells if arguments.zoom is None else zoomed(cells, arguments.zoom)
    dimensions = boundary_dimensions(shown)
    figure = draw_boundary(shown, dimensions=dimensions)
    for line in describe(dimensions):
        print(line)
    if arguments.zoom is not None:
        words = zoom_arguments(cells, arguments.zoom)
        print(f"to train this window with as many pixels: the same `depthscale train` with {words} and another --run")
    return figure


def _one_seed(cells: pd.DataFrame, seed: int | None) -> pd.DataFrame:
    """The rows of that seed, by default of the smallest. Raises SelectionError."""
    known = distinct(cells, "seed")
    if seed is not None and seed not in known:
        raise SelectionError("seed", seed, f"one of {', '.join(map(str, known))}")
    return cells.loc[cells["seed"] == (known[0] if seed is None else seed)]


FIGURE = Command(
    summary="where training converges, over the learning rates of hidden layers and readout, and the boundary's dimension",
    example="depthscale plot boundary results/boundary --zoom 100 300 0.7 1 --out zoom.png",
    draw=_draw_from,
    add_options=_add_options,
    reads="training",
)
