"""Names and their lines, read from where they are defined without running it: help and ``list`` need no JAX."""

from __future__ import annotations

import ast
from functools import cache
from importlib.util import find_spec


@cache
def catalog(module: str, entries: str) -> dict[str, str]:
    """Name → line of every entry ``Entry("name", "line", …)`` of the tuple ``entries`` in the source of ``module``."""
    spec = find_spec(module)
    source = getattr(spec and spec.loader, "get_source", lambda _: None)(module)
    for node in ast.parse(source or "").body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [entries]:
            return dict(_name_and_line(entry) for entry in getattr(node.value, "elts", ()))
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
