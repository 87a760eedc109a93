"""What a run costs beside its arithmetic: ``python -m tests.perf.bookkeeping [CHUNKS]``.

A sweep of 100 cells a chunk, 10^5 chunks by default, is planned, written, interrupted at half, resumed, opened again when it
is finished, and read, all by the project's own code. The engine is a stand-in, and so is the writer of Parquet: one chunk's
file is written again for every chunk, since making it takes longer than all else. With --rows each chunk's rows are made and
encoded. Wall and CPU seconds, and the memory that the process has grown to.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import os
import pstats
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import bench
from bench.networks.activations import ACTIVATIONS
from bench.runs import folder as folder_module
from bench.runs.folder import RunFolder
from bench.runs.job import Job
from bench.runs.loop import fill
from bench.runs.tables import as_table
from bench.sweeps.plan import Chunk, cells_of, plan
from bench.sweeps.rows import ENTRIES, cell_columns
from bench.sweeps.runner import BAR, contents_of

FAMILIES = ("gaussian", "orthogonal", "truncated", "identity", "scaled_identity")
VALUES = (
    *("log10_grad_first", "log10_grad_last", "log10_grad_least", "log10_grad_largest", "log10_grad_global", "log10_output"),
    *("log10_relative_first", "log10_relative_last", "log10_grad_per_weight_first", *ENTRIES),
)


class WrittenAgain:
    """A writer that encodes the first table, and writes the same bytes for each that follows."""

    def __init__(self, write: Callable[..., object]) -> None:
        self.write, self.content = write, b""

    def __call__(self, table: Any, path: Path, **options: Any) -> None:
        if not self.content:
            self.write(table, path, **options)
            self.content = path.read_bytes()
        path.write_bytes(self.content)


def sweep_of(chunks: int) -> bench.Sweep:
    """100 cells in each of so many chunks, about."""
    names = list(ACTIVATIONS)[:10]
    widths = range(1, 1 + chunks // (len(FAMILIES) * len(names)))
    grid = {"depths": range(2, 12), "scales": np.linspace(0.5, 1.5, 10), "seeds": 1, "layers": False}
    return bench.Sweep(initializers=FAMILIES, activations=names, widths=widths, **grid)


def stand_in(sweep: bench.Sweep, most: int, *, rows: bool) -> Job[Chunk]:
    """A job that measures nothing, and is interrupted after so many chunks."""
    values = {name: np.random.default_rng(number).normal(size=100) for number, name in enumerate(VALUES)}
    one = None if rows else as_table(cell_columns(sweep, plan(sweep)[0]) | values)
    done = 0

    def measured(chunks: list[Chunk], bar: Any) -> Iterator[tuple[Chunk, dict[str, Any]]]:
        nonlocal done
        for chunk in chunks:
            if done == most:
                raise KeyboardInterrupt
            done += 1
            bar.update(cells_of(sweep, chunk))
            yield chunk, {"cells": cell_columns(sweep, chunk) | values if one is None else one}

    return Job(
        group=lambda chunk: chunk.draw,
        measure=measured,
        cells=lambda chunk: cells_of(sweep, chunk),
        work=lambda chunk: cells_of(sweep, chunk),
        undefined=lambda _chunk: (),
        bar={"bar_format": BAR, "unit": " cells"},
    )


def main() -> None:
    """A line for each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chunks", nargs="?", type=int, default=100_000)
    parser.add_argument("--rows", action="store_true", help="make and encode the rows of every chunk")
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    arguments = parser.parse_args()
    sweep, results = sweep_of(arguments.chunks), Path(tempfile.mkdtemp())
    count, total, total_cpu = len(plan(sweep)), 0.0, 0.0
    profile = cProfile.Profile(time.process_time)

    def step(name: str, call: Callable[[], Any]) -> Any:
        nonlocal total, total_cpu
        began, cpu = time.perf_counter(), time.process_time()
        if arguments.profile:
            profile.enable()
        found = call()
        profile.disable()
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        total, total_cpu = total + seconds, total_cpu + cpu
        print(f"{name:32}{seconds:9.2f} s{cpu:9.2f} s{peak() / 2**20:9.0f} MiB", flush=True)
        return found

    def open_folder() -> RunFolder[Chunk]:
        return RunFolder(results, "run", contents_of(sweep))

    def interrupted() -> None:
        with contextlib.suppress(KeyboardInterrupt):
            fill(open_folder, job(count // 2), dtype="float32", progress=False)

    def job(most: int) -> Job[Chunk]:
        return stand_in(sweep, most, rows=arguments.rows)

    if not arguments.rows:
        folder_module.pq.write_table = WrittenAgain(folder_module.pq.write_table)
    print(f"{sweep.cells:,} cells in {count:,} chunks, load {os.getloadavg()[0]:.1f}")
    print(f"{'':36}time        CPU   peak of the process")
    step("plan", lambda: plan(sweep))
    step("write half of it", interrupted)
    step("resume: write the rest", lambda: fill(open_folder, job(count), dtype="float32", progress=False))
    step("start it again: nothing to do", lambda: fill(open_folder, job(0), dtype="float32", progress=False))
    print(f"{'together':32}{total:9.2f} s{total_cpu:9.2f} s{peak() / 2**20:9.0f} MiB")
    step("read three columns at one scale", lambda: read_some(results / "run"))
    if arguments.profile:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("cumulative").print_stats(60)
    shutil.rmtree(results)


def read_some(folder: Path) -> Any:
    """As a figure reads them."""
    from bench.runs.read import load_rows

    return load_rows(
        folder, "sweep", "cells", columns=["depth", "scale", "log10_grad_first"], filters=[("scale", "==", 0.5)]
    )


def peak() -> int:
    """Bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
