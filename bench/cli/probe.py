"""``python -m bench probe``: a model of one's own, layer by layer."""

from __future__ import annotations

import argparse
from dataclasses import fields

from bench.cli.options import one_number, say_next
from bench.settings.errors import UsageError
from bench.terminal.parser import flag

HELP = "a model of your own, layer by layer: the exact size of every gradient, and what is wrong"
DESCRIPTION = (
    "Measure the gradient of every parameter of a model of your own (Flax, Equinox, Haiku or plain JAX), in floats whose "
    "exponent never ends: what vanishes, explodes, is dead, gated, disconnected, lost in its number format or not finite, "
    "which layer to look at first, and what usually mends it. make() returns (loss, params, args) with a "
    "loss(params, *args) that is one number; make(key) draws the model with that key. With --run, rows go to RESULTS/RUN, "
    "and the run's folder is the last line printed."
)
EPILOG = "example: depthscale probe mypackage.mymodule:make --run mine"
THRESHOLDS = {
    "per_layer": "decades of gradient per layer that are a trend, where the whole 95 %% interval is beyond",
    "apart": "decades that a gradient may be from those of the last layers; half of it where there is a trend",
    "large": "decades by which gradients may be larger than their weights",
    "small": "decades by which gradients may be smaller than their weights",
    "zeros": "share of a gradient's rows or columns that may be exactly zero",
    "lost": "share of its entries that may be below the smallest number of its format",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    from bench.probing.thresholds import Thresholds

    parser.add_argument("make", metavar="MODULE:MAKE", help="a function that returns (loss, params, args)")
    parser.add_argument("--run", metavar="NAME", help="the run's folder; without it nothing is written")
    parser.add_argument("--results", metavar="DIR", default="results", help="where runs live (default: results)")
    parser.add_argument("--overwrite", action="store_true", help="remove an old run of that name first")
    parser.add_argument("--quiet", action="store_true", help="no notes on standard error")
    parser.add_argument("--seeds", metavar="COUNT", default="1", help="draws of make(key): medians over them (default: 1)")
    parser.add_argument("--key", metavar="KEY", default="0", help="the root of their keys, a whole number (default: 0)")
    parser.add_argument(
        "--nonlinear",
        metavar="HOW",
        default="refuse",
        help="a backward pass that is not linear in its cotangent (it clips): refuse, or evaluate it (default: refuse)",
    )
    parser.add_argument(
        "--compilation-cache",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="keep compiled programs in the user's cache folder",
    )
    parser.add_argument(
        "--formats",
        nargs="+",
        metavar="FORMAT",
        default=[],
        help="what number formats make of the gradients: float16 bfloat16 float8_e5m2, or with arguments "
        "float16:loss_scale=dynamic float8_e4m3fn:gradients=float8_e5m2,scaling=mx,others=bfloat16",
    )
    for field in fields(Thresholds):
        words = f"{THRESHOLDS[field.name]} (default: {field.default:g})"
        parser.add_argument(flag(field.name), metavar="X", help=words)


def main(arguments: argparse.Namespace) -> None:
    """Run it. Raises UsageError."""
    from bench.cli.surroundings import configure_jax, quickly_compiled
    from bench.probing.thresholds import Thresholds
    from bench.settings.checks import LARGEST_COUNT, integer

    given = {name: getattr(arguments, name) for name in THRESHOLDS if getattr(arguments, name) is not None}
    thresholds = Thresholds.given({name: one_number(name, text, whole=False) for name, text in given.items()})
    seeds = integer("seeds", one_number("seeds", arguments.seeds, whole=True), at_least=1, at_most=LARGEST_COUNT)
    key = integer("key", one_number("key", arguments.key, whole=True), at_least=0, at_most=2**32 - 1)
    configure_jax(compilation_cache=arguments.compilation_cache)
    from bench.arithmetic.policy import policies
    from bench.arithmetic.pullbacks import check_choice
    from bench.probing.runner import check_place, probe_own, write
    from bench.probing.seeds import over_seeds

    check_choice(arguments.nonlinear)
    formats = policies(arguments.formats) if arguments.formats else ()
    if arguments.run is not None:
        check_place(arguments.results, arguments.run)
    elif arguments.overwrite:
        raise UsageError("overwrite: there is nothing to remove without --run")
    given = {"thresholds": thresholds, "nonlinear": arguments.nonlinear, "formats": formats}
    with quickly_compiled():
        reports, settings = probe_own(arguments.make, seeds=seeds, key=key, **given)
    if arguments.run is None:
        print(over_seeds(reports))
        return
    where = {"results": arguments.results, "name": arguments.run}
    folder = write(reports, settings, **where, overwrite=arguments.overwrite)
    say_next(arguments, "probe-formats" if formats else "probe", folder)
    print(over_seeds(reports))
    print(folder)
