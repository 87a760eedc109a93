"""``python -m bench compare``: rank initializations, with theory beside every number."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.cli.executing import add_executor_options, executor_from
from bench.cli.options import (
    SWEEP,
    add_options_for,
    add_plan_options,
    add_run_options,
    one_number,
    overrides_from,
    preset_of,
    say_next,
)
from bench.cli.planned import tell_plan
from bench.comparison.arguments import check_isometry_seeds, check_rank_by
from bench.settings.errors import UsageError, shown
from bench.settings.presets import defaults_of
from bench.sweeps.presets import PRESETS
from bench.sweeps.sweep import Sweep
from bench.terminal.streams import note

HELP = "rank initializations for each activation, with intervals and theory"
DESCRIPTION = (
    "Run a sweep over initializers and activations (or take a finished run with --from) and write one row for each into "
    "table.csv, table.md and table.tex in the run's folder: decades of gradient per layer with a 95 % interval over seeds, "
    "theory's prediction and verdict, usable depths, layer imbalance, spread, isometry of the input-output Jacobian, and "
    "the rank, 1 + the number of schemes that are shown to be better. The run's folder is the last line printed."
)
EPILOG = "example: depthscale compare --run mine --initializers he_normal orthogonal lsuv --activations relu gelu"
PRESET = "compare"
OPTIONS = {field: option for field, option in SWEEP.items() if field != "loss"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_run_options(parser, PRESETS, f" (default: {PRESET})")
    add_plan_options(parser)
    parser.add_argument("--from", dest="taken", metavar="RUN_DIR", help="compare a finished run's cells instead of running")
    add_options_for(parser, OPTIONS, {**defaults_of(Sweep), **PRESETS[PRESET].written})
    parser.add_argument(
        "--isometry-seeds", metavar="COUNT", default="4", help="seeds of the Jacobians; 0: none (default: 4)"
    )
    parser.add_argument(
        "--rank-by",
        metavar="NUMBER",
        default="slope",
        help="slope, imbalance, relative_imbalance, spread or dead; dead networks count before each (default: slope)",
    )
    parser.add_argument(
        "--columns",
        nargs="+",
        metavar="NAME",
        help="of table.csv, what table.md, table.tex and the terminal show; all: every one (default: all in table.md, and "
        "in the others what fits on a page)",
    )
    add_executor_options(parser)


def main(arguments: argparse.Namespace) -> None:
    """Run it. Raises UsageError."""
    seeds = check_isometry_seeds(one_number("isometry_seeds", arguments.isometry_seeds, whole=True))
    rank_by = check_rank_by(arguments.rank_by)
    overrides = overrides_from(arguments, OPTIONS)
    preset = preset_of(PRESETS, arguments.preset or PRESET)
    from bench.cli.surroundings import configure_jax

    executor = executor_from(arguments)
    configure_jax(compilation_cache=arguments.compilation_cache)
    from bench.comparison.columns import check_columns
    from bench.comparison.of_run import compare_run, write_comparison
    from bench.comparison.tables import as_text

    columns = check_columns(arguments.columns)
    taken = arguments.taken is not None
    folder = _given(arguments) if taken else _measured(arguments, preset.sweep, overrides, executor)
    if folder is None:
        return
    table = compare_run(folder, isometry_seeds=seeds, rank_by=rank_by, progress=not arguments.quiet)
    write_comparison(table, folder, "run" if taken else "results", columns)
    say_next(arguments, "compare", folder)
    print(as_text(table, "simple", columns))
    print(folder)


def _measured(arguments: argparse.Namespace, base: Sweep, overrides: Mapping[str, Any], executor: Any) -> Path | None:
    """The run of what was asked for, measured to compare; None where it was only planned. Raises SweepError and RunError."""
    from bench.comparison.of_run import asked_of, default_name, to_compare
    from bench.interface.planning import memory_of
    from bench.sweeps.runner import run

    asked, left_out = asked_of(base, overrides)
    for name in left_out:
        note(f"{name} is left out: it is normalized on data, which is for plain networks")
    sweep = to_compare(asked)
    run_name = arguments.run if arguments.run is not None else default_name(arguments.preset or PRESET)
    if arguments.dry_run:
        tell_plan(arguments, sweep, run_name, "comparison", executor)
        return None
    where = {"results": arguments.results, "name": run_name, "max_memory": memory_of(arguments.max_memory)}
    return Path(run(sweep, **where, progress=not arguments.quiet, overwrite=arguments.overwrite, executor=executor))


def _given(arguments: argparse.Namespace) -> Path:
    """The run that was given. Raises UsageError for options beside it."""
    for name in (*OPTIONS, "preset", "run", "overwrite", "dry_run", "max_memory"):
        value = getattr(arguments, name, None)
        if value not in (None, False):
            got = "it does not go" if value is True else f"got {shown(value)}, which does not go"
            raise UsageError(f"{name}: {got} with --from, which takes a run as it is")
    return Path(arguments.taken)
