"""A dimension as the exponent of a power law, with an error that covers curves whose dimension is known."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.stats import linregress, norm

from analysis.numbers.calibration import calibrated

NORMAL = float(norm.ppf(0.975))  # standard errors in half of a 95 % interval


class Dimension(NamedTuple):
    """Slope of log N against -log s, half of its 95 % interval, the fit's standard error, and the median of local slopes.

    ``error``: ``sqrt(calibration² + (1.96 fit)²)``, where within the calibration 95 % of estimates are of every curve of
    known dimension, drawn on a map of that many pixels (:mod:`analysis.numbers.calibration`); NaN on too small maps.
    ``sizes`` and ``counts`` are what was fitted.
    """

    slope: float
    error: float
    fit: float
    median: float
    sizes: np.ndarray
    counts: np.ndarray

    def __str__(self) -> str:
        if np.isnan(self.slope):
            return "undefined"
        return f"{self.slope:.2f}" + ("" if np.isnan(self.error) else f" ± {self.error:.2f}")


def fitted(sizes: np.ndarray, counts: np.ndarray, kind: str, side: int) -> Dimension:
    """The exponent of ``counts ∝ sizes^(-slope)`` by least squares in logs; NaN for fewer than two sizes, or where none is.

    kind, side: the estimator and the pixels of the map, of which the calibration is.
    """
    if len(sizes) < 2 or not np.all(counts > 0):
        return Dimension(np.nan, np.nan, np.nan, np.nan, sizes, counts)
    size, count = np.log(sizes), np.log(counts)
    found: Any = linregress(size, count)
    fit = float(found.stderr) if len(sizes) > 2 else np.nan  # two points always lie on a line
    error = float(np.hypot(calibrated(kind, side), NORMAL * fit))
    return Dimension(float(-found.slope), error, fit, float(np.median(-np.diff(count) / np.diff(size))), sizes, counts)
