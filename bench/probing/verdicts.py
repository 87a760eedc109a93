"""Each layer's verdict, from its numbers and those of the others."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t

from bench.probing.thresholds import Thresholds

HEALTHY, NON_FINITE = "healthy", "non-finite"
# from the gravest on
VERDICTS = (NON_FINITE, "exploding", "vanishing", "underflow", "dead", "gated", "disconnected", HEALTHY)
LEVEL = 0.95  # of the interval of the slope
LAST = 4  # the last layers, with which others are compared, are one in so many


class Slope(NamedTuple):
    """Decades of gradient (RMS of an entry) per layer, towards the output, with an interval; NaN where there are too few."""

    slope: float
    low: float
    high: float
    layers: int


def slope_of(table: pd.DataFrame) -> Slope:
    """The least squares line of log₁₀ RMS through the matrices that have a gradient, with Student's interval.

    The interval takes layers for independent; where neighbours are alike it is too narrow.
    """
    rows = table[_compared(table)]
    x, y = rows["layer"].to_numpy(float), rows["log10_grad_rms"].to_numpy(float)
    layers = len(np.unique(x))
    if layers < 3:
        return Slope(np.nan, np.nan, np.nan, layers)
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    residuals = y - y.mean() - slope * centred
    error = float(np.sqrt(residuals @ residuals / (len(x) - 2) / (centred @ centred)))
    half = float(t.ppf((1 + LEVEL) / 2, len(x) - 2)) * error
    return Slope(slope, slope - half, slope + half, layers)


def reference_of(table: pd.DataFrame) -> float:
    """The median of log₁₀ RMS over the last quarter of the layers, from which signals go back to all others."""
    rows = table[_compared(table)]
    if rows.empty:
        return np.nan
    layers = np.unique(rows["layer"])
    last = layers[-max(1, len(layers) // LAST) :]
    return float(rows.loc[rows["layer"].isin(last), "log10_grad_rms"].median())


def verdicts_of(table: pd.DataFrame, reached: list[bool], gated: list[bool], thresholds: Thresholds) -> list[str]:
    """A verdict for each row. reached: whether there is a path to the loss; gated: whether it is zero by a gate alone."""
    usual = _usual_of(table, thresholds)
    rows = zip(table.itertuples(), reached, gated, strict=True)
    return _of_their_matrix(table, [_verdict(row, *known, usual, thresholds) for row, *known in rows])


class Usual(NamedTuple):
    """What a row is held against: between which log₁₀ RMS, and log₁₀ of gradient over weight, it is one of many."""

    low: float
    high: float
    relative_low: float
    relative_high: float


def _usual_of(table: pd.DataFrame, given: Thresholds) -> Usual:
    reference, slope = reference_of(table), slope_of(table)
    below, above = given.apart, given.apart
    if slope.low > given.per_layer:  # where there is a trend without doubt, half of it is enough
        below /= 2
    if slope.high < -given.per_layer:
        above /= 2
    relative = table.loc[_compared(table), "log10_relative"].median()  # of one matrix alone it may be anything by design
    small, large = relative < -given.small, relative > given.large
    return Usual(reference - below, reference + above, -given.small if small else -np.inf, given.large if large else np.inf)


def _verdict(row: Any, reached: bool, gated: bool, usual: Usual, given: Thresholds) -> str:
    if not reached:
        return "disconnected"
    if np.isnan(row.log10_grad) or np.isposinf(row.log10_grad):
        return NON_FINITE
    if np.isneginf(row.log10_grad):
        return "gated" if gated else "dead"
    if row.too_large > 0 or row.log10_grad_rms > usual.high or row.log10_relative > usual.relative_high:
        return "exploding"
    if row.log10_grad_rms < usual.low:
        return "vanishing"
    if row.lost > given.lost:
        return "underflow"
    if row.log10_relative < usual.relative_low:
        return "vanishing"
    return "dead" if row.zero_slices > given.zeros else HEALTHY


def _of_their_matrix(table: pd.DataFrame, found: list[str]) -> list[str]:
    """Vectors beside a matrix vanish or explode with it alone: biases of keys, say, have hardly a gradient at all."""
    matrix = _is_matrix(table)
    of_layer = {layer: verdict for layer, verdict, is_one in zip(table["layer"], found, matrix, strict=True) if is_one}
    settled = []
    for layer, verdict, is_one in zip(table["layer"], found, matrix, strict=True):
        alone = is_one or layer not in of_layer or verdict not in ("vanishing", "exploding")
        settled.append(verdict if alone or of_layer[layer] == verdict else HEALTHY)
    return settled


def _compared(table: pd.DataFrame) -> pd.Series:
    """Matrices and kernels with a gradient; where there are none, whatever has one."""
    live = pd.Series(np.isfinite(table["log10_grad_rms"]), index=table.index)
    matrices = live & pd.Series(_is_matrix(table), index=table.index)
    return matrices if matrices.any() else live


def _is_matrix(table: pd.DataFrame) -> list[bool]:
    return [len(shape) >= 2 for shape in table["shape"]]
