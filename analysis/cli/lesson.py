"""``depthscale lesson``, which is ``python -m analysis lesson``: a page to teach with, in English and Korean."""

from __future__ import annotations

import argparse
from pathlib import Path

from analysis.cli.report import ENDING, to_page

HELP = "a page to teach with: four lines of algebra, random networks and remedies, to play with (English, Korean)"
DESCRIPTION = (
    "Write a lesson as one page that asks no network: from the lecture's four lines to its 852 layers, with measured "
    "networks to play with, in English and Korean. It shows the runs lecture, atlas and remedies, which make measures."
)
EPILOG = "example: depthscale lesson --results results/reference"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--results", metavar="DIR", default="results", help="where the runs live (default: results)")
    parser.add_argument("--out", metavar="FILE", help=f"{ENDING} (default: lesson{ENDING} in the current folder)")
    parser.add_argument("--no-theory", action="store_true", help="without theory's numbers, which take most of the time")


def main(arguments: argparse.Namespace) -> None:
    """Write the page, and print the file's path. Raises UsageError."""
    results = Path(arguments.results)

    def write(target: Path) -> None:
        from analysis.report.lesson import write_lesson

        write_lesson(results, target, theory=not arguments.no_theory, written="Written by depthscale lesson.")

    to_page([], arguments.out or f"lesson{ENDING}", write)
