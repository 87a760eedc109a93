"""One panel of learning curves: medians and bands over seeds while training, and where a training ends before its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from analysis.drawing.style import round_ticks
from analysis.numbers.seed_curves import Curve, End, curve_of, ends_of
from analysis.rows.select import distinct

DASHES = ("solid", (0, (5, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (1, 1.2)))  # of as many lines as a panel has
LINEAR: Any = {"linthresh": 1.0, "linscale": 0.35}  # of the step axis: 0 and 1 are apart, then come decades
CALM = 10.0  # times its first loss, or gradient, that a diverging network may pull an axis to
MARGIN = 0.05  # of the axis
ZERO_BAND, ZERO_LANE = 0.07, 0.06  # of the axis: a band for exact zeros, and what each scale in it adds
NARROW = 2.5  # decades: an axis that short has ticks at 1, 2, 5, written out
CROSS: Any = {"linestyle": "none", "marker": "x", "markersize": 3.5, "markeredgewidth": 0.9}
TRIANGLE: Any = {"linestyle": "none", "marker": "v", "markersize": 2.6, "markeredgewidth": 0}


class Limits(NamedTuple):
    """The ends of a y axis in its own units, and of a loss in decades."""

    low: float
    high: float


def looks_of(frame: pd.DataFrame) -> dict[float, dict[str, Any]]:
    """A colour and a line style for each scale; lightness alone, or dashes alone, tell them apart."""
    scales = distinct(frame, "scale")
    # Without the palest end, which is hard to see on paper.
    colours = mpl.colormaps["viridis"](np.linspace(0.0, 0.88, len(scales)) if len(scales) > 1 else [0.0])
    return {
        scale: {"color": tuple(colour), "linestyle": DASHES[place % len(DASHES)]}
        for place, (scale, colour) in enumerate(zip(scales, colours, strict=True))
    }


def limits_of(frame: pd.DataFrame, values: Sequence[str]) -> Limits:
    """What an axis of these columns spans: all finite values, of a network that diverges up to ten times its first.

    frame: rows of ``load_curves``, of several panels if these share the axis.
    """
    if "accuracy" in values:
        return Limits(-0.03, 1.03)
    running = pd.Series(np.isfinite(frame["loss"].to_numpy()), index=frame.index)
    keys = ["initializer", "activation", "width", "bias_std", "optimizer", "depth", "scale", "seed"]
    calm = running.groupby([frame[key] for key in keys]).transform("all").to_numpy()
    first = frame["step"].to_numpy() == min(frame["step"])
    inside = []
    for value in values:
        decades = _decades(frame[value].to_numpy(float), value)
        shown = np.isfinite(decades)
        inside += [decades[shown & (calm | first)], decades[shown & first & ~calm] + np.log10(CALM)]
    found = np.concatenate(inside)
    low, high = (float(found.min()), float(found.max())) if found.size else (-1.0, 1.0)
    margin = MARGIN * max(high - low, 0.2)
    return Limits(low - margin, high + margin)


def draw_panel(
    ax: Axes, frame: pd.DataFrame, value: str, looks: Mapping[float, Mapping[str, Any]], limits: Limits
) -> set[str]:
    """Draw one column of the networks of one setting, depth and learning rate; returns the marks that a legend explains.

    Marks: ``cross`` where a seed's loss was last finite, at an edge if that lies beyond the axis; ``undefined`` if it never
    was; ``triangle`` in a band at the bottom, where a median is exactly zero, which a log axis has not.
    """
    rows = {scale: frame.loc[frame["scale"] == scale] for scale in looks}
    curves = {scale: _in_decades(curve, value) for scale in looks if (curve := curve_of(rows[scale], value)) is not None}
    zeros = [scale for scale, curve in curves.items() if np.isneginf(curve.median).any()]
    low = limits.low - (ZERO_BAND + ZERO_LANE * len(zeros) if zeros else 0) * (limits.high - limits.low)
    _set_axes(ax, frame, value, limits, low)
    marks = {"triangle"} if zeros else set()
    if zeros:
        ax.axhspan(_height(low, value), _height(limits.low, value), color="0.91", linewidth=0, zorder=0)
    for scale, look in looks.items():
        lane = limits.low - (limits.low - low) * (zeros.index(scale) + 1) / (len(zeros) + 1) if scale in zeros else low
        if scale in curves:
            _draw_curve(ax, curves[scale], value, look, lane)
        for end in ends_of(rows[scale], value):
            _draw_end(ax, end, value, look["color"], Limits(lane, limits.high))
            marks |= {"cross", "undefined"} if np.isnan(end.value) else {"cross"}
    return marks


def _draw_curve(ax: Axes, curve: Curve, value: str, look: Mapping[str, Any], lane: float) -> None:
    """``lane``: where zeros are drawn, in decades."""
    zero = np.isneginf(curve.median)
    low, median, high = (
        _height(np.where(np.isneginf(bound), lane, np.where(np.isfinite(bound), bound, np.nan)), value)
        for bound in (curve.low, curve.median, curve.high)
    )
    number = np.where(zero, np.nan, median)
    # A single finite step between gaps has no line to be part of; without a marker it would vanish.
    alone = "." if np.isfinite(number).sum() == 1 else ""
    ax.plot(curve.steps, number, marker=alone, markersize=3.5, linewidth=0.9, zorder=3, **look)
    if zero.any():
        ax.plot(curve.steps, median, linewidth=0.4, alpha=0.6, zorder=2.5, **look)
        ax.plot(curve.steps[zero], median[zero], color=look["color"], zorder=4, **TRIANGLE)
    if curve.seeds > 1:
        ax.fill_between(curve.steps, low, high, color=look["color"], alpha=0.18, linewidth=0, zorder=2)


def _draw_end(ax: Axes, end: End, value: str, colour: Any, limits: Limits) -> None:
    decades = _decades(np.array([end.value]), value)[0]
    inside = np.clip(limits.high if np.isnan(decades) else decades, *limits)
    ax.plot(end.step, _height(inside, value), color=colour, zorder=5, clip_on=False, **CROSS)


def _decades(values: np.ndarray, value: str) -> np.ndarray:
    """What a panel's axis is linear in: the logarithm of a loss; the other columns as they are."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log10(values) if value == "loss" else values


