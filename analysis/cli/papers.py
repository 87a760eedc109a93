"""``depthscale papers``, which is ``python -m analysis papers``: papers of the field, measured again."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from analysis.papers.paper import SIZES

HELP = "papers of the field: their figures and claims, measured again"
DESCRIPTION = (
    "Measure what papers claim: each one's figure, and a verdict on each of its claims. What is missing of their runs is "
    "measured, in RESULTS/papers; started again after a kill, the same command finishes the rest. The path of the page with "
    "all of them is the last line printed."
)
EPILOG = "example: depthscale papers he2015 schoenholz2017"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="papers (--list); by default all of them")
    parser.add_argument("--list", action="store_true", help="print the papers by their names, and measure nothing")
    sized = parser.add_mutually_exclusive_group()
    sized.add_argument("--size", choices=SIZES, default="quick", metavar="SIZE", help=f"{', '.join(SIZES)} (default: quick)")
    sized.add_argument(
        "--full", dest="size", action="store_const", const="full", help="the papers' own sizes, as far as we go"
    )
    parser.add_argument("--papers", nargs="+", default=[], metavar="MODULE", help="papers of your own: package.module")
    parser.add_argument("--results", metavar="DIR", default="results", help="where runs live (default: results)")
    parser.add_argument("--overwrite", action="store_true", help="remove old runs of these papers first")
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error, and no table")


def main(arguments: argparse.Namespace) -> None:
    """Measure, judge and write. Raises UsageError."""
    from analysis.papers.find import load, load_all_own, references

    if arguments.list:
        for name, of in references().items():
            print(f"{name:22} {of.authors} {of.year}: {of.title}{f' (arXiv {of.arxiv})' if of.arxiv else ''}")
        return
    names = arguments.names or ([] if arguments.papers else list(references()))
    papers = [*map(load, dict.fromkeys(names)), *load_all_own(arguments.papers)]
    # looked up by name, as the command line of measuring looks up this one
    import_module("bench.cli.surroundings").configure_jax(compilation_cache=True)
    from analysis.papers.publish import publish

    page = publish(
        papers,
        arguments.size,
        Path(arguments.results),
        progress=not arguments.quiet,
        overwrite=arguments.overwrite,
        tell=(lambda _: None) if arguments.quiet else print,
    )
    print(page)
