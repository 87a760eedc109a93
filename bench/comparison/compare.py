"""Initializations compared: from a run's rows to one row for each scheme, with theory beside it.

The slope of a seed is its end-to-end slope, (log10 ‖∂y/∂W_1‖ at the largest depth L - the same at depth 2) / (L - 2): for
steps that are independent from layer to layer nothing estimates their mean better, and its law is known
(:func:`bench.theory.predict`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pandas as pd

from bench.comparison.ranking import mean_interval, ranks
from bench.runs.errors import LoadError
from bench.runs.read import load_rows
from bench.settings.errors import UsageError
from bench.theory import predict
from bench.theory.nonlinearities import is_known
from bench.theory.prediction import NONE

SCHEME = ["initializer", "activation", "width", "bias_std", "scale"]
RANKED_WITHIN = ["activation", "width"]
USABLE = 3.0  # decades from the value at depth 2
DTYPES = ("float32", "bfloat16", "float16")
AGREES = 3.0  # standard errors
ROUNDING = 1e-6  # decades per layer: what float32 is held to in closed forms
EVERY_GRADIENT = "log10_grad_first"


class CompareError(UsageError):
    """A run that cannot be compared; the text names the argument, what it holds and what is accepted."""


def load_cells(folder: Path) -> pd.DataFrame:
    """A run's cells. Raises :class:`CompareError` for a folder that holds none, or damaged ones."""
    try:
        return load_rows(folder, "sweep", "cells")
    except LoadError as error:
        raise CompareError(f"run: {error}") from error


def compare(cells: pd.DataFrame, *, loss: str = "output", rng: Any = 0, resamples: int = 9999) -> pd.DataFrame:
    """One row for each (initializer, activation, width, bias_std, scale), in the order of the cells.

    cells: rows of a run that has depth 2 and a larger one. ``rng``: a seed or generator of the bootstrap. Columns:

    * ``depth`` (the largest), ``seeds``, ``dead`` (the share of seeds whose gradient there is exactly zero; all statistics
      below are of the others);
    * ``slope``, ``slope_low``, ``slope_high``: decades per layer, mean over seeds and its 95 % bootstrap interval;
    * ``predicted``, ``predicted_low``, ``predicted_high``: theory's mean and its 95 % band for the mean of so many seeds;
      ``law``: exact, leading order or none; ``z``: the residual in standard errors; ``verdict``: agrees (|z| ≤ 3), differs,
      no theory, or undefined;
    * ``depth_1e3``: the largest depth up to which the mean gradient is within 10^±3 of that at depth 2; ``depth_float32``,
      …: up to which it is a normal number of the type; inf beyond the largest depth; linear between measured depths;
    * ``imbalance``: mean log10 of first over last layer's gradient at the largest depth;
    * ``spread``, ``predicted_spread``: standard deviation of log10 over seeds there;
    * ``rank`` within activation and width (:func:`bench.comparison.ranking.ranks`).

    Raises CompareError for cells without depth 2 or without a larger one.
    """
    depths = np.unique(cells["depth"].to_numpy())
    if depths[0] != 2 or len(depths) < 2:
        raise CompareError(f"run: got one of depths {', '.join(map(str, depths))}, expected 2 and at least one larger")
    generator = np.random.default_rng(rng)
    rows, slopes = [], []
    groups: Any = cells.groupby(SCHEME, sort=False)
    for scheme, group in groups:
        row, per_seed = _row(dict(zip(SCHEME, scheme, strict=True)), group, loss, generator, resamples)
        rows.append(row)
        slopes.append(per_seed)
    table = pd.DataFrame(rows)
    table["rank"] = np.nan
    for places in table.groupby(RANKED_WITHIN, sort=False).indices.values():
        table.loc[places, "rank"] = ranks(np.stack([slopes[place] for place in places]), generator, resamples=resamples)
    return table


