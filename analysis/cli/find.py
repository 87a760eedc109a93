"""The figures that there are: every file of ``analysis/figures`` that declares one, without what it draws with."""

from __future__ import annotations

import ast
import pkgutil
from importlib import import_module
from typing import Any, NamedTuple

import analysis.figures
from analysis.drawing.command import Command
from bench.settings.source import assigned, evaluate

DECLARED = "FIGURE"


class Outline(NamedTuple):
    """What the list of figures tells of one."""

    summary: str
    example: str


def outlines() -> dict[str, Outline]:
    """Every figure by its name, read from the sources: the libraries that figures import take longer than a help may."""
    found = {}
    for module in pkgutil.iter_modules(analysis.figures.__path__, f"{analysis.figures.__name__}."):
        declared = _declared(module.name)
        if declared:
            strings = {field: ast.literal_eval(declared[field]) for field in Outline._fields}
            found[module.name.rpartition(".")[2].replace("_", "-")] = Outline(**strings)
    return found


def load(name: str) -> Command:
    """The figure of that name, as its file declares it; the file is imported when it draws, which takes time."""
    module = f"{analysis.figures.__name__}.{name.replace('-', '_')}"

    def draw(*given: Any) -> Any:
        return getattr(import_module(module), DECLARED).draw(*given)

    return Command(
        draw=draw, **{field: evaluate(module, value) for field, value in _declared(module).items() if field != "draw"}
    )


def _declared(module: str) -> dict[str, ast.expr]:
    """The arguments that a module declares its figure with; none if it declares none."""
    match assigned(module, DECLARED):
        case ast.Call(keywords=keywords):
            return {word.arg: word.value for word in keywords if word.arg}
    return {}
