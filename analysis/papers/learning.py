"""What claims on training measure: who learns, and how much longer the deeper network takes; at the best rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.numbers.best_rate import RATES, best_rate, network
from analysis.numbers.reached import learning_times
from analysis.papers.claim import Estimate, Frames, Range
from analysis.papers.estimates import median_over_seeds, share, wide
from analysis.papers.measures import Measure, of
from analysis.papers.panels import look

ABOVE = 1.5  # how far above the slowest the markers of those stand that never learn
MOST, FEW = Range(0.65, 1.0), Range(0.0, 0.35)  # shares: of 16 networks one may be otherwise, whose interval ends at 0.698


def at_others_best(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of each network at the learning rate that suits it best by the other half of its seeds: even ones, or odd.

    No seed so chooses the rate that it is judged at (:func:`analysis.numbers.best_rate.best_rate`). frame: rows of two or
    more seeds.
    """
    odd, on = frame["seed"] % 2 == 1, [*network(frame), *RATES]
    halves = ((frame.loc[odd], frame.loc[~odd]), (frame.loc[~odd], frame.loc[odd]))
    return pd.concat([judged.merge(best_rate(others)[on].drop_duplicates(), on=on) for others, judged in halves])


def learn(architecture: str, depth: int, table: str = "train", **columns: Any) -> Measure:
    """The share of networks that reach the target, each at the rate that is best for others (:func:`at_others_best`)."""

    def measured(frames: Frames) -> Estimate:
        rows = of(at_others_best(frames[table]), architecture=architecture, depth=depth, **columns)
        return share(int(np.isfinite(rows["steps_to_target"]).sum()), len(rows))

    return measured


def fail(measure: Measure, control: Measure) -> Measure:
    """A share of networks that learn, if most of ``control`` do; else it may be any, as that training may teach nobody."""

    def measured(frames: Frames) -> Estimate:
        found = measure(frames)
        return found if control(frames).low >= MOST.low else found._replace(low=0.0, high=1.0)

    return measured


def growth(architecture: str, depths: tuple[int, int], table: str = "train", **columns: Any) -> Measure:
    """How many times longer the second depth learns than the first; inf: never. The median over seeds, rates likewise.

    Of a seed that learns at neither depth nothing is known, and :func:`median_over_seeds` counts it as such.
    """

    def measured(frames: Frames) -> Estimate:
        times = wide(of(at_others_best(frames[table]), architecture=architecture, **columns), "steps_to_target", "depth")
        with np.errstate(invalid="ignore"):
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
