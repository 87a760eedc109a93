"""``python -m bench``: the command line. ``python -m bench sweep --help`` shows every option."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NoReturn

import jax

from bench.activations import ACTIVATIONS
from bench.initializers import INITIALIZERS
from bench.presets import PRESETS
from bench.ranges import parse
from bench.registry import nearest
from bench.run import run
from bench.store import RunError
from bench.sweep import Sweep, SweepError

NUMBERS = "numbers and ranges: 2 10 150; 0.5:1.5:41 (41 evenly spaced, ends included)"
OPTIONS: dict[str, dict[str, Any]] = {
    "initializers": {"nargs": "+", "metavar": "NAME", "help": "schemes (python -m bench list), or package.module:init"},
    "activations": {"nargs": "+", "metavar": "NAME", "help": "activations, or package.module:function"},
    "depths": {
        "nargs": "+",
        "metavar": "N",
        "help": f"numbers of weight matrices, readout included, each ≥ 2; {NUMBERS}; 2:852:32log (32 log-spaced)",
    },
    "scales": {"nargs": "+", "metavar": "S", "help": "factors on the drawn weights, each ≥ 0; numbers and ranges"},
    "widths": {"nargs": "+", "metavar": "N", "help": "neurons in every layer, each ≥ 1; numbers and ranges"},
    "bias_stds": {"nargs": "+", "metavar": "S", "help": "standard deviations of the biases, each ≥ 0; 0 is no bias"},
    "seeds": {"metavar": "COUNT", "help": "how many independent networks"},
    "key": {"metavar": "KEY", "help": "the root of all randomness, a whole number"},
    "loss": {"metavar": "LOSS", "help": "output (y itself) or mse ((y - 1)² / 2)"},
    "dtype": {"metavar": "DTYPE", "help": "float32 or float64"},
}
NUMERIC = {"depths": True, "scales": False, "widths": True, "bias_stds": False}  # field → whole numbers only


class Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one line, and knows what was probably meant."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2 and one line, without the usage."""
        self.exit(2, f"{self.prog}: error: {message}\n")

    def parse_strictly(self, argv: Sequence[str] | None) -> argparse.Namespace:
        """parse_args, with the nearest known flag for an unknown one."""
        parsed, unknown = self.parse_known_args(argv)
        if unknown:
            known = [*map(_flag, OPTIONS), "--run", "--results", "--layers", "--no-layers"]
            self.error(f"unknown argument {unknown[0]!r}{nearest(unknown[0], known)}; --help lists what is accepted")
        return parsed


def _flag(field: str) -> str:
    return "--" + field.replace("_", "-")


def build_parser() -> Parser:
    """The whole command line."""
    parser = Parser(prog="bench", description="Measure how gradients vanish and explode with depth, exactly.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    sweep = commands.add_parser(
        "sweep",
        help="run a sweep and write its rows",
        description="Run every combination of the options below, starting from a preset. Rows go to RESULTS/RUN; started "
        "again after a kill, the same command finishes the rest. The run's folder is the last line printed.",
        epilog="example: python -m bench sweep --run mine --activations tanh relu --depths 2:852:32log --scales 0.5:2:31",
        allow_abbrev=False,
    )
    sweep.add_argument("preset", nargs="?", metavar="PRESET", help=f"{', '.join(PRESETS)}; without one, Sweep's defaults")
    sweep.add_argument("--run", metavar="NAME", help="the run's folder; the preset's name by default")
    sweep.add_argument("--results", metavar="DIR", default="results", help="where runs live (default: results)")
    defaults = {field.name: field.default for field in fields(Sweep)}
    for field, options in OPTIONS.items():
        default = defaults[field]
        shown = " ".join(map(str, default)) if isinstance(default, tuple) else default
        sweep.add_argument(_flag(field), **{**options, "help": f"{options['help']} (default: {shown})"})
    sweep.add_argument(
        "--layers",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="also write one row for each layer of each cell (default: as the preset, else yes)",
    )
    sweep.add_argument(
        "--compilation-cache",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="keep compiled programs in the user's cache folder",
    )
    commands.add_parser("list", help="initializers, activations and presets, each with a line", allow_abbrev=False)
    return parser


def sweep_from(arguments: argparse.Namespace) -> Sweep:
    """The preset with the overrides that were given. Raises SweepError."""
    if arguments.preset is not None and arguments.preset not in PRESETS:
        known = ", ".join(PRESETS)
        raise SweepError("preset", arguments.preset, f"one of {known}{nearest(arguments.preset, PRESETS)}")
    base = PRESETS[arguments.preset].sweep if arguments.preset else Sweep()
    overrides: dict[str, Any] = {}
    for field in OPTIONS:
        given = getattr(arguments, field)
        if given is None:
            continue
        if field in NUMERIC:
            given = [number for token in given for number in parse(field, token, whole=NUMERIC[field])]
        elif field in ("seeds", "key"):
            (given,) = parse(field, given, whole=True)
        overrides[field] = given
    if arguments.layers is not None:
        overrides["layers"] = arguments.layers
    return replace(base, **overrides)


def configure_jax(*, compilation_cache: bool) -> None:
    """One CPU device for each core, and a persistent compilation cache; what the user's environment sets, stays."""
    if "host_platform_device_count" not in os.environ.get("XLA_FLAGS", "") and "JAX_NUM_CPU_DEVICES" not in os.environ:
        with suppress(RuntimeError):  # JAX has started already, in a process that uses it for more than this command
            jax.config.update("jax_num_cpu_devices", len(os.sched_getaffinity(0)))
    if not compilation_cache:
        jax.config.update("jax_enable_compilation_cache", False)
    elif "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "depthscale"
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def print_list() -> None:
    """Everything that has a name."""
    tables = {
        "initializers": {name: entry.summary for name, entry in INITIALIZERS.items()},
        "activations": {name: entry.summary for name, entry in ACTIVATIONS.items()},
        "presets": {name: entry.summary for name, entry in PRESETS.items()},
    }
    for title, lines in tables.items():
        print(f"{title}:")
        for name, summary in lines.items():
            print(f"  {name:17} {summary}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 2 bad arguments."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without Unicode gets codes, not a traceback
    parser = build_parser()
    arguments = parser.parse_strictly(argv)
    if arguments.command == "list":
        print_list()
        return 0
    try:
        configure_jax(compilation_cache=arguments.compilation_cache)  # before a user's function starts JAX
        sweep = sweep_from(arguments)
        name = arguments.run if arguments.run is not None else arguments.preset or "sweep"
        folder = run(sweep, results=arguments.results, name=name)
    except (SweepError, RunError) as error:
        field, _, text = str(error).partition(": ")
        print(f"bench sweep: error: {_flag(field) if field != 'preset' else 'preset'}: {text}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nbench sweep: interrupted; the same command finishes the rest", file=sys.stderr)
        return 1
    print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
