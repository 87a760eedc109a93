"""The comparison of a sweep's schemes from end to end: what is measured for it, its table, and the table's files."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from bench.comparison.arguments import check_isometry_seeds, check_rank_by
from bench.comparison.compare import CompareError, compare, load_cells
from bench.comparison.isometry import add_isometry
from bench.comparison.tables import write_table
from bench.networks.activations import ACTIVATIONS
from bench.networks.architectures import registry
from bench.networks.initializers import INITIALIZERS
from bench.runs.errors import LoadError
from bench.runs.manifest import load_manifest
from bench.settings.defaults import PLAIN
from bench.settings.errors import SweepError
from bench.sweeps.presets import PRESETS
from bench.sweeps.sweep import Sweep

WORD = "compare"
REGISTRIES = {"initializers": INITIALIZERS, "activations": ACTIVATIONS, "architectures": registry}


def to_compare(sweep: Sweep) -> Sweep:
    """What is measured to compare the schemes of ``sweep``: its cells, and those at depth 2. Raises SweepError."""
    if max(sweep.depths) == 2:
        raise SweepError("depths", max(sweep.depths), "a depth above 2, to measure a slope to")
    return replace(sweep, layers=False, depths=(2, *sweep.depths))


def asked_of(preset: Sweep, asked: Mapping[str, Any]) -> tuple[Sweep, tuple[str, ...]]:
    """The preset with what was asked for, and schemes of the preset's own that are left out of it.

    Those that are normalized on data are, where blocks are not plain, unless they were asked for. Raises SweepError.
    """
    if "initializers" in asked or set(replace(preset, **asked).architectures) == {PLAIN}:
        return replace(preset, **asked), ()
    kept = tuple(name for name in preset.initializers if not INITIALIZERS[name].family.unit_variance)
    return replace(preset, **asked, initializers=kept), tuple(name for name in preset.initializers if name not in kept)


def default_name(preset: str) -> str:
    """What the run of a preset that is measured to be compared is called: not as that of the preset itself.

    They differ in depth 2 and in layers, and one cannot go on with the other.
    """
    return preset if preset == WORD else f"{preset}-{WORD}"


def compare_run(folder: Path, *, isometry_seeds: int, rank_by: str = "slope", progress: bool = True) -> pd.DataFrame:
    """The table of :func:`bench.comparison.compare.compare` for a finished run, with the isometry of so many seeds.

    Of what the run names, only the suite's own, and what the user has named or given in this process, is measured again for
    the isometry, or has a theory; nothing is imported for a name that a folder holds. Raises CompareError for a run that is
    no sweep, that is not finished, that has no cells at depth 2 and above, or none of what is ranked by, and SweepError for
    a count out of range and another ``rank_by``.
    """
    try:
        manifest = load_manifest(folder, "sweep")
    except LoadError as error:
        raise CompareError(f"run: {error}") from error
    fields = manifest["sweep"]
    if not manifest.get("finished"):
        raise CompareError(f"run: got {str(folder)!r}, which is not finished; run its sweep again first")
    try:
        known = {
            field: [name for name in fields[field] if names.known(name)]
            for field, names in REGISTRIES.items()
            if field in fields
        }
        anything = all(known.values())
        others = {field: value for field, value in fields.items() if field not in REGISTRIES}
        sweep = Sweep.from_dict(others | known if anything else others)
    except (ValueError, KeyError, TypeError) as error:
        raise CompareError(f"run: got {str(folder)!r}, expected a run's folder ({error})") from error
    check_isometry_seeds(isometry_seeds)
    check_rank_by(rank_by)
    if not any(folder.glob("cells/*.parquet")):
        again = _command(folder, sweep)
        raise CompareError(f"run: got {str(folder)!r}, which keeps its manifest and no rows; {again} measures them again")
    shared = {"loss": sweep.loss, "batch": sweep.batch, "length": sweep.length}
    table = compare(load_cells(folder), **shared, rank_by=rank_by, progress=progress)
    return add_isometry(table, sweep, seeds=min(isometry_seeds, sweep.seeds) if anything else 0, progress=progress)


def _command(folder: Path, sweep: Sweep) -> str:
    """What measures a run again: of a preset's, also compares it."""
    for name, preset in PRESETS.items():
        if to_compare(preset.sweep) == sweep:
            named = [] if name == WORD else [name]
            words = ["depthscale", WORD, *named, "--results", str(folder.parent), "--run", folder.name]
            return f"`{shlex.join(words)}`"
    return "the command that made it"


def write_comparison(table: pd.DataFrame, folder: Path, argument: str, columns: Sequence[str] | None = None) -> None:
    """The table's files in the run's folder (:func:`bench.comparison.tables.write_table`).

    Raises CompareError, which names the argument that the folder is from.
    """
    try:
        write_table(table, folder, columns)
    except OSError as error:
        raise CompareError(f"{argument}: {folder} cannot be written: {error.strerror or error}") from error
