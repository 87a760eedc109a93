"""Where a run's cells lie on a map: what varies becomes its two axes, and everything else that varies a menu."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.numbers.grid import cell_edges, evenly_spaced_in_log
from analysis.numbers.groups import Statistic
from analysis.numbers.statistics import seed_statistic
from analysis.rows.select import distinct

WORDS = {
    "depth": "depth L (weight matrices)",
    "scale": "weight scale",
    "learning_rate": "learning rate",
    "readout_learning_rate": "learning rate of the readout",
    "architecture": "architecture",
    "initializer": "initializer",
    "activation": "activation",
    "width": "width n",
    "bias_std": "bias std",
    "input_norm": "input norm in √n",
    "task": "task",
    "optimizer": "optimizer",
    "schedule": "schedule",
    "clip": "clip",
}
NUMBERS = ("depth", "scale", "learning_rate", "readout_learning_rate")
LOG = ("depth", "learning_rate", "readout_learning_rate")


class Axis(NamedTuple):
    """An axis of a map, or a menu: a column, its name in words, and the values that it takes, ascending."""

    column: str
    points: list[Any]

    @property
    def words(self) -> str:
        """What stands at it."""
        return WORDS[self.column]

    @property
    def is_log(self) -> bool:
        """Whether it is logarithmic."""
        numbers = self.column in NUMBERS and self.points[0] > 0
        return numbers and (self.column in LOG or evenly_spaced_in_log(np.array(self.points)))

    @property
    def edges(self) -> np.ndarray:
        """Where its cells end; of names, halfway between their places, which count from 0."""
        if self.column not in NUMBERS:
            return np.arange(len(self.points) + 1) - 0.5
        ends = cell_edges(np.array(self.points, float), logarithmic=self.is_log)
        return np.maximum(ends, 0) if self.points[0] >= 0 else ends


class Lattice(NamedTuple):
    """Facets are the combinations of the menus that the run holds, in its order; x and y the axes of each one's map."""

    x: Axis
    y: Axis
    menus: tuple[Axis, ...]
    facets: list[tuple[Any, ...]]

    @property
    def columns(self) -> list[str]:
        """What tells cells apart."""
        return [*(menu.column for menu in self.menus), self.y.column, self.x.column]

    @property
    def shape(self) -> tuple[int, int, int]:
        """[facets, y, x]."""
        return len(self.facets), len(self.y.points), len(self.x.points)

    def statistic(self, frame: pd.DataFrame, value: str, stat: str | Statistic = "median") -> np.ndarray:
        """[facets, y, x]: the statistic over seeds; NaN also where nothing was measured."""
        table = seed_statistic(frame, value, stat, by=self.columns)
        return self.fill(table.index.to_frame(index=False), table.to_numpy(float))

    def fill(self, cells: pd.DataFrame, values: np.ndarray, empty: float = np.nan) -> np.ndarray:
        """[facets, y, x] of one value for each row of ``cells``."""
        filled = np.full(self.shape, empty)
        filled[self.places(cells)] = values
        return filled

    def places(self, cells: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where rows lie: facet, y and x."""
        menus = [cells[menu.column].tolist() for menu in self.menus]
        keys = list(zip(*menus, strict=True)) if menus else [()] * len(cells)
        y, x = (cells[axis.column].tolist() for axis in (self.y, self.x))
        return _found(self.facets, keys), _found(self.y.points, y), _found(self.x.points, x)

    def holds(self, cells: pd.DataFrame) -> np.ndarray:
        """Which rows lie on it."""
        menus = [cells[menu.column].tolist() for menu in self.menus]
        keys = zip(*menus, strict=True) if menus else [()] * len(cells)
        known = set(self.facets), set(self.y.points), set(self.x.points)
        places = zip(keys, cells[self.y.column].tolist(), cells[self.x.column].tolist(), strict=True)
        there = (all(one in of for one, of in zip(place, known, strict=True)) for place in places)
        return np.fromiter(there, bool, len(cells))


def _found(known: Sequence[Any], values: Sequence[Any]) -> np.ndarray:
    place = {value: number for number, value in enumerate(known)}
    return np.array([place[value] for value in values], int)


def lattice_of(frame: pd.DataFrame) -> Lattice:
    """Axes and menus for these rows: depth and scale where both vary, or two learning rates, or what else there is."""
    columns = [name for name in WORDS if name in frame]
    if "readout_learning_rate" in columns and frame["readout_learning_rate"].equals(frame["learning_rate"]):
        columns.remove("readout_learning_rate")
    values = {name: distinct(frame, name) for name in columns}
    several = [name for name in columns if len(values[name]) > 1]
    x, y = _axes([name for name in NUMBERS if name in several], [name for name in several if name not in NUMBERS], values)
    menus = tuple(Axis(name, values[name]) for name in several if name not in (x, y))
    keys = frame[[menu.column for menu in menus]].drop_duplicates() if menus else None
    facets = [()] if keys is None else [tuple(key) for key in keys.itertuples(index=False, name=None)]
    return Lattice(Axis(x, values[x]), Axis(y, values[y]), menus, facets)


def _axes(numbers: Sequence[str], names: Sequence[str], values: dict[str, list[Any]]) -> tuple[str, str]:
    if {"depth", "scale"} <= set(numbers):
        return "depth", "scale"
    if {"learning_rate", "readout_learning_rate"} <= set(numbers):
        return "learning_rate", "readout_learning_rate"
    x = numbers[0] if numbers else "depth"
    others = [*numbers[1:], *sorted(names, key=lambda name: -len(values[name]))]
    return x, others[0] if others else next(name for name in ("scale", "depth") if name != x)
