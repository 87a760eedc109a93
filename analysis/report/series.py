"""What belongs to one cell of a map: its layers, or its learning curve, thinned to what a page can hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.report.lattice import Lattice
from analysis.report.maps import BYTES, STATS
from analysis.report.packed import pack
from analysis.rows.select import distinct, spread

MOST = 60  # layers or steps of a cell
FEWEST = 6
LAYERS: Mapping[str, tuple[str, str]] = {  # column → kind, words
    "log10_grad": ("decades", "gradient of the layer"),
    "log10_delta": ("decades", "gradient by the layer's output"),
    "log10_activation": ("decades", "length of the layer's output"),
}
CURVES: Mapping[str, tuple[str, str]] = {
    "loss": ("amount", "batch loss"),
    "accuracy": ("share", "batch accuracy"),
    "log10_grad_first": ("decades", "gradient of the first layer"),
    "log10_grad_last": ("decades", "gradient of the last hidden layer"),
}


class Along(NamedTuple):
    """What a series runs over: a column and its words."""

    column: str
    words: str


LAYER, STEP = Along("layer", "layer l"), Along("step", "step")


def points_of(lattice: Lattice, along: Along, steps: Sequence[int], most: int) -> list[list[int]]:
    """Which layers or steps are kept for each place on x: some of all, both ends among them."""
    if along is STEP:
        return [spread(steps, most)] * len(lattice.x.points)
    if lattice.x.column != "depth":
        return [spread(range(1, max(steps) + 1), most)] * len(lattice.x.points)
    return [spread(range(1, depth + 1), most) for depth in lattice.x.points]


def to_series(
    frame: pd.DataFrame, lattice: Lattice, along: Along, columns: Mapping[str, tuple[str, str]], room: float
) -> dict[str, Any] | None:
    """Medians over seeds, and their intervals where there is room for them; None where there is no room for six points."""
    frame = frame.loc[lattice.holds(frame)]  # a run whose cells are lost in part has layers of more
    there = {column: kind for column, kind in columns.items() if column in frame}
    steps = distinct(frame, along.column)
    for stats in (STATS, {"median": "median"}):
        for most in (MOST, MOST // 2, MOST // 4, FEWEST):
            points = points_of(lattice, along, steps, most)
            numbers = lattice.shape[0] * lattice.shape[1] * sum(map(len, points)) * len(there) * len(stats)
            if numbers * BYTES <= room:
                return _packed(_thinned(frame, lattice, along, points), lattice, along, points, there, stats)
    return None


def _thinned(frame: pd.DataFrame, lattice: Lattice, along: Along, points: list[list[int]]) -> pd.DataFrame:
    kept = {(x, point) for x, of_x in zip(lattice.x.points, points, strict=True) for point in of_x}
    pairs: Iterable = zip(frame[lattice.x.column].tolist(), frame[along.column].tolist(), strict=True)
    return frame.loc[np.fromiter((pair in kept for pair in pairs), bool, len(frame))]


def _packed(
    frame: pd.DataFrame,
    lattice: Lattice,
    along: Along,
    points: list[list[int]],
    columns: Mapping[str, tuple[str, str]],
    stats: Mapping[str, Any],
) -> dict[str, Any]:
    """Flat arrays over facet, y, x and the points of that x, in this order."""
    from analysis.numbers.statistics import seed_statistic

    lengths = np.array([len(of_x) for of_x in points])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    number = {
        (x, point): place
        for x, of_x, start in zip(lattice.x.points, points, starts, strict=False)
        for place, point in enumerate(of_x, start)
    }
    by = [*lattice.columns, along.column]
    found: dict[str, Any] = {}
    for column, (kind, words) in columns.items():
        found[column] = {"kind": kind, "words": words}
        for name, stat in stats.items():
            table = seed_statistic(frame, column, stat, by=by)
            keys = table.index.to_frame(index=False)
            facet, row, _ = lattice.places(keys)
            place = [number[key] for key in zip(keys[lattice.x.column], keys[along.column], strict=True)]
            values = np.full((*lattice.shape[:2], starts[-1]), np.nan)
            values[facet, row, place] = table.to_numpy(float)
            found[column][name] = pack(values)
    return {"words": along.words, "points": points, "values": found}
