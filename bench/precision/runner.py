"""Runs a precision run: a sweep's rows, and beside them what number formats make of the same networks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from jax.sharding import Mesh
from tqdm import tqdm

from bench.precision.measure import check_room_for, measure
from bench.precision.precision import Precision
from bench.precision.rows import tables
from bench.runs.contents import Contents
from bench.runs.executors.executor import Executor
from bench.runs.folder import RunFolder
from bench.runs.job import Job
from bench.runs.loop import LOCAL, fill
from bench.sweeps.plan import Chunk, cells_of, plan
from bench.sweeps.rows import Table
from bench.sweeps.runner import Batches, check, tables_of
from bench.sweeps.runner import job_of as job_of_sweep

BAR = "{desc}: {percentage:3.0f}%|{bar}| [{elapsed}<{remaining}]"


def run(
    precision: Precision,
    *,
    results: str | os.PathLike[str] = "results",
    name: str = "precision",
    progress: bool = True,
    overwrite: bool = False,
    max_memory: int | None = None,
    executor: Executor = LOCAL,
) -> Path:
    """Measure what is missing of ``precision`` in the folder ``results/name`` and return the folder.

    Arguments and errors are those of :func:`bench.sweeps.runner.run`.
    """
    check(precision, max_memory)
    check_room_for(precision)
    opened = partial(RunFolder, results, name, contents_of(precision), overwrite=overwrite)
    return fill(opened, job_of(precision), dtype=precision.dtype, progress=progress, executor=executor)


def job_of(precision: Precision) -> Job[Chunk]:
    """How a run measures it."""

    def beside(chunk: Chunk, mesh: Mesh, batches: Batches, found: Mapping[str, Table], bar: tqdm) -> Mapping[str, Table]:
        schemes = chunk.initializers[0] + (f" + {others}" if (others := len(chunk.initializers) - 1) else "")
        bar.set_description_str(f"{schemes} {chunk.activation} width {chunk.width}: formats")
        return tables(precision, chunk, measure(precision, chunk, mesh, batches, bar.update), found["cells"])

    works = 1 + len(precision.formats)  # the sweep's own, and in each format
    return job_of_sweep(precision, beside)._replace(
        work=lambda chunk: works * cells_of(precision, chunk),
        bar={"bar_format": BAR},
        recipe=partial(job_of, precision),
    )


def contents_of(precision: Precision) -> Contents[Chunk]:
    """What the run's folder holds."""
    own = ("formats", *(["format_layers"] if precision.layers else []))
    return Contents("precision", precision.to_dict(), plan(precision), (*tables_of(precision), *own))
