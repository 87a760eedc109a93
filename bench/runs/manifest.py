"""A run's manifest, read as what it is: data from anywhere, of which nothing is believed unseen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bench.runs.errors import LoadError

FORMAT = 2
FORMATS = (1, FORMAT)  # 1: without the shards' digests
WRITERS = MappingProxyType(  # of each kind of run
    {
        "precision": "depthscale precision",
        "sweep": "depthscale sweep",
        "training": "depthscale train",
        "probe": "depthscale probe",
    }
)
IS_A = MappingProxyType({"precision": ("sweep", ("formats", "loss_scale"))})  # kind → what it is too, beside these fields
KINDS = tuple(WRITERS)
NAME = "manifest.json"
ADDED = MappingProxyType({"precision": "full"})  # fields that runs of earlier versions lack, and what these were made with
WITH_ADDED = ("precision", "sweep", "training")  # kinds
LARGEST_INDEX = 10**9


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run's folder.

    Raises ValueError in one line for a file that describes no run, or one of a format that this version does not know;
    OSError where there is none, or none that can be read.
    """
    path = folder / NAME
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(manifest, dict) or not any(isinstance(manifest.get(kind), dict) for kind in KINDS):
        raise ValueError(f"it describes no {' or '.join(KINDS)}")
    version = manifest.get("format", 1)
    if isinstance(version, bool) or version not in FORMATS:
        raise ValueError(f"its format is {version!r}, expected {' or '.join(map(str, FORMATS))}")
    for kind in WITH_ADDED:
        if isinstance(fields := manifest.get(kind), dict):
            manifest[kind] = {**ADDED, **fields}
    return manifest


def as_text(manifest: Mapping[str, Any]) -> str:
    """The manifest as JSON, with a line for every entry of a field: 10^5 chunks can be read, and are written at once."""

    def entries(value: Any) -> str:
        if not value or not isinstance(value, (list, dict)):
            return json.dumps(value)
        if isinstance(value, list):
            return "[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]"
        return "{\n  " + ",\n  ".join(f"{json.dumps(name)}: {json.dumps(each)}" for name, each in value.items()) + "\n }"

    return "{\n" + ",\n".join(f" {json.dumps(name)}: {entries(value)}" for name, value in manifest.items()) + "\n}\n"


def kind_of(manifest: Mapping[str, Any]) -> str:
    """``sweep``, ``precision``, ``training`` or ``probe``, of a manifest that :func:`read_manifest` gave."""
    return next(kind for kind in KINDS if isinstance(manifest.get(kind), dict))


def no_run(path: Path) -> str:
    """What is said of a path at which there is no run's folder."""
    return f"{str(path)!r} is not a run: it {'is a file' if path.is_file() else f'has no {NAME}'}"


def run_around(path: Path) -> str:
    """The hint "; did you mean …?" for a file or folder that lies in a run's folder, else nothing."""
    around = next((folder for folder in path.parents[:2] if (folder / NAME).is_file()), None)
    return "" if around is None else f"; did you mean {str(around)!r}?"


def load_manifest(folder: Path, run: str) -> dict[str, Any]:
    """How the run was made: ``sweep``, ``training`` or ``probe`` (its fields), versions, device, git, start and end.

    ``run`` says which of them it should be; a precision run is a sweep too, whose fields are there under that name as well.
    Raises :class:`LoadError` for a folder that is not such a run.
    """
    expected = f"expected a folder that `{WRITERS[run]}` wrote"
    try:
        manifest = read_manifest(folder)
    except (FileNotFoundError, NotADirectoryError):
        raise LoadError(f"{no_run(folder)}; {expected}{run_around(folder)}") from None
    except (OSError, ValueError) as error:
        raise LoadError(f"{str(folder / NAME)!r} cannot be read: {one_line(error)}") from error
    for kind, (also, beside) in IS_A.items():
        if run == also and isinstance(own := manifest.get(kind), dict):
            manifest[run] = {name: value for name, value in own.items() if name not in beside}
    if not isinstance(manifest.get(run), dict):
        raise LoadError(f"{str(folder / NAME)!r} describes no {run}; {expected}")
    return manifest


def is_a(kind: str, other: str) -> bool:
    """Whether a run of that kind is one of the other too."""
    return kind == other or (kind in IS_A and IS_A[kind][0] == other)


def shard_name(index: int) -> str:
    """The file name of the rows of a run's chunk of that number."""
    return f"chunk-{index:05d}.parquet"


def planned_shards(manifest: Mapping[str, Any]) -> list[str] | None:
    """The shards that each table of the run is to have, in order; None where the manifest has no plan.

    Raises ValueError for a plan that is none.
    """
    plan = manifest.get("plan")
    if plan is None:
        return None
    indices = (
        [chunk.get("index") if isinstance(chunk, dict) else None for chunk in plan] if isinstance(plan, list) else [None]
    )
    found = [shard_name(index) for index in indices if type(index) is int and 0 <= index < LARGEST_INDEX]
    if len(found) != len(indices):
        raise ValueError("its plan lists no chunks")
    return found


def first_of(names: Sequence[str], most: int = 3) -> str:
    """The first of the names, and that there are more."""
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def one_line(error: Exception) -> str:
    """An exception in one line."""
    return " ".join(str(error).split()) or type(error).__name__
