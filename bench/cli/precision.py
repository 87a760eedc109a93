"""``python -m bench precision``: a sweep whose networks are computed in number formats too."""

from __future__ import annotations

import argparse
from dataclasses import fields

from bench.cli.executing import add_executor_options, executor_from
from bench.cli.options import PRECISION, add_options_for, add_run_options, overrides_from, preset_of, say_next
from bench.cli.sweep import add_layers
from bench.precision.precision import Precision
from bench.settings.presets import defaults_of
from bench.sweeps.presets import PRESETS
from bench.sweeps.sweep import Sweep

HELP = "run a sweep in number formats too: which gradients each loses, at which depth"
DESCRIPTION = (
    "Run a sweep, and compute the gradients of the same networks in number formats too: for every network and layer the "
    "share of entries that become zero, subnormal or infinite, the error of the norm, the angle to the exact gradient, "
    "where it first goes wrong, and the loss scale that would save most. Rows go to RESULTS/RUN; started again after a "
    "kill, the same command finishes the rest. The run's folder is the last line printed."
)
EPILOG = "example: depthscale precision --formats float16 bfloat16 --depths 2:60:30 --scales 0.5:2:16 --widths 16"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_run_options(parser, PRESETS, " (those of sweep); without one, Precision's defaults")
    add_options_for(parser, PRECISION, defaults_of(Precision))
    add_layers(parser)
    add_executor_options(parser)


def main(arguments: argparse.Namespace) -> None:
    """Run it. Raises SweepError and RunError."""
    overrides = overrides_from(arguments, PRECISION)
    if arguments.layers is not None:
        overrides["layers"] = arguments.layers
    preset = None if arguments.preset is None else preset_of(PRESETS, arguments.preset)
    from bench.cli.surroundings import configure_jax

    executor = executor_from(arguments)
    configure_jax(compilation_cache=arguments.compilation_cache)  # before a user's function starts JAX
    from bench.precision.runner import run

    given = {} if preset is None else {field.name: getattr(preset.sweep, field.name) for field in fields(Sweep)}
    name = arguments.run if arguments.run is not None else f"{arguments.preset}-precision" if preset else "precision"
    where = {"results": arguments.results, "name": name}
    how = {"progress": not arguments.quiet, "overwrite": arguments.overwrite, "executor": executor}
    folder = run(Precision(**(given | overrides)), **where, **how)
    say_next(arguments, "horizon", folder)
    print(folder)
