"""Options that say what measures: this process, Ray or Slurm."""

from __future__ import annotations

import argparse
import re
from typing import Any

from bench.settings.errors import SweepError


def add_executor_options(parser: argparse.ArgumentParser) -> None:
    """What measures, and what it is told."""
    parser.add_argument(
        "--executor",
        metavar="NAME",
        default="local",
        help="what measures: local, ray or slurm; the same rows (default: local)",
    )
    parser.add_argument("--ray-address", metavar="ADDRESS", help="a cluster: auto, HOST:PORT (default: a Ray of its own)")
    parser.add_argument(
        "--slurm",
        nargs="+",
        metavar="KEY=VALUE",
        help="submitit's parameters, such as partition=gpu timeout_min=60 gpus_per_node=1; and jobs=16, at most so many",
    )


def _value(word: str) -> bool | int | float | str:
    """What was probably meant: Slurm's own values may be any words."""
    if word in ("true", "false"):
        return word == "true"
    if re.fullmatch(r"\d+\.\d+", word):
        return float(word)
    return int(word) if word.isdecimal() else word


def executor_from(arguments: argparse.Namespace) -> Any:
    """The executor that was asked for; JAX in this process leaves accelerators to others. Raises SweepError."""
    name, options = arguments.executor, {}
    for option, value, home in (("ray_address", arguments.ray_address, "ray"), ("slurm", arguments.slurm, "slurm")):
        if value is not None and name != home:
            raise SweepError(option, value, f"it beside --executor {home}")
    if arguments.ray_address is not None:
        options["address"] = arguments.ray_address
    for word in arguments.slurm or ():
        key, equals, value = word.partition("=")
        if not equals or not key.isidentifier() or not value or key in options:
            raise SweepError("slurm", word, "KEY=VALUE, each KEY once")
        options[key] = _value(value)
    from bench.runs.executors.executor import executor_of

    found = executor_of(name, **options)
    if name != "local":
        from bench.cli.surroundings import import_jax

        import_jax().config.update("jax_platforms", "cpu")
    return found
