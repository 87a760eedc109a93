"""What a command of the command line is."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from matplotlib.figure import Figure


class Command(NamedTuple):
    """A figure: what it shows, how it is drawn, its options, an example, and the kind of run that it reads, if any."""

    summary: str
    draw: Callable[[argparse.Namespace, Mapping[str, Any]], Figure]
    add_options: Callable[[argparse.ArgumentParser], None]
    example: str
    reads: str = "sweep"  # or "training", or "" for a figure of theory alone
