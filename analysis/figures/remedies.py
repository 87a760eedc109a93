"""What makes 852 layers trainable: the first block's gradient against depth, for networks with different blocks."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from analysis.drawing.command import Command
from analysis.drawing.depth_axis import set_depth_ticks
from analysis.drawing.labels import axis_label, panel_title, plain
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.panel import DEPTH_LABEL
from analysis.drawing.sheet import UNDER, fit_titles, legend_below, new_sheet
from analysis.drawing.style import DOUBLE_COLUMN, MARKERS, QUALITATIVE, SINGLE_COLUMN, SMALL, STYLE
from analysis.numbers.agreement import VALUE, sizes_of
from analysis.numbers.blocks import FAMILIES, OWN, expected_first, family_of
from analysis.numbers.statistics import number_range, seed_statistic
from analysis.rows.load import load_cells
from analysis.rows.options import SWEPT, add_cells, add_swept, selected
from analysis.rows.select import Facet, SelectionError, distinct, facets, select, varying
from bench.theory import gated

LINEAR = 3.0  # decades around 1 within which the axis is linear; beyond it is logarithmic in decades
FORMATS = ("float16", "float32")
COLUMN = 1.9  # inches
THEORY: Any = {"color": "black", "linewidth": 0.7, "linestyle": (0, (2, 1.5)), "zorder": 2}


def plot_remedies(
    frame: pd.DataFrame,
    *,
    loss: str = "output",
    batch: int = 1,
    length: int = 1,
    ax: Axes | None = None,
    key: bool = True,
) -> Axes:
    """One panel: log10 ‖∂y/∂W_1‖ against depth L, a line for each architecture.

    frame: rows of ``load_cells`` that differ in architecture, depth and seed alone, of a run with that ``batch`` and
    ``length``. Lines are medians over seeds, bands
    reach from the smallest seed to the largest; dashed black: mean field theory
    (:func:`bench.theory.block_trajectory`), of the loss ``output``. The y axis is linear within three decades of 1 and
    logarithmic in decades beyond; grey lines: the ends of number formats. Blocks whose gradient is exactly zero have no
    line and say so, and whether that is a gate. Raises SelectionError (a ValueError) where rows differ in anything else.
    """
    panels = facets(frame)
    others = {facet._replace(architecture="") for facet, _ in panels}
    if len(others) != 1 or len(distinct(frame, "scale")) != 1:
        raise SelectionError("SELECTION", f"{len(others)} settings, {len(distinct(frame, 'scale'))} scales", "one of each")
    with given_or_new(ax, SINGLE_COLUMN, 2.8) as own:
        _draw(own, panels, distinct(frame, "scale")[0], key=key, theory=_theory(loss, batch, length))
        _share([own])
        label(own, DEPTH_LABEL, axis_label(VALUE, loss=loss), "")
    return own


def draw_remedies(frame: pd.DataFrame, *, loss: str = "output", batch: int = 1, length: int = 1) -> Figure:
    """A column for each family, a row for each other setting, at the scale next to 1; all on the same axes."""
    scale = min(distinct(frame, "scale"), key=lambda each: abs(np.log(each)) if each else np.inf)
    rows: dict[Facet, dict[str, list[tuple[Facet, pd.DataFrame]]]] = {}
    for facet, found in facets(select(frame, scales=[scale])):
        rows.setdefault(facet._replace(architecture="plain"), {}).setdefault(family_of(facet.architecture), []).append(
            (facet, found)
        )
    named = [name for name in varying(frame) if name != "architecture"]
    columns = [family for family in (*FAMILIES, OWN) if any(family in row for row in rows.values())]
    used = np.array([[family in row for family in columns] for row in rows.values()])
    with mpl.rc_context(STYLE):
        width = SINGLE_COLUMN if len(columns) == 1 else min(COLUMN * len(columns), DOUBLE_COLUMN)
        figure, places = new_sheet(used, width, 3.2 * len(rows) + 0.3, labels=(DEPTH_LABEL, axis_label(VALUE, loss=loss)))
        for (other, row), axes in zip(rows.items(), places, strict=True):
            for family, ax in zip(columns, axes, strict=True):
                if family in row:
                    _draw(ax, row[family], scale, key=True, theory=_theory(loss, batch, length))
                    title = [f"networks {family}" if family != "plain" else "plain networks"]
                    title += [panel_title(other, named)] if len(rows) > 1 else []
                    ax.set_title("\n".join(title))
        _share(list(places[used]))
        one = f"{panel_title(next(iter(rows)), [*named, 'width'])}, " if len(rows) == 1 else ""
        figure.suptitle(f"{one}scale {scale:g}", fontsize=8)
        legend_below(figure, _handles(frame))
        fit_titles(figure, places[used])
    return figure


def _draw(ax: Axes, panels: Sequence[tuple[Facet, pd.DataFrame]], scale: float, *, key: bool, theory: dict | None) -> None:
    ax.set_xscale("log")
    ax.set_yscale("symlog", linthresh=LINEAR, linscale=1.0)
    silent = []
    for number, (facet, rows) in enumerate(panels):
        low, middle, high = (seed_statistic(rows, VALUE, stat, by=["depth"]) for stat in ("min", "median", "max"))
        depths = middle.index.to_numpy()
        drawn = [np.where(np.isfinite(bound), bound, np.nan) for bound in (low, middle, high)]
        colour, marker = QUALITATIVE[number % len(QUALITATIVE)], MARKERS[number % len(MARKERS)]
        name = plain(facet.architecture)
        if np.isnan(drawn[1]).all():
            words = (
                "exactly 0" if np.isneginf(high).all() else "half exactly 0" if np.isneginf(middle).all() else "undefined"
            )
            silent.append(f"{name}: {'gated' if gated(facet.architecture) else words}")
            continue
        ax.fill_between(depths, drawn[0], drawn[2], color=colour, alpha=0.2, linewidth=0, zorder=2)
        ax.plot(depths, drawn[1], color=colour, marker=marker, markersize=3, label=name, zorder=3)
        if theory is not None:
            ax.plot(depths, expected_first(facet, scale, depths.tolist(), **theory), **THEORY)
    for name in FORMATS:
        for end in number_range(name):
            ax.axhline(end, color="0.75", linewidth=0.6, zorder=1)
    ax.set_xlim(
        *np.array([0.9, 1.1])
        * (min(distinct(r, "depth")[0] for _, r in panels), max(distinct(r, "depth")[-1] for _, r in panels))
    )
    set_depth_ticks(ax, sorted({depth for _, rows in panels for depth in distinct(rows, "depth")}))
    ax.yaxis.set_minor_locator(NullLocator())
    if key:
        handles, names = ax.get_legend_handles_labels()
        ax.legend(
            [*handles, *[Line2D([], [], linestyle="none")] * len(silent)], [*names, *silent], fontsize=SMALL - 0.5, **UNDER
        )


def _theory(loss: str, batch: int, length: int) -> dict | None:
    """What a law depends on beside a panel's facet; None where there is none."""
    return {"batch": batch, "length": length} if loss == "output" else None


