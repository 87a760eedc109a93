"""Statistics over seeds, and the ranges of number types; numbers in, numbers out.

``-inf`` (exactly zero) and NaN (undefined) are data here. A seed that is ``-inf`` counts as the smallest of all, and any
NaN makes every statistic of its cell NaN; no seed is left out, and nothing warns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import ml_dtypes
import numpy as np
import pandas as pd

CELL_WITHOUT_SEED = ("initializer", "activation", "width", "bias_std", "depth", "scale")


class Groups(NamedTuple):
    """Values sorted within their groups, and where each group begins in them."""

    ordered: np.ndarray
    starts: np.ndarray
    counts: np.ndarray


def seed_statistic(frame: pd.DataFrame, value: str, stat: str = "median", *, by: Sequence[str] | None = None) -> pd.Series:
    """A statistic of the column ``value`` over everything that ``by`` does not tell apart: the seeds.

    ``by`` is every column of a cell but its seed, and ``layer`` where there is one. The result is indexed by ``by``,
    sorted, in the units of ``value`` (for ``log10_…`` columns: decades; a mean is then a mean of logs, the log of the
    geometric mean). ``stat`` is a name in :data:`STATISTICS`. Raises KeyError for an unknown name or column.
    """
    keys = list(by) if by is not None else [*CELL_WITHOUT_SEED, *(["layer"] if "layer" in frame else [])]
    grouped = frame.groupby(keys, sort=True, observed=True)
    codes = grouped.ngroup().to_numpy()
    values = frame[value].to_numpy(dtype=float)
    order = np.lexsort((values, codes))  # NaN sorts last, -inf first
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    groups = Groups(values[order], starts, np.diff(starts, append=len(values)))
    # grouped.size() has one entry for each group, in the order of the codes.
    return pd.Series(STATISTICS[stat](groups), index=grouped.size().index, name=value)


def quantile(groups: Groups, q: float) -> np.ndarray:
    """The q-quantile of each group, interpolated linearly between order statistics (Hyndman & Fan's type 7).

    Between ``-inf`` and a finite value lies ``-inf``: numpy's own interpolation would yield NaN.
    """
    position = q * (groups.counts - 1)
    below = np.floor(position).astype(int)
    above = np.ceil(position).astype(int)
    weight = position - below
    lower, upper = groups.ordered[groups.starts + below], groups.ordered[groups.starts + above]
    with np.errstate(invalid="ignore"):
        between = lower * (1 - weight) + upper * weight
    found = np.where((weight == 0) | (lower == upper), lower, between)
    largest = groups.ordered[groups.starts + groups.counts - 1]
    return np.where(np.isnan(largest), np.nan, found)


def mean(groups: Groups) -> np.ndarray:
    """The mean of each group: ``-inf`` if any value is."""
    with np.errstate(invalid="ignore"):
        return np.add.reduceat(groups.ordered, groups.starts) / groups.counts


def standard_deviation(groups: Groups) -> np.ndarray:
    """The sample standard deviation (n - 1) of each group: NaN for one seed, and where a value is infinite."""
    with np.errstate(invalid="ignore", divide="ignore"):
        residuals = groups.ordered - np.repeat(mean(groups), groups.counts)
        return np.sqrt(np.add.reduceat(residuals**2, groups.starts) / np.where(groups.counts > 1, groups.counts - 1, np.nan))


STATISTICS: Mapping[str, Callable[[Groups], np.ndarray]] = MappingProxyType(
    {
        "median": lambda groups: quantile(groups, 0.5),
        "mean": mean,
        "std": standard_deviation,
        "min": lambda groups: quantile(groups, 0.0),
        "max": lambda groups: quantile(groups, 1.0),
        "q10": lambda groups: quantile(groups, 0.1),
        "q25": lambda groups: quantile(groups, 0.25),
        "q75": lambda groups: quantile(groups, 0.75),
        "q90": lambda groups: quantile(groups, 0.9),
    }
)


class NumberRange(NamedTuple):
    """log10 of the smallest normal number of a type, and of its largest finite one."""

    underflow: float
    overflow: float


def number_range(dtype: str) -> NumberRange:
    """The range of a floating-point type by its name, numpy's or one of ml_dtypes' (``bfloat16``), in decades.

    Below ``underflow`` digits are lost one by one (subnormals) until zero; above ``overflow`` is inf.
    Raises ValueError for a name that is no floating-point type.
    """
    try:
        # ml_dtypes.finfo knows numpy's types too, and bfloat16, which numpy's does not.
        info = ml_dtypes.finfo(dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(f"dtype: got {dtype!r}, expected a floating-point type such as float32 or bfloat16") from error
    return NumberRange(float(np.log10(float(info.smallest_normal))), float(np.log10(float(info.max))))
