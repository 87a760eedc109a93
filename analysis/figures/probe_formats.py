"""What number formats make of a model's gradients, layer by layer: how much is lost, and how far the rest is turned."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.drawing.command import Command
from analysis.drawing.labels import plain
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.sheet import legend_below, new_sheet
from analysis.drawing.style import DASHES, DOUBLE_COLUMN, MARKERS, QUALITATIVE, SINGLE_COLUMN, STYLE
from analysis.rows.load import load_probed_formats

LAYER = "layer, in the order of the forward pass"
VALUES = MappingProxyType(  # what is drawn → the words on its axis, and the panel's title
    {
        "share_lost": ("share of the gradient's entries", "lost: rounded to zero, or too large"),
        "angle": ("degrees to the exact gradient", "turned: the angle of what is left"),
    }
)
RIGHT = 90.0  # degrees: nothing of the direction is left


def plot_probe_formats(frame: pd.DataFrame, *, value: str = "share_lost", ax: Axes | None = None) -> Axes:
    """One panel: on x the layer, on y the share of a gradient's entries that a format loses, or the angle to the exact one.

    frame: rows of ``load_probed_formats``; value: ``share_lost`` or ``angle``. A line for each format, of the matrices and
    kernels alone: medians over seeds and parameters of a layer, bars from the smallest to the largest. Where nothing is
    left there is no angle.
    """
    rows = _prepared(frame)
    with given_or_new(ax, SINGLE_COLUMN, 2.6) as own:
        _draw(own, rows, value)
        label(own, LAYER, *VALUES[value])
        if ax is None:
            own.legend(handles=_handles(rows))
    return own


def draw_probe_formats(frame: pd.DataFrame) -> Figure:
    """Two panels: what is lost, and how far the rest is turned."""
    rows = _prepared(frame)
    with mpl.rc_context(STYLE):
        figure, panels = new_sheet(np.ones((1, 2), dtype=bool), DOUBLE_COLUMN, 2.7, labels=(LAYER, ""), share=False)
        for ax, (value, (words, title)) in zip(panels[0], VALUES.items(), strict=True):
            _draw(ax, rows, value)
            ax.set(title=title, ylabel=words)
        figure.suptitle(str(frame["model"].iloc[0]), fontsize=8)
        legend_below(figure, _handles(rows))
    return figure


def _prepared(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of matrices and kernels, or of all parameters where there are none, with what is lost in all."""
    several = np.array([len([part for part in shape.split("×") if part]) > 1 for shape in frame["shape"]])
    frame = frame.assign(share_lost=np.minimum(frame["share_zero"] + frame["share_overflow"], 1))
    return frame.loc[several] if several.any() else frame


def _draw(ax: Axes, rows: pd.DataFrame, value: str) -> None:
    formats = list(dict.fromkeys(rows["format"]))
    for number, name in enumerate(formats):
        groups = rows.loc[(rows["format"] == name).to_numpy()].groupby("layer")[value]
        middle, low, high = groups.median(), groups.min(), groups.max()
        aside = (number - (len(formats) - 1) / 2) * 0.6 / max(len(formats), 1) * min(1.0, len(middle) / 40 + 0.2)
        look = _look(number)
        ax.plot(middle.index + aside, middle, zorder=3, **look)
        ax.vlines(middle.index + aside, low, high, color=look["color"], linewidth=0.8, zorder=2)
    if value == "share_lost":
        ax.set_ylim(-0.04, 1.04)
    else:
        _angles(ax, rows[value].to_numpy(float))
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    layers = rows["layer"].to_numpy(float)
    ax.set_xlim(layers.min() - 0.6, layers.max() + 0.6)


def _angles(ax: Axes, angles: np.ndarray) -> None:
    """Decades of degrees, up to a right angle; a straight line from 0 where some are exactly 0."""
    there = angles[angles > 0]
    if not there.size:
        ax.set_ylim(0, 1)
        return
    ax.set_yscale("symlog", linthresh=10 ** np.floor(np.log10(there.min())))
    ax.set_ylim(0 if (angles == 0).any() else there.min() / 2, max(there.max() * 2, 1))
    if there.max() * 2 > RIGHT:
        ax.axhline(RIGHT, color="0.4", linewidth=0.6, linestyle=(0, (6, 2)), zorder=1)


def _look(number: int) -> dict[str, Any]:
    return {
        "color": QUALITATIVE[number % len(QUALITATIVE)],
        "marker": MARKERS[number % len(MARKERS)],
        "linestyle": DASHES[number % len(DASHES)],
        "markersize": 3.2,
        "markeredgewidth": 0,
    }


def _handles(rows: pd.DataFrame) -> list[Line2D]:
    scales = rows.groupby("format", sort=False)["loss_scale"].first()
    named = zip(map(str, scales.index), scales.to_numpy(float), strict=True)
    words = [f"{name} (2^{np.log2(scale):g})" if "dynamic" in name else name for name, scale in named]
    return [Line2D([], [], label=plain(word), **_look(number)) for number, word in enumerate(words)]


def _draw_from(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    del manifest
    return draw_probe_formats(load_probed_formats(arguments.run_dir))


FIGURE = Command(
    summary="a model of your own in number formats: what is lost of each layer's gradient, and its angle to the exact one",
    example="depthscale plot probe-formats results/mine",
    draw=_draw_from,
    reads="probe",
    table="formats",
)
