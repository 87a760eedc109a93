"""The papers that there are: every file of ``analysis/papers`` that declares one; and a reader's own."""

from __future__ import annotations

import ast
import pkgutil
from collections.abc import Iterable
from importlib import import_module
from typing import Any, NamedTuple

import analysis.papers
from analysis.papers.own import told
from analysis.papers.paper import Paper
from bench.settings.errors import UsageError
from bench.settings.registry import describe
from bench.settings.source import assigned
from bench.settings.suggestions import nearest

DECLARED = "PAPER"


class Reference(NamedTuple):
    """What the list of papers tells of one."""

    authors: str
    year: int
    title: str
    arxiv: str


def references() -> dict[str, Reference]:
    """Every paper by its name, the oldest first; read from the sources: what papers import takes longer than a list may."""
    found = {}
    for module in pkgutil.iter_modules(analysis.papers.__path__, f"{analysis.papers.__name__}."):
        match assigned(module.name, DECLARED):
            case ast.Call(keywords=keywords):
                written = {word.arg: word.value for word in keywords}
                texts: Any = {name: ast.literal_eval(written[name]) for name in Reference._fields if name in written}
                found[module.name.rpartition(".")[2]] = Reference(**({"arxiv": ""} | texts))
    return dict(sorted(found.items(), key=lambda item: (item[1].year, item[0])))


def load(name: str) -> Paper:
    """The paper of that name. Raises UsageError."""
    known = references()
    if name not in known:
        raise UsageError(f"NAME: got {name!r}, expected one of {', '.join(known)}{nearest(name, known)}")
    return getattr(import_module(f"{analysis.papers.__name__}.{name}"), DECLARED)


def load_all_own(modules: Iterable[str]) -> list[Paper]:
    """The papers of a reader's modules. Raises UsageError as :func:`load_own`, and for two of one name."""
    found: dict[str, Paper] = {}
    for module in dict.fromkeys(modules):
        paper = load_own(module)
        if paper.name in found:
            raise UsageError(
                f"papers: got {module!r}, expected a name of its own: {paper.name} is the paper of another module"
            )
        found[paper.name] = paper
    return list(found.values())


def load_own(module: str) -> Paper:
    """The paper of a reader's module, which tells in one line what of it fails. Raises UsageError."""
    accepted = f"a module that can be imported and has a {DECLARED} = Paper(…)"
    try:
        paper = getattr(import_module(module), DECLARED, None)
    except (Exception, SystemExit) as error:  # a reader's module may fail in any way
        raise UsageError(f"papers: got {module!r}, expected {accepted} ({describe(error)})") from error
    if not isinstance(paper, Paper):
        raise UsageError(f"papers: got {module!r}, expected {accepted}")
    if paper.name in references():
        raise UsageError(f"papers: got {module!r}, expected a name of its own: {paper.name} is one of the suite's papers")
    return told(paper, module)
