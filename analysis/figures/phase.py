"""The phases of mean-field theory: over which depth gradients survive, for each weight and bias standard deviation."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import NullFormatter
from scipy.ndimage import distance_transform_edt

from analysis.drawing.command import Command
from analysis.drawing.labels import plain
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.sheet import UNDER, add_key
from analysis.drawing.style import SINGLE_COLUMN, tidy
from analysis.numbers.grid import cell_edges
from analysis.numbers.phase_plane import phase_plane
from analysis.rows.options import RANGES, Joined, numbers
from analysis.rows.select import SelectionError, distinct
from bench.theory import Critical, critical, phase

LAYERS = (0.5, 200.0)  # where colours end: what lies beyond is covered by the edge itself
COLOURS = "viridis"  # its bright end at the edge of chaos, on which a black line is seen
LABELS = (r"standard deviation of weights, $\sigma_w$", r"standard deviation of biases, $\sigma_b$")
EDGE = 1.8
HALO = withStroke(linewidth=EDGE + 1.8, foreground="white")
EXPLODE: dict[str, Any] = {"facecolor": "0.5", "edgecolor": "white", "hatch": "////", "linewidth": 0}
POINT: dict[str, Any] = {
    "marker": "D",
    "markersize": 5.5,
    "markerfacecolor": "#d55e00",
    "markeredgecolor": "white",
    "linestyle": "none",
}
NAMES = {"ordered": "ordered\n(vanishing)", "chaotic": "chaotic\n(exploding)", "exploding": "exploding\n(not chaotic)"}
SMALLEST_REGION = 0.01  # of the plane; a smaller one has no room for its name


def plot_phase(frame: pd.DataFrame, *, ax: Axes | None = None, key: bool = False) -> Axes:
    """The plane of one activation: σ_w on x, σ_b on y, the depth scale 1/|ln χ₁| of gradients in layers as colour.

    frame: rows of ``phase_plane``, or of the same columns. Colours are logarithmic and end at 0.5 and 200 layers. The black
    line is where χ₁ is 1 or jumps past it (GELU at a small σ_b): on its ordered side gradients vanish with depth, on its
    other side they explode. Where lengths stay finite that side is chaotic, inputs that are alike part, and the line is
    the edge of chaos; where lengths explode too (hatched, q = ∞), inputs do not part, and it is called exploding
    (:func:`bench.theory.phase`). The diamond is the critical point to initialize with, if theory has one.

    Without ``ax`` a figure of one column's width is made, with colorbar and legend; an ``ax`` that is given gets them
    with ``key``. Raises SelectionError (a ValueError) for several activations.
    """
    names = distinct(frame, "activation")
    if len(names) != 1:
        raise SelectionError("activation", len(names), f"one for a plane, of {', '.join(names)}")
    with given_or_new(ax, SINGLE_COLUMN, 2.7) as own:
        handles = _draw(own, frame)
        label(own, *LABELS, f"{plain(names[0])}: phases of mean-field theory")
        if ax is None or key:
            _draw_bar(own)
            add_key(own, handles, inside=ax is not None, **UNDER)
    return own


def _draw_bar(ax: Axes) -> None:
    words = r"depth scale of gradients, $1/|\ln\chi_1|$ (layers)"
    figure: Any = ax.figure
    bar = figure.colorbar(ScalarMappable(LogNorm(*LAYERS), COLOURS), ax=ax, extend="both", aspect=25, pad=0.02, label=words)
    bar.set_ticks([1, 10, 100], labels=["1", "10", "100"])
    bar.ax.yaxis.set_minor_formatter(NullFormatter())
    bar.outline.set_linewidth(0.6)
    tidy(bar.ax)


def _draw(ax: Axes, frame: pd.DataFrame) -> list:
    """Returns the legend's entries."""
    frame = frame.assign(log_chi1=_log(frame["chi1"]))
    depth_scale, log_chi1, q = (
        frame.pivot_table(index="bias_std", columns="weight_std", values=name, dropna=False)
        for name in ("xi_grad", "log_chi1", "q")
    )
    x, y = depth_scale.columns.to_numpy(float), depth_scale.index.to_numpy(float)
    edges = [cell_edges(centres, logarithmic=False) for centres in (x, y)]
    drawn = np.ma.masked_invalid(np.minimum(depth_scale.to_numpy(), 1e300))  # infinite on the edge itself
    ax.pcolormesh(*edges, drawn, cmap=COLOURS, norm=LogNorm(*LAYERS), rasterized=True, zorder=1)
    ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    handles: list = []
    chi = log_chi1.to_numpy()
    phases = phase(q.to_numpy(), np.exp(chi))
    if np.nanmin(chi) < 0 < np.nanmax(chi):
        lines = ax.contour(x, y, chi, levels=[0.0], colors="black", linewidths=EDGE, zorder=4)
        lines.set_path_effects([HALO])
        words = "edge of chaos" if (phases == "chaotic").any() else "edge of growth"
        handles.append(Line2D([], [], label=rf"{words}: $\chi_1$ passes 1", color="black", linewidth=EDGE))
    exploding = np.isposinf(q.to_numpy())
    if exploding.any():
        ax.contourf(x, y, exploding, levels=[0.5, 1.5], colors="none", hatches=[EXPLODE["hatch"]], zorder=2).set_edgecolor(
            "white"
        )
        handles.append(Patch(label=r"lengths explode, $q = \infty$", **EXPLODE))
    for name, words in NAMES.items():
        _name(ax, x, y, phases == name, words)
    return [*handles, *_draw_critical(ax, critical(distinct(frame, "activation")[0]))]


