"""What a command of the command line is, and the rows that its options select."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from analysis.rows.select import select

NETWORKS = ("initializers", "activations", "widths", "bias_stds")
TRAINED = (*NETWORKS, "optimizers", "learning_rates", "depths", "scales")


def selected(arguments: argparse.Namespace, frame: pd.DataFrame, axes: Iterable[str] = NETWORKS) -> pd.DataFrame:
    """The rows that the options of those names ask for. Raises SelectionError."""
    return select(frame, **{name: getattr(arguments, name) for name in axes})


class Command(NamedTuple):
    """A figure: what it shows, how it is drawn, its options, an example, and the kind of run that it reads, if any."""

    summary: str
    draw: Callable[[argparse.Namespace, Mapping[str, Any]], Figure]
    add_options: Callable[[argparse.ArgumentParser], None]
    example: str
    reads: str = "sweep"  # or "training", or "" for a figure of theory alone
