"""Writes docs/api.md, one line for each public name, from the docstrings: ``python docs/api.py``, or ``make api``."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import analysis.figures
import bench
import bench.theory

PAGE = Path(__file__).with_suffix(".md")
HEAD = """# What can be called

One line for each public name, made from its docstring by `make api`, which also writes whole pages, with arguments and
errors, to `build/api/index.html`.
"""


def page() -> str:
    """The page as it should be."""
    figures = [importlib.import_module(f"analysis.figures.{module.name}") for module in _modules(analysis.figures)]
    plots = {
        f"{each.__name__}.{name}": getattr(each, name) for each in figures for name in sorted(vars(each)) if _own(each, name)
    }
    parts = [
        ("`import bench`", {f"bench.{name}": getattr(bench, name) for name in bench.__all__ if name != "theory"}),
        ("`from bench import theory`", {f"theory.{name}": getattr(bench.theory, name) for name in bench.theory.__all__}),
        ("Figures, on axes of your own", plots),
    ]
    return HEAD + "".join(f"\n## {title}\n\n{_table(names)}" for title, names in parts)


def _modules(package: ModuleType) -> list[pkgutil.ModuleInfo]:
    return list(pkgutil.iter_modules(package.__path__))


def _own(module: ModuleType, name: str) -> bool:
    return name.startswith("plot_") and getattr(module, name).__module__ == module.__name__


def _table(names: dict[str, Any]) -> str:
    rows = "".join(f"| `{name}` | {_summary(found)} |\n" for name, found in names.items())
    return f"| name | what it is |\n|---|---|\n{rows}"


def _summary(found: Any) -> str:
    """The first paragraph of a docstring."""
    if inspect.isclass(found) or inspect.isroutine(found) or not hasattr(found, "items"):
        text = inspect.getdoc(found) or ""
        first = " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")
        return re.sub(r":\w+:(?=`)", "", first).replace("``", "`")
    return "A table by name: `depthscale list`."


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
