"""A run's part of the page: its data, its pictures and its words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from analysis.drawing.contours import range_limits
from analysis.numbers.agreement import agreement, sizes_of
from analysis.report import made
from analysis.report.lattice import lattice_of
from analysis.report.maps import edges_of, facet_frames, limits_of, titles_of, to_map, with_theory
from analysis.report.plots import as_json, line_plot, map_plot
from analysis.report.swept_words import findings
from analysis.report.value import swept_values
from analysis.rows.load import load_cells
from analysis.rows.manifest import load_manifest

TIPS = (("cell", "at"), ("median", "measured"), ("interval", "interval"), ("of", "of"), ("theory", "theory"))
STROKES = ("solid", "dashed", "dotted")


def part_of(folder: Path, number: int, room: float, *, theory: bool) -> dict[str, Any]:
    """Everything that the page says of one run. room: bytes that its data may take."""
    manifest = load_manifest(folder)
    cells = load_cells(folder)
    lattice, loss = lattice_of(cells), manifest["sweep"].get("loss", "")
    part: dict[str, Any] = {
        "id": f"run{number}",
        "name": folder.resolve().name,
        "file": re.sub(r"[^\w.-]+", "_", folder.resolve().name),
        "made": made.made(manifest),
        "command": made.command(folder, manifest),
        "notes": [],
        "zero_words": "exactly zero",
        "limits_words": _limit_words(),
    }
    frames = facet_frames(cells, lattice)
    titles = titles_of(frames, lattice)
    part["map"] = {"theory": None, **to_map(cells, lattice, swept_values(cells), room=room)}
    found = None
    if theory and loss == "output":
        found = agreement(cells, **sizes_of(manifest), progress=True)
        part["map"]["theory"] = with_theory(lattice, found)
    if {lattice.x.column, lattice.y.column} == {"depth", "scale"}:
        part["edges"], part["limits"] = edges_of(frames, loss), limits_of(frames)
    part["findings"] = findings(cells, lattice, titles, found)
    part["lines"] = [("along-x", f"along the {lattice.x.words}"), ("along-y", f"along the {lattice.y.words}")]
    name = part["id"]
    plots = {f"{name}-map": map_plot(f"{name}-map", lattice.x, lattice.y, TIPS)}
    for target, axis in zip(("along-x", "along-y"), (lattice.x, lattice.y), strict=True):
        plots[f"{name}-{target}"] = line_plot(f"{name}-{target}", axis.words, "", log=axis.is_log, axis=axis)
    part["plots"] = {target: as_json(plot, target) for target, plot in plots.items()}
    return part


def _limit_words() -> str:
    names = [f"{stroke}: {limit.names}" for stroke, limit in zip(STROKES, range_limits(), strict=False)]
    return f"Beyond black lines a number format loses half of the gradient's entries, or one overflows ({'; '.join(names)})."
