"""The command line of ``python -m analysis``: figures of runs."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

from analysis.cli.commands import FIGURES, default_file
from analysis.drawing.save import FORMATS, SaveError, check_path, save_figure
from analysis.rows.load import LoadError, load_manifest
from analysis.rows.select import SelectionError
from bench.settings.registry import nearest
from bench.terminal.parser import Parser


def build_parser() -> Parser:
    """The whole command line."""
    parser = Parser(
        prog="python -m analysis",
        description="Draw a figure of a run, or of theory. The file's path is the last line printed.",
        epilog=f"example: {FIGURES['heatmap'].example}",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="figure", metavar="FIGURE", required=True, parser_class=Parser)
    for name, command in FIGURES.items():
        added = commands.add_parser(
            name,
            help=command.summary,
            description=f"{command.summary[0].upper()}{command.summary[1:]}.",
            epilog=f"example: {command.example}",
            allow_abbrev=False,
        )
        if command.reads:
            added.add_argument("run_dir", metavar="RUN_DIR", help="a run's folder, such as results/atlas")
        default = f"RUN_DIR/{name}.png" if command.reads else f"{name}-NAME.png in the current folder"
        added.add_argument("--out", metavar="FILE", help=f"{', '.join(FORMATS)} by the ending (default: {default})")
        command.add_options(added)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Draw one figure; returns the exit status: 0 done, 2 bad arguments (one line on standard error)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without Unicode gets codes, not a traceback
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = build_parser()
    if argv and not argv[0].startswith("-") and argv[0] not in FIGURES:
        parser.error(f"FIGURE: got {argv[0]!r}, expected one of {', '.join(FIGURES)}{nearest(argv[0], FIGURES)}")
    arguments, unknown = parser.parse_known_args(argv)
    prog = f"{parser.prog} {arguments.figure}"
    if unknown:
        known = [f"--{name.replace('_', '-')}" for name in vars(arguments) if name not in ("figure", "run_dir")]
        print(
            f"{prog}: error: unknown argument {unknown[0]!r}{nearest(unknown[0], known)}; expected {', '.join(known)}",
            file=sys.stderr,
        )
        return 2
    command = FIGURES[arguments.figure]
    try:
        manifest = load_manifest(arguments.run_dir, command.reads) if command.reads else {}
        target = check_path(arguments.out or default_file(arguments))
        figure = command.draw(arguments, manifest)
        written = save_figure(figure, target)
    except LoadError as error:
        print(f"{prog}: error: RUN_DIR: {error}", file=sys.stderr)
    except SaveError as error:
        print(f"{prog}: error: --out: {error}", file=sys.stderr)
    except SelectionError as error:
        flag = "" if error.argument in ("RUN_DIR", "selection") else "--"
        argument, _, text = str(error).partition(": ")
        print(f"{prog}: error: {flag}{argument.replace('_', '-') if flag else argument}: {text}", file=sys.stderr)
    else:
        if command.reads and not manifest.get("finished"):
            print(f"{prog}: note: the run is not finished; the figure shows what is there", file=sys.stderr)
        print(written)
        return 0
    return 2
