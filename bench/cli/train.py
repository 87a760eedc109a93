"""``python -m bench train``: train networks on a grid and write their rows."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from bench.cli.options import OPTIONS, add_options_for, add_run_options, configure_jax, overrides_from
from bench.settings.errors import SweepError
from bench.settings.registry import nearest
from bench.training.presets import TRAININGS
from bench.training.runner import train
from bench.training.training import Training

HELP = "train networks on a grid: what vanishing and exploding gradients cost"
DESCRIPTION = (
    "Train every combination of the options below, starting from a preset, and write one row for each network (final loss "
    "and accuracy, steps to the target, when it diverged, gradients at initialization) and its learning curve. Rows go to "
    "RESULTS/RUN; started again after a kill, the same command finishes the rest. The run's folder is the last line printed."
)
EPILOG = (
    "example: python -m bench train --run mine --depths 8 32 --scales 0.5:2:16 --learning-rates 0.001:1:4log "
    "--optimizers adam sgd:momentum=0.9 --steps 500"
)
SHARED = ("initializers", "activations", "depths", "scales", "widths", "bias_stds", "seeds", "key", "dtype")
TRAINING_OPTIONS: dict[str, dict[str, Any]] = {
    "task": {"metavar": "TASK", "help": "digits, teacher, saxe or noise, with arguments: teacher:hidden=64,inputs=32"},
    **{name: OPTIONS[name] for name in SHARED},
    "optimizers": {
        "nargs": "+",
        "metavar": "NAME",
        "help": "by optax's name, with arguments: sgd momentum adamw:weight_decay=0.01 (python -m bench list)",
    },
    "learning_rates": {"nargs": "+", "metavar": "RATE", "help": "each ≥ 0; numbers and ranges: 0.001:1:4log"},
    "readout_learning_rates": {
        "nargs": "+",
        "metavar": "RATE",
        "help": "of the readout alone, each with each of --learning-rates; none: as the other layers",
    },
    "schedule": {"metavar": "NAME", "help": "constant, or warmup_cosine:warmup=0.1,end=0 (shares of steps and of the rate)"},
    "clip": {"metavar": "NORM", "help": "global norm to which gradients are clipped; 0: not at all"},
    "steps": {"metavar": "COUNT", "help": "of gradient descent"},
    "batch": {"metavar": "COUNT", "help": "examples in a step; all of them where there are no more"},
    "loss": {"metavar": "LOSS", "help": "cross_entropy, or mse (½ ‖y - target‖²)"},
    "target": {"metavar": "TARGET", "help": "what counts as learned: accuracy=0.9 or loss=0.1"},
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "preset", nargs="?", metavar="PRESET", help=f"{', '.join(TRAININGS)}; without one, Training's defaults"
    )
    add_run_options(parser, "the preset's name")
    parser.add_argument(
        "--data",
        metavar="FILE",
        help="train on x_train, y_train, x_test, y_test of an .npz file, as Keras's mnist.npz has them, instead of a task",
    )
    add_options_for(parser, TRAINING_OPTIONS, Training())
    parser.add_argument(
        "--curves",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="also write learning curves (default: as the preset, else yes)",
    )


def preset_training(name: str | None) -> Training:
    """A preset's training, or the default one. Raises SweepError for a name that is not known."""
    if name is None:
        return Training()
    if name not in TRAININGS:
        raise SweepError("preset", name, f"one of {', '.join(TRAININGS)}{nearest(name, TRAININGS)}")
    return TRAININGS[name].training


def main(arguments: argparse.Namespace) -> None:
    """Run it. Raises SweepError and RunError."""
    configure_jax(compilation_cache=arguments.compilation_cache)  # before a user's function starts JAX
    overrides = overrides_from(arguments, TRAINING_OPTIONS)
    if arguments.data is not None:
        if "task" in overrides:
            raise SweepError("data", arguments.data, "either --data or --task")
        if not arguments.data.endswith(".npz"):
            raise SweepError("data", arguments.data, "a file.npz")
        overrides["task"] = arguments.data
    if arguments.curves is not None:
        overrides["curves"] = arguments.curves
    name = arguments.run if arguments.run is not None else arguments.preset or "training"
    try:
        training = replace(preset_training(arguments.preset), **overrides)
        print(train(training, results=arguments.results, name=name))
    except SweepError as error:
        if arguments.data is None or error.field != "task":
            raise
        raise SweepError("data", arguments.data, error.accepted) from error
