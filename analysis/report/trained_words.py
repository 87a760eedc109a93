"""What came out of a training, in sentences with numbers made from its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.drawing.labels import counted
from analysis.report.lattice import Lattice
from analysis.report.swept_words import KEPT, where
from analysis.rows.select import distinct

STEPS = "steps_to_target"


def findings(frame: pd.DataFrame, lattice: Lattice, titles: Sequence[str], training: Mapping[str, Any]) -> list[str]:
    """How many reach the target, how deep, and what their gradients were before training."""
    median = lattice.statistic(frame, STEPS)
    return [
        _reached(frame, median, lattice, titles, training),
        *_deepest(frame, lattice),
        *_gradients(frame, median, lattice),
    ]


def _reached(
    frame: pd.DataFrame, median: np.ndarray, lattice: Lattice, titles: Sequence[str], training: Mapping[str, Any]
) -> str:
    settings, reached = (~np.isnan(median)).sum(), np.isfinite(median)
    seeds = counted(len(distinct(frame, "seed")), "seed")
    were = "were" if len(frame) != 1 else "was"
    text = (
        f"{counted(len(frame), 'network')} ({seeds} of each setting) {were} trained for {training.get('steps')} steps: "
        f"{reached.sum():,} of {settings:,} settings reach the target {training.get('target')} (median over seeds)"
    )
    if not reached.any():
        return f"{text}."
    fastest = np.unravel_index(int(np.where(reached, median, np.inf).argmin()), median.shape)
    return f"{text}, the fastest after {median[fastest]:g} steps ({where(fastest, lattice, titles)})."


def _deepest(frame: pd.DataFrame, lattice: Lattice) -> list[str]:
    """How deep networks of each initializer are that reach it, at any scale and rate."""
    if "depth" not in lattice.columns:
        return []
    reached = frame.groupby([*{"initializer", *lattice.columns}], observed=True)[STEPS].median().reset_index()
    parts = []
    for name in distinct(frame, "initializer"):
        depths = reached.loc[(reached["initializer"] == name) & np.isfinite(reached[STEPS].to_numpy(float)), "depth"]
        parts.append(f"{name} up to L = {max(depths)}" if len(depths) else f"{name} at no depth")
    return [f"At some scale and learning rate they reach it: {', '.join(parts)}."]


def _gradients(frame: pd.DataFrame, median: np.ndarray, lattice: Lattice) -> list[str]:
    """Of settings whose gradient was near 1 before training, how many train; and of the others."""
    size, known = lattice.statistic(frame, "log10_grad_first"), ~np.isnan(median)
    near = known & (np.abs(np.where(np.isnan(size), np.inf, size)) <= KEPT)
    far = known & ~near
    if not near.any() or not far.any():
        return []
    shares = [100 * np.isfinite(median[group]).mean() for group in (near, far)]
    return [
        f"Where the gradient of the first layer is within a factor of 1000 of 1 before training, {shares[0]:.0f} % of "
        f"{near.sum():,} settings reach it; elsewhere {shares[1]:.0f} % of {far.sum():,}."
    ]
