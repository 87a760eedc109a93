"""``python -m bench train``: train networks on a grid and write their rows."""

from __future__ import annotations

import argparse
from dataclasses import replace

from bench.cli.executing import add_executor_options, executor_from
from bench.cli.options import (
    TRAINING,
    add_options_for,
    add_plan_options,
    add_run_options,
    overrides_from,
    preset_of,
    say_next,
)
from bench.cli.planned import tell_plan
from bench.settings.errors import SweepError
from bench.settings.presets import defaults_of
from bench.sweeps.presets import PRESETS
from bench.training.presets import TRAININGS
from bench.training.training import Training

HELP = "train networks on a grid: what vanishing and exploding gradients cost"
DESCRIPTION = (
    "Train every combination of the options below, starting from a preset, and write one row for each network (final loss "
    "and accuracy, steps to the target, when it diverged, gradients at initialization) and its learning curve. Rows go to "
    "RESULTS/RUN; started again after a kill, the same command finishes the rest. The run's folder is the last line printed."
)
EPILOG = (
    "example: depthscale train --run mine --depths 8 32 --scales 0.5:2:16 --learning-rates 0.001:1:4log "
    "--optimizers adam sgd:momentum=0.9 --steps 500"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_run_options(parser, TRAININGS, "; without one, Training's defaults")
    add_plan_options(parser)
    parser.add_argument(
        "--data",
        metavar="FILE",
        help="train on x_train, y_train, x_test, y_test of an .npz file, as Keras's mnist.npz has them, instead of a task",
    )
    add_options_for(parser, TRAINING, defaults_of(Training))
    parser.add_argument(
        "--curves",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="also write learning curves (default: as the preset, else yes)",
    )
    add_executor_options(parser)


def main(arguments: argparse.Namespace) -> None:
    """Run it. Raises SweepError and RunError."""
    overrides = overrides_from(arguments, TRAINING)
    if arguments.data is not None:
        if "task" in overrides:
            raise SweepError("data", arguments.data, "either --data or --task")
        if not arguments.data.endswith(".npz"):
            raise SweepError("data", arguments.data, "a file.npz")
        overrides["task"] = arguments.data
    if arguments.curves is not None:
        overrides["curves"] = arguments.curves
    preset = None if arguments.preset is None else preset_of(TRAININGS, arguments.preset)
    from bench.cli.surroundings import configure_jax

    executor = executor_from(arguments)
    configure_jax(compilation_cache=arguments.compilation_cache)  # before a user's function starts JAX
    from bench.interface.planning import memory_of
    from bench.training.runner import train

    name = arguments.run if arguments.run is not None else _own_name(arguments.preset or "training")
    try:
        training = replace(Training() if preset is None else preset.training, **overrides)
        if arguments.dry_run:
            tell_plan(arguments, training, name, "training", executor)
            return
        where = {"results": arguments.results, "name": name, "max_memory": memory_of(arguments.max_memory)}
        how = {"progress": not arguments.quiet, "overwrite": arguments.overwrite, "executor": executor}
        folder = train(training, **where, **how)
    except SweepError as error:
        if arguments.data is None or error.field != "task":
            raise
        raise SweepError("data", arguments.data, error.accepted) from error
    several = "cure" if len(training.architectures) > 1 else "trainability"
    say_next(arguments, "boundary" if training.readout_learning_rates else several, folder)
    print(folder)


def _own_name(name: str) -> str:
    """What a run of this preset is called where nothing is asked for: not as a sweep's of the same name."""
    return f"{name}-training" if name in PRESETS else name
