"""What many claims measure: a slope, a change or a value, of the rows that have certain columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.papers.claim import Estimate, Frames
from analysis.papers.estimates import mean_over_seeds, slopes, wide
from analysis.papers.panels import line_over_seeds

Measure = Callable[[Frames], Estimate]


def of(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """The rows whose columns have these values; numbers up to rounding. Raises ValueError where there are none."""
    keep = np.ones(len(frame), bool)
    for name, value in columns.items():
        held = frame[name]
        keep &= np.asarray(held == value if isinstance(value, str) else np.isclose(held.to_numpy(float), value, rtol=1e-9))
    if not keep.any():
        raise ValueError(f"columns: got {columns}, expected values of rows that there are")
    return frame.loc[keep]


def slope(
    table: str, y: str, x: str = "depth", *, log_x: bool = False, least: float = 0, most: float = np.inf, **columns: Any
) -> Measure:
    """The slope of y against x (against log10 of x), where x is from ``least`` to ``most``; the mean over seeds."""

    def measured(frames: Frames) -> Estimate:
        rows = of(frames[table], **columns)
        return mean_over_seeds(slopes(rows.loc[rows[x].between(least, most)], y, x, log_x=log_x))

    return measured


def change(table: str, y: str, x: str, ends: tuple[float, float], **columns: Any) -> Measure:
    """Y at the second of two places along x, less y at the first; the mean over seeds."""

    def measured(frames: Frames) -> Estimate:
        found = wide(of(frames[table], **columns), y, x)
        return mean_over_seeds((found[ends[1]] - found[ends[0]]).to_numpy())

    return measured


def value(table: str, y: str, **columns: Any) -> Measure:
    """Y itself, of one row a seed; the mean over seeds."""
    return lambda frames: mean_over_seeds(of(frames[table], **columns).groupby("seed")[y].first().to_numpy())


def then(measure: Measure, function: Callable[[np.ndarray], np.ndarray]) -> Measure:
    """A monotonic function of a number, and of the ends of its interval."""

    def measured(frames: Frames) -> Estimate:
        middle, *ends = (float(each) for each in function(np.array(measure(frames))))
        return Estimate(middle, min(ends), max(ends))

    return measured


def factor(measure: Measure) -> Measure:
    """10 to the power of a number of decades."""
    return then(measure, lambda decades: 10.0**decades)


def lines(ax: Axes, frame: pd.DataFrame, x: str, y: str, names: Mapping[str, str], column: str = "architecture") -> None:
    """Medians over seeds against x, a line for each value of a column: by their labels."""
    for place, (name, label) in enumerate(names.items()):
        line_over_seeds(ax, of(frame, **{column: name}), x, y, place, label=label)
