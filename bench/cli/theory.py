"""``python -m bench theory``: the mean-field table of activations, weight scales and biases."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd
from tabulate import tabulate
from tqdm import tqdm

from bench.cli.options import OPTIONS, overrides_from
from bench.runs.files import write_whole
from bench.settings.errors import SweepError
from bench.sweeps.sweep import Sweep
from bench.terminal.parser import flag
from bench.theory import critical, fixed_point

HELP = "mean-field theory: fixed points, χ₁, depth scales, critical points"
DESCRIPTION = (
    "Print what mean-field theory says of infinitely wide networks with W ~ N(0, scale²/n), b ~ N(0, bias_std²): the length "
    "q and correlation c to which inputs are carried, the factor chi1 on a gradient's mean square, its slope in decades per "
    "layer, and depth scales in layers. Below each activation: its critical point."
)
EPILOG = "example: python -m bench theory --activations gelu --scales 1:2:11 --bias-stds 0 --csv gelu.csv"
TAKEN = ("activations", "scales", "bias_stds")
DEFAULTS = Sweep(activations=("tanh",), scales=(0.8, 1.0, 1.2, 1.5, 2.0), bias_stds=(0.0,))


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    for field in TAKEN:
        shown = " ".join(map(str, getattr(DEFAULTS, field)))
        parser.add_argument(flag(field), **{**OPTIONS[field], "help": f"{OPTIONS[field]['help']} (default: {shown})"})
    parser.add_argument("--csv", metavar="FILE", help="also write the table there, in full precision")


def table(sweep: Sweep, *, progress: bool = False) -> pd.DataFrame:
    """One row for each activation, bias_std and scale: the fields of a fixed point, slope and phase."""
    points = [(a, b, s) for a in sweep.activations for b in sweep.bias_stds for s in sweep.scales]
    rows = []
    for activation, bias_std, scale in tqdm(points, unit=" points", disable=not progress, delay=2, leave=False):
        found = fixed_point(activation, scale, bias_std)
        phase = {-1: "ordered", 0: "critical", 1: "chaotic"}.get(np.sign(found.chi1 - 1), "undefined")
        with np.errstate(divide="ignore"):
            slope = float(np.log10(found.chi1)) / 2
        point = {"activation": activation, "bias_std": bias_std, "weight_std": scale}
        rows.append(point | found._asdict() | {"slope": slope, "phase": phase})
    return pd.DataFrame(rows)


def describe_critical(activation: str) -> str:
    """An activation's critical point in a line."""
    point = critical(activation)
    if np.isnan(point.weight_std):
        return f"no critical point: {point.note}"
    numbers = ", ".join(f"{name} {value:.6g}" for name, value in zip(point._fields, point[:3], strict=False))
    return f"critical: {numbers}: {point.note}"


def main(arguments: argparse.Namespace) -> None:
    """Print it. Raises SweepError."""
    taken = {name: getattr(DEFAULTS, name) for name in TAKEN} | overrides_from(arguments)
    sweep = Sweep(**taken)
    if arguments.csv is not None:
        _check(Path(arguments.csv))
    found = table(sweep, progress=True)
    for activation in sweep.activations:
        rows = found[found["activation"] == activation]
        print(f"{activation}:")
        print(tabulate(rows.drop(columns="activation"), headers="keys", floatfmt=".5g", showindex=False))
        print(describe_critical(activation), end="\n\n")
    if arguments.csv is not None:
        target = Path(arguments.csv)
        write_whole(target, lambda path: found.to_csv(path, index=False))
        print(target)


def _check(target: Path) -> None:
    if target.is_dir() or not target.parent.is_dir() or not os.access(target.parent, os.W_OK | os.X_OK):
        raise SweepError("csv", str(target), "a file in a folder that exists and can be written")
