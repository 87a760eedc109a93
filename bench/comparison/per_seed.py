"""What a scheme's cells say of each seed: its curves over depth, whether it lives, and what schemes are ranked by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bench.comparison.usable import depth_near_start, depths_of_formats, depths_of_norms

EVERY_GRADIENT = "log10_grad_first"
LAYERS = ("log10_grad_least", "log10_grad_largest")
ENTRIES = ("log10_entry_median", "log10_entry_largest")
RELATIVE = ("log10_relative_first", "log10_relative_last")
GRADIENTS = (EVERY_GRADIENT, "log10_grad_last")
LATER = (*LAYERS, *ENTRIES, *RELATIVE)  # what is looked at too, where a run has it


class PerSeed(NamedTuple):
    """Arrays [seeds]: numbers by name, NaN for a seed without; alive: at every depth; dead: exactly zero at the largest."""

    numbers: Mapping[str, np.ndarray]
    alive: np.ndarray
    dead: np.ndarray


def has(cells: pd.DataFrame, columns: tuple[str, ...]) -> bool:
    """Whether the run measured those columns."""
    return set(columns) <= set(cells)


def per_seed(cells: pd.DataFrame, depths: np.ndarray) -> PerSeed:
    """Of one scheme's cells.

    ``slope``: decades per layer from depth 2 to the largest; ``imbalance``: log10 of first over last layer's gradient at the
    largest; ``relative_imbalance``: the same in units of weights and loss, if the run has it; ``spread``: log10 of the first
    layer's gradient at the largest, what spreads; ``dead``: 0.
    """
    norms = _curves(cells, depths, EVERY_GRADIENT)
    alive = np.asarray(np.isfinite(norms).all(axis=1))

    def deepest(column: str) -> np.ndarray:
        return np.where(alive, _curves(cells, depths, column)[:, -1], np.nan)

    first = deepest(EVERY_GRADIENT)
    numbers = {
        "slope": (first - np.where(alive, norms[:, 0], np.nan)) / (depths[-1] - 2),
        "imbalance": first - deepest("log10_grad_last"),
        "spread": first,
        "dead": np.where(np.isnan(norms).any(axis=1), np.nan, 0.0),
    }
    if has(cells, RELATIVE):
        with np.errstate(invalid="ignore"):  # of weights that are 0 both are -inf
            numbers["relative_imbalance"] = np.subtract(*map(deepest, RELATIVE))
    return PerSeed(numbers, alive, np.isneginf(norms[:, -1]))


def usable_depths(cells: pd.DataFrame, depths: np.ndarray) -> dict[str, Any]:
    """``depth_1e3``, ``depth_float32``, …, and what they are of (:mod:`bench.comparison.usable`), of one scheme's cells.

    Of all layers and of the gradient's entries, or, where the run has no columns of those, of the first layer and its norm.
    """
    layers, entries = has(cells, LAYERS), has(cells, ENTRIES)
    if entries and np.isnan(cells[list(ENTRIES)].to_numpy()).all():  # of other architectures they are not measured
        entries = bool(np.isnan(cells["log10_grad_first"].to_numpy()).all())
    least, largest = (_curves(cells, depths, name) for name in (LAYERS if layers else (EVERY_GRADIENT,) * 2))
    found: dict[str, Any] = {"depth_1e3": depth_near_start(depths, least, largest)}
    if entries:
        found |= depths_of_formats(depths, *(_curves(cells, depths, name) for name in ENTRIES))
    else:
        found |= depths_of_norms(depths, _curves(cells, depths, EVERY_GRADIENT))
    found["depth_1e3_of"] = "all layers" if layers else "first layer"
    found["depth_format_of"] = "entries" if entries else "norm"
    return found


def _curves(cells: pd.DataFrame, depths: np.ndarray, column: str) -> np.ndarray:
    """[seeds, depths], NaN where there is no cell."""
    seeds, row = np.unique(cells["seed"], return_inverse=True)
    curves = np.full((len(seeds), len(depths)), np.nan)
    curves[row, np.searchsorted(depths, cells["depth"])] = cells[column]
    return curves
