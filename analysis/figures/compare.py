"""Initializers beside one another: how fast gradients change with depth, ranked, and what theory expects."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from analysis.drawing.command import Command
from analysis.drawing.labels import plain
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.sheet import LINE, PAGE, add_key, fit_titles, in_rows, legend_below, new_sheet, shortened
from analysis.drawing.style import DOUBLE_COLUMN, SINGLE_COLUMN, SMALL, STYLE
from analysis.rows.load import load_table
from analysis.rows.options import SWEPT, add_scales, add_swept, add_widths, selected
from analysis.rows.select import SelectionError, distinct

PANEL = ["width", "input_norm", "activation"]  # schemes are ranked within each
LAYERS = 100  # slopes are drawn per so many layers
LINEAR = 0.1  # decades per 100 layers up to which the axis is linear: one decade in 1000 layers
SLOPES = ["slope", "slope_low", "slope_high", "predicted", "predicted_low", "predicted_high"]
ROW, LOWEST_ROW = 0.17, 0.115  # inches
LONGEST = 105  # points of a scheme's name
KEPT = 1.6  # inches of a page for labels and legend
SLOPE_LABEL = rf"decades of $\Vert\partial y/\partial W_1\Vert_\mathrm{{F}}$ per {LAYERS} layers"
VERDICTS: Mapping[str, tuple[str, str, str]] = {  # marker, colour, words
    "agrees": ("o", "#0072b2", "measured, agrees with theory"),
    "differs": ("s", "#c23b00", "measured, differs from theory (≠)"),
    "mean field": ("v", "#6a3d9a", "measured, beside mean field"),
    "no theory": ("^", "black", "measured, no theory"),
}
ABOVE, BELOW = -0.17, 0.2  # of a row: where the measurement is drawn, and theory
MEASURED: Any = {"markersize": 3.2, "markeredgewidth": 0.7}
INTERVAL: Any = {"linewidth": 0.9, "capsize": 2.4, "capthick": 0.9}
THEORY: Any = {"marker": "D", "markersize": 3.4, "linestyle": "none", "markerfacecolor": "white", "markeredgecolor": "0.15"}
THEORY |= {"markeredgewidth": 0.7}
BAND: Any = {"color": "0.7", "linewidth": 0}


def plot_compare(frame: pd.DataFrame, *, ax: Axes | None = None, key: bool = False) -> Axes:
    """One panel: a row for each scheme, best on top; on x the slope, in decades of gradient per 100 layers of depth.

    frame: rows of ``load_table`` with one activation, width and input norm. Filled: the measured slope and its 95 %
    interval; open diamond below it: theory's, on its band; 0 keeps gradients, left of it they vanish, right of it they
    explode. The axis is linear up to ±0.1 and logarithmic beyond. On the right: the rank (1 + the number of schemes
    shown to be better, by what the table was ranked by; – where none is told from another), ≠ where measurement and
    theory differ at 95 %, a bias of that activation's own, and how many seeds have a gradient of exactly zero. Schemes
    without a slope are named last. ``key``: an ``ax`` that is given gets its legend too. Raises SelectionError (a
    ValueError) for several activations, widths or input norms.
    """
    rows, order = _schemes(frame)
    for column in PANEL:
        if len(found := distinct(rows, column)) != 1:
            raise SelectionError(f"{column}s", found, "one for a panel")
    with given_or_new(ax, SINGLE_COLUMN, min(0.6 + ROW * len(order), PAGE - KEPT)) as own:
        _draw(own, rows, order, _limits(rows))
        label(own, SLOPE_LABEL, "", _title(rows, rows))
        if ax is None or key:
            add_key(own, _handles(rows), inside=ax is not None, title=_words(rows, "\n"))
    return own


def draw_compare(frame: pd.DataFrame) -> Figure:
    """A panel for each ranking, that of an activation, width and input norm, with one slope axis and order: by mean rank.

    Raises SelectionError for more schemes and panels than a page holds.
    """
    rows, order = _schemes(frame)
    groups: Any = rows.groupby(PANEL, sort=False)
    panels_rows = [panel for _, panel in groups]
    if len(panels_rows) == 1:
        figure = plot_compare(frame).get_figure(root=True)
        assert isinstance(figure, Figure)
        return figure
    columns, height = _page(len(panels_rows), len(order))
    used = in_rows(len(panels_rows), columns)
    with mpl.rc_context(STYLE):
        figure, panels = new_sheet(used, DOUBLE_COLUMN, height, labels=(SLOPE_LABEL, ""))
        for ax, panel in zip(panels[used], panels_rows, strict=True):
            _draw(ax, panel, order, _limits(rows), sparse=columns > 2)
            ax.set_title(_title(panel, rows))
        fit_titles(figure, panels[used])
        legend_below(figure, _handles(rows), title=_words(rows, " "), most=3)
    return figure


def _page(panels: int, schemes: int) -> tuple[int, float]:
    """Columns of panels, as few as fit, and the height of all of them in inches. Raises SelectionError."""
    for row in (ROW, LOWEST_ROW):
        for columns in (2, 3, 4):
            height = math.ceil(panels / columns) * (row * schemes + 2 * LINE) + 0.3
            if height <= PAGE - KEPT:
                return columns, height
    most = int(((PAGE - KEPT - 0.3) / math.ceil(panels / 4) - 2 * LINE) / LOWEST_ROW)
    raise SelectionError(
        "initializers", schemes, f"up to {max(most, 1)} on a page of {panels} panels; choose some, or fewer panels"
    )


def _schemes(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The rows with slopes per 100 layers, a ``label`` and a ``note``; and all labels, from the lowest mean rank to none.

    A scheme whose bias is the activation's is one row in all panels: its bias is noted beside it.
    """
    rows: Any = frame.reset_index(drop=True)
    rows = rows if "input_norm" in rows else rows.assign(input_norm=1.0)  # an older table
    rows = rows.assign(**{column: LAYERS * rows[column] for column in SLOPES})
    base = rows["initializer"].astype(str)
    if "architecture" in rows and len(distinct(rows, "architecture")) > 1:
        base = rows["architecture"].astype(str) + " " + base
    if len(distinct(rows, "scale")) > 1:
        base += rows["scale"].map(lambda scale: f" × {scale:g}")
    bias = rows["bias_std"].map(lambda std: f"bias {std:.2g}" if std > 0 else "")
    in_panel = rows["bias_std"].groupby([base, *(rows[column] for column in PANEL)]).transform("nunique")
    several, constant = in_panel.groupby(base).transform("max") > 1, rows["bias_std"].groupby(base).transform("nunique") == 1
    named = (several | constant) & (bias != "")
    rows = rows.assign(label=base + np.where(named, " " + bias, ""), note=np.where(named, "", bias))
    means = rows.assign(size=rows["slope"].abs()).groupby("label", sort=True)[["rank", "size"]].mean()
    return rows, list(means.sort_values(["rank", "size"], kind="stable", na_position="last").index)


