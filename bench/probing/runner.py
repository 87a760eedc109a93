"""A probe as a run: seeds measured, rows written into a folder like any other run's."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd

from bench.arithmetic.policy import Policy
from bench.probing.model import Model
from bench.probing.own import load, model_of, takes_key
from bench.probing.probe import measured
from bench.probing.report import Report
from bench.probing.thresholds import Thresholds
from bench.runs.chunk import AnyChunk
from bench.runs.contents import Contents
from bench.runs.folder import RunFolder
from bench.runs.job import Outcome
from bench.runs.place import check_place
from bench.settings.errors import SweepError

__all__ = ["check_place", "probe_own", "write"]
TABLES = ("cells", "layers")
ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # of a function in memory, another in every process


@dataclass(frozen=True)
class Chunk(AnyChunk):
    """One seed's rows."""

    seed: int


def probe_own(
    name: str,
    *,
    seeds: int,
    key: int,
    thresholds: Thresholds,
    nonlinear: str = "refuse",
    formats: Sequence[Policy] = (),
) -> tuple[list[Report], dict[str, Any]]:
    """``package.module:make``, measured for every seed, and the fields of the run. Raises SweepError."""
    make = load(name)
    if seeds > 1 and not takes_key(make):
        raise SweepError("seeds", seeds, f"1, or a function {name}(key) that draws its model with the key")
    root = jax.random.key(key)
    digest = hashlib.sha256()
    reports = []
    for seed in range(seeds):
        model = model_of(make, name, jax.random.fold_in(root, seed) if seed else root, nonlinear=nonlinear)
        _add(digest, model)
        reports.append(measured(model, thresholds, formats))
    fields = {"model": name, "program": digest.hexdigest(), "seeds": seeds, "key": key, "thresholds": asdict(thresholds)}
    return reports, fields | {"nonlinear": nonlinear, "formats": [str(policy) for policy in formats]}


def write(
    reports: Sequence[Report], fields: Mapping[str, Any], *, results: str | os.PathLike[str], name: str, overwrite: bool
) -> Path:
    """The folder ``results/name`` with a row for each seed, and one for each of its parameters. Raises RunError."""
    chunks = [Chunk(index, index) for index in range(len(reports))]
    tables = (*TABLES, "formats") if fields["formats"] else TABLES
    with closing(RunFolder(results, name, Contents("probe", fields, chunks, tables), overwrite=overwrite)) as folder:
        missing = folder.missing()
        if missing or not folder.manifest.get("finished"):
            folder.begin()
            for chunk in missing:
                folder.write(chunk, Outcome(_tables(reports[chunk.seed], fields["model"], chunk.seed)))
            folder.finish()
        return folder.path


def _tables(report: Report, model: str, seed: int) -> dict[str, dict[str, Any]]:
    layers = _rows(report.table, model, seed)
    cell = {
        "model": [model],
        "seed": [seed],
        "loss": [report.loss],
        "log10_loss": [report.log10_loss],
        **{f"slope_{word}": [slope.slope] for word, slope in report.slopes.items()},
        "verdict": [report.verdict],
        "guilty": [report.guilty or ""],
        "origin": [report.origin.source if report.origin else ""],
    }
    formats = {} if report.in_formats is None else {"formats": _rows(report.in_formats.whole(), model, seed)}
    return {"cells": cell, "layers": layers, **formats}


def _rows(table: pd.DataFrame, model: str, seed: int) -> dict[str, Any]:
    rows = table.assign(shape=["×".join(map(str, shape)) for shape in table["shape"]])
    named = {"model": [model] * len(rows), "seed": np.full(len(rows), seed)}
    return named | {name: rows[name].tolist() for name in rows}


def _add(digest: Any, model: Model) -> None:
    """What the model computes, and with which numbers: another run is another program, or other weights or data."""
    digest.update(ADDRESS.sub("", str(model.program.jaxpr)).encode())
    for array in [*model.parameters.arrays, *model.data, *model.program.consts]:
        if jax.numpy.issubdtype(array.dtype, jax.dtypes.prng_key):
            array = jax.random.key_data(array)
        digest.update(np.asarray(array).tobytes())
