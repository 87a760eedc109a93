"""``--dry-run``: what a run would cost, and what lies where it would go."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.sweeps.sweep import Sweep
from bench.terminal.streams import note
from bench.training.training import Training


def tell_plan(arguments: argparse.Namespace, what: Sweep | Training, name: str, kind: str, executor: Any) -> None:
    """Print the estimate; a note says what the folder holds already.

    Raises what the run would: RunError for a name or a folder that no run can have, one that holds something else, or that
    may not be overwritten, and SweepError for a run that does not fit, or that the executor refuses.
    """
    from bench.interface.planning import contents_of, plan
    from bench.runs.overview import overview
    from bench.runs.place import check_place, check_writable
    from bench.runs.removal import check_removable

    folder = Path(arguments.results) / name
    check_place(arguments.results, name)
    if arguments.overwrite:
        check_removable(arguments.results, name)
    check_writable(folder)
    estimate = replace(plan(what, max_memory=arguments.max_memory), kind=kind)
    with executor.ready(what.precision):
        begun = None if arguments.overwrite else contents_of(what).begun_in(folder)
        print(estimate)
    if begun is not None and (done := overview(folder).done):
        note(f"measured already: {done:,} of {estimate.chunks:,} chunks in {folder}")