def _draw(ax: Axes, rows: pd.DataFrame, order: list[str], limits: tuple[float, float], *, sparse: bool = False) -> None:
    margin = ax.get_yaxis_transform()
    _slope_axis(ax, limits, sparse)
    ax.axvline(0, color="0.4", linewidth=0.7, zorder=1)
    for y in range(1, len(order), 2):
        ax.axhspan(y - 0.5, y + 0.5, color="0.955", linewidth=0, zorder=0)
    for row in rows.to_dict("records"):
        y = order.index(row["label"])
        band = row["predicted_high"] - row["predicted_low"]
        if np.isfinite(band):
            ax.barh(y + BELOW, band, left=row["predicted_low"], height=0.34, zorder=2, **BAND)
        if np.isfinite(row["predicted"]):
            ax.plot(row["predicted"], y + BELOW, zorder=4, **THEORY)
        dead = round(row["dead"] * row["seeds"])
        if row["verdict"] == "undefined" or not np.isfinite(row["slope"]):
            words = "undefined" + (f": {dead} of {row['seeds']:g} seeds dead" if dead else "")
            words = "gated: 0 by design" if row["verdict"] == "gated" else words
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
            ax.text(0.5, y, words, transform=margin, ha="center", va="center", style="italic", color="0.35", bbox=box)
            continue
        marker, colour, _ = VERDICTS[row["verdict"]]
        ends = np.abs([[row["slope"] - row["slope_low"]], [row["slope_high"] - row["slope"]]])
        ax.errorbar(
            row["slope"], y + ABOVE, xerr=ends, color=colour, marker=marker, elinewidth=0.9, zorder=5, **MEASURED, **INTERVAL
        )
        words = [f"{row['rank']:g}" if np.isfinite(row["rank"]) else "–"]
        words[0] += " ≠" if row["verdict"] == "differs" else ""
        words += [row["note"]] if row["note"] else []
        words += [f"{dead} dead"] if dead else []
        weight = "bold" if row["rank"] == 1 else "normal"
        ax.text(1.02, y, ", ".join(words), transform=margin, va="center", color=colour, fontweight=weight)
    ax.set_yticks(range(len(order)), [shortened(scheme, LONGEST, SMALL) for scheme in order])
    ax.set_ylim(len(order) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)


