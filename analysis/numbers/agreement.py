"""Measurement against theory, cell by cell: how many standard errors the mean over seeds lies from its prediction.

    z = (mean over seeds - μ) / max(σ / √seeds, 1e-6 · L)

μ, σ: mean and standard deviation of log10 ‖∂y/∂W_1‖_F that :func:`bench.theory.predict` gives; L: depth. The second term is
the measurement's own tolerance in decades, for where nothing is random (identity weights; orthogonal ones, if linear).

Of most other architectures than plain ones (:mod:`bench.theory.block_laws` has the others) mean field theory knows the mean
of squares at infinite width, and no σ. There the measured standard deviation s takes its place, and μ - ln(10) s² that of μ:
so far the mean of a normal logarithm lies below the logarithm of the mean. Then z says how near mean field is, and is no
test, for what it lacks is O(L/n).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.numbers.statistics import CELL_WITHOUT_SEED
from bench.terminal.progress import with_bar
from bench.theory import Prediction, gated, predict
from bench.theory.nonlinearities import NONLINEARITIES
from bench.theory.prediction import NONE

VALUE = "log10_grad_first"
TOLERANCE = 1e-6  # decades a layer: rounding of the measurement in float32
PASSES = 1.96  # standard errors: at 95 %, so that one right cell in 20 fails
VERDICTS = ("pass", "fail", "mean field", "no theory", "gated", "zero", "undefined")


def agreement(frame: pd.DataFrame, *, batch: int = 1, length: int = 1, progress: bool = False) -> pd.DataFrame:
    """One row for each cell without its seed, in the run's order: measured, predicted, and whether they agree.

    frame: rows of ``load_cells`` of a run with ``loss="output"``, and that ``batch`` and ``length``. Beside the cell's
    columns the result has ``seeds``;
    ``dead``, those whose gradient is exactly zero; ``mean`` over the others, since theory is given that a gradient is alive;
    ``predicted``, ``error`` (the denominator of z), ``z``, ``law``, ``reason`` (why there is no law, else empty), and
    ``verdict``: "pass" for |z| ≤ 1.96 (95 %: one right cell in 20 fails), "fail", "no theory"
    (also for functions of a user's own, which would have to be imported), "mean field" of other architectures without a law
    across seeds, which are compared and not tested, "gated" where branches are shut by design, "zero" where no seed is
    alive, "undefined" where any is NaN. All depths of one network cost about 0.1 s where theory has no closed form.
    """
    keys = [*CELL_WITHOUT_SEED, *(name for name in ("input_norm", "architecture") if name in frame)]  # older runs have none
    measured = frame[VALUE].to_numpy(dtype=float)
    alive = np.isfinite(measured)
    marked = frame[keys].assign(
        seeds=1, dead=np.isneginf(measured), alive=alive, mean=np.where(alive, measured, 0.0), broken=np.isnan(measured)
    )
    marked["square"] = marked["mean"] ** 2
    cells: Any = marked.groupby(keys, sort=False, observed=True, as_index=False).sum()
    records = cells[keys].to_dict("records")
    found = [_predict(cell, batch, length) for cell in with_bar(records, "cells", shown=progress)]
    alive = cells["alive"].to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = cells["mean"].to_numpy() / alive
        predicted, spread = np.array([law.log10_grad_first for law in found]).T
        law = np.array([law.law for law in found])
        beside = law == "mean field"
        variance = np.maximum(cells["square"].to_numpy() / alive - mean**2, 0) * alive / (alive - 1)
        of_variance = np.where(beside, np.log(10) * variance * np.sqrt(2 / (alive - 1)), 0.0)
        predicted = np.where(beside, predicted - np.log(10) * variance, predicted)
        error = np.hypot(np.where(beside, np.sqrt(variance), spread) / np.sqrt(alive), of_variance)
        error = np.maximum(error, TOLERANCE * cells["depth"].to_numpy())
        z = (mean - predicted) / error
    shut = [gated(cell.get("architecture", "plain")) for cell in records]
    conditions = [cells["broken"] > 0, shut, law == "none", alive == 0, beside, np.abs(z) <= PASSES]
    verdict = np.select(conditions, ["undefined", "gated", "no theory", "zero", "mean field", "pass"], "fail")
    z = np.where(np.isin(verdict, ("pass", "fail", "mean field")), z, np.nan)
    kept = cells[[*keys, "seeds", "dead"]]
    reason = [law.reason for law in found]
    return kept.assign(mean=mean, predicted=predicted, error=error, z=z, law=law, reason=reason, verdict=verdict)


def sizes_of(manifest: Mapping[str, Any]) -> dict[str, int]:
    """How many examples and positions the sweep's networks see, on which laws of architectures depend."""
    return {name: manifest["sweep"].get(name, 1) for name in ("batch", "length")}


def _predict(cell: dict[Any, Any], batch: int, length: int) -> Prediction:
    # A function of the user's own would have to be imported, and jax with it.
    return predict(**cell, batch=batch, length=length) if cell["activation"] in NONLINEARITIES else NONE
