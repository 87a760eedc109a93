"""A model of one's own, layer by layer: gradients, weights and signals, with the verdicts and the ends of number formats."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
import ml_dtypes
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.drawing.command import Command
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.sheet import legend_below, new_sheet
from analysis.drawing.style import DOUBLE_COLUMN, SINGLE_COLUMN, STYLE
from analysis.rows.load import load_probed

COLOURS = MappingProxyType(
    {
        "healthy": "#1b7837",
        "vanishing": "#2166ac",
        "exploding": "#b2182b",
        "underflow": "#67a9cf",
        "dead": "black",
        "gated": "#999999",
        "disconnected": "#c7c7c7",
        "non-finite": "#e08214",
    }
)
FORMATS = ("float32", "bfloat16", "float16")
LINES = MappingProxyType(  # what is drawn → its column, style and words
    {
        "gradient": ("log10_grad_rms", "solid", "gradient, per entry (RMS)"),
        "weight": ("log10_weight_rms", (0, (1, 1.2)), "weight, per entry (RMS)"),
    }
)
SIGNALS = MappingProxyType(
    {
        "cotangent": ("log10_cotangent", "solid", "cotangent (norm)"),
        "signal": ("log10_value_rms", (0, (1, 1.2)), "signal, per entry (RMS)"),
    }
)
LAYER = "layer, in the order of the forward pass"
DECADES = r"$\log_{10}$"


def plot_probe(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Gradients and weights of matrices against the layer, in decades per entry, a dot in the colour of each verdict.

    frame: rows of ``load_probed``. Dots are medians over seeds, bars reach from the smallest to the largest; exact zeros
    are triangles at the bottom. Lines across: the smallest normal numbers of number formats that are near.
    """
    return _plot(frame, LINES, "log10_grad_rms", ax)


def _plot(frame: pd.DataFrame, lines: Mapping[str, Any], dots: str, ax: Axes | None) -> Axes:
    with given_or_new(ax, SINGLE_COLUMN, 2.6) as own:
        _draw(own, matrices(frame), lines, dots)
        label(own, LAYER, DECADES, "")
    return own


def draw_probe(frame: pd.DataFrame) -> Figure:
    """Two panels: gradients and weights, and the signals that make them."""
    with mpl.rc_context(STYLE):
        used = np.ones((1, 2), dtype=bool)
        figure, panels = new_sheet(used, DOUBLE_COLUMN, 2.7, labels=(LAYER, ""), share=False)
        rows = matrices(frame)
        for ax, lines, dots, title in (
            (panels[0, 0], LINES, "log10_grad_rms", "gradients and weights"),
            (panels[0, 1], SIGNALS, "log10_cotangent", "signals, forward and back"),
        ):
            _draw(ax, rows, lines, dots)
            ax.set_title(title)
            ax.set_ylabel(DECADES)
        figure.suptitle(str(frame["model"].iloc[0]), fontsize=8)
        legend_below(figure, _handles(rows))
    return figure


def matrices(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of matrices and kernels, or of all parameters where there are none; weights per entry beside them."""
    sizes = [[int(number) for number in shape.split("×") if number] for shape in frame["shape"]]
    entries = np.array([np.prod(size) if size else 1 for size in sizes], float)
    frame = frame.assign(log10_weight_rms=frame["log10_weight"] - np.log10(np.maximum(entries, 1)) / 2)
    several = np.array([len(size) > 1 for size in sizes])
    return frame.loc[several] if several.any() else frame


def _draw(ax: Axes, rows: pd.DataFrame, lines: Mapping[str, Any], dots: str) -> None:
    for column, style, _ in lines.values():
        groups = rows.groupby("layer")[column]
        middle = groups.median()
        ax.plot(middle.index, np.where(np.isfinite(middle), middle, np.nan), color="0.6", linestyle=style, zorder=2)
    bottom = np.inf
    for _, found in rows.groupby(["layer", "path"], sort=False):
        layer, sizes = int(found["layer"].iloc[0]), found[dots].to_numpy(float)
        size, low, high = float(np.median(sizes)), sizes.min(), sizes.max()
        bottom = min(bottom, size) if np.isfinite(size) else bottom
        colour = COLOURS.get(str(found["verdict"].mode().iloc[0]), "black")
        if np.isneginf(size):
            ax.plot(layer, 0.02, "v", color=colour, transform=ax.get_xaxis_transform(), markersize=4, zorder=4)
        elif np.isfinite(size):
            ax.plot(layer, size, "o", color=colour, markersize=3.5, markeredgewidth=0, zorder=4)
            if np.isfinite([low, high]).all() and low < high:
                ax.plot([layer, layer], [low, high], color=colour, linewidth=0.8, zorder=3)
    _draw_formats(ax, float(bottom) if np.isfinite(bottom) else 0.0)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _draw_formats(ax: Axes, lowest: float) -> None:
    """The smallest normal numbers that the data come near, each by name; bfloat16's is float32's."""
    named: dict[float, list[str]] = {}
    for name in FORMATS:
        named.setdefault(float(np.log10(float(ml_dtypes.finfo(name).smallest_normal))), []).append(name)
    low, high = ax.get_ylim()
    for end, names in named.items():
        if end > lowest - 3:
            low = min(low, end - 0.05 * (high - low))
            ax.axhline(end, color="0.4", linewidth=0.6, linestyle=(0, (6, 2)), zorder=1)
            words = f"smallest normal {', '.join(names)}"
            place: Any = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "ha": "right"}
            paper = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
            ax.annotate(words, (1, end), (-3, 3), bbox=paper, zorder=1.5, **place)
    ax.set_ylim(low, high)


def _handles(rows: pd.DataFrame) -> list[Line2D]:
    there = set(rows["verdict"])
    dots: Any = {"marker": "o", "linestyle": "none", "markersize": 3.5, "markeredgewidth": 0}
    handles = [Line2D([], [], color=colour, label=name, **dots) for name, colour in COLOURS.items() if name in there]
    zero = any(np.isneginf(rows[column]).any() for column in ("log10_grad_rms", "log10_cotangent"))
    handles += [Line2D([], [], marker="v", color="0.3", linestyle="none", markersize=4, label="exactly 0")] if zero else []
    lines: list[tuple[str, Any, str]] = [*LINES.values(), *SIGNALS.values()]
    for _, style, words in lines:
        handles.append(Line2D([], [], color="0.6", linestyle=style, label=words))
    return handles


def _draw_from(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    del manifest
    return draw_probe(load_probed(arguments.run_dir))


FIGURE = Command(
    summary="a model of your own: gradients, weights and signals against the layer, with verdicts",
    example="depthscale plot probe results/mine",
    draw=_draw_from,
    reads="probe",
    table="layers",
)
