"""``python -m bench sweep``: run a sweep and write its rows."""

from __future__ import annotations

import argparse
from dataclasses import replace

from bench.cli.executing import add_executor_options, executor_from
from bench.cli.options import SWEEP, add_options_for, add_plan_options, add_run_options, overrides_from, preset_of, say_next
from bench.cli.planned import tell_plan
from bench.settings.presets import defaults_of
from bench.sweeps.presets import PRESETS
from bench.sweeps.sweep import Sweep

HELP = "run a sweep and write its rows"
DESCRIPTION = (
    "Run every combination of the options below, starting from a preset. Rows go to RESULTS/RUN; started again after a "
    "kill, the same command finishes the rest. The run's folder is the last line printed."
)
EPILOG = "example: depthscale sweep --run mine --activations tanh relu --depths 2:852:32log --scales 0.5:2:31"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_run_options(parser, PRESETS, "; without one, Sweep's defaults")
    add_plan_options(parser)
    add_options_for(parser, SWEEP, defaults_of(Sweep))
    add_layers(parser)
    add_executor_options(parser)


def add_layers(parser: argparse.ArgumentParser) -> None:
    """Whether layers have rows of their own."""
    parser.add_argument(
        "--layers",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="also write one row for each layer of each cell (default: as the preset, else yes)",
    )


def main(arguments: argparse.Namespace) -> None:
    """Run it. Raises SweepError and RunError."""
    overrides = overrides_from(arguments, SWEEP)
    preset = None if arguments.preset is None else preset_of(PRESETS, arguments.preset)
    from bench.cli.surroundings import configure_jax

    executor = executor_from(arguments)
    configure_jax(compilation_cache=arguments.compilation_cache)  # before a user's function starts JAX
    from bench.interface.planning import memory_of
    from bench.sweeps.runner import run

    sweep = replace(Sweep() if preset is None else preset.sweep, **overrides)
    if arguments.layers is not None:
        sweep = replace(sweep, layers=arguments.layers)
    name = arguments.run if arguments.run is not None else arguments.preset or "sweep"
    if arguments.dry_run:
        tell_plan(arguments, sweep, name, "sweep", executor)
        return
    where = {"results": arguments.results, "name": name, "max_memory": memory_of(arguments.max_memory)}
    folder = run(sweep, **where, progress=not arguments.quiet, overwrite=arguments.overwrite, executor=executor)
    identity = (sweep.initializers, sweep.activations, sweep.loss) == (("identity",), ("linear",), "output")
    say_next(arguments, "lecture" if identity else "heatmap", folder)
    print(folder)
