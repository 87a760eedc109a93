"""A training's part of the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from analysis.report.lattice import Lattice, lattice_of
from analysis.report.mapped import add_lines, add_map
from analysis.report.maps import depth_lines_of, facet_frames, titles_of
from analysis.report.series import CURVES, STEP, to_series
from analysis.report.trained_words import STEPS, findings
from analysis.report.value import trained_values
from analysis.rows.load import load_curves, load_trained

OF_MAP = 0.5  # of the room: the rest is for learning curves


def add_training(part: dict[str, Any], folder: Path, manifest: Mapping[str, Any], room: float, *, theory: bool) -> None:
    """Its map, lines, curves and sentences."""
    cells = load_trained(folder)
    lattice = lattice_of(cells)
    with_curves = any((folder / "curves").glob("*.parquet"))
    add_map(part, cells, lattice, trained_values(cells), room * (OF_MAP if with_curves else 1), theory=False)
    frames = facet_frames(cells, lattice)
    part["zero_words"] = "never reached"
    # the facet, and so the learning rate, at which most networks reach the target
    part["map"]["start"] = int(np.isfinite(lattice.statistic(cells, STEPS)).sum(axis=(1, 2)).argmax())
    if theory and (lattice.x.column, lattice.y.column) == ("depth", "scale"):
        part["limits"] = depth_lines_of(frames, lattice)
        part["limits_name"] = "6 ξ_c of theory"
        part["limits_words"] = "Dashed: 6 ξ_c layers, up to which mean field theory expects networks to train."
    part["findings"] = findings(cells, lattice, titles_of(frames, lattice), manifest["training"])
    _add_curves(part, folder, lattice, room * (1 - OF_MAP), there=with_curves)


def _add_curves(part: dict[str, Any], folder: Path, lattice: Lattice, room: float, *, there: bool) -> None:
    if not there:
        part["notes"].append("The folder holds no learning curves of this run.")
        return
    part["series"] = to_series(load_curves(folder), lattice, STEP, CURVES, room)
    if part["series"] is None:
        part["notes"].append("There are too many cells for all learning curves: depthscale plot curves draws some.")
        return
    add_lines(part, "series", "the chosen cell while it is trained", STEP.words, log=False)
