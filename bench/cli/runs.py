"""``python -m bench runs``: what there is, how much of it is done, and whether it is what was written; merge, remove."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bench.cli import runs_changed
from bench.settings.units import ago, amount
from bench.terminal.streams import note

HELP = "every run there is, one whole, whether its files are what was written; merge and remove runs"
DESCRIPTION = """List the runs of a folder: kind, chunks done of all, rows, device, size, age. With a NAME, say what
that run holds, how it was made, and which of its chunks failed and why. --verify reads every shard: its SHA-256 and its rows
are to be those of the manifest. merge A B --run C: one run from the chunks of several that measured the same. remove NAME:
asks first."""
EPILOG = "examples: depthscale runs; depthscale runs atlas --verify; depthscale runs merge here there --run all"
TITLES = ("run", "kind", "chunks", "cells", "state", "device", "size", "ended")
CHANGES: Mapping[str, Any] = MappingProxyType({"merge": runs_changed.merge, "remove": runs_changed.remove})
MOST_FAILED = 10  # chunks that are told of


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("words", nargs="*", metavar="NAME", help="one run, whole; or merge NAME NAME …, or remove NAME")
    parser.add_argument("--results", metavar="DIR", default="results", help="where runs live (default: results)")
    parser.add_argument("--verify", action="store_true", help="read every shard; exit 1 if one is not what was written")
    runs_changed.add_options(parser)


def main(arguments: argparse.Namespace) -> int:
    """Print it; 1 for shards that are not what was written. Raises RunError for a run, or a folder of them, that is none."""
    results = Path(arguments.results)
    name, others = next(iter(arguments.words), ""), list(map(os.path.normpath, arguments.words[1:]))  # of a run/, a run
    change = name if name in CHANGES and (others or not (results / name).is_dir()) else None
    runs_changed.check(arguments, change, others)
    if change is not None:
        return CHANGES[change](arguments, results, others)
    if name:
        _whole(results / name)
        paths = [results / name]
    else:
        paths = _table(results)
    return _verify(paths) if arguments.verify else 0


def _table(results: Path) -> list[Path]:
    from bench.runs.errors import RunError
    from bench.runs.manifest import one_line
    from bench.runs.overview import Overview, runs_in

    try:
        found = list(runs_in(results))
    except OSError as error:
        raise RunError(f"results: {str(results)!r} cannot be read: {error.strerror or one_line(error)}") from error
    if not found:
        raise RunError(f"results: {str(results)!r} holds no runs; depthscale sweep smoke makes one")
    now = datetime.now(UTC)
    rows: list[tuple[str, ...]] = [TITLES]
    for run in found:
        if not isinstance(run, Overview):
            rows.append((run[0].name, f"cannot be read: {run[1]}", *[""] * (len(TITLES) - 2)))
            continue
        chunks = str(run.done) if run.planned is None else f"{run.done}/{run.planned}"
        age = "" if run.ended is None else ago((now - run.ended).total_seconds())
        rows.append((run.path.name, run.kind, chunks, f"{run.rows:,}", run.state, run.device, amount(run.bytes), age))
    readable = [row for row in rows if any(row[2:])]
    widths = [max(len(row[place]) for row in (readable if place else rows)) for place in range(len(TITLES))]
    for row in rows:
        print("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    return [run.path for run in found if isinstance(run, Overview)]


def _whole(folder: Path) -> None:
    from bench.interface.run import Run
    from bench.runs.errors import RunError
    from bench.runs.manifest import no_run, one_line
    from bench.runs.overview import overview

    try:
        run = overview(folder)
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"NAME: {no_run(folder)}") from None
    except (OSError, ValueError) as error:
        raise RunError(f"NAME: {str(folder)!r} cannot be read: {one_line(error)}") from error
    print(repr(Run(folder)))
    print(f"  state: {run.state}, {run.done} of {run.planned or run.done} chunks, {run.rows:,} cells")
    for shard, why in list(run.failed.items())[:MOST_FAILED]:
        print(f"  failed: {shard.partition('.')[0]}: {why}")
    if len(run.failed) > MOST_FAILED:
        print(f"  failed: {len(run.failed) - MOST_FAILED} more")


def _verify(paths: list[Path]) -> int:
    from bench.runs.manifest import first_of
    from bench.runs.overview import verified

    count, wrong = 0, 0
    for path in paths:
        checked, damaged = verified(path)
        count += checked
        if damaged:
            wrong += 1
            print(f"{path.name}: {len(damaged)} of {checked} shards are not what was written: {first_of(damaged)}")
    if wrong:
        note(f"damaged: {wrong} of {len(paths)} runs; the command that made one measures again what is")
        return 1
    print(f"verified: {count} shards, each of which is what was written")
    return 0
