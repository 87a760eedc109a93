"""How fast a quantity grows from layer to layer, and what is usual for it in a network."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t

from bench.probing.thresholds import Thresholds

LEVEL = 0.95  # of the interval of a slope
QUARTER = 4  # others are compared with one layer in so many, where the quantity comes from


class Slope(NamedTuple):
    """Decades per layer towards the output, with an interval, over so many layers; NaN where there are too few."""

    slope: float
    low: float
    high: float
    layers: int


class Usual(NamedTuple):
    """Between which sizes a layer is one of many, the size that it is compared with, and where that is from."""

    low: float
    high: float
    reference: float
    where: str


def slope_of(layers: np.ndarray, sizes: np.ndarray) -> Slope:
    """The least squares line through finite sizes, in decades, with Student's interval.

    The interval takes layers for independent; where neighbours are alike it is too narrow.
    """
    finite = np.isfinite(sizes)
    x, y = layers[finite].astype(float), sizes[finite]
    count = len(np.unique(x))
    if count < 3:
        return Slope(np.nan, np.nan, np.nan, count)
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    residuals = y - y.mean() - slope * centred
    error = float(np.sqrt(residuals @ residuals / (len(x) - 2) / (centred @ centred)))
    half = float(t.ppf((1 + LEVEL) / 2, len(x) - 2)) * error
    return Slope(slope, slope - half, slope + half, count)


def usual_of(rows: pd.DataFrame, column: str, given: Thresholds, *, backward: bool) -> Usual:
    """What is usual of a column. Gradients and cotangents come from the last layers, values from the first.

    A layer may be ``given.apart`` decades from the median of that quarter, and half of that where there is a trend without
    doubt, its whole interval beyond ``given.per_layer``.
    """
    rows = rows.loc[np.isfinite(rows[column].to_numpy(float))]
    where = "last" if backward else "first"
    if rows.empty:
        return Usual(-np.inf, np.inf, np.nan, where)
    layers = np.unique(rows["layer"])
    count = max(1, len(layers) // QUARTER)
    quarter = layers[-count:] if backward else layers[:count]
    reference = float(rows.loc[np.isin(rows["layer"].to_numpy(), quarter), column].median())
    slope = slope_of(rows["layer"].to_numpy(), rows[column].to_numpy(float))
    shrinks = slope.low > given.per_layer if backward else slope.high < -given.per_layer
    grows = slope.high < -given.per_layer if backward else slope.low > given.per_layer
    below, above = (given.apart / 2 if trend else given.apart for trend in (shrinks, grows))
    return Usual(reference - below, reference + above, reference, where)
