"""A part's map and the lines beside it: what all runs with cells have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from analysis.report.lattice import Lattice
from analysis.report.maps import to_map
from analysis.report.plots import as_json, line_plot, map_plot
from analysis.report.value import Value

TIPS = (("cell", "at"), ("median", "measured"), ("interval", "interval"), ("of", "of"))
THEORY = ("theory", "theory")


def add_map(
    part: dict[str, Any], frame: pd.DataFrame, lattice: Lattice, values: Sequence[Value], room: float, *, theory: bool
) -> None:
    """The map of these rows, and lines along both of its axes."""
    part["map"] = {"theory": None, **to_map(frame, lattice, values, room=room)}
    part["frame"], part["values"] = frame, list(values)
    add_pictures(part, lattice, (*TIPS, THEORY) if theory else TIPS)


def add_pictures(part: dict[str, Any], lattice: Lattice, tips: Sequence[tuple[str, str]]) -> None:
    """The empty pictures of a map, and of the lines along its axes that have several points. tips: what hovering tells."""
    name = part["id"]
    part["plots"][f"{name}-map"] = as_json(map_plot(f"{name}-map", lattice.x, lattice.y, tips), f"{name}-map")
    for target, axis in (("along-x", lattice.x), ("along-y", lattice.y)):
        if len(axis.points) > 1:
            add_lines(part, target, f"along: {axis.words}, through the chosen cell", axis.words, axis=axis, log=axis.is_log)


def add_lines(part: dict[str, Any], target: str, caption: str, words: str, **look: Any) -> None:
    """One picture of lines beside the map."""
    name = f"{part['id']}-{target}"
    part["lines"].append((target, caption))
    part["plots"][name] = as_json(line_plot(name, words, "", **look), name)