def _name(ax: Axes, x: np.ndarray, y: np.ndarray, region: np.ndarray, words: str) -> None:
    """Write a region's name where it has most room: farthest from its border, and from the plane's."""
    if region.mean() < SMALLEST_REGION:
        return
    room = np.asarray(distance_transform_edt(np.pad(region, 1), sampling=(1 / len(y), 1 / len(x))))[1:-1, 1:-1]
    widest = np.argwhere(room > 0.98 * room.max())  # several places in a strip: its middle
    i, j = map(int, widest[np.argmin(np.sum((widest - widest.mean(axis=0)) ** 2, axis=1))])
    text = ax.text(x[j], y[i], words, ha="center", va="center", fontsize=8, fontweight="bold", zorder=5)
    text.set_path_effects([withStroke(linewidth=2.2, foreground="white")])


def _draw_critical(ax: Axes, point: Critical) -> list[Line2D]:
    if not np.isfinite(point.weight_std):
        return []
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    inside = left <= point.weight_std <= right and bottom <= point.bias_std <= top
    if inside:
        ax.plot(point.weight_std, point.bias_std, clip_on=False, zorder=6, **POINT)
    words = rf"critical point: $\sigma_w = {point.weight_std:.4g}$, $\sigma_b = {point.bias_std:.4g}$"
    return [Line2D([], [], label=words + ("" if inside else " (outside)"), **POINT)]


def _log(values: Any) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(np.asarray(values, float))


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--activation", default="tanh", metavar="NAME", help="a name, or package.module:function (default: %(default)s)"
    )
    for flag, default in (("--weight-stds", "0.5:3:101"), ("--bias-stds", "0:1:61")):
        parser.add_argument(
            flag,
            nargs="+",
            action=Joined,
            type=numbers,
            default=numbers(default),
            metavar="S",
            help=f"{RANGES} (default: {default})",
        )


def _draw_from(arguments: argparse.Namespace, _: Mapping[str, Any]) -> Figure:
    frame = phase_plane(arguments.activation, arguments.weight_stds, arguments.bias_stds, progress=True)
    figure = plot_phase(frame).get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


FIGURE = Command(
    summary="mean-field theory's phases of one activation, over the weights' and the biases' standard deviation (no run)",
    example="depthscale plot phase --activation gelu --weight-stds 0.5:3:101 --out gelu.pdf",
    draw=_draw_from,
    add_options=_add_options,
    reads="",
    file=lambda arguments: f"phase-{arguments.activation.replace(':', '.').replace('/', '.')}.png",
)
