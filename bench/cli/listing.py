"""``python -m bench list``: everything that has a name."""

from __future__ import annotations

import argparse
import textwrap

from bench.settings.catalog import activations, architectures, initializers
from bench.sweeps.presets import PRESETS
from bench.training.presets import TRAININGS
from bench.training.specs import OPTIMIZERS, SCHEDULES

MADE = {"gaussian:mean=…": "N(mean, 1) / √fan_in: weights that are not centred"}  # by bench.networks.initializers
TAILORED = {  # made to measure by bench.networks.tailored
    "dks:of=…,depth=…": "one of these, shaped for networks of that depth; slope=1.5 (Martens et al. 2021)",
    "tat:of=…,depth=…": "leaky_relu: correlation=0.9; smooth ones: curve=0.3 (Zhang et al. 2022)",
}
HELP = "everything that has a name, most of it with a line"
DESCRIPTION = "Print every initializer, activation, preset, task, schedule and optimizer by its name."
EPILOG = "example: depthscale list"


def add_options(parser: argparse.ArgumentParser) -> None:
    """None."""


def main(_: argparse.Namespace) -> None:
    """Print it."""
    from bench.training.tasks import SUMMARIES  # needs NumPy

    tables = {
        "initializers": initializers() | MADE,
        "activations": activations() | TAILORED,
        "architectures": architectures(),
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
