"""What figures accept on the command line: numbers, ranges, and which of a run's rows."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from analysis.drawing.labels import CELL_VALUES
from analysis.numbers.depth_scales import PAPER
from analysis.numbers.statistics import STATISTICS

MOST = 1000  # that many points on an axis are more than can be seen
RANGES = "numbers and ranges first:last:count, such as 0.5:3:101"


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
    """One number, or the evenly spaced ones of ``first:last:count``, ends included. Raises ArgumentTypeError."""
    try:
        first, *rest = text.split(":")
        if not rest:
            return [float(first)]
        last, count = float(rest[0]), int(rest[1])
        if len(rest) == 2 and float(first) < last and 2 <= count <= MOST:
            # Without the last digits' rounding noise: 0.1, not 0.10000000000000009.
            return [float(f"{value:.12g}") for value in np.linspace(float(first), last, count)]
    except (ValueError, IndexError):
        pass
    raise argparse.ArgumentTypeError(f"got {text!r}, expected {RANGES}, first below last and count 2 to {MOST}")


def add_heatmap_options(parser: argparse.ArgumentParser) -> None:
    """What is drawn, and for which cells."""
    parser.add_argument(
        "--value", default=CELL_VALUES[0], metavar="COLUMN", help=f"{', '.join(CELL_VALUES)} (default: %(default)s)"
    )
    parser.add_argument("--stat", metavar="STAT", help=f"over seeds: {', '.join(STATISTICS)} (default: median)")
    parser.add_argument(
        "--limit", type=positive, metavar="DECADES", help="where colours end (default: from the data, robustly)"
    )
    theory = parser.add_mutually_exclusive_group()
    theory.add_argument(
        "--residual",
        action="store_true",
        help="means against theory, in standard errors, and which cells pass (default FILE: RUN_DIR/residual.png)",
    )
    theory.add_argument("--no-theory", action="store_true", help="without the line of mean-field theory's critical scale")
    _add_networks(parser)
    _add_cells(parser, "depths", "weight scales")


def add_profile_options(parser: argparse.ArgumentParser) -> None:
    """Which networks are drawn."""
    _add_networks(parser)
    _add_cells(parser, "depths (default: the largest)", "weight scales (default: a few, spread)")


def add_lecture_options(parser: argparse.ArgumentParser) -> None:
    """Which width and scales are drawn."""
    _several(parser, "--widths", whole, "widths", "N")
    _several(parser, "--scales", number, "weight scales (default: a few, spread)", "S")


def add_compare_options(parser: argparse.ArgumentParser) -> None:
    """Which rows of the table are drawn."""
    _add_networks(parser)
    _several(parser, "--widths", whole, "widths", "N")
    _several(parser, "--scales", number, "weight scales", "S")


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Which of a training's networks are drawn."""
    _add_networks(parser)
    _several(parser, "--optimizers", str, "optimizers", "NAME")
    _several(parser, "--learning-rates", number, "learning rates", "RATE")
    _add_cells(parser, "depths", "weight scales")


def add_trainability_options(parser: argparse.ArgumentParser) -> None:
    """Which networks, and which of theory's lines."""
    for flag, meaning, default in (
        ("--xi-c", "ξ_c, over which correlations of inputs are kept", PAPER),
        ("--xi-grad", "1/|ln χ₁|, over which gradients are", 12.0),
    ):
        parser.add_argument(
            flag,
            nargs="*",
            type=positive,
            default=[default],
            metavar="M",
            help=f"draw the depths L = M · {meaning}; without a number none (default: {default:g})",
        )
    parser.add_argument("--no-contours", action="store_true", help="without the contours of initial gradients")
    add_training_options(parser)


def add_cost_options(parser: argparse.ArgumentParser) -> None:
    """Which networks, and decades of what."""
    parser.add_argument(
        "--decades",
        default="first",
        metavar="WHAT",
        help="first: the gradient of the first layer; ratio: first over last hidden layer (default: %(default)s)",
    )
    add_training_options(parser)


def add_boundary_options(parser: argparse.ArgumentParser) -> None:
    """Which network, and which window of its learning rates."""
    parser.add_argument("--seed", type=whole, metavar="N", help="of several seeds that one (default: the smallest)")
    parser.add_argument(
        "--zoom",
        nargs=4,
        type=number,
        metavar=("X_LOW", "X_HIGH", "Y_LOW", "Y_HIGH"),
        help="only this window of the learning rates of hidden layers (x) and readout (y); also prints how to train it",
    )
    add_training_options(parser)


def add_phase_options(parser: argparse.ArgumentParser) -> None:
    """Of which activation, and which part of the plane."""
    parser.add_argument(
        "--activation", default="tanh", metavar="NAME", help="a name, or package.module:function (default: %(default)s)"
    )
    for flag, default in (("--weight-stds", "0.5:3:101"), ("--bias-stds", "0:1:61")):
        parser.add_argument(
            flag, nargs="+", type=numbers, default=[numbers(default)], metavar="S", help=f"{RANGES} (default: {default})"
        )


def _add_networks(parser: argparse.ArgumentParser) -> None:
    _several(parser, "--initializers", str, "schemes", "NAME")
    _several(parser, "--activations", str, "activations", "NAME")
    _several(parser, "--bias-stds", number, "standard deviations of the biases", "S")


def _add_cells(parser: argparse.ArgumentParser, depths: str, scales: str) -> None:
    _several(parser, "--depths", whole, depths, "N")
    _several(parser, "--widths", whole, "widths", "N")
    _several(parser, "--scales", number, scales, "S")


def _several(parser: argparse.ArgumentParser, flag: str, kind: Callable[[str], Any], words: str, metavar: str) -> None:
    parser.add_argument(flag, nargs="+", type=kind, metavar=metavar, help=f"only these {words} of the run")
