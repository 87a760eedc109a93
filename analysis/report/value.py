"""What a map can show: a column of the run's cells, its words, and how its values become colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_hex

from analysis.drawing.colours import choose_colours
from analysis.drawing.labels import WORDS
from analysis.numbers.grid import Grid

PALETTES = {"decades": "RdBu_r", "amount": "viridis_r", "share": "cividis", "errors": "PuOr_r"}
SHADES = 64
TRAINED: Mapping[str, tuple[str, str]] = MappingProxyType(  # column → kind, words
    {
        "steps_to_target": ("amount", "steps to the target"),
        "test_accuracy": ("share", "accuracy on the test set"),
        "final_train_loss": ("amount", "training loss at the end"),
        "log10_grad_first": ("decades", "gradient of the first layer before training"),
        "test_loss": ("amount", "loss on the test set"),
        "final_train_accuracy": ("share", "training accuracy at the end"),
    }
)
SWEPT = (  # of all columns that maps can show, those that say something of their own, the first of them first
    *("log10_grad_first", "log10_grad_last", "log10_grad_global", "log10_output", "relative_imbalance"),
    *("log10_grad_least", "log10_grad_largest", "log10_relative_first", "log10_grad_per_weight_first"),
)


class Value(NamedTuple):
    """A column, and how it is shown.

    ``decades``: log10 of a norm, white at 10^0, -inf exactly zero. ``amount``: positive, on a logarithmic scale, inf never
    reached. ``share``: from 0 to 1.
    """

    column: str
    kind: str
    words: str

    def colours(self, values: np.ndarray) -> dict[str, Any]:
        """Where its colours end, for values of all facets."""
        finite = values[np.isfinite(values)]
        if self.kind == "decades":
            found = choose_colours([Grid(np.empty(0), np.empty(0), values, np.isfinite(values))], "median")
            return _ends(found.norm.vmin or 0, found.norm.vmax or 1)
        if self.kind == "share" or not (finite > 0).any():
            return _ends(0, 1)
        low, high = float(finite[finite > 0].min()), float(finite.max())
        return _ends(low, high if high > low else 2 * low)


def _ends(low: float, high: float) -> dict[str, float]:
    return {"low_colour": float(low), "high_colour": float(high)}


def swept_values(columns: Iterable[str]) -> list[Value]:
    """Those of a sweep that has these columns."""
    there = {*columns, *(["relative_imbalance"] if "log10_relative_first" in columns else [])}
    return [Value(name, "decades", WORDS[name]) for name in SWEPT if name in there]


def trained_values(columns: Iterable[str]) -> list[Value]:
    """Those of a training."""
    there = set(columns)
    return [Value(name, kind, words) for name, (kind, words) in TRAINED.items() if name in there]


def palettes() -> dict[str, list[str]]:
    """The colours of each kind, from its lowest value to its highest: those of the figures."""
    steps = np.linspace(0, 1, SHADES)
    return {kind: [to_hex(colour) for colour in mpl.colormaps[name](steps)] for kind, name in PALETTES.items()}
