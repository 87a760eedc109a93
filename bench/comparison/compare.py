"""Initializations compared: from a run's rows to one row for each scheme, with theory beside it.

The slope of a seed is its end-to-end slope, (log10 ‖∂y/∂W_1‖ at the largest depth L - the same at depth 2) / (L - 2): for
steps that are independent from layer to layer nothing estimates their mean better, and its law is known
(:func:`bench.theory.predict`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from bench.comparison.arguments import NUMBERS
from bench.comparison.per_seed import GRADIENTS, LATER, RELATIVE, PerSeed, has, per_seed, usable_depths
from bench.comparison.ranking import CONFIDENCE, ROUNDING, mean_interval, ranks, seeds_needed
from bench.runs.errors import LoadError
from bench.runs.read import CELL, NEWER, load_rows
from bench.settings.errors import UsageError
from bench.terminal.progress import with_bar
from bench.theory import gated, predict
from bench.theory.nonlinearities import is_known
from bench.theory.prediction import NONE

GATED, MEAN_FIELD = "gated", "mean field"  # verdicts
SCHEME = ["architecture", "initializer", "activation", "width", "bias_std", "input_norm", "scale"]
RANKED_WITHIN = ["activation", "width", "input_norm"]
AGREES = float(norm.ppf((1 + CONFIDENCE) / 2))  # standard errors


class CompareError(UsageError):
    """A run that cannot be compared; the text names the argument, what it holds and what is accepted."""


def load_cells(folder: Path) -> pd.DataFrame:
    """A run's cells. Raises :class:`CompareError` for a folder that holds none, or damaged ones."""
    try:
        optional = (*NEWER, *LATER)
        return load_rows(folder, "sweep", "cells", columns=(*CELL, *GRADIENTS, *optional), optional=optional)
    except LoadError as error:
        raise CompareError(f"run: {error}") from error


def compare(
    cells: pd.DataFrame,
    *,
    loss: str = "output",
    batch: int = 1,
    length: int = 1,
    rank_by: str = "slope",
    progress: bool = False,
) -> pd.DataFrame:
    """One row for each (architecture, initializer, activation, width, bias_std, scale), in the order of the cells.

    cells: rows of a run that has depth 2 and a larger one. batch, length: the sweep's, which the laws of other architectures
    than plain ones depend on. rank_by: slope, imbalance, relative_imbalance, spread or dead.
    Columns:

    * ``depth`` (the largest), ``seeds``, ``dead`` (the share of seeds whose gradient there is exactly zero; all statistics
      below but depths and ranks are of the others);
    * ``slope``, ``slope_low``, ``slope_high``: decades per layer, mean over seeds and Student's 95 % interval of it;
    * ``predicted``, ``predicted_low``, ``predicted_high``: theory's mean and its 95 % band for the mean of so many seeds;
      ``law``: exact, leading order, mean field or none; ``z``: the residual in standard errors; ``verdict``, at 95 %: agrees
      (|z| ≤ 1.96), differs, no theory, or undefined. Of other architectures without a law across seeds ``law`` is "mean
      field", of infinite width, and ``predicted`` is its slope lowered by what the measured spread takes from a mean of
      logarithms (:meth:`bench.theory.Spread.typical`); that is no test, and the verdict is mean field. Branches that are
      shut at the start (ReZero, SkipInit) have gradients of exactly zero by design: they are gated, not dead, and not
      ranked;
    * ``depth_1e3``: the depth up to which in 90 % of the networks the gradients of all layers are within 10^±3 of that at
      depth 2; ``depth_float32``, …: up to which 90 % do not lose their first gradient to the type
      (:mod:`bench.comparison.usable`); inf beyond the largest depth; linear between measured depths. ``depth_1e3_of`` and
      ``depth_format_of`` say of what (:func:`bench.comparison.per_seed.usable_depths`);
    * ``imbalance``: mean log10 of first over last layer's gradient at the largest depth; ``relative_imbalance``: the same of
      the gradients in units of their weights, ‖∂loss/∂W‖ ‖W‖ / |loss|, which is what no rescaling of layers changes; NaN for
      runs without the columns of it;
    * ``spread``, ``predicted_spread``: standard deviation of log10 over seeds there;
    * ``rank_slope``, …: the rank within activation, width and input_norm by each number
      (:func:`bench.comparison.ranking.ranks`); ``rank``: that by ``rank_by``; ``seeds_needed``: where no pair is told apart,
      how many seeds would tell the first scheme from the last, with 80 % power (inf: not a million; NaN where pairs are
      told apart, or of too few seeds).

    Raises CompareError for cells without depth 2 or without a larger one, and where they lack what is ranked by.
    """
    depths = np.unique(cells["depth"].to_numpy())
    if depths[0] != 2 or len(depths) < 2:
        raise CompareError(f"run: got one of depths {', '.join(map(str, depths))}, expected 2 and at least one larger")
    if rank_by == "relative_imbalance" and not has(cells, RELATIVE):
        known = ", ".join(name for name in NUMBERS if name != rank_by)
        raise CompareError(f"rank_by: got {rank_by!r}, expected one of {known}: the run has no {' and '.join(RELATIVE)}")
    older = {"input_norm": 1.0, "architecture": "plain"}  # what rows were of before they said so
    cells = cells.assign(**{name: value for name, value in older.items() if name not in cells})
    rows, seeds = [], []
    groups: Any = list(cells.groupby(SCHEME, sort=False))
    for scheme, group in with_bar(groups, "schemes", shown=progress):
        seeds.append(per_seed(group, depths))
        named = dict(zip(SCHEME, scheme, strict=True))
        if gated(named["architecture"]):
            seeds[-1] = seeds[-1]._replace(dead=np.zeros_like(seeds[-1].dead))
        rows.append(_row(named, group, seeds[-1], depths, {"loss": loss, "batch": batch, "length": length}))
    table = pd.DataFrame(rows)
    parts = [
        pd.DataFrame(_ranks([seeds[place] for place in places], int(depths[-1]), rank_by), index=places)
        for places in table.groupby(RANKED_WITHIN, sort=False).indices.values()
    ]
    return table.join(pd.concat(parts))


