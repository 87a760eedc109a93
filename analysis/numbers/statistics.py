"""Statistics over seeds, and the ranges of number types; numbers in, numbers out.

``-inf`` (exactly zero) and NaN (undefined) are data here. A seed that is ``-inf`` counts as the smallest of all, and any
NaN makes every statistic of its cell NaN; no seed is left out, and nothing warns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import ml_dtypes
import numpy as np
import pandas as pd

from analysis.numbers.groups import STATISTICS, Groups, Statistic

CELL_WITHOUT_SEED = ("initializer", "activation", "width", "bias_std", "depth", "scale")


def seed_statistic(
    frame: pd.DataFrame, value: str, stat: str | Statistic = "median", *, by: Sequence[str] | None = None
) -> pd.Series:
    """A statistic of the column ``value`` over everything that ``by`` does not tell apart: the seeds.

    ``by`` is every column of a cell but its seed, and ``layer`` where there is one. The result is indexed by ``by``,
    sorted, in the units of ``value`` (for ``log10_…`` columns: decades; a mean is then a mean of logs, the log of the
    geometric mean). ``stat`` is a name in :data:`STATISTICS`, or such a function. Raises KeyError for an unknown name or
    column.
    """
    keys = list(by) if by is not None else [*CELL_WITHOUT_SEED, *(["layer"] if "layer" in frame else [])]
    grouped = frame.groupby(keys, sort=True, observed=True)
    codes = grouped.ngroup().to_numpy()
    values = frame[value].to_numpy(dtype=float)
    order = np.lexsort((values, codes))  # NaN sorts last, -inf first
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    groups = Groups(values[order], starts, np.diff(starts, append=len(values)))
    # grouped.size() has one entry for each group, in the order of the codes.
    return pd.Series((STATISTICS[stat] if isinstance(stat, str) else stat)(groups), index=grouped.size().index, name=value)


class NumberRange(NamedTuple):
    """log10 of the smallest number that a type does not round to zero, and of its largest finite one."""

    underflow: float
    overflow: float


def number_range(dtype: str) -> NumberRange:
    """What a floating-point type can hold, by its name, numpy's or one of ml_dtypes' (``bfloat16``), in decades.

    ``underflow`` is log10 of half its smallest subnormal number: what is not above that is rounded to zero (to nearest, ties
    to even). Digits are lost one by one before, from the smallest normal number on. Above ``overflow`` is inf, or, in types
    that have none, NaN. Hardware that flushes subnormal numbers loses more. Raises ValueError for a name that is no
    floating-point type.
    """
    try:
        # ml_dtypes.finfo knows numpy's types too, and bfloat16, which numpy's does not.
        info = ml_dtypes.finfo(dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(f"dtype: got {dtype!r}, expected a floating-point type such as float32 or bfloat16") from error
    # half of float64's is no float64
    return NumberRange(float(np.log10(float(info.smallest_subnormal)) - np.log10(2)), float(np.log10(float(info.max))))
