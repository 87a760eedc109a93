"""``depthscale report``, which is ``python -m analysis report``: runs as one page, for a browser."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from analysis.drawing.target import SaveError, check_path
from analysis.rows.manifest import LoadError, kind_at
from bench.settings.errors import UsageError

HELP = "runs as one interactive page, which opens from disk and asks no network"
DESCRIPTION = (
    "Write runs as one page, to read, explore and send: a file that opens in any browser and asks no network. "
    "The file's path is the last line printed."
)
EPILOG = "example: depthscale report results/atlas"
ENDING = ".html"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("run_dirs", nargs="+", metavar="RUN_DIR", help="runs' folders; several stand beside each other")
    default = f"RUN_DIR/report{ENDING}; of several runs report{ENDING} in the current folder"
    parser.add_argument("--out", metavar="FILE", help=f"{ENDING} (default: {default})")
    parser.add_argument("--no-theory", action="store_true", help="without theory's numbers, which take most of the time")


def main(arguments: argparse.Namespace) -> None:
    """Write the page, and print the file's path. Raises UsageError."""
    folders, name = [Path(folder) for folder in arguments.run_dirs], f"report{ENDING}"
    usual = folders[0] / name if len(folders) == 1 else Path(name)
    written = f"Written by depthscale report {shlex.join(arguments.run_dirs)}."

    def write(target: Path) -> None:
        from analysis.report.page import write_page

        write_page(folders, target, theory=not arguments.no_theory, written=written)

    to_page(folders, usual if arguments.out is None else arguments.out, write)


def to_page(folders: Sequence[Path], out: str | Path, write: Callable[[Path], None]) -> None:
    """Write a page of runs there, after what can be refused at once, and print the file's path. Raises UsageError."""
    try:
        for folder in folders:
            kind_at(folder)
        target = check_path(out, (ENDING,))
        write(target)
    except LoadError as error:
        raise UsageError(f"RUN_DIR: {error}") from error
    except SaveError as error:
        raise UsageError(f"out: {error}") from error
    except OSError as error:
        raise UsageError(f"out: got {str(out)!r}, which cannot be written: {error.strerror or error}") from error
    print(target)
