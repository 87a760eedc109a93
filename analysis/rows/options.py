"""What figures accept on the command line: numbers, ranges, and which of a run's rows."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from analysis.rows.select import select
from bench.settings.errors import SweepError
from bench.settings.ranges import parse

if TYPE_CHECKING:
    import pandas as pd

MOST = 1000  # that many points on an axis are more than can be seen
RANGES = "numbers and ranges first:last:count, such as 0.5:3:101"
NETWORKS = ("initializers", "activations", "widths", "bias_stds")
TRAINED = (*NETWORKS, "optimizers", "learning_rates", "depths", "scales")


def number(text: str) -> float:
    """A number. Raises ArgumentTypeError."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number such as 0.5") from None


def whole(text: str) -> int:
    """A whole number. Raises ArgumentTypeError."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number such as 64") from None


def positive(text: str) -> float:
    """A number above 0. Raises ArgumentTypeError."""
    found = number(text)
    if not 0 < found < math.inf:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number above 0")
    return found


def numbers(text: str) -> list[float]:
    """One number, or those of a range, ends included. Raises ArgumentTypeError."""
    try:
        found = parse("", text, whole=False)
    except SweepError:
        found = []
    if not 0 < len(found) <= MOST:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected {RANGES}, first below last and count 2 to {MOST}")
    return found


def add_several(parser: argparse.ArgumentParser, flag: str, kind: Callable[[str], Any], words: str, metavar: str) -> None:
    """An option that takes several values of a run's column."""
    parser.add_argument(flag, nargs="+", type=kind, metavar=metavar, help=f"only these {words} of the run")


def add_networks(parser: argparse.ArgumentParser) -> None:
    """Which schemes, activations and biases."""
    add_several(parser, "--initializers", str, "schemes", "NAME")
    add_several(parser, "--activations", str, "activations", "NAME")
    add_several(parser, "--bias-stds", number, "standard deviations of the biases", "S")


def add_widths(parser: argparse.ArgumentParser) -> None:
    """Which widths."""
    add_several(parser, "--widths", whole, "widths", "N")


def add_scales(parser: argparse.ArgumentParser, words: str = "weight scales") -> None:
    """Which weight scales."""
    add_several(parser, "--scales", number, words, "S")


def add_cells(parser: argparse.ArgumentParser, depths: str = "depths", scales: str = "weight scales") -> None:
    """Which depths, widths and weight scales."""
    add_several(parser, "--depths", whole, depths, "N")
    add_widths(parser)
    add_scales(parser, scales)


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Which of a training's networks are drawn."""
    add_networks(parser)
    add_several(parser, "--optimizers", str, "optimizers", "NAME")
    add_several(parser, "--learning-rates", number, "learning rates", "RATE")
    add_cells(parser)


def selected(arguments: argparse.Namespace, frame: pd.DataFrame, axes: Iterable[str] = NETWORKS) -> pd.DataFrame:
    """The rows that the options of those names ask for. Raises SelectionError."""
    return select(frame, **{name: getattr(arguments, name) for name in axes})
