"""What vanishing and exploding gradients cost: decades of gradient at initialization against steps to the target."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.drawing.bands import Bands, beyond_top, draw_bands, lay_out, place
from analysis.drawing.command import Command
from analysis.drawing.labels import counted
from analysis.drawing.own_axes import given_or_new, label
from analysis.drawing.sheet import LINE, shortened
from analysis.drawing.style import DOUBLE_COLUMN, SMALL, STYLE, new_figure, tidy
from analysis.numbers.best_rate import best_rate, network
from analysis.numbers.groups import Groups, quantile
from analysis.numbers.rank_correlation import Correlation, rank_correlation
from analysis.rows.load import load_trained
from analysis.rows.options import TRAINED, add_training_options, selected
from analysis.rows.select import check_name, distinct, spread

DECADES: Mapping[str, str] = MappingProxyType(
    {
        "first": r"decades of gradient at initialization, $\log_{10}\,\Vert\partial\ell/\partial W_1\Vert_\mathrm{F}$",
        "ratio": r"decades of gradient, first over last hidden layer at initialization, "
        r"$\log_{10}(\Vert\partial\ell/\partial W_1\Vert_\mathrm{F}/\Vert\partial\ell/\partial W_{L-1}\Vert_\mathrm{F})$",
    }
)
SIDES = ("all", "vanishing", "exploding")
WITHIN = "within depths"
MARKERS = "o^sDvP"  # of initializers, or architectures where there are several; of more, all from the last on share it
MOST_BINS, FEWEST = 8, 12  # on a side, and rows in one of them
MOST_DEPTHS = 6  # in the legend
LONGEST = 90  # points of an initializer's name there
MEDIAN, QUARTILES = 1.4, 0.16  # points, opacity


def cost_rows(frame: pd.DataFrame, decades: str = "first") -> tuple[pd.DataFrame, int]:
    """The networks at each setting's best learning rate with ``decades`` and ``setting``, and how many were left out.

    frame: rows of ``load_trained``. ``first``: log10 ‖∂ℓ/∂W_1‖ at initialization, decades from a gradient of size 1.
    ``ratio``: that less log10 ‖∂ℓ/∂W_{L-1}‖, the first hidden layer against the last. It does not see gradients that vanish
    as the lecture's do: at a small scale activations shrink forwards as cotangents do backwards, and all layers' gradients
    alike. A network whose loss is not finite at the very first step is beyond the range of floats: its decades are inf.
    Left out is what is undefined: other rows with a NaN, and ratios of two exact zeros. Rows are sorted by setting and
    seed. Raises SelectionError for other ``decades``.
    """
    check_name("decades", decades, DECADES)
    rows = best_rate(frame).sort_values([*network(frame), "seed"], ignore_index=True)
    first, last = (rows[name].to_numpy(float) for name in ("log10_grad_first", "log10_grad_last"))
    with np.errstate(invalid="ignore"):
        found = first - last if decades == "ratio" else first
    rows["decades"] = np.where(rows["diverged_at"].to_numpy(float) == 0, np.inf, found)  # its loss has no gradient
    rows["setting"] = rows.groupby(network(rows), sort=True, observed=True).ngroup()
    known = ~np.isnan(rows[["decades", "steps_to_target"]].to_numpy(float)).any(axis=1)
    return rows.loc[known].reset_index(drop=True), int((~known).sum())


def cost_correlations(frame: pd.DataFrame, *, decades: str = "first") -> dict[str, Correlation]:
    """Kendall's τ_b with steps to the target: of the absolute decades on both sides, and of the depth, which drives both.

    ``all``, ``vanishing`` (below 0), ``exploding``: of the absolute decades. ``depth``: of the depth in place of decades.
    ``within depths``: of the absolute decades, by pairs of networks of one depth alone, with the settings of each depth
    resampled; it is what decades say that depth does not. ``L = 8``, …: of the absolute decades at that depth. Arguments and
    errors are those of :func:`cost_rows`.
    """
    rows, _ = cost_rows(frame, decades)
    x, depth = rows["decades"].to_numpy(), rows["depth"].to_numpy()
    size, steps, settings = np.abs(x), rows["steps_to_target"].to_numpy(float), rows["setting"].to_numpy()

    def of(where: np.ndarray) -> Correlation:
        return rank_correlation(size[where], steps[where], settings[where])

    found: dict[str, Correlation] = dict(zip(SIDES, map(of, (np.ones(len(x), dtype=bool), x < 0, x > 0)), strict=True))
    found["depth"] = rank_correlation(depth, steps, settings)
    found[WITHIN] = rank_correlation(size, steps, settings, strata=depth)
    return found | {f"L = {each}": of(depth == each) for each in distinct(rows, "depth")}


def plot_cost(frame: pd.DataFrame, *, steps: int, decades: str = "first", ax: Axes | None = None, key: bool = False) -> Axes:
    """Decades of gradient at initialization on x, steps to the target on a logarithmic y axis: a point for each network.

    frame: rows of ``load_trained``, of which each setting is drawn at its best learning rate; ``steps``: how long they
    trained; ``decades``: see :func:`cost_rows`, on an axis that is linear near 10^0 and logarithmic far from it. Colour is
    the depth, the marker the initializer, or the architecture
    where there are several. Black: median and quartiles over bins of equally many networks, on either side
    of 10^0. Networks that never reached the target lie in the band on top, as crosses where training diverged; gradients of
    exactly zero, or beyond the range of floats, lie in bands at the sides: points are spread evenly there, and where in a
    band a point lies means nothing. ``key``: an ``ax`` that is given gets its legend too. Raises SelectionError for other
    ``decades``.
    """
    rows, left_out = cost_rows(frame, decades)
    with given_or_new(ax, DOUBLE_COLUMN, 3.2) as own:
        handles = _draw(own, rows, steps)
        label(own, DECADES[decades], "steps to the target", counted(len(rows), "network"))
        if ax is None or key:
            _legend(own.get_figure(root=True) if ax is None else own, handles, left_out)
    return own


def draw_cost(
    frame: pd.DataFrame,
    *,
    target: str,
    steps: int,
    decades: str = "first",
    correlations: Mapping[str, Correlation] | None = None,
) -> Figure:
    """The panel of :func:`plot_cost` with its rank correlations, which are computed if they are not given."""
    rows, left_out = cost_rows(frame, decades)
    found = cost_correlations(frame, decades=decades) if correlations is None else correlations
    with mpl.rc_context(STYLE):
        figure = new_figure(DOUBLE_COLUMN, 3.2)
        ax = figure.add_subplot()
        tidy(ax)
        handles = _draw(ax, rows, steps)
        ax.set(xlabel=DECADES[decades], ylabel=f"steps to {target.replace('=', ' ')}")
        tau = {side: rf"$\tau_\mathrm{{b}}$ = {correlation}" for side, correlation in found.items()}
        ax.set_title(f"vanishing\n{tau['vanishing']}", loc="left", fontsize=SMALL)
        apart = f"within depths {tau[WITHIN]}, of depth itself {tau['depth']}"
        ax.set_title(f"{apart}\nall: |decades| with steps (95 % interval)\n{tau['all']}", fontsize=SMALL)
        ax.set_title(f"exploding\n{tau['exploding']}", loc="right", fontsize=SMALL)
        _legend(figure, handles, left_out)
    return figure


def _draw(ax: Axes, rows: pd.DataFrame, steps: int) -> list:
    """Returns the legend's entries."""
    x, y = (rows[name].to_numpy(float) for name in ("decades", "steps_to_target"))
    bands = lay_out(x, y, steps)
    named = draw_bands(ax, bands, x, y, steps)
    handles: list = _draw_points(ax, rows, *place(bands, x, y))
    drawn = [_draw_medians(ax, x[side], y[side], bands) for side in (np.isfinite(x) & (x < 0), np.isfinite(x) & (x > 0))]
    if any(drawn):
        handles.append(Line2D([], [], color="black", linewidth=MEDIAN, label="median"))
        handles.append(Patch(facecolor="black", alpha=QUARTILES, linewidth=0, label="quartiles"))
    return handles + named


