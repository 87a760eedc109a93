"""The options that are fields of a sweep or a training, each written once, and the fields that were given."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from bench.settings.defaults import PLAIN
from bench.settings.errors import SweepError
from bench.settings.presets import Preset
from bench.settings.ranges import RANGED, parse
from bench.settings.suggestions import nearest
from bench.terminal.parser import flag
from bench.terminal.streams import note

P = TypeVar("P", bound=Preset)

NUMBERS = "numbers and ranges: 2 10 150 or 2,10,150; 0.5:1.5:41 (41 evenly spaced, ends included)"
# fields that hold one number → whether it is whole
NUMBER = {
    "seeds": True,
    "key": True,
    "steps": True,
    "batch": True,
    "length": True,
    "clip": False,
    "depth": True,
    "width": True,
    "loss_scale": False,
}


def _several(metavar: str, words: str) -> dict[str, Any]:
    return {"nargs": "+", "metavar": metavar, "help": words}


def _one(metavar: str, words: str) -> dict[str, Any]:
    return {"metavar": metavar, "help": words}


NETWORKS: dict[str, dict[str, Any]] = {
    "initializers": _several("NAME", "schemes (depthscale list), or package.module:init"),
    "activations": _several("NAME", "activations, or package.module:function"),
    "depths": _several(
        "N", f"numbers of weight matrices, readout included, each ≥ 2; {NUMBERS}; 2:852:32log (32 log-spaced)"
    ),
    "scales": _several("S", "factors on the drawn weights, each ≥ 0; numbers and ranges"),
    "widths": _several("N", "neurons in every layer, each ≥ 1; numbers and ranges"),
    "bias_stds": _several("S", "standard deviations of the biases, each ≥ 0; 0 is no bias"),
    "seeds": _one("COUNT", "how many independent networks"),
    "key": _one("KEY", "the root of all randomness, a whole number"),
    "dtype": _one("DTYPE", "float32 or float64"),
    "precision": _one("BITS", "what products multiply on devices that can: full, tf32 or bfloat16"),
}
SWEEP: dict[str, dict[str, Any]] = NETWORKS | {
    "architectures": _several("NAME", "blocks: residual, pre_layernorm, transformer:heads=4 …, or package.module:block"),
    "batch": _one("COUNT", "examples that a block sees, where it is not plain"),
    "length": _one("COUNT", "positions of each example, where a block is not plain"),
    "input_norms": _several("R", "lengths of the input in units of √n, each > 0; numbers and ranges"),
    "correlations": _several("C", "also measure the angle of two inputs with these correlations, each -1 to 1, into pairs/"),
    "loss": _one("LOSS", "output (y itself) or mse ((y - 1)² / 2)"),
}
PRECISION: dict[str, dict[str, Any]] = {
    "formats": _several("FORMAT", "number formats: float16 bfloat16 tf32 float8_e5m2 …"),
    "loss_scale": _one("SCALE", "a power of two that the loss is multiplied by, in the formats"),
    **SWEEP,
}
TRAINING: dict[str, dict[str, Any]] = {
    "task": _one("TASK", "digits, teacher, saxe or noise, with arguments: teacher:hidden=64,inputs=32"),
    **NETWORKS,
    "optimizers": _several(
        "NAME", "by optax's name, with arguments: sgd momentum adamw:weight_decay=0.01 (depthscale list)"
    ),
    "learning_rates": _several("RATE", "each ≥ 0; numbers and ranges: 0.001:1:4log"),
    "readout_learning_rates": _several(
        "RATE", "of the readout alone, each with each of --learning-rates; none: as the other layers"
    ),
    "schedule": _one("NAME", "constant, or warmup_cosine:warmup=0.1,end=0 (shares of steps and of the rate)"),
    "clip": _one("NORM", "global norm to which gradients are clipped; 0: not at all"),
    "steps": _one("COUNT", "of gradient descent"),
    "batch": _one("COUNT", "examples in a step; all of them where there are no more"),
    "architectures": _several("NAME", "blocks between input layer and readout, as of a sweep (depthscale list)"),
    "length": _one("COUNT", "pieces that the input is cut into, one a position, where a block is not plain"),
    "loss": _one("LOSS", "cross_entropy, or mse (½ ‖y - target‖²)"),
    "target": _one("TARGET", "what counts as learned: accuracy=0.9 or loss=0.1"),
}


def add_options_for(
    parser: argparse.ArgumentParser, options: Mapping[str, Mapping[str, Any]], defaults: Mapping[str, Any]
) -> None:
    """An option for each field, with its default in its help."""
    for field, option in options.items():
        default = defaults[field]
        shown = (" ".join(map(str, default)) or "none") if isinstance(default, tuple) else default
        parser.add_argument(flag(field), **{**option, "help": f"{option['help']} (default: {shown})"})


def add_run_options(parser: argparse.ArgumentParser, presets: Iterable[str], otherwise: str) -> None:
    """Which preset, where a run goes, what it tells, and the compilation cache."""
    parser.add_argument("preset", nargs="?", metavar="PRESET", help=f"{', '.join(presets)}{otherwise}")
    parser.add_argument("--run", metavar="NAME", help="the run's folder, by default named after the preset")
    parser.add_argument("--results", metavar="DIR", default="results", help="where runs live (default: results)")
    parser.add_argument("--overwrite", action="store_true", help="remove an old run of that name first")
    parser.add_argument("--quiet", action="store_true", help="no progress and no summary on standard error")
    parser.add_argument(
        "--compilation-cache",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="keep compiled programs in the user's cache folder",
    )


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """What a run may take, and whether it is only to be told."""
    parser.add_argument(
        "--dry-run", action="store_true", help="run nothing: print cells, arithmetic, time, memory and disk as estimated"
    )
    parser.add_argument(
        "--max-memory", metavar="SIZE", help="refuse a run that would take more: 4GB, 500MB (default: what there is)"
    )


def add_plain_only(parser: argparse.ArgumentParser) -> None:
    """The option of architectures where only plain networks are known: in no help, and told what answers for others."""
    parser.add_argument("--architectures", nargs="+", help=argparse.SUPPRESS)


def check_plain(arguments: argparse.Namespace, otherwise: Callable[[Sequence[str]], str]) -> None:
    """Raises SweepError for other networks than plain ones; ``otherwise``: what answers for these."""
    if others := [name for name in arguments.architectures or () if name != PLAIN]:
        raise SweepError(
            "architectures",
            others[0],
            f"{PLAIN}, which is all that {arguments.command} knows; for others: {otherwise(others)}",
        )


def say_next(arguments: argparse.Namespace, figure: str, folder: object) -> None:
    """The command to try next, unless nothing is to be said."""
    if not arguments.quiet:
        plot = "depthscale plot" if arguments.prog == "depthscale" else "python -m analysis"
        note(f"next: {plot} {figure} {shlex.quote(str(folder))}")


def overrides_from(arguments: argparse.Namespace, options: Iterable[str]) -> dict[str, Any]:
    """The fields that were given, as values. Raises SweepError."""
    overrides: dict[str, Any] = {}
    for field in options:
        given = getattr(arguments, field, None)
        if given is None:
            continue
        if field in RANGED:
            given = [number for token in given for number in parse(field, token, whole=RANGED[field])]
        elif field in NUMBER:
            given = one_number(field, given, whole=NUMBER[field])
        overrides[field] = given
    return overrides


def one_number(field: str, text: str, *, whole: bool) -> float:
    """The number that is written so, and not several. Raises SweepError."""
    number, *more = parse(field, text, whole=whole)
    if more:
        raise SweepError(field, text, "one number")
    return number


def preset_of(presets: Mapping[str, P], name: str) -> P:
    """The preset of that name. Raises SweepError for one that is not known."""
    if name not in presets:
        raise SweepError("preset", name, f"one of {', '.join(presets)}{nearest(name, presets)}")
    return presets[name]
