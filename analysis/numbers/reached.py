"""When networks reach their target, depth by depth: medians over seeds, their intervals, and what grows with depth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from analysis.numbers.best_rate import at_the_largest, best_rate, network
from analysis.numbers.median_ends import high_end, low_end
from analysis.numbers.statistics import seed_statistic
from analysis.rows.select import distinct

SAXE = {  # arXiv 1312.6120, for deep linear networks at scale 1; the identity is one of its decoupled initial conditions
    "gaussian": "grows with depth",
    "orthogonal": "does not grow with depth",
    "identity": "does not grow with depth",
}


def learning_times(frame: pd.DataFrame) -> pd.DataFrame:
    """One row for each network at its best learning rate: the columns of :func:`best_rate.network`, and those below.

    ``median``, ``low``, ``high``: steps to the target over seeds, and its interval (:mod:`analysis.numbers.median_ends`);
    inf: not reached, NaN: an undefined scheme. ``diverged``: the share of seeds whose training diverged. ``largest``:
    whether no larger learning rate was run, so that a larger one might be faster. ``seeds``: how many there are.

    frame: rows of ``load_trained``. The best rate is chosen by the same seeds, see :func:`best_rate`.
    """
    best = best_rate(frame)
    best = best.assign(diverged=np.isfinite(best["diverged_at"]), largest=at_the_largest(frame, best))
    groups: Any = best.groupby(network(best), sort=True, observed=True)
    found = groups.agg(diverged=("diverged", "mean"), largest=("largest", "all"), seeds=("seed", "size"))
    found["median"] = seed_statistic(best, "steps_to_target", by=network(best))
    for end, statistic in (("low", low_end), ("high", high_end)):
        found[end] = seed_statistic(best, "steps_to_target", statistic, by=network(best))
    return found.reset_index()


def first_gradients(frame: pd.DataFrame) -> pd.DataFrame:
    """One row for each network: its columns, and ``median``, ``low`` and ``high`` over seeds of the decades of its gradient.

    Of log10 ‖∂ℓ/∂W_1‖ before the first step, which no learning rate changes, with the smallest and the largest seed; inf
    where the loss itself is not finite there. frame: rows of ``load_trained``.
    """
    one_rate = frame.loc[~frame.duplicated([*network(frame), "seed"])]
    lost = one_rate["diverged_at"] == 0
    decades = one_rate["log10_grad_first"].where(~lost, np.inf)
    groups: Any = one_rate.assign(decades=decades).groupby(network(frame), sort=True, observed=True)
    found = groups.agg(low=("decades", "min"), high=("decades", "max"))
    found["median"] = seed_statistic(one_rate.assign(decades=decades), "decades", by=network(frame))
    return found.reset_index()


def describe_growth(times: pd.DataFrame, steps: int) -> list[str]:
    """A line for each initializer, scale and panel: the learning time at the deepest network over that at the shallowest.

    Of those that reach the target, by their medians; which depths do not; where a larger learning rate might be faster; and
    for linear networks at scale 1 what Saxe, McClelland & Ganguli 2014 found. times: of :func:`learning_times`; ``steps``:
    how many were run.
    """
    by = [name for name in network(times) if name != "depth"]
    named = [name for name in by if name in ("initializer", "activation", "scale") or len(distinct(times, name)) > 1]
    lines = []
    groups: Any = times.groupby(by, sort=False, observed=True)
    for key, rows in groups:
        setting = dict(zip(by, key, strict=True))
        words = [
            f"{name.replace('_', ' ')} {setting[name]:g}" if name in ("width", "bias_std", "scale") else setting[name]
            for name in named
        ]
        lines.append(f"{', '.join(words)}: {_growth(rows.sort_values(by='depth'), steps)}{_paper(setting)}")
    return lines


def _growth(rows: pd.DataFrame, steps: int) -> str:
    reached = rows.loc[np.isfinite(rows["median"])]
    if reached.empty:
        return "undefined" if np.isnan(rows["median"].to_numpy()).all() else f"at no depth within {steps} steps"
    first, last = reached.iloc[0], reached.iloc[-1]
    text = f"{first['median']:g} steps at L = {first['depth']}"
    if len(reached) > 1:
        text += f", {last['median']:g} at L = {last['depth']}"
        text += f", ratio {last['median'] / first['median']:.3g}" if first["median"] else ""
    never = rows.loc[np.isposinf(rows["median"]), "depth"]
    text += f"; not within {steps} steps at L = {_list(never)}" if len(never) else ""
    largest = reached.loc[reached["largest"], "depth"]
    return text + (f"; a rate above the run's largest might be faster at L = {_list(largest)}" if len(largest) else "")


def _paper(setting: dict[str, Any]) -> str:
    known = setting["activation"] == "linear" and np.isclose(setting["scale"], 1) and setting["initializer"] in SAXE
    return f" (Saxe et al. 2014: {SAXE[setting['initializer']]})" if known else ""


def _list(depths: Iterable[int]) -> str:
    return ", ".join(map(str, depths))
