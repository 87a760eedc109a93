"""The command line of ``python -m analysis``: figures of runs, and pages."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from analysis.cli import lesson, papers, report
from analysis.cli.draw import draw
from analysis.cli.find import load, outlines
from analysis.drawing.target import FORMATS
from bench.settings.errors import UsageError
from bench.settings.suggestions import nearest
from bench.terminal.guard import guarded
from bench.terminal.parser import Parser

PAGES: dict[str, Any] = {"papers": papers, "report": report, "lesson": lesson}  # beside the figures


def build_parser(figures: Iterable[str] | None = None, prog: str = "python -m analysis") -> Parser:
    """The whole command line; with the options of those figures only (by default of all): NumPy is needed for them."""
    known = outlines()
    parser = Parser(
        prog=prog,
        description="Draw a figure of a run, or of theory. The file's path is the last line printed.",
        epilog=f"example: {known['heatmap'].example}",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="figure", metavar="FIGURE", required=True, parser_class=Parser)
    for name, outline in known.items():
        added = commands.add_parser(
            name,
            help=outline.summary,
            description=f"{outline.summary[0].upper()}{outline.summary[1:]}.",
            epilog=f"example: {outline.example}",
            allow_abbrev=False,
        )
        if figures is None or name in figures:
            _add_options(added, name)
    for name, page in PAGES.items():
        added = commands.add_parser(
            name, help=page.HELP, description=page.DESCRIPTION, epilog=page.EPILOG, allow_abbrev=False
        )
        page.add_options(added)
    return parser


def main(argv: Sequence[str] | None = None, *, prog: str = "python -m analysis") -> int:
    """Draw one figure; returns the exit status: 0 done, 2 bad arguments (one line on standard error), 1 anything else."""
    argv = list(sys.argv[1:] if argv is None else argv)
    return guarded(lambda: _run(argv, prog), prog)


def _run(argv: list[str], prog: str) -> int:
    if argv and argv[0] in PAGES:
        name, chosen = argv[0], build_parser((), prog).parse_strictly(argv)
        return guarded(lambda: PAGES[name].main(chosen), f"{prog} {name}", resumes=name == "papers")
    known = sorted([*outlines(), *PAGES])
    if argv and not argv[0].startswith("-") and argv[0] not in known:
        accepted = f"one of {', '.join(known)}{nearest(argv[0], known)}"
        raise UsageError(f"FIGURE: got {argv[0]!r}, expected {accepted}")
    arguments = build_parser(argv[:1], prog).parse_strictly(argv)
    return guarded(
        lambda: draw(load(arguments.figure), arguments, [prog, *argv]),
        f"{prog} {arguments.figure}",
        written={"run": "RUN_DIR"},
    )


def _add_options(parser: Parser, name: str) -> None:
    figure = load(name)
    if figure.reads:
        parser.add_argument("run_dir", metavar="RUN_DIR", help="a run's folder, such as results/atlas")
    default = f"RUN_DIR/{name}.png" if figure.reads else f"{name}-NAME.png in the current folder"
    parser.add_argument("--out", metavar="FILE", help=f"{', '.join(FORMATS)} by the ending (default: {default})")
    figure.add_options(parser)
