"""``python -m bench recommend``: which initialization for one activation, depth and width, and how to write it."""

from __future__ import annotations

import argparse
import shlex
import textwrap
from collections.abc import Sequence
from functools import partial

from bench.cli.options import add_plain_only, check_plain, overrides_from

HELP = "which initialization for one activation, depth and width, and how to write it"
DESCRIPTION = (
    "Rank initializations for one activation, depth and width, by a measurement of some seconds with theory beside it, and "
    "print the lines that write the best one in JAX, Flax, Equinox and PyTorch. Nothing is written to disk."
)
EPILOG = "example: depthscale recommend --activation gelu --depth 50 --width 256 --framework pytorch"
LINE = 120
FRAMEWORKS = ("jax", "flax", "equinox", "pytorch")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--activation", metavar="NAME", required=True, help="one activation, or package.module:function")
    parser.add_argument("--depth", metavar="N", required=True, help="weight matrices, readout included, ≥ 3")
    parser.add_argument("--width", metavar="N", default="256", help="neurons in every layer, ≥ 1 (default: 256)")
    parser.add_argument(
        "--framework", choices=(*FRAMEWORKS, "all"), default="all", help="whose lines are printed (default: all)"
    )
    parser.add_argument("--initializers", nargs="+", metavar="NAME", default=(), help="further schemes to rank")
    add_plain_only(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")


def main(arguments: argparse.Namespace) -> None:
    """Run it. Raises SweepError."""
    numbers = overrides_from(arguments, ("depth", "width"))
    check_plain(arguments, partial(_compared, arguments))
    from bench.cli.surroundings import configure_jax

    configure_jax(compilation_cache=True)
    from bench.comparison.notes import notes
    from bench.comparison.recommend import case_of, recommend
    from bench.comparison.recommend_recipes import FRAMEWORKS as WRITERS
    from bench.comparison.recommend_recipes import recipe
    from bench.comparison.recommend_text import CAVEAT, KEY, table_text, verdict

    case = case_of(arguments.activation, numbers["depth"], numbers["width"])
    table = recommend(case, further=arguments.initializers, progress=not arguments.quiet)
    ranked = table.loc[table["slope"].notna(), "initializer"]
    written = {name: found for name in ranked if (found := recipe(name, case.activation, case.width))}
    chosen = next(iter(written), None)
    words = (KEY, *notes(table), verdict(table, case, chosen), CAVEAT)
    print("\n\n".join((table_text(table, case), *(textwrap.fill(text, LINE) for text in words))))
    if chosen is not None:
        print(f"\n{chosen}, for hidden layers of {case.width} (the readout is yours):")
        for framework in FRAMEWORKS if arguments.framework == "all" else (arguments.framework,):
            lines = "\n".join(WRITERS[framework](written[chosen], case.width))
            print(f"\n# {framework}\n{lines}")


def _compared(arguments: argparse.Namespace, architectures: Sequence[str]) -> str:
    """The command that ranks schemes for other networks."""
    program = "depthscale" if arguments.prog == "depthscale" else "python -m bench"
    network = ["--activations", arguments.activation, "--depths", arguments.depth, "--widths", arguments.width]
    return f"{program} {shlex.join(['compare', '--architectures', *architectures, *network])}"
