"""A run's part of the page: its data, its pictures and its words, whatever kind of run it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from analysis.report.made import command, made
from analysis.report.probed import add_probe
from analysis.report.ranked import add_table
from analysis.report.swept import add_sweep
from analysis.report.trained import add_training
from analysis.rows.load import TABLE
from analysis.rows.manifest import LoadError, kind_at, load_manifest

ADDS = {"sweep": add_sweep, "precision": add_sweep, "training": add_training, "probe": add_probe}


def part_of(folder: Path, number: int, room: float, *, theory: bool) -> dict[str, Any]:
    """Everything that the page says of one run. room: bytes that its data may take. Raises LoadError."""
    kind = kind_at(folder)
    manifest = load_manifest(folder, "sweep" if kind == "precision" else kind)
    name = folder.resolve().name
    part = {
        **empty(f"run{number}", name),
        "made": made(manifest),
        "command": command(folder, manifest),
        "settings": manifest[kind],
        "kind": kind,
    }
    compared = (folder / TABLE).exists()
    try:
        ADDS[kind](part, folder, manifest, room, theory=theory)
    except LoadError:
        if not compared:
            raise
        part["notes"].append("The folder keeps no rows of cells: there is the table alone, and no map.")
    if compared:
        add_table(part, folder)
    return part


def empty(identity: str, name: str) -> dict[str, Any]:
    """A part of the page in which there is nothing yet."""
    return {
        "id": identity,
        "name": name,
        "file": re.sub(r"[^\w.-]+", "_", name),
        "made": [],
        "command": "",
        "settings": {},
        "kind": "",
        "findings": [],
        "notes": [],
        "map": None,
        "series": None,
        "edges": None,
        "limits": None,
        "limits_name": "",
        "limits_words": "",
        "zero_words": "exactly zero",
        "lines": [],
        "pictures": [],
        "tables": [],
        "plots": {},
        "frame": None,
        "values": [],
    }
