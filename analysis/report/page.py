"""The whole page: parts of runs in one file, with everything in it that it needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from analysis.report.difference import difference
from analysis.report.plots import library
from analysis.report.run import part_of
from analysis.report.value import palettes
from bench.runs.files import write_whole

SCRIPTS = ("data", "map", "lines", "table", "save", "theme", "page")
IN_DATA = ("id", "map", "edges", "limits", "series")
ROOM = 0.9e6  # bytes of a run's data: with the library, the pictures and the words its page stays below 3 MB
ALL_ROOM = 2.7e6
VERDICTS = {
    "pass": "#b8d8b8",
    "fail": "#d55e00",
    "mean field": "#b3cde3",
    "no theory": "#d9d9d9",
    "gated": "#f7f7f7",
    "zero": "#8c8c8c",
    "undefined": "#ebebeb",
}


def write_page(folders: Sequence[Path], target: Path, *, theory: bool = True, written: str = "") -> None:
    """The page of these runs as one file at ``target``, all of it or nothing.

    theory: whether each cell is held against theory, which is most of the time. Raises LoadError for a folder that is no
    run, and OSError where nothing can be written.
    """
    room = min(ROOM, ALL_ROOM / len(folders))
    parts = [part_of(folder, number, room, theory=theory) for number, folder in enumerate(folders)]
    between = [difference(parts[0], part, number, room) for number, part in enumerate(parts[1:], 1)]
    # of two runs it is worth saying that they have nothing in common, of many it is not
    parts += [part for part in between if part["map"] or len(folders) == 2]
    write_text(render(parts, written=written), target)


def write_text(text: str, target: Path) -> None:
    """All of it or nothing. Raises OSError."""
    write_whole(target, lambda path: path.write_text(text, encoding="utf-8"))


def render(
    parts: Sequence[Mapping[str, Any]],
    *,
    written: str,
    template: str = "page.html",
    scripts: Sequence[str] = SCRIPTS,
    **given: Any,
) -> str:
    """HTML. Whatever stands in a name is text there: the template escapes it, and in the data no ``<`` is left.

    given: what another template asks for.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, loader=FunctionLoader(_asset))
    page, runs = environment.get_template(template), [part for part in parts if part["made"]]
    data = {
        "palettes": palettes(),
        "plots": {target: plot for part in parts for target, plot in part["plots"].items()},
        "runs": [{name: part.get(name) for name in IN_DATA} for part in parts],
    }
    return page.render(
        title=given.pop("title", ", ".join(part["name"] for part in runs)),
        runs=[{"heading": part["name"] if len(runs) > 1 else "What came out", **part} for part in parts],
        written=written,
        verdicts=VERDICTS,
        style=Markup(_asset("page.css")),  # noqa: S704
        data=Markup(_in_script(data)),  # noqa: S704
        library=Markup(library()),  # noqa: S704
        script=Markup("\n".join(_asset(f"{name}.js") for name in scripts)),  # noqa: S704
        **given,
    )


def _in_script(data: Any) -> str:
    """JSON that ends no script element, whatever strings are in it."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _asset(name: str) -> str:
    return resources.files("analysis.report").joinpath("assets", name).read_text(encoding="utf-8")