def _draw_points(ax: Axes, rows: pd.DataFrame, x: np.ndarray, y: np.ndarray) -> list[Line2D]:
    if rows.empty:
        return []
    several = "architecture" in rows and len(distinct(rows, "architecture")) > 1
    kind = "architecture" if several else "initializer"
    depths, schemes = distinct(rows, "depth"), distinct(rows, kind)
    norm = LogNorm(depths[0], depths[-1]) if len(depths) > 1 else LogNorm(1, depths[0])
    colours = _colours(norm(rows["depth"].to_numpy(float)))
    diverged = np.isfinite(rows["diverged_at"].to_numpy(float)) & np.isposinf(rows["steps_to_target"].to_numpy(float))
    area = float(np.clip(4000 / len(rows), 2, 12))  # points²
    marker_of = {scheme: MARKERS[min(position, len(MARKERS) - 1)] for position, scheme in enumerate(schemes)}
    for scheme, marker in marker_of.items():
        of_scheme = (rows[kind] == scheme).to_numpy()
        for chosen, look in (
            (of_scheme & ~diverged, {"marker": marker, "linewidths": 0, "alpha": 0.65}),
            (of_scheme & diverged, {"marker": "x", "linewidths": 0.6}),
        ):
            if chosen.any():  # a bitmap also in a pdf or svg, because there may be thousands
                ax.scatter(x[chosen], y[chosen], c=colours[chosen], s=area, rasterized=True, zorder=3, **look)
    point: dict[str, Any] = {"linestyle": "none", "markersize": 4, "markeredgewidth": 0}
    named = (
        schemes
        if len(schemes) <= len(MARKERS)
        else [*schemes[: len(MARKERS) - 1], f"{len(schemes) - len(MARKERS) + 1} others"]
    )
    names = [shortened(name, LONGEST, SMALL) for name in named]
    handles = [Line2D([], [], color="0.3", marker=m, label=name, **point) for name, m in zip(names, MARKERS, strict=False)]
    if diverged.any():
        handles.append(Line2D([], [], color="0.3", label="diverged", **{**point, "marker": "x", "markeredgewidth": 0.6}))
    shown = spread(depths, MOST_DEPTHS)
    colour_of = zip(shown, _colours(norm(shown)), strict=True)
    return handles + [
        Line2D([], [], color=colour, marker="o", label=f"$L = {depth}$", **point) for depth, colour in colour_of
    ]