def _row(
    scheme: dict[str, Any], cells: pd.DataFrame, seeds: PerSeed, depths: np.ndarray, shared: dict[str, Any]
) -> dict[str, Any]:
    slopes = seeds.numbers["slope"][seeds.alive]
    low, high = mean_interval(slopes)
    row = scheme | {
        "depth": int(depths[-1]),
        "seeds": len(seeds.dead),
        "dead": float(seeds.dead.mean()),
        "slope": _mean(slopes),
        "slope_low": low,
        "slope_high": high,
    }
    row |= _theory(scheme | shared, int(depths[-1]), seeds)
    row |= usable_depths(cells, depths)
    if row["verdict"] == GATED:  # nothing is lost that was not shut
        row |= {name: np.nan for name, value in row.items() if name.startswith("depth_") and isinstance(value, float)}
    row |= {name: _mean(seeds.numbers.get(name, slopes[:0])) for name in ("imbalance", "relative_imbalance")}
    row["spread"] = float(seeds.numbers["spread"][seeds.alive].std(ddof=1)) if seeds.alive.sum() > 1 else np.nan
    return row


def _ranks(seeds: list[PerSeed], layers: int, rank_by: str) -> dict[str, Any]:
    """The columns of ranks of a group of schemes."""
    dead = np.stack([each.dead for each in seeds])
    columns = {f"rank_{name}": np.full(len(seeds), np.nan) for name in NUMBERS}
    needed = np.nan
    for name in seeds[0].numbers:
        values = np.stack([each.numbers[name] for each in seeds])
        rounding = ROUNDING if name == "slope" else ROUNDING * layers  # a slope is per layer
        columns[f"rank_{name}"] = ranks(name, values, dead, rounding=rounding)
        if name == rank_by and np.isnan(columns[f"rank_{name}"]).all():
            needed = seeds_needed(name, values, dead, rounding=rounding)
    return columns | {"rank": columns[f"rank_{rank_by}"], "rank_by": rank_by, "seeds_needed": needed}


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan


def _theory(cell: dict[str, Any], depth: int, measured: PerSeed) -> dict[str, Any]:
    known = is_known(cell["activation"])  # rows are data: what they name is not imported
    expected = predict(**cell, depth=depth) if known else NONE
    mean, std = expected.log10_grad_slope
    slopes = measured.numbers["slope"][measured.alive]
    seeds = len(slopes)
    blank = dict.fromkeys(("predicted", "predicted_low", "predicted_high", "z", "predicted_spread"), np.nan)
    if not seeds or np.isnan(mean):
        verdict = "no theory" if seeds else GATED if gated(cell["architecture"]) else "undefined"
        return blank | {"law": "none", "verdict": verdict}
    if expected.law == MEAN_FIELD:
        return blank | {"predicted": mean - _below_mean(measured, depth), "law": MEAN_FIELD, "verdict": MEAN_FIELD}
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


def _below_mean(measured: PerSeed, depth: int) -> float:
    """By how much the slope of a mean of logarithms is below that of the logarithm of a mean of squares, as they spread."""
    slopes, ends = (measured.numbers[name][measured.alive] for name in ("slope", "spread"))
    if len(slopes) < 2:
        return 0.0
    grown = ends.var(ddof=1) - (ends - slopes * (depth - 2)).var(ddof=1)
    return float(np.log(10) * grown / (depth - 2))