def _limits(rows: pd.DataFrame) -> tuple[float, float]:
    """Of the slope axis: all finite ends of all rows, and what is linear."""
    values = rows[SLOPES].to_numpy(float)
    values = values[np.isfinite(values)]
    low, high = 1.5 * float(np.min(values, initial=-LINEAR)), 1.5 * float(np.max(values, initial=LINEAR))
    return low, high


def _slope_axis(ax: Axes, limits: tuple[float, float], sparse: bool) -> None:
    """``sparse``: with a number at every second power of ten."""
    ax.set_xscale("symlog", linthresh=LINEAR, linscale=1.0)
    ax.set_xlim(*limits)
    powers = LINEAR * 10.0 ** np.arange(max(math.log10(max(-limits[0], limits[1]) / LINEAR), 0) + 1)
    inside = [sign * power for power in powers for sign in (-1, 1) if limits[0] <= sign * power <= limits[1]]
    major = [tick for tick in inside if abs(tick) in powers[::2]] if sparse else inside
    ax.xaxis.set_major_locator(FixedLocator([0.0, *major]))
    ax.xaxis.set_minor_locator(FixedLocator(sorted(set(inside) - set(major))))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda slope, _: f"{slope:g}".replace("-", "−")))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.grid(visible=True, axis="x", which="both", color="0.85", linewidth=0.5, zorder=0)
    ax.set_axisbelow(True)


def _title(rows: pd.DataFrame, whole: pd.DataFrame) -> str:
    first = rows.iloc[0]
    several = {column: len(distinct(whole, column)) > 1 for column in PANEL}
    width = f", n = {first['width']}" if several["width"] else ""
    inputs = f", inputs {first['input_norm']:g} √n" if several["input_norm"] or first["input_norm"] != 1 else ""
    return plain(str(first["activation"])) + width + inputs


def _words(rows: pd.DataFrame, end: str) -> str:
    """What was measured, and what the margin says."""
    depths, seeds = (distinct(rows, name)[-1] for name in ("depth", "seeds"))
    by = distinct(rows, "rank_by")[0] if "rank_by" in rows else "slope"
    none = "; –: none told apart" if np.any(rows["rank"].isna() & rows["slope"].notna()) else ""
    return (
        f"mean slope from depth 2 to {depths} of {seeds} {'seeds' if seeds > 1 else 'seed'}: below 0 gradients vanish,{end}"
        f"above 0 they explode\nright margin: rank by {plain(by)} (1 + schemes shown to be better{none})"
    )


def _handles(rows: pd.DataFrame) -> list[Any]:
    found = set(rows["verdict"])
    handles: list[Any] = [
        Line2D([], [], color=colour, marker=marker, linestyle="none", label=words, **MEASURED)
        for verdict, (marker, colour, words) in VERDICTS.items()
        if verdict in found
    ]
    if np.isfinite(rows["slope_low"].to_numpy(float)).any():
        handles.append(
            Line2D([], [], color="0.3", marker="|", markersize=5, linewidth=0.9, label="95 % interval over seeds")
        )
    if np.isfinite(rows["predicted"].to_numpy(float)).any():
        handles.append(Line2D([], [], label="theory", **THEORY))
    if np.isfinite(rows["predicted_low"].to_numpy(float)).any():
        handles.append(Patch(label="theory's 95 % band", **BAND))
    return handles


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_swept(parser)
    add_widths(parser)
    add_scales(parser)


def _draw_from(arguments: argparse.Namespace, _: Mapping[str, Any]) -> Figure:
    return draw_compare(selected(arguments, load_table(arguments.run_dir), (*SWEPT, "scales")))


FIGURE = Command(
    summary="initializers ranked by how fast gradients change with depth, beside theory (needs depthscale compare)",
    example="depthscale plot compare results/compare --activations tanh relu",
    draw=_draw_from,
    add_options=_add_options,
    table="table.csv",
)
