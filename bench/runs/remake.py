"""The command that makes a run, from what its manifest says: for a folder that keeps only what was drawn of its rows."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.runs.manifest import WRITERS, is_a
from bench.settings.errors import SweepError
from bench.settings.ranges import RANGED, parse

FEWEST = 4  # numbers that are shorter as a range
NOT_OPTIONS = ("data", "program")  # digests of a task's examples, of a model


def held_once(manifest: Mapping[str, Any], run: str, table: str) -> bool:
    """Whether the run is finished and was made with that table, so that rows that are not there were taken away."""
    settings = manifest[run]
    of_table = {"pairs": "correlations", "format_layers": "layers"}.get(table, table)
    return bool(manifest.get("finished")) and (table == "cells" or bool(settings.get(of_table)))


def command_of(folder: Path, manifest: Mapping[str, Any], run: str) -> str:
    """``depthscale sweep`` or ``train`` with every setting of the run, which measures into that folder what is missing."""
    run = next((kind for kind in WRITERS if is_a(kind, run) and kind in manifest), run)
    words = [*WRITERS[run].split(), "--run", folder.name, "--results", str(folder.parent)]
    settings = manifest[run]
    for field, value in {**settings, **(settings.get("thresholds") or {})}.items():
        option = field.replace("_", "-")
        if field in NOT_OPTIONS or value == [] or isinstance(value, dict):
            continue
        if field == "model":
            words.append(str(value))
            continue
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        elif isinstance(value, list):
            words += [f"--{option}", *(_numbers(field, value) if field in RANGED else map(str, value))]
        else:
            words += [f"--{option}", str(value)]
    return shlex.join(words)


def _numbers(field: str, values: Sequence[Any]) -> list[str]:
    """The numbers, as a range where there is one that is read as exactly these."""
    if len(values) >= FEWEST:
        for spacing in ("", "log"):
            text = f"{values[0]}:{values[-1]}:{len(values)}{spacing}"
            try:
                if parse(field, text, whole=RANGED[field]) == list(values):
                    return [text]
            except SweepError:  # no range of a field begins there
                continue
    return [str(value) for value in values]
