"""The figures that there are: every file of ``analysis/figures`` that declares one."""

from __future__ import annotations

import ast
import pkgutil
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import analysis.figures

if TYPE_CHECKING:
    from analysis.drawing.command import Command

DECLARED = "FIGURE"


class Outline(NamedTuple):
    """What the list of figures tells of one."""

    summary: str
    example: str


def outlines() -> dict[str, Outline]:
    """Every figure by its name, read from the sources: the libraries that figures import take longer than a help may."""
    found = {}
    for folder in analysis.figures.__path__:
        for module in pkgutil.iter_modules([folder]):
            declaration = _declaration(Path(folder, f"{module.name}.py"))
            if declaration is not None:
                strings = {word.arg: ast.literal_eval(word.value) for word in declaration if word.arg in Outline._fields}
                found[module.name.replace("_", "-")] = Outline(**strings)
    return found


def load(name: str) -> Command:
    """The figure of that name."""
    return getattr(import_module(f"{analysis.figures.__name__}.{name.replace('-', '_')}"), DECLARED)


def _declaration(path: Path) -> list[ast.keyword] | None:
    """The arguments that a file declares its figure with; None if it declares none."""
    if not path.is_file():
        return None
    for statement in reversed(ast.parse(path.read_text(encoding="utf-8")).body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(keywords=keywords)) if name == DECLARED:
                return keywords
    return None
