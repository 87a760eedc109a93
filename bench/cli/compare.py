"""``python -m bench compare``: rank initializations, with theory beside every number."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from bench.cli.options import OPTIONS, add_run_options, add_sweep_options, configure_jax, preset_sweep, sweep_from
from bench.comparison.compare import CompareError, compare, load_cells
from bench.comparison.isometry import add_isometry
from bench.comparison.tables import as_text, write_table
from bench.settings.errors import SweepError
from bench.settings.ranges import parse
from bench.sweeps.presets import PRESETS
from bench.sweeps.runner import run
from bench.sweeps.sweep import Sweep

HELP = "rank initializations for each activation, with intervals and theory"
DESCRIPTION = (
    "Run a sweep over initializers and activations (or take a finished run with --from) and write one row for each into "
    "table.csv, table.md and table.tex in the run's folder: decades of gradient per layer with a 95 % interval over seeds, "
    "theory's prediction and verdict, usable depths, layer imbalance, spread, isometry of the input-output Jacobian, and "
    "the rank, shared where schemes cannot be told apart. The run's folder is the last line printed."
)
EPILOG = "example: python -m bench compare --run mine --initializers he_normal orthogonal lsuv --activations relu gelu"
PRESET = "compare"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("preset", nargs="?", metavar="PRESET", help=f"{', '.join(PRESETS)} (default: {PRESET})")
    parser.add_argument("--from", dest="taken", metavar="RUN_DIR", help="compare a finished run's cells instead of running")
    add_run_options(parser, "the preset's name")
    add_sweep_options(parser, PRESETS[PRESET].sweep, without=("loss",))
    parser.add_argument(
        "--isometry-seeds", metavar="COUNT", default="4", help="seeds of the Jacobians; 0: none (default: 4)"
    )
    parser.add_argument("--resamples", metavar="COUNT", default="9999", help="bootstrap resamples (default: 9999)")


def main(arguments: argparse.Namespace) -> None:
    """Run it. Raises SweepError, RunError and CompareError."""
    configure_jax(compilation_cache=arguments.compilation_cache)
    seeds, resamples = (_count(name, getattr(arguments, name), least) for name, least in _COUNTS)
    if arguments.taken is not None:
        for name in (*OPTIONS, "preset", "run"):
            if getattr(arguments, name, None) is not None:
                raise SweepError(name, getattr(arguments, name), "nothing beside --from, which takes a run as it is")
        folder = Path(arguments.taken)
        sweep = _sweep_of(folder)
    else:
        sweep = replace(sweep_from(arguments, preset_sweep(arguments.preset or PRESET)), layers=False)
        if max(sweep.depths) == 2:
            raise SweepError("depths", max(sweep.depths), "a depth above 2, to measure a slope to")
        sweep = replace(sweep, depths=(2, *sweep.depths))
        name = arguments.run if arguments.run is not None else arguments.preset or PRESET
        folder = run(sweep, results=arguments.results, name=name)
    table = compare(load_cells(folder), loss=sweep.loss, rng=sweep.key, resamples=resamples)
    table = add_isometry(table, sweep, seeds=min(seeds, sweep.seeds))
    try:
        write_table(table, folder)
    except OSError as error:
        raise CompareError(f"{'from' if arguments.taken else 'results'}: {folder} cannot be written: {error}") from error
    print(as_text(table, "simple"))
    print(folder)


_COUNTS = (("isometry_seeds", 0), ("resamples", 1000))


def _count(name: str, text: str, least: int) -> int:
    numbers = parse(name, text, whole=True)
    if len(numbers) != 1 or numbers[0] < least:
        raise SweepError(name, text, f"a whole number ≥ {least}")
    return int(numbers[0])


def _sweep_of(folder: Path) -> Sweep:
    """The sweep of a finished run. Raises CompareError."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        finished, sweep = manifest["finished"], Sweep.from_dict(manifest["sweep"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CompareError(f"from: got {str(folder)!r}, expected a run's folder ({error})") from error
    if not finished:
        raise CompareError(f"from: got {str(folder)!r}, which is not finished; run its sweep again first")
    return sweep
