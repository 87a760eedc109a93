"""How a run was made, without its rows: what is no run is refused before anything that takes time is imported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bench.runs import manifest
from bench.runs.errors import LoadError

__all__ = ["LoadError", "kind_at", "load_manifest"]


def load_manifest(run_dir: str | os.PathLike[str], run: str = "sweep") -> dict[str, Any]:
    """How the run was made: ``sweep`` or ``training`` (its fields), versions, device, git, start and end.

    ``finished`` is None while cells are missing. ``run`` says which kind it should be. Raises :class:`LoadError` for a
    folder that is not such a run.
    """
    return manifest.load_manifest(Path(run_dir), run)


def kind_at(run_dir: str | os.PathLike[str]) -> str:
    """``sweep``, ``precision``, ``training`` or ``probe``. Raises :class:`LoadError` for a folder that is no run."""
    try:
        return manifest.kind_of(manifest.read_manifest(Path(run_dir)))
    except (OSError, ValueError):
        return manifest.kind_of(load_manifest(run_dir))  # which says what is wrong with it