def _row(
    scheme: dict[str, Any], cells: pd.DataFrame, loss: str, generator: np.random.Generator, resamples: int
) -> tuple[dict[str, Any], np.ndarray]:
    """A scheme's row, and its slope for each seed."""
    curves = cells.pivot_table(index="seed", columns="depth", values=EVERY_GRADIENT, dropna=False, observed=False)
    curves = curves.reindex(columns=np.unique(cells["depth"]))
    depth = int(curves.columns[-1])
    norms = curves.to_numpy()
    alive = np.isfinite(norms).all(axis=1)
    with np.errstate(invalid="ignore"):
        per_seed = np.where(alive, (norms[:, -1] - norms[:, 0]) / (depth - 2), np.nan)
    deepest = cells[cells["depth"] == depth].set_index("seed").loc[curves.index]
    known = per_seed[alive]
    low, high = mean_interval(per_seed, generator, resamples=resamples)
    row = scheme | {
        "depth": depth,
        "seeds": len(norms),
        "dead": float(np.isneginf(norms[:, -1]).mean()),
        "slope": float(known.mean()) if len(known) else np.nan,
        "slope_low": low,
        "slope_high": high,
    }
    row |= _theory(scheme, depth, known, loss)
    mean = norms[alive].mean(axis=0) if alive.any() else np.full(norms.shape[1], np.nan)
    row |= usable_depths(curves.columns.to_numpy(float), mean)
    with np.errstate(invalid="ignore"):
        ratio = (deepest[EVERY_GRADIENT] - deepest["log10_grad_last"]).to_numpy()[alive]
    row["imbalance"] = float(ratio.mean()) if len(ratio) else np.nan
    row["spread"] = float(norms[alive, -1].std(ddof=1)) if alive.sum() > 1 else np.nan
    return row, per_seed


def _theory(scheme: dict[str, Any], depth: int, slopes: np.ndarray, loss: str) -> dict[str, Any]:
    known = is_known(scheme["activation"])  # rows are data: what they name is not imported
    expected = predict(**scheme, depth=depth, loss=loss) if known else NONE
    mean, std = expected.log10_grad_slope
    seeds = len(slopes)
    if not seeds or np.isnan(mean):
        verdict = "no theory" if seeds else "undefined"
        blank = dict.fromkeys(("predicted", "predicted_low", "predicted_high", "z", "predicted_spread"), np.nan)
        return blank | {"law": "none", "verdict": verdict}
    low, high = expected.log10_grad_slope.interval(seeds)
    z = (slopes.mean() - mean) / np.hypot(std / np.sqrt(seeds), ROUNDING)
    return {
        "predicted": mean,
        "predicted_low": low,
        "predicted_high": high,
        "z": float(z),
        "predicted_spread": expected.log10_grad_first.std,
        "law": expected.law,
        "verdict": "agrees" if abs(z) <= AGREES else "differs",
    }


def usable_depths(depths: np.ndarray, log10_norm: np.ndarray) -> Mapping[str, float]:
    """Depths up to which a curve stays within 10^±3 of its start, and within the normal numbers of each type.

    depths, log10_norm: [depths], ascending. inf where the curve never leaves; below the first depth: 0.
    """
    found = {"depth_1e3": _leaves(depths, log10_norm - log10_norm[0], -USABLE, USABLE)}
    for dtype in DTYPES:
        limits = ml_dtypes.finfo(dtype)
        low, high = (float(np.log10(float(limit))) for limit in (limits.smallest_normal, limits.max))
        found[f"depth_{dtype}"] = _leaves(depths, log10_norm, low, high)
    return found


def _leaves(depths: np.ndarray, values: np.ndarray, low: float, high: float) -> float:
    """The largest whole depth before the piecewise linear curve leaves [low, high]."""
    if np.isnan(values).any():
        return float("nan")
    outside = np.flatnonzero((values < low) | (values > high))
    if not outside.size:
        return float("inf")
    after = int(outside[0])
    if after == 0:
        return 0.0
    limit = low if values[after] < low else high
    share = (limit - values[after - 1]) / (values[after] - values[after - 1])
    return float(np.floor(depths[after - 1] + share * (depths[after] - depths[after - 1]) + 1e-9))
