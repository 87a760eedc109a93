"""Runs from disk: rows as tidy frames, and the manifest that says how they were made."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

CELL = ("initializer", "activation", "width", "bias_std", "depth", "scale", "seed")
TRAINED = (*CELL, "task", "optimizer", "learning_rate", "readout_learning_rate", "schedule", "clip")
COLUMNS = {
    "sweep": {"cells": CELL, "layers": (*CELL, "layer")},
    "training": {"cells": TRAINED, "curves": (*TRAINED, "step")},
}
TABLE = "table.csv"
WRITERS = {"sweep": "python -m bench sweep", "training": "python -m bench train"}


class LoadError(ValueError):
    """A folder that cannot be read as a run: its one line names the folder, what is wrong, and what to do."""


def load_manifest(run_dir: str | os.PathLike[str], run: str = "sweep") -> dict[str, Any]:
    """How the run was made: ``sweep`` or ``training`` (its fields), versions, device, git, start and end.

    ``finished`` is None while cells are missing. ``run`` says which kind it should be. Raises :class:`LoadError` for a
    folder that is not such a run.
    """
    path = Path(run_dir) / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise LoadError(f"{str(run_dir)!r} is not a run: it has no manifest.json; expected {_expected(run)}") from None
    except (OSError, ValueError) as error:
        raise LoadError(f"{str(path)!r} cannot be read: {_one_line(error)}") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get(run), dict):
        raise LoadError(f"{str(path)!r} describes no {run}; expected {_expected(run)}")
    return manifest


def load_cells(run_dir: str | os.PathLike[str]) -> pd.DataFrame:
    """One row for each network: the cell's columns, and ``log10_grad_first``, ``_last``, ``_global``, ``log10_output``.

    Values are log10 of a norm; ``-inf`` is exactly zero and NaN undefined, and both are kept. Raises
    :class:`LoadError` for a folder that is not a run, and for one without rows yet.
    """
    return _load(Path(run_dir), "sweep", "cells", "no cell is measured yet; run the sweep again to finish it")


def load_layers(run_dir: str | os.PathLike[str]) -> pd.DataFrame:
    """One row for each layer of each network: the cell's columns, ``layer``, and the columns below.

    ``log10_grad``, ``log10_delta`` and ``log10_activation`` are log10 of norms, with ``-inf`` and NaN kept. Raises
    :class:`LoadError` for a folder that is not a run, and for a run that was made without layers.
    """
    return _load(Path(run_dir), "sweep", "layers", "it holds no layers; rerun the sweep with --layers (and another --run)")


def load_trained(run_dir: str | os.PathLike[str]) -> pd.DataFrame:
    """One row for each network that was trained: the cell's columns, and what became of it.

    ``steps_to_target`` and ``diverged_at`` are inf where that never came, final losses and accuracies NaN where training
    diverged, ``log10_…`` columns of the first step -inf where float32 underflowed. Raises :class:`LoadError` for a folder
    that is not a training, and for one without rows yet.
    """
    return _load(Path(run_dir), "training", "cells", "no cell is trained yet; run the training again to finish it")


def load_curves(run_dir: str | os.PathLike[str]) -> pd.DataFrame:
    """One row for each network and recorded step: the cell's columns, ``step``, and what was seen before its update.

    ``loss`` and ``accuracy`` are of the minibatch, ``log10_grad_first``, ``_middle`` and ``_last`` of the hidden layers; NaN
    after a training diverged. Errors are those of :func:`load_trained`.
    """
    return _load(Path(run_dir), "training", "curves", "it holds no learning curves; rerun the training with --curves")


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


def _expected(run: str) -> str:
    return f"a folder that `{WRITERS[run]}` wrote"


def _load(folder: Path, run: str, kind: str, absent: str) -> pd.DataFrame:
    load_manifest(folder, run)
    # A name that begins with a dot is a shard that is still being written.
    shards = sorted(path for path in (folder / kind).glob("*.parquet") if not path.name.startswith("."))
    if not shards:
        raise LoadError(f"{str(folder)!r} has no rows to draw: {absent}")
    try:
        frame = pd.concat([pd.read_parquet(shard) for shard in shards], ignore_index=True)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise LoadError(f"{str(folder / kind)!r} cannot be read: {_one_line(error)}") from error
    missing = [column for column in COLUMNS[run][kind] if column not in frame]
    if missing:
        raise LoadError(f"{str(folder / kind)!r} lacks the columns {', '.join(missing)}; expected {_expected(run)}")
    if frame.empty:
        raise LoadError(f"{str(folder)!r} has no rows to draw: {absent}")
    return frame


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
