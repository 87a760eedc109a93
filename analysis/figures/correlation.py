"""Two inputs against depth: how far apart a network leaves them, and the cosine of their gradients."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator

from analysis.drawing.command import Command
from analysis.drawing.depth_axis import set_depth_ticks
from analysis.drawing.edge import describe_missing
from analysis.drawing.labels import panel_title
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.panel import DEPTH_LABEL
from analysis.drawing.sheet import add_key, legend_below, note_handle
from analysis.drawing.style import DOUBLE_COLUMN, SINGLE_COLUMN, SMALL, STYLE, new_figure, tidy
from analysis.numbers.statistics import seed_statistic
from analysis.numbers.two_inputs import BY_QUADRATURE, Expected, deepest, expected, merging, missing
from analysis.rows.load import load_pairs
from analysis.rows.options import SWEPT, add_cells, add_several, add_swept, numbers, selected
from analysis.rows.select import Facet, SelectionError, check_name, distinct, facets, select, varying

VALUES = ("cosine_last", "cosine_grad_first")
LABELS = {
    "cosine_last": r"$1 - \cos\,(z_{L-1},\,z_{L-1}^{\,\prime})$",
    "cosine_grad_first": r"$\cos\,(\delta_1,\,\delta_1^{\,\prime})$",
}
HEADINGS = {"cosine_last": "how far apart inputs stay", "cosine_grad_first": "how much alike gradients stay"}
# Okabe and Ito's, of unlike lightness; schemes are told apart by lines too, correlations by markers.
COLOURS = ("#0072b2", "#d55e00", "black", "#009e73", "#cc79a7", "#56b4e9")
DASHES = ("solid", (0, (5, 1.5)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)), (0, (2.5, 1)), (0, (8, 2)))
MARKERS = ("o", "s", "^", "D")
POINTS: Any = {"linestyle": "none", "markersize": 3.2, "markeredgewidth": 0.7, "markerfacecolor": "white"}
LAW: Any = {"color": "0.55", "linewidth": 2.2, "alpha": 0.8, "zorder": 1.5}
LAW_LABEL = r"ReLU: $9\pi^2 / (2\,l^2)$, $l = L - 1$"
MERGED = 8  # the depth from which that law is below 1
ROUNDING = 1e-12  # of 1 - cos in float32, formed from the difference of two unit vectors, each exact to 1e-7


class Series(NamedTuple):
    """What has one colour."""

    facet: Facet
    scale: float
    rows: pd.DataFrame


def plot_correlation(frame: pd.DataFrame, *, value: str = "cosine_last", ax: Axes | None = None, key: bool = False) -> Axes:
    """One panel against depth L, on a logarithmic axis: points are medians over seeds, bands their 10 to 90 %, lines theory.

    frame: rows of ``load_pairs``: two inputs of one network, whose ``correlation`` a marker tells. ``value``:
    ``cosine_last``, drawn as 1 - cos(z_{L-1}, z'_{L-1}) on a logarithmic axis, which falls where a network merges its
    inputs (what is below 10^-7 is rounding, and not drawn: bands end there); or ``cosine_grad_first``, cos(δ_1, δ_1') of
    δ_1 = ∂y/∂z_1, which falls where gradients of near inputs come to have nothing in common (Balduzzi et al. 2017, arXiv
    1702.08591). Inputs at correlation 1 are one, and nothing is apart.

    He's ReLU keeps the size of gradients at any depth, and merges inputs all the same: grey, 9π²/(2 l²), while the cosine
    of their gradients falls as l^-3. Theory (:func:`bench.theory.gradient_correlation`) is for infinite width, which typical
    networks leave where they are about as deep as wide, and, of ELU and SELU, drawn to depth 100; the legend says
    why a network has no line. A network whose vectors are zero has no angle and is left out. Raises SelectionError (a
    ValueError) for more than six networks or four correlations.
    """
    check_name("value", value, VALUES)
    series = _series(frame)
    with given_or_new(ax, SINGLE_COLUMN, 2.8) as own:
        law = _draw(own, series, value, _theory(series))
        label(own, DEPTH_LABEL, LABELS[value], HEADINGS[value])
        if ax is None or key:
            add_key(own, _handles(frame, series, law), inside=ax is not None)
    return own


def draw_correlation(frame: pd.DataFrame) -> Figure:
    """Two panels, inputs and gradients. Errors: see :func:`plot_correlation`."""
    series = _series(frame)
    theory, law = _theory(series), False
    with mpl.rc_context(STYLE):
        figure = new_figure(DOUBLE_COLUMN, 2.9)
        for ax, value, letter in zip(figure.subplots(1, 2, sharex=True), VALUES, "ab", strict=True):
            tidy(ax)
            law |= _draw(ax, series, value, theory)
            ax.set(xlabel=DEPTH_LABEL, ylabel=LABELS[value])
            ax.set_title(letter, loc="left", fontweight="bold")
            ax.set_title(HEADINGS[value])
        legend_below(figure, _handles(frame, series, law))
    return figure


def _series(frame: pd.DataFrame) -> list[Series]:
    series = [
        Series(facet, scale, rows.loc[(rows["scale"] == scale).to_numpy()])
        for facet, rows in facets(frame)
        for scale in distinct(rows, "scale")
    ]
    if len(series) > len(COLOURS):
        words = "choose some, with --initializers, --activations, --widths, --bias-stds, --input-norms or --scales"
        raise SelectionError("SELECTION", f"{len(series)} networks", f"up to {len(COLOURS)} in a panel; {words}")
    correlations = distinct(frame, "correlation")
    if len(correlations) > len(MARKERS):
        raise SelectionError("correlations", len(correlations), f"up to {len(MARKERS)} in a panel; choose some")
    return series


def _theory(series: Sequence[Series]) -> dict[tuple[int, float], tuple[np.ndarray, Expected]]:
    """By series and correlation: depths, and what is expected there."""
    found = {}
    for number, (facet, scale, rows) in enumerate(series):
        depths = np.unique(rows["depth"])
        for correlation in distinct(rows, "correlation"):
            found[number, correlation] = depths, expected(facet, scale, correlation, depths.tolist())
    return found


def _draw(ax: Axes, series: Sequence[Series], value: str, theory: Mapping) -> bool:
    """Returns whether ReLU's law is among what is drawn."""
    apart = value == VALUES[0]
    correlations = sorted({correlation for _, correlation in theory})
    lowest, shown = 1.0, False
    for number, (facet, _, rows) in enumerate(series):
        rows = rows.assign(drawn=1 - rows[value] if apart else rows[value]).dropna(subset="drawn")
        for correlation in distinct(rows, "correlation"):
            if apart and correlation == 1:  # one input twice: what is not 0 is rounding
                continue
            at = rows.loc[(rows["correlation"] == correlation).to_numpy()]
            low, middle, high = (seed_statistic(at, "drawn", stat, by=["depth"]) for stat in ("q10", "median", "q90"))
            depths = middle.index.to_numpy()
            # what is rounding is no number, and ends a band
            floor = ROUNDING if apart else -np.inf
            points, (low, high) = np.where(middle > floor, middle, np.nan), np.maximum([low, high], floor)
            shown |= bool(np.isfinite(points).any())
            marker = MARKERS[correlations.index(correlation)]
            ax.plot(depths, points, marker=marker, color=COLOURS[number], zorder=4, **POINTS)
            if facet.width > 1:  # one number's cosine is 1 or -1, and nothing between
                ax.fill_between(depths, low, high, color=COLOURS[number], alpha=0.15, linewidth=0, zorder=2)
            known, law = theory[number, correlation]
            line = law.apart if apart else law.gradients
            line = np.where(line > floor, line, np.nan)
            ax.plot(known, line, color=COLOURS[number], linestyle=DASHES[number], linewidth=0.9, zorder=3)
            lowest = np.nanmin([lowest, *low[high > floor], *line])
    depths = sorted({depth for _, _, rows in series for depth in rows["depth"].tolist()})
    ax.set_xscale("log")
    ax.set_xlim(depths[0] / 1.15, depths[-1] * 1.15)
    set_depth_ticks(ax, depths)
    if apart:
        ax.set_yscale("log")
        ax.set_ylim(lowest if lowest <= ROUNDING else lowest / 1.6, 3)
    else:
        ax.axhline(0, color="0.7", linewidth=0.5, zorder=1)
    if not shown:
        words = "every angle is of zeros" if _dead(series) else "nothing is apart beyond rounding"
        ax.text(0.5, 0.5, words, ha="center", va="center", transform=ax.transAxes, fontsize=SMALL)
        ax.yaxis.set_major_locator(NullLocator())
        ax.yaxis.set_minor_locator(NullLocator())
    merged = apart and shown and depths[-1] > MERGED and any(map(_merges, series))
    if merged:
        deep = np.geomspace(MERGED, depths[-1])
        ax.plot(deep, merging(deep), **LAW)
    return merged


def _merges(series: Series) -> bool:
    """Whether these networks merge their inputs as ReLU does; one number has no angle to merge."""
    facet, scale, _ = series
    return facet.activation == "relu" and facet.bias_std == 0 and facet.width > 1 and scale > 0


def _dead(series: Sequence[Series]) -> bool:
    return all(np.isnan(rows[list(VALUES)].to_numpy(float)).all() for _, _, rows in series)


def _handles(frame: pd.DataFrame, series: Sequence[Series], law: bool) -> list:
    named, scales = varying(frame), distinct(frame, "scale")
    handles: list = []
    without = {facet: reason for facet, _, _ in series if (reason := missing(facet))}
    for (facet, scale, _), colour, dashes in zip(series, COLOURS, DASHES, strict=False):
        words = panel_title(facet, named) + (f", scale {scale:g}" if len(scales) > 1 or scale != 1 else "")
        look: Any = {"linestyle": "none", "marker": "o", "markersize": 4} if facet in without else {"linestyle": dashes}
        handles.append(Line2D([], [], color=colour, label=words, **look))
    for correlation, marker in zip(distinct(frame, "correlation"), MARKERS, strict=False):
        words = f"inputs at correlation {correlation:.12g}{' (one input: 0 apart)' if correlation == 1 else ''}"
        handles.append(Line2D([], [], color="0.2", marker=marker, label=words, **POINTS))
    seeds, shown = len(distinct(frame, "seed")), list(dict.fromkeys(facet for facet, _, _ in series))
    points = "points: measured" + (f", median of {seeds} seeds" if seeds > 1 else "")
    handles.append(note_handle(points + ("; lines: theory, $n \\to \\infty$" if len(without) < len(shown) else "")))
    handles += [note_handle(words) for words in describe_missing(without, shown, "theory")]
    if any(deepest(facet) < distinct(frame, "depth")[-1] for facet in shown if facet not in without):
        handles.append(note_handle(f"theory of ELU and SELU is followed to $L = {BY_QUADRATURE}$"))
    if seeds > 1 and any(facet.width > 1 for facet in shown):
        handles.append(Patch(facecolor="0.8", label="10 to 90 % of the seeds"))
    if law:
        handles.append(Line2D([], [], label=LAW_LABEL, **{k: v for k, v in LAW.items() if k != "zorder"}))
    dead = int(np.isnan(frame[list(VALUES)].to_numpy(float)).any(axis=1).sum())
    return handles + ([note_handle(f"{dead} of {len(frame)} angles are of zeros, and left out")] if dead else [])


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_swept(parser)
    add_cells(parser, scales="weight scales (default: the one nearest to 1)")
    add_several(parser, "--correlations", numbers, "correlations of the two inputs", "C")


def _draw_from(arguments: argparse.Namespace, _: Mapping[str, Any]) -> Figure:
    pairs = selected(arguments, load_pairs(arguments.run_dir), (*SWEPT, "depths", "scales"))
    wanted = arguments.correlations
    pairs = select(pairs, correlations=None if wanted is None else np.atleast_1d(wanted).tolist())
    if arguments.scales is None:
        pairs = select(pairs, scales=[min(distinct(pairs, "scale"), key=lambda scale: abs(scale - 1))])
    return draw_correlation(pairs)


FIGURE = Command(
    summary="two inputs against depth: how far apart they stay, and the cosine of their gradients (needs --correlations)",
    example="depthscale plot correlation results/mine --initializers he_normal --activations relu tanh",
    draw=_draw_from,
    add_options=_add_options,
    table="pairs",
)
