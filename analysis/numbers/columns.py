"""A run's columns by name, and what is made of two of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.rows.select import SelectionError

IMBALANCE = "relative_imbalance"
PARTS = ("log10_relative_first", "log10_relative_last")


def needed_for(value: str) -> tuple[str, ...]:
    """The columns of a run's rows that a value is made of."""
    return PARTS if value == IMBALANCE else (value,)


def with_value(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """The rows with a column ``value``: as they are, or with the imbalance that no rescaling of the whole network cures.

        relative_imbalance = log10_relative_first - log10_relative_last

    in decades, seed by seed; NaN where both are exactly zero. Raises SelectionError for a run that was measured without the
    columns.
    """
    lacking = [name for name in needed_for(value) if name not in frame]
    if lacking:
        raise SelectionError("value", value, f"a run with {' and '.join(lacking)}; this one was measured without")
    if value != IMBALANCE:
        return frame
    first, last = (frame[name].to_numpy(float) for name in PARTS)
    with np.errstate(invalid="ignore"):
        return frame.assign(**{IMBALANCE: first - last})
