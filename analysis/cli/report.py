"""``depthscale report``, which is ``python -m analysis report``: runs as one page, for a browser."""

from __future__ import annotations

import argparse
import shlex
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
    target = arguments.out if arguments.out is not None else folders[0] / name if len(folders) == 1 else Path(name)
    try:
        for folder in folders:
            kind_at(folder)
        target = check_path(target, (ENDING,))
        from analysis.report.page import write_page  # after what is refused

        written = f"Written by depthscale report {shlex.join(arguments.run_dirs)}."
        write_page(folders, target, theory=not arguments.no_theory, written=written)
    except LoadError as error:
        raise UsageError(f"RUN_DIR: {error}") from error
    except SaveError as error:
        raise UsageError(f"out: {error}") from error
    except OSError as error:
        raise UsageError(f"out: got {str(target)!r}, which cannot be written: {error.strerror or error}") from error
    print(target)
