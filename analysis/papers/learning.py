"""What claims on training measure: who learns, and how much longer the deeper network takes; at the best rates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.numbers.best_rate import best_rate
from analysis.numbers.reached import learning_times
from analysis.papers.claim import Estimate, Frames
from analysis.papers.estimates import median_over_seeds, share, wide
from analysis.papers.measures import Measure, of
from analysis.papers.panels import look

ABOVE = 1.5  # how far above the slowest the markers of those stand that never learn


def learn(architecture: str, depth: int, table: str = "train") -> Measure:
    """The share of networks that reach the target."""

    def measured(frames: Frames) -> Estimate:
        rows = of(best_rate(frames[table]), architecture=architecture, depth=depth)
        return share(int(np.isfinite(rows["steps_to_target"]).sum()), len(rows))

    return measured


def growth(architecture: str, depths: tuple[int, int], table: str = "train") -> Measure:
    """How many times longer the second depth learns than the first; inf: never. The median over seeds."""

    def measured(frames: Frames) -> Estimate:
        times = wide(of(best_rate(frames[table]), architecture=architecture), "steps_to_target", "depth")
        return median_over_seeds(times[depths[1]].to_numpy() / times[depths[0]].to_numpy())

    return measured


def times_against_depth(ax: Axes, frame: pd.DataFrame, names: Mapping[str, str]) -> None:
    """Median steps to the target, a line for each architecture; hollow markers above: never."""
    times = learning_times(frame)
    reached = times["median"].to_numpy(float)
    top = ABOVE * float(np.max(reached, where=np.isfinite(reached), initial=10.0))
    for place, (name, label) in enumerate(names.items()):
        rows = of(times, architecture=name).sort_values("depth")
        depth, median = rows["depth"].to_numpy(float), rows["median"].to_numpy(float)
        ax.plot(depth, np.where(np.isfinite(median), median, np.nan), **look(place), label=label)
        never = depth[~np.isfinite(median)] * (1 + 0.04 * place)  # beside each other
        hollow = look(place) | {"linestyle": "none", "markerfacecolor": "white", "markersize": 4}
        ax.plot(never, np.full(len(never), top), **hollow)
    ax.set(xscale="log", ylim=(0, 1.1 * top), xlabel="depth L", ylabel="steps (hollow: never)")
    depths = sorted(set(times["depth"]))
    ax.set_xticks(depths, [str(depth) for depth in depths])
    ax.minorticks_off()
