"""What a paper declares about itself, so that the gallery finds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.papers.claim import Claim, Frames, check_texts
from bench.settings.errors import shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES = (
    "smoke",
    "quick",
    "full",
)  # seconds, for tests; at most 90 s on 2 cores; what the paper had, as far as there is time

TEXTS = ("name", "authors", "title", "arxiv")  # of a reference


def _nothing(_: str) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A paper of the gallery, under the name of its file. A paper's file ends with ``PAPER = Paper(name="…", …)``.

    Strings are written out there: the list of all papers is read from the sources. runs: from a size of :data:`SIZES` to
    what is measured, a :func:`sweep`, :func:`training` or :func:`precision` by its label; computed: likewise, to frames that
    no run makes, of theory or of another function of the suite. plot: the figure, in the paper's own layout, from those
    frames. claims: what is measured again.
    """

    name: str
    authors: str
    year: int
    title: str
    arxiv: str = ""
    plot: Callable[[Frames], Figure]
    claims: tuple[Claim, ...]
    runs: Callable[[str], Mapping[str, Any]] = _nothing
    computed: Callable[[str], Mapping[str, Any]] = _nothing

    def __post_init__(self) -> None:
        check_texts(self, *TEXTS)
        if not isinstance(self.year, int):
            raise ValueError(f"year: got {shown(self.year)}, expected a whole number for {self.name!r}")
        if not self.name.isidentifier():
            raise ValueError(f"name: got {self.name!r}, expected one that files can have, such as he2015")
        names = [claim.name for claim in self.claims]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"claims: got {names}, expected one or more, each of a name of its own")


def sweep(**fields: Any) -> Any:
    """A :class:`bench.Sweep` of these fields, once it is asked for: what it checks itself with takes a while."""
    import bench

    return bench.Sweep(**fields)


def training(**fields: Any) -> Any:
    """A :class:`bench.Training`, likewise."""
    import bench

    return bench.Training(**fields)


def precision(**fields: Any) -> Any:
    """A :class:`bench.Precision`, likewise."""
    import bench

    return bench.Precision(**fields)


class FramesOf(dict):
    """The frames of a paper: those that were computed, and the tables of its runs, each read when it is first asked for."""

    def __init__(self, computed: Mapping[str, Any], folders: Mapping[str, Path]) -> None:
        super().__init__(computed)
        self.folders = folders

    def __missing__(self, key: str) -> Any:
        import bench

        label, _, table = key.partition(".")
        self[key] = getattr(bench.open(self.folders[label]), table or "cells")
        return self[key]