def _share(places: Sequence[Axes]) -> None:
    """One y axis that holds everything, with round numbers of decades."""
    limits = np.array([ax.dataLim.intervaly for ax in places])
    low, high = min(limits.min(), -LINEAR), max(limits.max(), LINEAR)
    beyond = [3, 10, 30, 100, 300, 1000, 3000]
    ticks = [t for t in [*(-x for x in reversed(beyond)), 0, *beyond] if low * 1.3 <= t <= high * 1.3]
    for ax in places:
        ax.set_ylim(low * 1.3, high * 1.3)
        ax.yaxis.set_major_locator(FixedLocator(ticks))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _handles(frame: pd.DataFrame) -> list[Line2D]:
    seeds = len(distinct(frame, "seed"))
    words = f"median of {seeds} seeds; bands: smallest to largest" if seeds > 1 else "1 seed"
    return [
        Line2D([], [], color="0.3", marker="o", markersize=3, label=words),
        Line2D([], [], label="mean field theory", **{name: value for name, value in THEORY.items() if name != "zorder"}),
        Line2D(
            [],
            [],
            color="0.75",
            linewidth=0.6,
            label=f"ends of {' and '.join(FORMATS)}; y: logarithmic in decades beyond ±{LINEAR:g}",
        ),
    ]


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_swept(parser)
    add_cells(parser)


def _draw_from(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    rows = selected(arguments, load_cells(arguments.run_dir, values=[VALUE]), (*SWEPT, "depths", "widths", "scales"))
    return draw_remedies(rows, loss=manifest["sweep"].get("loss", ""), **sizes_of(manifest))


FIGURE = Command(
    summary="the first block's gradient against depth for different architectures, with theory's lines",
    example="depthscale plot remedies results/remedies --activations relu",
    draw=_draw_from,
    add_options=_add_options,
)
