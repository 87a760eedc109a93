"""Compare initializations from Python: ``bench.compare``."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from bench.comparison.arguments import check_isometry_seeds, check_rank_by
from bench.interface.measuring import run, settings_of
from bench.interface.run import Run
from bench.sweeps.presets import PRESETS
from bench.sweeps.sweep import Sweep


def compare(
    what: Sweep | Run | str | os.PathLike[str],
    *,
    results: str | os.PathLike[str] = "results",
    name: str | None = None,
    progress: bool = True,
    overwrite: bool = False,
    isometry_seeds: int = 4,
    rank_by: str = "slope",
    write: bool = False,
) -> pd.DataFrame:
    """Initializations ranked for each activation, with intervals and theory: the table of ``depthscale compare``.

    what: a sweep or the name of a preset, which is measured in ``results/name`` first, at depth 2 too and without layers
    (the other arguments are those of :func:`bench.run`; its name is ``PRESET-compare``, or ``compare``); or a finished run,
    or its path, which is taken as it is. isometry_seeds: of how many of its seeds the Jacobian is looked at (0: none);
    rank_by: slope, imbalance, relative_imbalance, spread or dead; write: also write ``table.csv``, ``table.md`` and
    ``table.tex`` into the run's folder, as the command does, where ``run.plot.compare()`` finds them. Columns:
    :func:`bench.comparison.compare.compare` and :func:`bench.comparison.isometry.add_isometry`.

    Raises ValueError, in one line, for what cannot be compared, and what :func:`bench.run` raises.
    """
    from bench.comparison.of_run import compare_run, default_name, to_compare, write_comparison  # JAX takes a while

    check_isometry_seeds(isometry_seeds)
    check_rank_by(rank_by)
    named_none = isinstance(what, str) and not Path(what).exists()  # neither: the nearest preset is told
    if isinstance(what, Sweep) or what in PRESETS or named_none:
        sweep, named = settings_of(what, Sweep, PRESETS, "sweep")
        named = default_name("compare" if isinstance(what, Sweep) else named)
        where = {"results": results, "name": named if name is None else name}
        folder = run(to_compare(sweep), **where, progress=progress, overwrite=overwrite).path
        argument = "results"
    else:
        folder, argument = Path(what), "run"
    table = compare_run(folder, isometry_seeds=isometry_seeds, rank_by=rank_by, progress=progress)
    if write:
        write_comparison(table, folder, argument)
    return table
