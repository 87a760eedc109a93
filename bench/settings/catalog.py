"""Names and their lines, read from where they are defined without running it: help and ``list`` need no JAX."""

from __future__ import annotations

import ast
from functools import cache

from bench.settings.source import assigned


@cache
def catalog(module: str, entries: str) -> dict[str, str]:
    """Name → line of every entry ``Entry("name", "line", …)`` of the tuple ``entries`` in the source of ``module``."""
    match assigned(module, entries):
        case ast.Tuple(elts=found):
            return dict(_name_and_line(entry) for entry in found)
    raise LookupError(f"{module} defines no {entries}")


def _name_and_line(entry: ast.AST) -> tuple[str, str]:
    assert isinstance(entry, ast.Call)
    name, line = (ast.literal_eval(argument) for argument in entry.args[:2])
    return name, line


def initializers() -> dict[str, str]:
    """What :data:`bench.INITIALIZERS` holds."""
    return catalog("bench.networks.initializers", "_INITIALIZERS")


def activations() -> dict[str, str]:
    """What :data:`bench.ACTIVATIONS` holds."""
    return catalog("bench.networks.activations", "_ACTIVATIONS")
