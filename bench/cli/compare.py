"""``python -m bench compare``: rank initializations, with theory beside every number."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from bench.cli.options import SWEEP, add_options_for, add_run_options, one_number, overrides_from, preset_of
from bench.settings.errors import SweepError, UsageError
from bench.settings.presets import defaults_of
from bench.sweeps.presets import PRESETS
from bench.sweeps.sweep import Sweep

HELP = "rank initializations for each activation, with intervals and theory"
DESCRIPTION = (
    "Run a sweep over initializers and activations (or take a finished run with --from) and write one row for each into "
    "table.csv, table.md and table.tex in the run's folder: decades of gradient per layer with a 95 % interval over seeds, "
    "theory's prediction and verdict, usable depths, layer imbalance, spread, isometry of the input-output Jacobian, and "
    "the rank, shared where schemes cannot be told apart. The run's folder is the last line printed."
)
EPILOG = "example: depthscale compare --run mine --initializers he_normal orthogonal lsuv --activations relu gelu"
PRESET = "compare"
OPTIONS = {field: option for field, option in SWEEP.items() if field != "loss"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_run_options(parser, PRESETS, f" (default: {PRESET})")
    parser.add_argument("--from", dest="taken", metavar="RUN_DIR", help="compare a finished run's cells instead of running")
    add_options_for(parser, OPTIONS, {**defaults_of(Sweep), **PRESETS[PRESET].written})
    parser.add_argument(
        "--isometry-seeds", metavar="COUNT", default="4", help="seeds of the Jacobians; 0: none (default: 4)"
    )
    parser.add_argument("--resamples", metavar="COUNT", default="9999", help="bootstrap resamples (default: 9999)")
    parser.add_argument(
        "--columns",
        nargs="+",
        metavar="NAME",
        help="of table.csv, what table.md, table.tex and the terminal show; all: every one (default: all in table.md, and in "
        "the others what fits on a page)",
    )


def main(arguments: argparse.Namespace) -> None:
    """Run it. Raises SweepError, RunError and CompareError."""
    seeds, resamples = (_count(name, getattr(arguments, name), *limits) for name, limits in _COUNTS.items())
    from bench.cli.surroundings import configure_jax
    from bench.comparison.columns import check_columns
    from bench.comparison.compare import compare, load_cells
    from bench.comparison.isometry import add_isometry
    from bench.comparison.tables import as_text, write_table

    columns = check_columns(arguments.columns)
    configure_jax(compilation_cache=arguments.compilation_cache)
    sweep, folder = _finished(arguments) if arguments.taken is not None else _measured(arguments)
    table = compare(load_cells(folder), loss=sweep.loss, rng=sweep.key, resamples=resamples)
    table = add_isometry(table, sweep, seeds=min(seeds, sweep.seeds))
    try:
        write_table(table, folder, columns)
    except OSError as error:
        argument = "from" if arguments.taken else "results"
        raise UsageError(f"{argument}: {folder} cannot be written: {error.strerror}") from error
    print(as_text(table, "simple", columns))
    print(folder)


_COUNTS = {"isometry_seeds": (0, 1_000), "resamples": (1_000, 1_000_000)}


def _count(name: str, text: str, least: int, most: int) -> int:
    number = one_number(name, text, whole=True)
    if not least <= number <= most:
        raise SweepError(name, text, f"a whole number ≥ {least} and ≤ {most}")
    return int(number)


def _measured(arguments: argparse.Namespace) -> tuple[Sweep, Path]:
    """What was asked for, measured to compare."""
    from bench.sweeps.runner import run

    name = arguments.preset or PRESET
    sweep = replace(preset_of(PRESETS, name).sweep, **overrides_from(arguments, OPTIONS), layers=False)
    if max(sweep.depths) == 2:
        raise SweepError("depths", max(sweep.depths), "a depth above 2, to measure a slope to")
    sweep = replace(sweep, depths=(2, *sweep.depths))
    run_name = arguments.run if arguments.run is not None else name
    return sweep, Path(run(sweep, results=arguments.results, name=run_name, progress=not arguments.quiet))


def _finished(arguments: argparse.Namespace) -> tuple[Sweep, Path]:
    """The run that was given. Raises SweepError for options beside it and UsageError for what is no finished run."""
    for name in (*OPTIONS, "preset", "run"):
        if (given := getattr(arguments, name, None)) is not None:
            raise SweepError(name, given, "nothing beside --from, which takes a run as it is")
    folder = Path(arguments.taken)
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        finished, sweep = manifest["finished"], Sweep.from_dict(manifest["sweep"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"from: got {str(folder)!r}, expected a run's folder ({error})") from error
    if not finished:
        raise UsageError(f"from: got {str(folder)!r}, which is not finished; run its sweep again first")
    return sweep, folder
