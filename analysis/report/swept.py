"""A sweep's part of the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.drawing.contours import range_limits
from analysis.numbers.agreement import agreement, sizes_of
from analysis.numbers.lost import with_measured
from analysis.report.lattice import Lattice, lattice_of
from analysis.report.mapped import add_lines, add_map
from analysis.report.maps import edges_of, facet_frames, limits_of, titles_of, with_theory
from analysis.report.series import LAYER, LAYERS, to_series
from analysis.report.swept_words import findings
from analysis.report.value import swept_values
from analysis.rows.load import load_cells, load_formats, load_layers
from bench.runs.manifest import kind_of

STROKES = ("solid", "dashed", "dotted")
OF_MAP = 0.6  # of the room: the rest is for layers


def add_sweep(part: dict[str, Any], folder: Path, manifest: Mapping[str, Any], room: float, *, theory: bool) -> None:
    """Its map, lines, layers, and sentences."""
    cells = load_cells(folder)
    lattice, loss = lattice_of(cells), manifest["sweep"].get("loss", "")
    tested = theory and loss == "output"
    with_layers = any((folder / "layers").glob("*.parquet"))
    add_map(part, cells, lattice, swept_values(cells), room * (OF_MAP if with_layers else 1), theory=tested)
    frames = facet_frames(cells, lattice)
    titles, found = titles_of(frames, lattice), None
    if tested:
        found = agreement(cells, **sizes_of(manifest), progress=True)
        part["map"]["theory"] = with_theory(lattice, found)
    if (lattice.x.column, lattice.y.column) == ("depth", "scale"):
        measured = kind_of(manifest) == "precision"
        whole = facet_frames(with_measured(cells, load_formats(folder)), lattice) if measured else frames
        part["edges"], part["limits"] = edges_of(frames, loss), limits_of(whole)
        part["limits_name"], part["limits_words"] = "ends of number formats", _limit_words(part["limits"])
    part["findings"] = findings(cells, lattice, titles, found)
    _add_layers(part, folder, lattice, room * (1 - OF_MAP), there=with_layers)


def _add_layers(part: dict[str, Any], folder: Path, lattice: Lattice, room: float, *, there: bool) -> None:
    if not there:
        part["notes"].append(
            "This run was measured without its layers: choose a cell to see its gradients along depth and scale. "
            "The same command with --layers, and another --run, measures a profile for every cell too."
        )
        return
    wanted = [*dict.fromkeys([*lattice.columns, "depth", "seed", "layer", *LAYERS])]
    part["series"] = to_series(load_layers(folder, columns=wanted), lattice, LAYER, LAYERS, room)
    if part["series"] is None:
        part["notes"].append("There are too many cells for the profiles of all of them: depthscale plot profile draws some.")
        return
    add_lines(part, "series", "the chosen cell, layer by layer", LAYER.words, log=False)


def _limit_words(limits: list[list[dict[str, Any]]]) -> str:
    names = {line["dash"]: line["words"] for lines in limits for line in lines}
    names = names or {number: limit.names for number, limit in enumerate(range_limits())}
    kinds = "; ".join(f"{STROKES[dash % len(STROKES)]}: {name}" for dash, name in sorted(names.items()))
    return f"Beyond black lines a number format loses half of the gradient's entries, or one overflows ({kinds})."
