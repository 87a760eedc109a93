"""Learning curves over seeds: statistics of those that have not diverged, and where the others end."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.numbers.statistics import seed_statistic
from analysis.rows.select import distinct, facet_title, facets, varying


class Curve(NamedTuple):
    """One column at every recorded step that at least half of the seeds reach; each an array [steps]."""

    steps: np.ndarray
    low: np.ndarray  # the smallest seed
    median: np.ndarray
    high: np.ndarray  # the largest
    seeds: int  # of all, at the start


class End(NamedTuple):
    """The last recorded step at which a seed's loss was finite, and a column's value there; NaN if it never was."""

    step: int
    value: float


def curve_of(frame: pd.DataFrame, column: str) -> Curve | None:
    """The curve of a column over the seeds whose loss is finite at that step; None without such rows.

    frame: rows of ``load_curves`` that differ in seed and step alone. ``-inf``, exactly zero, counts as the smallest; where
    any seed's value is NaN though its loss is finite, so is every statistic.
    """
    seeds = len(distinct(frame, "seed"))
    running = frame.loc[np.isfinite(frame["loss"].to_numpy())]
    if running.empty:
        return None
    counts: Any = running.groupby("step").size()
    enough = counts.to_numpy() * 2 >= seeds
    low, median, high = (seed_statistic(running, column, stat, by=["step"]).loc[enough] for stat in ("min", "median", "max"))
    return Curve(median.index.to_numpy(), low.to_numpy(), median.to_numpy(), high.to_numpy(), seeds)


def ends_of(frame: pd.DataFrame, column: str) -> list[End]:
    """Where each seed ends whose loss does not stay finite. frame: as above."""
    found = []
    groups: Any = frame.sort_values(by="step").groupby("seed")
    for _, network in groups:
        finite = np.isfinite(network["loss"].to_numpy())
        if finite.all():
            continue
        last = int(np.argmin(finite)) - 1
        step, value = network["step"].to_numpy(), network[column].to_numpy(float)
        found.append(End(int(step[max(last, 0)]), float(value[last]) if last >= 0 else np.nan))
    return found


def describe_gradients(frame: pd.DataFrame) -> list[str]:
    """A line for each setting, depth and scale: log10 ‖∂ℓ/∂W_1‖ before the first step and the last, and its extremes.

    Of the medians over seeds that :func:`curve_of` has. frame: rows of ``load_curves`` of one learning rate.
    """
    lines = []
    for facet, shown in facets(frame):
        groups: Any = shown.groupby(["depth", "scale"], sort=True)
        for (depth, scale), rows in groups:
            curve = curve_of(rows, "log10_grad_first")
            if curve is None:
                continue
            name = f"{facet_title(facet, varying(frame))}, L = {depth}, scale {scale:g}"
            least, most = (int(find(curve.median)) for find in (np.argmin, np.argmax))
            first, last, low, high = (_size(curve.median[place]) for place in (0, -1, least, most))
            ends = f"{first} at step {curve.steps[0]}, {last} at step {curve.steps[-1]}"
            extremes = f"least {low} at {curve.steps[least]}, most {high} at {curve.steps[most]}"
            lines.append(f"{name}: first layer's gradient {ends}; {extremes}")
    return lines


def _size(decades: float) -> str:
    return f"10^{decades:.1f}" if np.isfinite(decades) else "exactly 0" if np.isneginf(decades) else "undefined"
