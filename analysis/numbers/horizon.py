"""The depth at which a number format loses the gradient of the first layer: measured, and told by the exact entries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.numbers import median_ends
from analysis.numbers.groups import Groups, quantile

HALF = 0.5
NETWORKS = ("architecture", "initializer", "activation", "width", "bias_std", "input_norm", "scale", "format", "loss_scale")


def lost(frame: pd.DataFrame) -> np.ndarray:
    """Which rows have lost ∂loss/∂W_1, as 1 and 0; NaN where the exact gradient is zero, or undefined.

    It is lost where half of its entries that are not exactly zero are zero in the format, where one overflowed, and where
    the network's output did. frame: of ``load_formats``.
    """
    zero = frame["share_zero_first"].to_numpy(float)
    return np.where(np.isnan(zero), np.nan, (zero >= HALF) | overflowed(frame))


def overflowed(frame: pd.DataFrame) -> np.ndarray:
    """Where an entry of ∂loss/∂W_1 or the output overflowed."""
    return np.any([frame[name].to_numpy(float) > 0 for name in ("share_overflow_first", "output_overflow")], axis=0)


def predicted(frame: pd.DataFrame) -> np.ndarray:
    """The same, told by the exact numbers alone: the median and the largest of the entries, and activations.

    An entry times the loss scale is zero where it is not above 10^log10_zero, and overflows above 10^log10_largest.
    """
    of_format = {name: frame[name].to_numpy(float) for name in ("log10_zero", "log10_largest")}
    median, largest = (
        frame[name].to_numpy(float) + np.log10(frame["loss_scale"].to_numpy(float))
        for name in ("log10_entry_median", "log10_entry_largest")
    )
    beyond = np.maximum(largest, frame["log10_activation_largest"].to_numpy(float)) > of_format["log10_largest"]
    return np.where(np.isfinite(largest), (median <= of_format["log10_zero"]) | beyond, np.nan)


def first_lost(frame: pd.DataFrame) -> pd.DataFrame:
    """One row for each seed, setting and format: the least depth at which the gradient is lost.

    ``measured`` and ``predicted``: inf where it is lost at no depth that was run, NaN where it is zero or undefined before.
    ``steps``: how many of the run's depths lie between the two, 0 where they are the same, NaN where neither is a depth.
    """
    depths = np.unique(frame["depth"].to_numpy())
    by = [name for name in (*NETWORKS, "seed") if name in frame]
    rows = frame[by].assign(depth=frame["depth"], measured=lost(frame), predicted=predicted(frame))
    groups: Any = rows.sort_values("depth", kind="stable").groupby(by, sort=False, observed=True)
    found = []
    for key, network in groups:
        ends = [_first(network[name].to_numpy(float), network["depth"].to_numpy()) for name in ("measured", "predicted")]
        places = [len(depths) if np.isinf(end) else np.searchsorted(depths, end) for end in ends]
        known = not np.isnan(ends).any() and np.isfinite(ends).any()
        steps = abs(int(places[0]) - int(places[1])) if known else np.nan
        found.append((*key, *ends, steps))
    return pd.DataFrame(found, columns=[*by, "measured", "predicted", "steps"])


def _first(is_lost: np.ndarray, depths: np.ndarray) -> float:
    known = is_lost == 1
    if known.any():
        return float(depths[known.argmax()])
    return np.nan if np.isnan(is_lost).any() else np.inf


def horizons(networks: pd.DataFrame) -> pd.DataFrame:
    """One row for each setting and format: at which depths seeds lose their gradients; inf: beyond the deepest.

    ``median``, ``low``, ``high``: over seeds, with the ends of :mod:`analysis.numbers.median_ends`; ``predicted``: the
    median of the predicted depths. Seeds without a gradient are left out, NaN where none has one; ``seeds``: how many have.
    networks: of :func:`first_lost`.
    """
    by = [name for name in networks if name not in ("seed", "measured", "predicted", "steps")]
    groups: Any = networks.groupby(by, sort=False, observed=True)
    found = []
    for key, rows in groups:
        measured, told = (rows[name].dropna().to_numpy(float) for name in ("measured", "predicted"))
        interval = median_ends.ends(measured) if len(measured) else (np.nan, np.nan)
        found.append((*key, _median(measured), *interval, _median(told), len(measured)))
    return pd.DataFrame(found, columns=[*by, "median", "low", "high", "predicted", "seeds"])


def _median(values: np.ndarray) -> float:
    """Of numbers and inf."""
    if not len(values):
        return np.nan
    return float(quantile(Groups(np.sort(values), np.array([0]), np.array([len(values)])), 0.5)[0])
