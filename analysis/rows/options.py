"""What figures accept on the command line: numbers, ranges, and which of a run's rows."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from analysis.rows.select import select
from bench.settings.errors import SweepError, shown
from bench.settings.ranges import parse

if TYPE_CHECKING:
    import pandas as pd

MOST = 1000  # that many points on an axis are more than can be seen
LARGEST = 1e18  # in absolute value: no run holds more
RANGES = "numbers and ranges first:last:count, such as 1 2 or 1,2 or 0.5:3:101"
NETWORKS = ("initializers", "activations", "widths", "bias_stds")
SWEPT = (*NETWORKS, "input_norms", "architectures")
TRAINED = (*NETWORKS, "architectures", "optimizers", "learning_rates", "depths", "scales")


class Joined(argparse.Action):
    """An option of several words, each of which may stand for several values: they become one list."""

    def __call__(self, _parser: Any, namespace: argparse.Namespace, values: Any, *_: Any) -> None:
        setattr(namespace, self.dest, [value for several in values for value in several])


def number(text: str) -> float:
    """A finite number. Raises ArgumentTypeError."""
    return _one(text, numbers, "a number such as 0.5")


def whole(text: str) -> int:
    """A whole number. Raises ArgumentTypeError."""
    return int(_one(text, whole_numbers, "a whole number such as 64"))


def positive(text: str) -> float:
    """A number above 0. Raises ArgumentTypeError."""
    found = number(text)
    if not found > 0:
        raise argparse.ArgumentTypeError(f"got {shown(text)}, expected a number above 0")
    return found


def numbers(text: str) -> list[float]:
    """Finite numbers between commas, and those of ranges, ends included. Raises ArgumentTypeError."""
    return _parsed(text, whole=False)


def whole_numbers(text: str) -> list[float]:
    """The same of whole numbers. Raises ArgumentTypeError."""
    return _parsed(text, whole=True)


def positives(text: str) -> list[float]:
    """The same of numbers above 0. Raises ArgumentTypeError."""
    if not min(found := numbers(text)) > 0:
        raise argparse.ArgumentTypeError(f"got {shown(text)}, expected numbers above 0")
    return found


def _parsed(text: str, *, whole: bool) -> list[float]:
    try:
        found = parse("", text, whole=whole)
    except SweepError:
        found = []
    if not (0 < len(found) <= MOST and all(-LARGEST <= value <= LARGEST for value in found)):
        words = f"{'whole ' if whole else ''}{RANGES}, first below last and count 2 to {MOST}"
        raise argparse.ArgumentTypeError(f"got {shown(text)}, expected {words}")
    return found


def _one(text: str, several: Callable[[str], list[float]], accepted: str) -> float:
    try:
        (found,) = several(text)
    except (argparse.ArgumentTypeError, ValueError):
        raise argparse.ArgumentTypeError(f"got {shown(text)}, expected {accepted}") from None
    return found


def _name(text: str) -> list[str]:
    return [text]  # commas stand between an optimizer's arguments


def add_several(
    parser: argparse.ArgumentParser, flag: str, kind: Callable[[str], list[Any]], words: str, metavar: str
) -> None:
    """An option that takes several values of a run's column; ``kind`` reads those of one word."""
    parser.add_argument(flag, nargs="+", action=Joined, type=kind, metavar=metavar, help=f"only these {words} of the run")


def add_networks(parser: argparse.ArgumentParser) -> None:
    """Which schemes, activations and biases."""
    add_several(parser, "--initializers", _name, "schemes", "NAME")
    add_several(parser, "--activations", _name, "activations", "NAME")
    add_several(parser, "--bias-stds", numbers, "standard deviations of the biases", "S")


def add_swept(parser: argparse.ArgumentParser) -> None:
    """Which schemes, activations, biases, lengths of the input and architectures."""
    add_networks(parser)
    add_input_norms(parser)
    add_architectures(parser)


def add_architectures(parser: argparse.ArgumentParser) -> None:
    """Which architectures."""
    add_several(parser, "--architectures", _name, "architectures", "NAME")


def add_input_norms(parser: argparse.ArgumentParser) -> None:
    """Which lengths of the input."""
    add_several(parser, "--input-norms", numbers, "lengths of the input, in units of √n", "R")


def add_formats(parser: argparse.ArgumentParser) -> None:
    """Which number formats."""
    add_several(parser, "--formats", _name, "number formats", "FORMAT")


def add_widths(parser: argparse.ArgumentParser) -> None:
    """Which widths."""
    add_several(parser, "--widths", whole_numbers, "widths", "N")


def add_scales(parser: argparse.ArgumentParser, words: str = "weight scales") -> None:
    """Which weight scales."""
    add_several(parser, "--scales", numbers, words, "S")


def add_cells(parser: argparse.ArgumentParser, depths: str = "depths", scales: str = "weight scales") -> None:
    """Which depths, widths and weight scales."""
    add_several(parser, "--depths", whole_numbers, depths, "N")
    add_widths(parser)
    add_scales(parser, scales)


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Which of a training's networks are drawn."""
    add_networks(parser)
    add_architectures(parser)
    add_several(parser, "--optimizers", _name, "optimizers", "NAME")
    add_several(parser, "--learning-rates", numbers, "learning rates", "RATE")
    add_cells(parser)


def selected(arguments: argparse.Namespace, frame: pd.DataFrame, axes: Iterable[str] = NETWORKS) -> pd.DataFrame:
    """The rows that the options of those names ask for. Raises SelectionError."""
    return select(frame, **{name: getattr(arguments, name) for name in axes})
