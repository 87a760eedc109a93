"""Two runs beside each other: which settings differ, and what that makes of every cell that both have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.numbers.columns import with_value
from analysis.numbers.median_ends import high_end, low_end
from analysis.numbers.statistics import seed_statistic
from analysis.report.lattice import WORDS, Lattice, lattice_of
from analysis.report.mapped import TIPS, add_pictures
from analysis.report.maps import map_of
from analysis.report.run import empty
from analysis.report.table import text
from analysis.report.value import Value
from analysis.rows.select import distinct

LONG = 80  # letters of a setting in the table
LARGE = 1.0  # decades


def difference(first: Mapping[str, Any], other: Mapping[str, Any], number: int, room: float) -> dict[str, Any]:
    """A part of the page: the other run minus the first one, cell by cell, where both have cells of one kind."""
    part = empty(f"difference{number}", f"{other['name']} minus {first['name']}")
    rows = _settings(first, other)
    caption = "Settings of the two runs that are not the same." if rows else "All settings of the two runs are the same."
    head = ["setting", first["name"], other["name"]]
    part["tables"].append({"name": "differences", "caption": caption, "head": head, "rows": rows})
    if first["frame"] is None or other["frame"] is None or first["kind"] != other["kind"]:
        part["notes"].append("Only runs of one kind, both with rows of cells, are compared cell by cell.")
        return part
    _add_cells(part, first, other, room)
    return part


def _settings(first: Mapping[str, Any], other: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    settings = [{**run["settings"], **dict(run["made"])} for run in (first, other)]
    names = [name for name in {**settings[0], **settings[1]} if settings[0].get(name) != settings[1].get(name)]
    return [[text(name), *(text(_short(each.get(name))) for each in settings)] for name in names]


def _short(value: Any) -> str:
    words = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    return words if len(words) <= LONG else f"{words[: LONG - 1]}…"


def _add_cells(part: dict[str, Any], first: Mapping[str, Any], other: Mapping[str, Any], room: float) -> None:
    frames = [first["frame"], other["frame"]]
    keys = [
        name
        for name in WORDS
        if all(name in frame for frame in frames) and any(len(distinct(frame, name)) > 1 for frame in frames)
    ]
    shown = [value for value in first["values"] if value in other["values"] and value.kind != "share"]
    if not keys or not shown:
        part["notes"].append("The two runs have no column in common that could be compared.")
        return
    both = _joined(frames, keys, shown)
    if both.empty:
        part["notes"].append("The two runs have no cell in common.")
        return
    axes = [name for name in ("depth", "scale") if name in first["frame"] and name not in both]
    both = both.assign(**{name: first["frame"][name].iloc[0] for name in axes})  # of one value each
    lattice = lattice_of(both)
    fields = {value: [lattice.fill(both, both[f"{value.column} {end}"].to_numpy(float)) for end in ENDS] for value in shown}
    of = {Value(value.column, "decades", _words(value)): ends for value, ends in fields.items()}
    seeds = lattice.fill(both, np.ones(len(both)), 0)
    interval = "from the lower end of one run's interval to the upper end of the other's, so that it is rather too wide"
    part["map"] = {"theory": None, **map_of(lattice, of, seeds, interval, room=room)}
    part["zero_words"] = "exactly zero, or never, in one run alone"
    part["findings"] = [_finding(both, shown[0], part["name"], lattice)]
    add_pictures(part, lattice, TIPS[:-1])


ENDS = ("median", "low", "high")


def _joined(frames: Sequence[pd.DataFrame], keys: list[str], shown: Sequence[Value]) -> pd.DataFrame:
    """One row for each cell of both: for every value the difference of medians in decades, and its ends."""
    tables = []
    for frame in frames:
        columns = {}
        for value in shown:
            rows = with_value(frame, value.column)
            for end, stat in zip(ENDS, ("median", low_end, high_end), strict=True):
                found = seed_statistic(rows, value.column, stat, by=keys)
                with np.errstate(divide="ignore", invalid="ignore"):
                    columns[f"{value.column} {end}"] = np.log10(found) if value.kind == "amount" else found
        tables.append(pd.DataFrame(columns))
    one, other = tables
    common = one.index.intersection(other.index)
    one, other = one.loc[common], other.loc[common]
    found = {}
    for value in shown:
        for end, against in zip(ENDS, ("median", "high", "low"), strict=True):
            names = f"{value.column} {end}", f"{value.column} {against}"
            minuend, subtrahend = other[names[0]].to_numpy(float), one[names[1]].to_numpy(float)
            with np.errstate(invalid="ignore"):
                found[names[0]] = np.where(minuend == subtrahend, 0.0, minuend - subtrahend)
    return pd.DataFrame(found, index=common).reset_index()


def _words(value: Value) -> str:
    return f"difference in decades: {value.words}" if value.kind == "decades" else f"ratio in decades: {value.words}"


def _finding(both: pd.DataFrame, value: Value, name: str, lattice: Lattice) -> str:
    change = both[f"{value.column} median"].to_numpy(float)
    finite = change[np.isfinite(change)]
    if not finite.size:
        return f"{len(both):,} cells are in both runs; in none is the difference a number."
    larger = (np.abs(finite) >= LARGE).sum()
    middle, low, high = (f"{each:.3g}".replace("-", "−") for each in (np.median(finite), finite.min(), finite.max()))
    by = ", ".join(lattice.columns).replace("_", " ")
    return (
        f"{len(both):,} cells are in both runs ({name}, by {by}): {value.words} differs "
        f"by {middle} decades in the median cell, {low} to {high} in all; by a factor of 10 or more in {larger:,} of them."
    )
