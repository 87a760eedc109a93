"""From parsed options to a file, or to one line that says why there is none."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from analysis.drawing.command import Command
from analysis.drawing.save import SaveError, check_path, save_figure
from analysis.rows.load import LoadError, load_manifest
from analysis.rows.select import SelectionError
from bench.terminal.parser import flag


def draw(figure: Command, arguments: argparse.Namespace, prog: str) -> int:
    """Draw and save a figure, and print the file's path; returns the exit status: 0 done, 2 bad arguments."""
    try:
        manifest = load_manifest(arguments.run_dir, figure.reads) if figure.reads else {}
        target = check_path(arguments.out or default_file(figure, arguments))
        written = save_figure(figure.draw(arguments, manifest), target)
    except (LoadError, SaveError, SelectionError) as error:
        print(f"{prog}: error: {_line(error)}", file=sys.stderr)
        return 2
    if figure.reads and not manifest.get("finished"):
        print(f"{prog}: note: the run is not finished; the figure shows what is there", file=sys.stderr)
    print(written)
    return 0


def default_file(figure: Command, arguments: argparse.Namespace) -> Path:
    """Where a figure goes without ``--out``: into the run's folder; where there is no run, into the current one."""
    name = figure.file(arguments) if figure.file else f"{arguments.figure}.png"
    return Path(arguments.run_dir, name) if figure.reads else Path(name)


def _line(error: LoadError | SaveError | SelectionError) -> str:
    """What went wrong, beginning with the argument that it is about."""
    if isinstance(error, LoadError):
        return f"RUN_DIR: {error}"
    if isinstance(error, SaveError):
        return f"--out: {error}"
    if error.argument in ("RUN_DIR", "selection"):
        return str(error)
    argument, _, text = str(error).partition(": ")
    return f"{flag(argument)}: {text}"