def _colours(shares: Any) -> np.ndarray:
    """Shallow is light, deep is dark; without the palest end of the map, which is hard to see on paper."""
    return mpl.colormaps["viridis"](0.9 * (1 - np.asarray(shares, float)))


def _draw_medians(ax: Axes, x: np.ndarray, y: np.ndarray, bands: Bands) -> bool:
    """A line through the medians of bins of |x|, and a band of their quartiles; False where there are too few rows."""
    bins = min(MOST_BINS, len(x) // FEWEST)
    if bins < 2:
        return False
    parts = np.array_split(np.argsort(np.abs(x), kind="stable"), bins)
    counts = np.array([len(part) for part in parts])
    groups = Groups(np.concatenate([np.sort(y[part]) for part in parts]), np.cumsum(counts) - counts, counts)
    low, median, high = (beyond_top(bands, quantile(groups, q)) for q in (0.25, 0.5, 0.75))
    centres = [float(np.median(x[part])) for part in parts]
    ax.plot(centres, median, color="black", linewidth=MEDIAN, zorder=5)
    ax.fill_between(centres, low, high, color="black", alpha=QUARTILES, linewidth=0, zorder=4)
    return True


def _legend(place: Any, handles: list, left_out: int) -> None:
    """Beside the panel of a figure of ours, which is at least as high; or of an axes of a user's."""
    title = "each setting at its\nbest learning rate" + (f"\n({left_out} undefined\nare left out)" if left_out else "")
    look: Any = {"handles": handles, "title": title, "alignment": "left", "handlelength": 1.4}
    if isinstance(place, Axes):
        place.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), **look)
        return
    lines = sum(text.count("\n") + 1 for text in (title, *(handle.get_label() for handle in handles)))
    place.set_figheight(max(place.get_figheight(), LINE * (lines + 2)))
    place.legend(loc="outside right upper", **look)


def _add_options(parser: argparse.ArgumentParser) -> None:
    help_line = "first: the gradient of the first layer; ratio: first over last hidden layer (default: %(default)s)"
    parser.add_argument("--decades", default="first", metavar="WHAT", help=help_line)
    add_training_options(parser)


def _draw_from(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> Figure:
    """Also prints the rank correlations."""
    cells = selected(arguments, load_trained(arguments.run_dir), TRAINED)
    found = cost_correlations(cells, decades=arguments.decades)
    for name, correlation in found.items():
        column = "depth" if name == "depth" else "|decades of gradient|"
        print(
            f"Kendall's τ_b of {column} with steps to the target{'' if name == 'depth' else f', {name}'}: {correlation} "
            f"(95 % bootstrap over {counted(correlation.settings, 'setting')}; {counted(correlation.rows, 'network')})"
        )
    target, steps = manifest["training"]["target"], manifest["training"]["steps"]
    return draw_cost(cells, target=target, steps=steps, decades=arguments.decades, correlations=found)


FIGURE = Command(
    summary="decades of gradient at initialization against steps to the target, with the rank correlation",
    example="depthscale plot cost results/digits --out cost.pdf",
    draw=_draw_from,
    add_options=_add_options,
    reads="training",
)
