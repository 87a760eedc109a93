"""What a figure declares about itself, so that the command line finds it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Command(NamedTuple):
    """A figure on the command line, under the name of its file (``learning_time.py`` is ``learning-time``).

    A figure's file ends with ``FIGURE = Command(summary="…", example="…", …)``. Strings are written out there: the list of
    all figures is read from the source. For a figure's help only that part of its file is run which the declaration names
    (:mod:`bench.settings.source`), so that options should need neither pandas nor matplotlib.
    """

    summary: str  # one line for the list, without a full stop
    example: str
    draw: Callable[[argparse.Namespace, Mapping[str, Any]], Figure]  # from parsed options and the run's manifest
    add_options: Callable[[argparse.ArgumentParser], None] = lambda _parser: None  # beside those of every figure
    reads: str = "sweep"  # the kind of run: or "training", or "" for a figure of theory alone
    table: str = "cells"  # of the run, whose rows are drawn: or "layers", "curves", or "table.csv" of a comparison
    file: Callable[[argparse.Namespace], str] | None = None  # what it is saved as by default, if not NAME.png
