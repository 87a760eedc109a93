"""Runs from disk: rows as tidy frames, and the manifest that says how they were made."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

CELL = ("initializer", "activation", "width", "bias_std", "depth", "scale", "seed")
COLUMNS = {"cells": CELL, "layers": (*CELL, "layer")}
TABLE = "table.csv"


class LoadError(ValueError):
    """A folder that cannot be read as a run: its one line names the folder, what is wrong, and what to do."""


def load_manifest(run_dir: str | os.PathLike[str]) -> dict[str, Any]:
    """How the run was made: ``sweep`` (its fields), ``versions``, ``device``, ``git``, ``started``, ``finished``.

    ``finished`` is None while cells are missing. Raises :class:`LoadError` for a folder that is not a run.
    """
    path = Path(run_dir) / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise LoadError(f"{str(run_dir)!r} is not a run: it has no manifest.json; expected {_EXPECTED}") from None
    except (OSError, ValueError) as error:
        raise LoadError(f"{str(path)!r} cannot be read: {_one_line(error)}") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("sweep"), dict):
        raise LoadError(f"{str(path)!r} describes no sweep; expected {_EXPECTED}")
    return manifest


def load_cells(run_dir: str | os.PathLike[str]) -> pd.DataFrame:
    """One row for each network: the cell's columns, and ``log10_grad_first``, ``_last``, ``_global``, ``log10_output``.

    Values are log10 of a norm; ``-inf`` is exactly zero and NaN undefined, and both are kept. Raises
    :class:`LoadError` for a folder that is not a run, and for one without rows yet.
    """
    return _load(Path(run_dir), "cells", "no cell is measured yet; run the sweep again to finish it")


def load_layers(run_dir: str | os.PathLike[str]) -> pd.DataFrame:
    """One row for each layer of each network: the cell's columns, ``layer``, and the columns below.

    ``log10_grad``, ``log10_delta`` and ``log10_activation`` are log10 of norms, with ``-inf`` and NaN kept. Raises
    :class:`LoadError` for a folder that is not a run, and for a run that was made without layers.
    """
    return _load(Path(run_dir), "layers", "it holds no layers; rerun the sweep with --layers (and another --run)")


def load_table(run_dir: str | os.PathLike[str]) -> pd.DataFrame:
    """What ``python -m bench compare`` made of a run: one row for each scheme and setting, with its slope, theory and rank.

    Raises :class:`LoadError` for a folder that is not a run, and for a run that was not compared.
    """
    load_manifest(run_dir)
    path = Path(run_dir) / TABLE
    try:
        frame = pd.read_csv(path)
    except FileNotFoundError:
        raise LoadError(f"{str(run_dir)!r} has no {TABLE}; expected a run that `python -m bench compare` made") from None
    except (OSError, ValueError) as error:
        raise LoadError(f"{str(path)!r} cannot be read: {_one_line(error)}") from error
    if frame.empty:
        raise LoadError(f"{str(path)!r} has no rows to draw")
    return frame


_EXPECTED = "a folder that `python -m bench sweep` wrote"


def _load(folder: Path, kind: str, absent: str) -> pd.DataFrame:
    load_manifest(folder)
    # A name that begins with a dot is a shard that is still being written.
    shards = sorted(path for path in (folder / kind).glob("*.parquet") if not path.name.startswith("."))
    if not shards:
        raise LoadError(f"{str(folder)!r} has no rows to draw: {absent}")
    try:
        frame = pd.concat([pd.read_parquet(shard) for shard in shards], ignore_index=True)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise LoadError(f"{str(folder / kind)!r} cannot be read: {_one_line(error)}") from error
    missing = [column for column in COLUMNS[kind] if column not in frame]
    if missing:
        raise LoadError(f"{str(folder / kind)!r} lacks the columns {', '.join(missing)}; expected {_EXPECTED}")
    if frame.empty:
        raise LoadError(f"{str(folder)!r} has no rows to draw: {absent}")
    return frame


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
