"""Runs from disk: rows as tidy frames."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from pandas.api.types import is_numeric_dtype

from analysis.rows.manifest import load_manifest
from bench.runs import read
from bench.runs.errors import LoadError
from bench.runs.manifest import one_line
from bench.runs.read import Filters

TABLE = "table.csv"
# What a comparison's figure needs of it: words, and numbers.
WORDS = ("initializer", "activation", "verdict")
SLOPES = tuple(f"{name}{end}" for name in ("slope", "predicted") for end in ("", "_low", "_high"))
NUMBERS = ("width", "bias_std", "scale", "depth", "seeds", "dead", "rank", *SLOPES)


def load_cells(run_dir: str | os.PathLike[str], *, values: Sequence[str] | None = None) -> pd.DataFrame:
    """One row for each network: the cell's columns, and ``log10_grad_first``, ``_last``, ``_global``, ``log10_output``.

    Values are log10 of a norm; ``-inf`` is exactly zero and NaN undefined, and both are kept. values: what alone is read
    beside the cell's columns, as far as the run has it; all by default. Raises :class:`LoadError` for a folder that is not a
    run, for one without rows yet, and for one whose rows are damaged.
    """
    return _load(run_dir, "sweep", values)


def load_layers(
    run_dir: str | os.PathLike[str], *, columns: Sequence[str] | None = None, filters: Filters | None = None
) -> pd.DataFrame:
    """One row for each layer of each network: the cell's columns, ``layer``, and the columns below.

    ``log10_grad``, ``log10_delta`` and ``log10_activation`` are log10 of norms, with ``-inf`` and NaN kept. columns,
    filters: what alone is read of a large run (:func:`bench.runs.read.load_rows`). Raises :class:`LoadError` for a folder
    that is not a run, for a run that was made without layers, and for one whose rows are damaged.
    """
    return read.load_rows(Path(run_dir), "sweep", "layers", columns=columns, filters=filters)


def load_pairs(run_dir: str | os.PathLike[str]) -> pd.DataFrame:
    """One row for each network and correlation of two inputs: the cell's columns, ``correlation``, and two cosines.

    ``cosine_last`` is of the last pre-activations, ``cosine_grad_first`` of the gradients by the first, NaN where one of
    them is zero. Raises :class:`LoadError` for a folder that is not a run, for a run that was made without correlations,
    and for one whose rows are damaged.
    """
    return read.load_rows(Path(run_dir), "sweep", "pairs")


def load_formats(run_dir: str | os.PathLike[str]) -> pd.DataFrame:
    """One row for each network and number format: what the format loses of its gradients, and the exact entries.

    Raises :class:`LoadError` for a folder that is not a precision run, for one without rows yet, and for one whose rows are
    damaged.
    """
    return read.load_rows(Path(run_dir), "precision", "formats")


def load_trained(run_dir: str | os.PathLike[str], *, values: Sequence[str] | None = None) -> pd.DataFrame:
    """One row for each network that was trained: the cell's columns, and what became of it.

    ``steps_to_target`` and ``diverged_at`` are inf where that never came, final losses and accuracies NaN where training
    diverged, ``log10_…`` columns of the first step -inf where float32 underflowed. values: as of :func:`load_cells`. Raises
    :class:`LoadError` for a folder that is not a training, for one without rows yet, and for one whose rows are damaged.
    """
    return _load(run_dir, "training", values)


def _load(run_dir: str | os.PathLike[str], run: str, values: Sequence[str] | None) -> pd.DataFrame:
    if values is None:
        return read.load_rows(Path(run_dir), run, "cells")
    names, always = read.COLUMNS[run]["cells"]
    optional = (*read.NEWER, *(name for name in values if name not in always))
    return read.load_rows(Path(run_dir), run, "cells", columns=(*read.NEWER, *names, *values), optional=optional)


def load_curves(run_dir: str | os.PathLike[str]) -> pd.DataFrame:
    """One row for each network and recorded step: the cell's columns, ``step``, and what was seen before its update.

    ``loss`` and ``accuracy`` are of the minibatch, ``log10_grad_first``, ``_middle`` and ``_last`` of the hidden layers; NaN
    after a training diverged. Errors are those of :func:`load_trained`.
    """
    return read.load_rows(Path(run_dir), "training", "curves")


def load_probed(run_dir: str | os.PathLike[str]) -> pd.DataFrame:
    """One row for each parameter of a model that was probed, and seed: its gradient, weight, signals and verdict.

    Raises :class:`LoadError` for a folder that is not a probe, and for one whose rows are damaged.
    """
    return read.load_rows(Path(run_dir), "probe", "layers")


def load_probed_formats(run_dir: str | os.PathLike[str]) -> pd.DataFrame:
    """One row for each number format and parameter of a model that was probed with ``--formats``, and seed.

    Raises :class:`LoadError` for a folder that is not such a probe, and for one whose rows are damaged.
    """
    return read.load_rows(Path(run_dir), "probe", "formats")


def load_table(run_dir: str | os.PathLike[str]) -> pd.DataFrame:
    """What ``depthscale compare`` made of a run: one row for each scheme and setting, with its slope, theory and rank.

    Raises :class:`LoadError` for a folder that is not a run, for a run that was not compared, and
    for a table that is not such a one.
    """
    load_manifest(run_dir)
    path = Path(run_dir) / TABLE
    try:
        frame = pd.read_csv(path)
    except FileNotFoundError:
        raise LoadError(
            f"{str(run_dir)!r} has no {TABLE}; expected a run that `depthscale compare`, or run.compare(write=True), made"
        ) from None
    except (OSError, ValueError) as error:
        raise LoadError(f"{str(path)!r} cannot be read: {one_line(error)}") from error
    if frame.empty:
        raise LoadError(f"{str(path)!r} has no rows to draw")
    lacking = [name for name in (*WORDS, *NUMBERS) if name not in frame]
    lacking += [f"{name} as numbers" for name in NUMBERS if name in frame and not is_numeric_dtype(frame[name])]
    if lacking:
        expected = "the table that `depthscale compare` wrote"
        raise LoadError(f"{str(path)!r} lacks the columns {', '.join(lacking)}; expected {expected}")
    return frame
