"""Runs from disk as frames, by whoever wants to look at them: what is damaged is refused, what is missing is said.

No engine is needed to read rows, so this imports none.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from bench.runs.errors import LoadError
from bench.runs.manifest import NAME, WRITERS, first_of, load_manifest, one_line, planned_shards
from bench.runs.records import is_intact, records_of
from bench.runs.remake import command_of, held_once
from bench.terminal.streams import note

CELL = ("initializer", "activation", "width", "bias_std", "depth", "scale", "seed")
TRAINED = (*CELL, "task", "optimizer", "learning_rate", "readout_learning_rate", "schedule", "clip")
NEWER = ("architecture", "input_norm")  # names of cells that older runs lack
PROBED = ("model", "seed")
NAMES = ("model", "path", "shape", "dtype", "verdict", "guilty", "origin")  # of a probe
SWEPT = {
    "cells": (CELL, ("log10_grad_first", "log10_grad_last", "log10_grad_global", "log10_output")),
    "layers": ((*CELL, "layer"), ("log10_grad", "log10_delta", "log10_activation")),
    "pairs": ((*CELL, "correlation"), ("cosine_last", "cosine_grad_first")),
}
IN_FORMAT = (*CELL, "format", "loss_scale")
SHARES = ("share_zero", "share_subnormal", "share_overflow", "norm_error", "angle")
WORDS = frozenset(
    {"architecture", "initializer", "activation", "task", "optimizer", "schedule", "format", "wrong_place", *NAMES}
)
# kind of run → table → (which row it is, what it says)
COLUMNS: Mapping[str, Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = MappingProxyType(
    {
        "sweep": SWEPT,
        "precision": SWEPT
        | {
            "formats": (
                IN_FORMAT,
                (
                    *(f"{name}_first" for name in SHARES),
                    *("log10_activation_largest", "log10_entry_median", "log10_entry_largest"),
                    *("output_overflow", "wrong_place", "wrong_layer", "log2_loss_scale", "log10_zero", "log10_largest"),
                ),
            ),
            "format_layers": ((*IN_FORMAT, "layer"), SHARES),
        },
        "probe": {
            "cells": (PROBED, ("loss", "log10_loss", "slope_gradient", "verdict", "guilty")),
            "layers": ((*PROBED, "path", "layer"), ("log10_grad", "log10_weight", "log10_grad_rms", "dtype", "verdict")),
            "formats": (
                (*PROBED, "format", "path", "layer"),
                (*SHARES, "loss_scale"),
            ),
        },
        "training": {
            "cells": (
                TRAINED,
                (
                    *("final_train_loss", "final_train_accuracy", "test_loss", "test_accuracy", "steps_to_target"),
                    *("diverged_at", "convergence", "log10_grad_first", "log10_grad_last", "log10_update_ratio"),
                ),
            ),
            "curves": (
                (*TRAINED, "step"),
                (
                    "loss",
                    "accuracy",
                    *(f"log10_grad_{place}" for place in ("first", "middle", "last")),
                    "log10_update_ratio",
                ),
            ),
        },
    }
)
SWEPT_NONE = {
    "cells": "no cell is measured yet; run the sweep again to finish it",
    "layers": "it holds no layers; measure the sweep with its layers, under another name",
    "pairs": "it holds no pairs of inputs; rerun the sweep, of plain networks, with --correlations (and another --run)",
}
ABSENT = MappingProxyType(
    {
        **{(run, table): words for run in ("sweep", "precision") for table, words in SWEPT_NONE.items()},
        ("precision", "formats"): "nothing is measured yet; run it again to finish it",
        ("precision", "format_layers"): "it holds no layers; measure it with layers, under another name",
        ("probe", "cells"): "nothing is measured yet; probe the model again",
        ("probe", "layers"): "nothing is measured yet; probe the model again",
        ("probe", "formats"): "it holds no number formats; probe the model again with --formats, under another name",
        ("training", "cells"): "no cell is trained yet; run the training again to finish it",
        ("training", "curves"): "it holds no learning curves; train again with curves, under another name",
    }
)
Filters = Sequence[tuple[str, str, Any]]
TOGETHER = 1000  # shards that are read at a time


def load_rows(
    folder: Path,
    run: str,
    table: str,
    *,
    columns: Sequence[str] | None = None,
    optional: Sequence[str] = NEWER,
    filters: Filters | None = None,
) -> pd.DataFrame:
    """The rows of a table of a run, ``cells``, ``layers`` or ``curves``, in the order in which they were measured.

    columns: those that are wanted, all by default; optional: which of them the run may lack; filters: ``(column, "==" or
    "in" or "<" …, value)``, all of which are to hold (:func:`pyarrow.parquet.filters_to_expression`); what they leave out is
    never held in memory. Where shards of a finished run are missing, a line on standard error says so. Raises
    :class:`LoadError` for a folder that is no such run, shards that are damaged, and tables without rows or without the
    columns that they should have.
    """
    manifest = load_manifest(folder, run)
    shards = _shards(folder, table, manifest)
    absent = f"{str(folder)!r} has no rows to draw: {ABSENT[run, table]}"
    if not shards and held_once(manifest, run, table):
        kept = f"the run is finished, and of its {table} the folder keeps only what was drawn or counted from them"
        absent = f"{str(folder)!r} has no rows to draw: {kept}; this makes them again: {command_of(folder, manifest, run)}"
    if not shards:
        raise LoadError(absent)
    keys, values = COLUMNS[run][table]
    try:
        schema = ds.dataset(shards[:1], format="parquet").schema
        if columns is not None:
            columns = [name for name in dict.fromkeys(columns) if name in schema.names or name not in optional]
        _check_columns(folder / table, schema, keys + values if columns is None else columns, run)
        wanted = {
            "columns": columns,
            "filter": None if not filters else _expression(filters),
        }
        # a dataset keeps what it has read of the files beside their rows, which of 10^5 files would be gigabytes
        groups = (ds.dataset(shards[i : i + TOGETHER], schema, format="parquet") for i in range(0, len(shards), TOGETHER))
        rows = pa.concat_tables([group.to_table(**wanted) for group in groups])
        if rows.num_rows == 0 and ds.dataset(shards, schema, format="parquet").count_rows() == 0:
            raise LoadError(absent)
    except (OSError, ValueError, pa.ArrowException) as error:
        if isinstance(error, LoadError):
            raise
        raise LoadError(f"{str(folder / table)!r} cannot be read: {one_line(error)}") from error
    return rows.to_pandas()


def _shards(folder: Path, table: str, manifest: Mapping[str, Any]) -> list[Path]:
    """The shards to read; a line says which are missing or none of the run's. Raises LoadError for damaged ones."""
    # A name that begins with a dot is a shard that is still being written.
    there = {
        path.name: path for path in sorted((folder / table).glob("*.parquet")) if path.name[0] != "." and path.is_file()
    }
    try:
        planned = planned_shards(manifest)
    except ValueError as error:
        raise LoadError(f"{str(folder / NAME)!r} cannot be read: {error}") from error
    if not there or planned is None:
        return list(there.values())
    wanted = set(planned)
    if extra := [name for name in there if name not in wanted]:
        note(f"{folder}: {len(extra)} files in {table} are none of the run's and not read ({first_of(extra)})")
    missing = [name for name in planned if name not in there]
    if missing and manifest.get("finished"):
        note(
            f"{folder}: {len(missing)} of {len(planned)} shards of {table} are missing ({first_of(missing)}); "
            "the command that made it measures them again"
        )
    found = [name for name in planned if name in there]
    if manifest.get("format", 1) == 1:
        return [there[name] for name in found]
    records = records_of(folder, manifest)
    if not manifest.get("finished"):
        found = [name for name in found if f"{table}/{name}" in records]
    damaged = [name for name in found if not is_intact(there[name], records.get(f"{table}/{name}"))]
    if damaged:
        raise LoadError(
            f"{str(folder / table)!r} is damaged: {len(damaged)} of {len(planned)} shards are not what was written "
            f"({first_of(damaged)}); the command that made it measures them again"
        )
    return [there[name] for name in found]


def _expression(filters: Filters) -> Any:
    """All filters, every "in" as one "==" or another: pyarrow's own finds no 0.0 in a column that is 0.0 throughout."""
    each = [
        pq.filters_to_expression([[(column, "==", one)] for one in value] if sign == "in" else [(column, sign, value)])
        for column, sign, value in filters
    ]
    return functools.reduce(operator.and_, each)


def _check_columns(place: Path, schema: pa.Schema, wanted: Sequence[str], run: str) -> None:
    missing = [name for name in wanted if name not in schema.names]
    if missing:
        expected = f"expected a folder that `{WRITERS[run]}` wrote"
        raise LoadError(f"{str(place)!r} lacks the columns {', '.join(missing)}; {expected}")
    for name in wanted:
        kind = schema.field(name).type
        is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        if is_number == (name in WORDS):
            raise LoadError(f"{str(place)!r} has a column {name} of {kind}, expected {'words' if is_number else 'numbers'}")
