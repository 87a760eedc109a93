"""``runs merge`` and ``runs remove``: what they ask for, and what they say."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.runs.errors import RunError
from bench.settings.errors import SweepError, UsageError
from bench.terminal.streams import note


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of both."""
    parser.add_argument("--run", metavar="NAME", help="of merge: the run that it makes, or adds to")
    parser.add_argument("--yes", action="store_true", help="of remove: without asking")


def check(arguments: argparse.Namespace, change: str | None, names: Sequence[str]) -> None:
    """Raises UsageError for words that go together with no command."""
    given = " ".join(arguments.words)
    if change is None and names:
        raise SweepError("NAME", given, "one run, or merge NAME NAME … --run NAME, or remove NAME")
    if change == "merge" and (len(set(names)) < 2 or arguments.run is None):
        raise SweepError("NAME", given, "merge NAME NAME … --run NAME: two runs or more, and the one that they become")
    if change == "remove" and len(names) != 1:
        raise SweepError("NAME", given, "remove NAME: one run")
    for option, value, home in (("name", arguments.run, "merge"), ("yes", arguments.yes, "remove")):
        if value and change != home:
            raise UsageError(f"{option}: it goes with {home} NAME, and with nothing else")
    if change is not None and arguments.verify:
        raise UsageError(f"verify: it does not go with {change}")


def merge(arguments: argparse.Namespace, results: Path, names: Sequence[str]) -> int:
    """One run from several. Raises RunError."""
    from bench.runs.manifest import first_of, kind_of, read_manifest
    from bench.runs.merge import merge_runs
    from bench.runs.remake import command_of

    merged = merge_runs(results, names, arguments.run)
    parts = ", ".join(f"{count} of {name}" for name, count in merged.taken.items())
    note(f"merged: {merged.done} of {merged.planned} chunks ({parts})")
    if merged.damaged:
        note(f"damaged, and whole in no other run: {len(merged.damaged)} shards ({first_of(merged.damaged)})")
    if merged.done < merged.planned:
        manifest = read_manifest(merged.path)
        note(f"this measures the rest: {command_of(merged.path, manifest, kind_of(manifest))}")
    print(merged.path)
    return 0


def remove(arguments: argparse.Namespace, results: Path, names: Sequence[str]) -> int:
    """Remove a run, if that is what is wanted: 0, or 1 where it is not. Raises RunError."""
    from bench.runs.manifest import no_run, one_line
    from bench.runs.overview import overview
    from bench.runs.place import check_name
    from bench.runs.removal import remove_run
    from bench.settings.units import amount

    check_name(names[0], "NAME")
    folder = results / names[0]
    try:
        run = overview(folder)
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"NAME: {no_run(folder)}") from None
    except (OSError, ValueError) as error:
        raise RunError(f"NAME: {str(folder)!r} cannot be read: {one_line(error)}") from error
    if not arguments.yes:
        if not sys.stdin.isatty():
            raise UsageError(f"yes: it is needed to remove {folder} where nobody can be asked")
        sys.stderr.write(f"remove {folder}, a {run.kind} of {run.rows:,} cells, {amount(run.bytes)}? [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            note(f"{folder} is left as it was")
            return 1
    remove_run(results, names[0], argument="NAME")
    print(f"removed {folder}")
    return 0
