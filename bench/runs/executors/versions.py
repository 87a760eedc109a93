"""Whether a worker measures what this process would: what bits depend on beside a run's settings and the device."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from bench.runs import provenance
from bench.runs.errors import RunError

PROJECT = Path(__file__).parents[2]


@cache
def identity() -> Mapping[str, str | None]:
    """Versions, and a digest of the project's own files: two checkouts may have the same version."""
    files = hashlib.sha256()
    for path in sorted(PROJECT.rglob("*.py")):
        files.update(path.relative_to(PROJECT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    python = ".".join(platform.python_version_tuple()[:2])
    return {**provenance.versions(), "files of depthscale": files.hexdigest()[:12], "Python": python}


def check_worker(ours: Mapping[str, Any], worker: Mapping[str, Any]) -> None:
    """Raises RunError, with both versions, for a worker whose rows may not be those of this process."""
    theirs = worker["versions"]
    for name in dict.fromkeys([*ours, *theirs]):
        if ours.get(name) != theirs.get(name):
            raise RunError(
                f"executor: a worker on {worker['host']} has {name} {theirs.get(name)}, and this process {ours.get(name)}; "
                "their rows may differ: install the same on all machines"
            )
