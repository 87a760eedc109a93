"""``--dry-run``: what a run would cost, and what lies where it would go."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from bench.sweeps.sweep import Sweep
from bench.terminal.streams import note
from bench.training.training import Training


def tell_plan(arguments: argparse.Namespace, what: Sweep | Training, name: str, kind: str) -> None:
    """Print the estimate; a note says what the folder holds instead of that run.

    Raises RunError for a name or a folder that no run can have, and SweepError for a run that does not fit.
    """
    from bench.interface.planning import contents_of, plan
    from bench.runs.errors import RunError
    from bench.runs.place import check_place, check_writable

    folder = Path(arguments.results) / name
    check_place(arguments.results, name)
    check_writable(folder)
    print(replace(plan(what, max_memory=arguments.max_memory), kind=kind))
    if not arguments.overwrite:
        try:
            contents_of(what).begun_in(folder)
        except RunError as error:
            note(f"it would be refused: {error.told}")
