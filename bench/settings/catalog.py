"""Names and their lines, read from where they are defined without running it: help and ``list`` need no JAX."""

from __future__ import annotations

import ast
import pkgutil
from functools import cache
from importlib import import_module

from bench.settings.source import assigned, parsed


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


@cache
def makers(package: str, returned: str) -> dict[str, str]:
    """Name → first line of the docstring of every function of the package's modules that is said to return ``returned``."""
    found = {}
    for module in pkgutil.iter_modules(import_module(package).__path__):
        for statement in parsed(f"{package}.{module.name}").body:
            match statement:
                case ast.FunctionDef(name=name, returns=ast.Name(id=kind)) if kind == returned and not name.startswith("_"):
                    found[name] = (ast.get_docstring(statement) or "").partition("\n")[0]
    return found


def architectures() -> dict[str, str]:
    """What a block can be."""
    found = makers("bench.networks.architectures", "Architecture")
    return {name: found[name] for name in ["plain", *sorted(set(found) - {"plain", "architecture_of"})]}


def initializers() -> dict[str, str]:
    """What :data:`bench.INITIALIZERS` holds."""
    return catalog("bench.networks.initializers", "_INITIALIZERS")


def activations() -> dict[str, str]:
    """What :data:`bench.ACTIVATIONS` holds."""
    return catalog("bench.networks.activations", "_ACTIVATIONS")
