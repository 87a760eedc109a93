"""Measurement against theory, cell by cell: how many standard errors the mean over seeds lies from its prediction.

    z = (mean over seeds - μ) / max(σ / √seeds, 1e-6 · L)

μ, σ: mean and standard deviation of log10 ‖∂y/∂W_1‖_F that :func:`bench.theory.predict` gives; L: depth. The second term is
the measurement's own tolerance in decades, for where nothing is random (identity weights; orthogonal ones, if linear).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.numbers.statistics import CELL_WITHOUT_SEED
from bench.terminal.progress import with_bar
from bench.theory import Prediction, predict
from bench.theory.nonlinearities import NONLINEARITIES
from bench.theory.prediction import NONE

VALUE = "log10_grad_first"
TOLERANCE = 1e-6  # decades a layer: rounding of the measurement in float32
PASSES = 1.96  # standard errors: at 95 %, so that one right cell in 20 fails
VERDICTS = ("pass", "fail", "no theory", "zero", "undefined")


def agreement(frame: pd.DataFrame, *, progress: bool = False) -> pd.DataFrame:
    """One row for each cell without its seed, in the run's order: measured, predicted, and whether they agree.

    frame: rows of ``load_cells`` of a run with ``loss="output"``. Beside the cell's columns the result has ``seeds``;
    ``dead``, those whose gradient is exactly zero; ``mean`` over the others, since theory is given that a gradient is alive;
    ``predicted``, ``error`` (the denominator of z), ``z``, ``law``, ``reason`` (why there is no law, else empty), and
    ``verdict``: "pass" for |z| ≤ 1.96 (95 %: one right cell in 20 fails), "fail", "no theory"
    (also for functions of a user's own, which would have to be imported), "zero" where no seed is alive, "undefined" where
    any is NaN. All depths of one network cost about 0.1 s where theory has no closed form.
    """
    keys = [*CELL_WITHOUT_SEED, *(name for name in ("input_norm", "architecture") if name in frame)]  # older runs have none
    measured = frame[VALUE].to_numpy(dtype=float)
    alive = np.isfinite(measured)
    marked = frame[keys].assign(
        seeds=1, dead=np.isneginf(measured), alive=alive, mean=np.where(alive, measured, 0.0), broken=np.isnan(measured)
    )
    cells: Any = marked.groupby(keys, sort=False, observed=True, as_index=False).sum()
    records = cells[keys].to_dict("records")
    found = [_predict(cell) for cell in with_bar(records, "cells", shown=progress)]
    alive = cells["alive"].to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = cells["mean"].to_numpy() / alive
        predicted, spread = np.array([law.log10_grad_first for law in found]).T
        error = np.maximum(spread / np.sqrt(alive), TOLERANCE * cells["depth"].to_numpy())
        z = (mean - predicted) / error
    law = np.array([law.law for law in found])
    conditions = [cells["broken"] > 0, law == "none", alive == 0, np.abs(z) <= PASSES]
    verdict = np.select(conditions, ["undefined", "no theory", "zero", "pass"], "fail")
    z = np.where(np.isin(verdict, ("pass", "fail")), z, np.nan)
    kept = cells[[*keys, "seeds", "dead"]]
    reason = [law.reason for law in found]
    return kept.assign(mean=mean, predicted=predicted, error=error, z=z, law=law, reason=reason, verdict=verdict)


def _predict(cell: dict[Any, Any]) -> Prediction:
    # A function of the user's own would have to be imported, and jax with it.
    return predict(**cell) if cell["activation"] in NONLINEARITIES else NONE
