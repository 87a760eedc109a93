"""The command line of ``python -m bench``. ``python -m bench sweep --help`` shows every option."""

from __future__ import annotations

import io
import sys
import textwrap
from collections.abc import Sequence

from bench.cli import compare, recommend, sweep, theory, train
from bench.comparison.compare import CompareError
from bench.networks.activations import ACTIVATIONS
from bench.networks.initializers import INITIALIZERS
from bench.runs.store import RunError
from bench.settings.errors import SweepError
from bench.sweeps.presets import PRESETS
from bench.terminal.parser import Parser, flag
from bench.training.optimizers import OPTIMIZERS, SCHEDULES
from bench.training.presets import TRAININGS
from bench.training.tasks import SUMMARIES

COMMANDS = {"sweep": sweep, "compare": compare, "recommend": recommend, "theory": theory, "train": train}
RESUMED = ("sweep", "compare", "train")  # finish by the same command after a kill


def build_parser() -> Parser:
    """The whole command line."""
    parser = Parser(prog="bench", description="Measure how gradients vanish and explode with depth, exactly.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for name, command in COMMANDS.items():
        added = commands.add_parser(
            name, help=command.HELP, description=command.DESCRIPTION, epilog=command.EPILOG, allow_abbrev=False
        )
        command.add_options(added)
    commands.add_parser("list", help="everything that has a name, most of it with a line", allow_abbrev=False)
    return parser


def print_list() -> None:
    """Everything that has a name."""
    tables = {
        "initializers": {name: entry.summary for name, entry in INITIALIZERS.items()},
        "activations": {name: entry.summary for name, entry in ACTIVATIONS.items()},
        "presets": {name: entry.summary for name, entry in PRESETS.items()},
        "trainings": {name: entry.summary for name, entry in TRAININGS.items()},
        "tasks": SUMMARIES,
        "schedules": SCHEDULES,
    }
    for title, lines in tables.items():
        print(f"{title}:")
        for name, summary in lines.items():
            print(f"  {name:19} {summary}")
    print(f"optimizers:\n{textwrap.fill(', '.join(OPTIMIZERS), 100, initial_indent='  ', subsequent_indent='  ')}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 2 bad arguments."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without Unicode gets codes, not a traceback
    arguments = build_parser().parse_strictly(argv)
    if arguments.command == "list":
        print_list()
        return 0
    prog = f"bench {arguments.command}"
    try:
        COMMANDS[arguments.command].main(arguments)
    except (SweepError, RunError, CompareError) as error:
        field, _, text = str(error).partition(": ")
        print(f"{prog}: error: {flag(field) if field != 'preset' else 'preset'}: {text}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        rest = "; the same command finishes the rest" if arguments.command in RESUMED else ""
        print(f"\n{prog}: interrupted{rest}", file=sys.stderr)
        return 1
    return 0
