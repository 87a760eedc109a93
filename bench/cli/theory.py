"""``python -m bench theory``: the mean-field table of activations, weight scales and biases; predictions at finite width."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from bench.cli.options import NETWORKS, add_options_for, add_plain_only, check_plain, overrides_from
from bench.settings.errors import SweepError
from bench.sweeps.sweep import Sweep

HELP = "mean-field theory: fixed points, χ₁, depth scales, critical points"
DESCRIPTION = (
    "Print what mean-field theory says of infinitely wide networks with W ~ N(0, scale²/n), b ~ N(0, bias_std²): the length "
    "q and correlation c to which inputs are carried, the factor chi1 on a gradient's mean square, its slope in decades per "
    "layer, and depth scales in layers. Below each activation: its critical point, and with --depths or --widths the mean "
    "and standard deviation over seeds of log10 ‖∂y/∂W_1‖ at that width and depth, or why there is no law."
)
EPILOG = "example: depthscale theory --activations gelu --scales 1:2:11 --bias-stds 0 --csv gelu.csv"
DEFAULTS = {"activations": ("tanh",), "scales": (0.8, 1.0, 1.2, 1.5, 2.0), "bias_stds": (0.0,)}
FINITE = {"depths": (50, 852), "widths": (128,)}  # of predictions, where either is given


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_options_for(parser, {field: NETWORKS[field] for field in DEFAULTS}, DEFAULTS)
    add_options_for(parser, {field: NETWORKS[field] for field in FINITE}, FINITE)
    add_plain_only(parser)
    parser.add_argument("--csv", metavar="FILE", help="also write the mean-field table there, in full precision")


def main(arguments: argparse.Namespace) -> None:
    """Print it. Raises SweepError."""
    overrides = overrides_from(arguments, DEFAULTS | FINITE)
    check_plain(arguments, lambda others: f"bench.theory.block_trajectory({others[0]!r}, …) in Python")
    from bench.cli.surroundings import import_jax

    import_jax()
    from tabulate import tabulate

    from bench.cli.theory_table import describe_critical, predictions, table
    from bench.runs.files import write_whole

    sweep = Sweep(**DEFAULTS | FINITE | overrides)
    if arguments.csv is not None:
        _check(Path(arguments.csv))
    found = table(sweep, progress=True)
    for activation in sweep.activations:
        rows = found[found["activation"] == activation]
        print(f"{activation}:")
        print(tabulate(rows.drop(columns="activation"), headers="keys", floatfmt=".5g", showindex=False))
        print(describe_critical(activation), end="\n\n")
        if FINITE.keys() & overrides.keys():
            finite = predictions(sweep, activation, progress=True)
            print(tabulate(finite, headers="keys", floatfmt=".5g", showindex=False), end="\n\n")
    if arguments.csv is not None:
        target = Path(arguments.csv)
        write_whole(target, lambda path: found.to_csv(path, index=False))
        print(target)


def _check(target: Path) -> None:
    try:
        writable = target.parent.is_dir() and os.access(target.parent, os.W_OK | os.X_OK)
        if target.exists() and not target.is_file():  # a device or a pipe is written to, and not replaced
            writable = not target.is_dir() and os.access(target, os.W_OK)
    except OSError:  # a name that no file can have
        writable = False
    if not writable:
        raise SweepError("csv", str(target), "a file in a folder that exists and can be written")
