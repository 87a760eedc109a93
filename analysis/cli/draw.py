"""From parsed options to a file, or to one line that says why there is none."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.drawing.command import Command
from analysis.drawing.target import SaveError, check_path
from analysis.rows.manifest import LoadError, load_manifest
from bench.settings.errors import UsageError
from bench.terminal.streams import note


def draw(figure: Command, arguments: argparse.Namespace, command: Sequence[str]) -> None:
    """Draw and save a figure, and print the file's path. command: what was typed. Raises UsageError."""
    prog = command[0]
    try:
        manifest = load_manifest(arguments.run_dir, figure.reads) if figure.reads else {}
        target = check_path(default_file(figure, arguments) if arguments.out is None else arguments.out)
        _import_matplotlib()
        from analysis.drawing.save import save_figure  # after what is refused

        drawn = figure.draw(arguments, manifest)
        source = f"{describe_run(Path(arguments.run_dir), manifest)}; " if figure.reads else ""
        written = f"{source}drawn by {prog} {shlex.join(command[1:])}"
        saved = save_figure(drawn, target, title=_title(figure, arguments), note=written)
    except LoadError as error:
        raise UsageError(f"run: {error}") from error
    except SaveError as error:
        raise UsageError(f"out: {error}") from error
    if figure.reads and not manifest.get("finished"):
        note(f"{prog} {arguments.figure}: note: the run is not finished; the figure shows what is there")
    print(saved)


def default_file(figure: Command, arguments: argparse.Namespace) -> Path:
    """Where a figure goes without ``--out``: into the run's folder; where there is no run, into the current one."""
    name = figure.file(arguments) if figure.file else f"{arguments.figure}.png"
    return Path(arguments.run_dir, name) if figure.reads else Path(name)


def describe_run(run_dir: Path, manifest: Mapping[str, Any]) -> str:
    """Which run a figure is of, and of which commit the run is."""
    git = manifest.get("git")
    git = git if isinstance(git, Mapping) else {}
    commit = f"commit {git['commit']}" if git.get("commit") else "no known commit"
    return f"run {run_dir.resolve().name} of {commit}{' with changes' if git.get('dirty') else ''}"


def _title(figure: Command, arguments: argparse.Namespace) -> str:
    return f"{arguments.figure}: {figure.summary}"


def _import_matplotlib() -> None:
    """Whatever the user's settings of matplotlib are: figures take none of them. Raises UsageError."""
    os.environ.pop("MPLBACKEND", None)  # nothing is shown; one that does not exist would stop the import
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        import matplotlib as mpl

        del mpl
    except UnicodeDecodeError as error:
        raise UsageError(f"MATPLOTLIBRC: got a file that is not text ({error}), expected one in UTF-8, or none") from error
