"""``python -m bench sweep``: run a sweep and write its rows."""

from __future__ import annotations

import argparse
from dataclasses import replace

from bench.cli.options import add_run_options, add_sweep_options, configure_jax, preset_sweep, sweep_from
from bench.sweeps.presets import PRESETS
from bench.sweeps.runner import run
from bench.sweeps.sweep import Sweep

HELP = "run a sweep and write its rows"
DESCRIPTION = (
    "Run every combination of the options below, starting from a preset. Rows go to RESULTS/RUN; started again after a "
    "kill, the same command finishes the rest. The run's folder is the last line printed."
)
EPILOG = "example: python -m bench sweep --run mine --activations tanh relu --depths 2:852:32log --scales 0.5:2:31"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("preset", nargs="?", metavar="PRESET", help=f"{', '.join(PRESETS)}; without one, Sweep's defaults")
    add_run_options(parser, "the preset's name")
    add_sweep_options(parser, Sweep())
    parser.add_argument(
        "--layers",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="also write one row for each layer of each cell (default: as the preset, else yes)",
    )


def main(arguments: argparse.Namespace) -> None:
    """Run it. Raises SweepError and RunError."""
    configure_jax(compilation_cache=arguments.compilation_cache)  # before a user's function starts JAX
    sweep = sweep_from(arguments, preset_sweep(arguments.preset))
    if arguments.layers is not None:
        sweep = replace(sweep, layers=arguments.layers)
    name = arguments.run if arguments.run is not None else arguments.preset or "sweep"
    print(run(sweep, results=arguments.results, name=name))
