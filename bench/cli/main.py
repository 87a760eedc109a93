"""The command line of ``depthscale`` and ``python -m bench``. ``depthscale sweep --help`` shows every option."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from bench.cli import compare, listing, precision, probe, recommend, runs, sweep, theory, train
from bench.settings import catalog
from bench.settings.checks import DTYPES, PRECISIONS
from bench.sweeps.presets import PRESETS
from bench.terminal.guard import guarded
from bench.terminal.parser import Completion, Parser, Version
from bench.training.presets import TRAININGS
from bench.training.specs import OPTIMIZERS

LOOKS = "analysis.cli"  # looked up by name: what measures imports nothing of what looks
FIGURES = f"{LOOKS}.main"
COMMANDS: dict[str, Any] = {
    "sweep": sweep,
    "train": train,
    "precision": precision,
    "probe": probe,
    "compare": compare,
    "recommend": recommend,
    "theory": theory,
    "papers": import_module(f"{LOOKS}.papers"),
    "report": import_module(f"{LOOKS}.report"),
    "lesson": import_module(f"{LOOKS}.lesson"),
    "runs": runs,
    "list": listing,
}
RESUMED = ("sweep", "precision", "compare", "train", "papers")  # finish by the same command after a kill
WRITTEN = {"name": "--run", "run": "--from", "preset": "preset", "make": "MODULE:MAKE"}  # what is no option of the same name
PLOT = "plot"


def build_parser(prog: str = "bench") -> Parser:
    """The whole command line."""
    description = "Measure how gradients vanish and explode with depth, exactly."
    parser = Parser(prog=prog, description=description, allow_abbrev=False)
    parser.add_argument("--version", action=Version)
    parser.add_argument("--print-completion", action=Completion, prepare=_complete)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for name, command in COMMANDS.items():
        added = commands.add_parser(
            name, help=command.HELP, description=command.DESCRIPTION, epilog=command.EPILOG, allow_abbrev=False
        )
        command.add_options(added)
    commands.add_parser(PLOT, help=f"draw a figure of a run: {prog} {PLOT} --help lists them", add_help=False)
    return parser


def main(argv: Sequence[str] | None = None, *, prog: str = "bench") -> int:
    """Run one command; returns the exit status: 0 done, 2 bad arguments, 1 anything else, 130 interrupted."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if argv[:1] == [PLOT]:
        return import_module(FIGURES).main(argv[1:], prog=f"{prog} {PLOT}")
    return guarded(lambda: _run(argv, prog), prog)


def _run(argv: Sequence[str], prog: str) -> int:
    arguments = build_parser(prog).parse_strictly(argv)
    command = arguments.command
    arguments.prog = prog
    return guarded(
        lambda: COMMANDS[command].main(arguments), f"{prog} {command}", resumes=command in RESUMED, written=WRITTEN
    )


def _complete(parser: Parser) -> None:
    """Give the parser figures, and options the names that they take: for completion alone, others are accepted too."""
    presets = {"sweep": PRESETS, "precision": PRESETS, "compare": PRESETS, "train": TRAININGS}
    known = {
        "initializers": catalog.initializers(),
        "activations": catalog.activations(),
        "architectures": catalog.architectures(),
        "optimizers": OPTIMIZERS,
        "dtype": DTYPES,
        "precision": PRECISIONS,
    }
    commands: Any = next(action for action in parser._actions if action.dest == "command")
    commands.choices[PLOT] = import_module(FIGURES).build_parser(prog=f"{parser.prog} {PLOT}")
    for each in parser.parsers():
        for action in each._actions:
            names = presets.get(each.prog.split()[-1]) if action.dest == "preset" else known.get(action.dest)
            action.choices = list(names) if names else action.choices
