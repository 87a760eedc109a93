"""The command line of ``python -m analysis``: figures of runs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from analysis.cli.find import load, outlines
from bench.settings.suggestions import nearest
from bench.terminal.guard import guarded
from bench.terminal.parser import Parser, Version

PROG = "python -m analysis"

FORMATS = ".png, .pdf, .svg"


def build_parser(figures: Iterable[str] | None = None, prog: str = PROG) -> Parser:
    """The whole command line; with the options of those figures only (by default of all), since they take time to load."""
    known = outlines()
    parser = Parser(
        prog=prog,
        description="Draw a figure of a run, or of theory. The file's path is the last line printed.",
        epilog=f"example: {known['heatmap'].example}",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=Version)
    commands = parser.add_subparsers(dest="figure", metavar="FIGURE", required=True, parser_class=Parser)
    for name, outline in known.items():
        added = commands.add_parser(
            name,
            help=outline.summary,
            description=f"{outline.summary[0].upper()}{outline.summary[1:]}.",
            epilog=f"example: {outline.example}",
            allow_abbrev=False,
        )
        if figures is not None and name not in figures:
            continue
        figure = load(name)
        if figure.reads:
            added.add_argument("run_dir", metavar="RUN_DIR", help="a run's folder, such as results/atlas")
        default = f"RUN_DIR/{name}.png" if figure.reads else f"{name}-NAME.png in the current folder"
        added.add_argument("--out", metavar="FILE", help=f"{FORMATS} by the ending (default: {default})")
        figure.add_options(added)
    return parser


def main(argv: Sequence[str] | None = None, *, prog: str = PROG) -> int:
    """Draw one figure; returns the exit status: 0 done, 2 bad arguments (one line on standard error)."""
    return guarded(lambda: _run(list(sys.argv[1:] if argv is None else argv), prog), prog)


def _run(argv: Sequence[str], prog: str) -> int:
    parser = build_parser(argv[:1], prog)
    figures = outlines()
    if argv and not argv[0].startswith("-") and argv[0] not in figures:
        parser.error(f"FIGURE: got {argv[0]!r}, expected one of {', '.join(figures)}{nearest(argv[0], figures)}")
    arguments = parser.parse_strictly(argv)
    from analysis.cli.draw import draw  # loads what draws, which no bad option should wait for

    figure_prog = f"{prog} {arguments.figure}"
    return guarded(lambda: draw(load(arguments.figure), arguments, figure_prog), figure_prog)
