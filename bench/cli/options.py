"""What the commands share: the options that are fields of a sweep, and how JAX is set up."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax

from bench.settings.errors import SweepError
from bench.settings.ranges import parse
from bench.settings.registry import nearest
from bench.sweeps.presets import PRESETS
from bench.sweeps.sweep import Sweep
from bench.terminal.parser import flag

NUMBERS = "numbers and ranges: 2 10 150; 0.5:1.5:41 (41 evenly spaced, ends included)"
OPTIONS: dict[str, dict[str, Any]] = {
    "initializers": {"nargs": "+", "metavar": "NAME", "help": "schemes (python -m bench list), or package.module:init"},
    "activations": {"nargs": "+", "metavar": "NAME", "help": "activations, or package.module:function"},
    "depths": {
        "nargs": "+",
        "metavar": "N",
        "help": f"numbers of weight matrices, readout included, each ≥ 2; {NUMBERS}; 2:852:32log (32 log-spaced)",
    },
    "scales": {"nargs": "+", "metavar": "S", "help": "factors on the drawn weights, each ≥ 0; numbers and ranges"},
    "widths": {"nargs": "+", "metavar": "N", "help": "neurons in every layer, each ≥ 1; numbers and ranges"},
    "bias_stds": {"nargs": "+", "metavar": "S", "help": "standard deviations of the biases, each ≥ 0; 0 is no bias"},
    "seeds": {"metavar": "COUNT", "help": "how many independent networks"},
    "key": {"metavar": "KEY", "help": "the root of all randomness, a whole number"},
    "loss": {"metavar": "LOSS", "help": "output (y itself) or mse ((y - 1)² / 2)"},
    "dtype": {"metavar": "DTYPE", "help": "float32 or float64"},
}
# field → whole numbers only
NUMERIC = {
    "depths": True,
    "scales": False,
    "widths": True,
    "bias_stds": False,
    "learning_rates": False,
    "readout_learning_rates": False,
}
# fields that hold one
NUMBER = {"seeds": True, "key": True, "steps": True, "batch": True, "clip": False, "depth": True, "width": True}


def add_sweep_options(parser: argparse.ArgumentParser, base: Sweep, *, without: Sequence[str] = ()) -> None:
    """An option for each field of a sweep, with the defaults of ``base`` in its help."""
    add_options_for(parser, {field: options for field, options in OPTIONS.items() if field not in without}, base)


def add_options_for(parser: argparse.ArgumentParser, options: Mapping[str, dict[str, Any]], base: object) -> None:
    """An option for each field, with the defaults of ``base`` in its help."""
    for field, option in options.items():
        default = getattr(base, field)
        shown = " ".join(map(str, default)) if isinstance(default, tuple) else default
        parser.add_argument(flag(field), **{**option, "help": f"{option['help']} (default: {shown})"})


def add_run_options(parser: argparse.ArgumentParser, named: str) -> None:
    """Where a run goes, and the compilation cache."""
    parser.add_argument("--run", metavar="NAME", help=f"the run's folder; {named} by default")
    parser.add_argument("--results", metavar="DIR", default="results", help="where runs live (default: results)")
    parser.add_argument(
        "--compilation-cache",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="keep compiled programs in the user's cache folder",
    )


def overrides_from(arguments: argparse.Namespace, options: Iterable[str] = tuple(OPTIONS)) -> dict[str, Any]:
    """The fields that were given, as values. Raises SweepError."""
    overrides: dict[str, Any] = {}
    for field in options:
        given = getattr(arguments, field, None)
        if given is None:
            continue
        if field in NUMERIC:
            given = [number for token in given for number in parse(field, token, whole=NUMERIC[field])]
        elif field in NUMBER:
            given, *more = parse(field, given, whole=NUMBER[field])
            if more:
                raise SweepError(field, getattr(arguments, field), "one number")
        overrides[field] = given
    return overrides


def preset_sweep(name: str | None) -> Sweep:
    """A preset's sweep, or the default one. Raises SweepError for a name that is not known."""
    if name is None:
        return Sweep()
    if name not in PRESETS:
        raise SweepError("preset", name, f"one of {', '.join(PRESETS)}{nearest(name, PRESETS)}")
    return PRESETS[name].sweep


def sweep_from(arguments: argparse.Namespace, base: Sweep) -> Sweep:
    """``base`` with the overrides that were given. Raises SweepError."""
    return replace(base, **overrides_from(arguments))


def configure_jax(*, compilation_cache: bool) -> None:
    """One CPU device for each core, and a persistent compilation cache; what the user's environment sets, stays."""
    if "host_platform_device_count" not in os.environ.get("XLA_FLAGS", "") and "JAX_NUM_CPU_DEVICES" not in os.environ:
        with suppress(RuntimeError):  # JAX has started already, in a process that uses it for more than this command
            jax.config.update("jax_num_cpu_devices", len(os.sched_getaffinity(0)))
    if not compilation_cache:
        jax.config.update("jax_enable_compilation_cache", False)
    elif "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "depthscale"
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