def _in_decades(curve: Curve, value: str) -> Curve:
    low, median, high = (_decades(bound, value) for bound in (curve.low, curve.median, curve.high))
    return curve._replace(low=low, median=median, high=high)


def _height(decades: Any, value: str) -> Any:
    return 10.0**decades if value == "loss" else decades


def _set_axes(ax: Axes, frame: pd.DataFrame, value: str, numbers: Limits, low: float) -> None:
    """``numbers``: what the ticks span; below, down to ``low``, are zeros."""
    last = float(max(frame["step"]))
    decades = [10.0**power for power in range(int(np.log10(max(last, 1.0))) + 1)]
    ax.set_xscale("symlog", **LINEAR)
    ax.set_xlim(-0.08, max(last, 1.0) * 1.15)
    ax.xaxis.set_major_locator(FixedLocator([0.0, *decades]))
    ax.xaxis.set_minor_locator(FixedLocator([step for d in decades for step in d * np.arange(2, 10) if step <= last]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    if value == "loss":
        ax.set_yscale("log")
        if numbers.high - numbers.low < NARROW:
            ax.yaxis.set_major_locator(FixedLocator(round_ticks(*(10.0 ** np.array(numbers)).tolist())))
            ax.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
    elif value == "accuracy":
        ax.yaxis.set_major_locator(FixedLocator([0.0, 0.5, 1.0]))
    else:
        # None in the band for zeros.
        ticks = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(*numbers)
        ax.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if numbers.low <= tick <= numbers.high]))
    ax.set_ylim(*(_height(end, value) for end in (low, numbers.high)))
