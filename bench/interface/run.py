"""A run as an object: the path of its folder, its rows as frames, its comparison and its figures."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from bench.interface.about import as_html, as_text
from bench.interface.plots import Plots
from bench.runs.errors import RunError
from bench.runs.manifest import NAME, kind_of, no_run, one_line, read_manifest, run_around
from bench.runs.read import COLUMNS, load_rows


class Run:
    """A run on disk: its rows, its manifest and its figures, each read when it is asked for.

    It is a path too, of the run's folder, wherever one is expected: ``run / "cells"``, ``os.listdir(run)``, ``run.name``;
    two are equal where their paths are.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __fspath__(self) -> str:
        return os.fspath(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def __truediv__(self, part: str | os.PathLike[str]) -> Path:
        return self.path / part

    def __eq__(self, other: object) -> bool:
        return self.path == (other.path if isinstance(other, Run) else other)

    def __hash__(self) -> int:
        return hash(self.path)

    def __getattr__(self, name: str) -> Any:
        """Everything else that a path has, such as ``name``, ``parent`` and ``glob``."""
        if name.startswith("_") or name == "path":
            raise AttributeError(name)
        return getattr(self.path, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(name for name in dir(self.path) if not name.startswith("_"))})

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)

    @property
    def manifest(self) -> dict[str, Any]:
        """``sweep``, ``precision``, ``training`` or ``probe`` (its fields), plan, key, versions, device, git, start and end.

        Raises :class:`bench.RunError` for a folder that is no run.
        """
        return manifest_of(self.path)

    @property
    def kind(self) -> str:
        """``sweep``, ``precision``, ``training`` or ``probe``."""
        return kind_of(self.manifest)

    @property
    def cells(self) -> pd.DataFrame:
        """One row for each network. Raises ValueError where there are none yet."""
        return load_rows(self.path, self.kind, "cells")

    @property
    def layers(self) -> pd.DataFrame:
        """One row for each layer of a sweep, or parameter of a probe. Raises ValueError for a run without."""
        return self._rows("layers", "sweep", "precision", "probe")

    @property
    def pairs(self) -> pd.DataFrame:
        """One row for each network and correlation of two inputs. Raises ValueError for a run without."""
        return self._rows("pairs", "sweep", "precision")

    @property
    def formats(self) -> pd.DataFrame:
        """One row for each network and number format of a precision run, or format and parameter of a probe.

        Raises ValueError for a run without.
        """
        return self._rows("formats", "precision", "probe")

    @property
    def format_layers(self) -> pd.DataFrame:
        """One row for each hidden layer of each network in each number format. Raises ValueError for a run without."""
        return self._rows("format_layers", "precision")

    @property
    def curves(self) -> pd.DataFrame:
        """One row for each network that was trained and recorded step. Raises ValueError for a run without."""
        return self._rows("curves", "training")

    def _rows(self, table: str, *kinds: str) -> pd.DataFrame:
        """A table that only runs of these kinds have."""
        if (kind := self.kind) not in kinds:
            has = " and ".join(COLUMNS[kind])
            raise RunError(f"{table}: {self} is a {kind}, which has {has}; {table} are those of a {' or '.join(kinds)}")
        return load_rows(self.path, kind, table)

    @property
    def plot(self) -> Plots:
        """The figures of such a run, by name: ``run.plot.heatmap()``, ``run.plot.profile(ax=ax)``; ``dir(run.plot)``."""
        return Plots(self)

    def report(self, path: str | os.PathLike[str] | None = None, *, theory: bool = True) -> Path:
        """The run as one interactive page, at ``path``, by default ``report.html`` in its folder; returns where it is.

        theory: whether cells are held against theory, which takes most of the time.
        """
        target = self.path / "report.html" if path is None else Path(path)
        import_module("analysis.report.page").write_page([self.path], target, theory=theory)
        return target

    def compare(
        self, *, isometry_seeds: int = 4, rank_by: str = "slope", write: bool = False, progress: bool = True
    ) -> pd.DataFrame:
        """The run's initializations ranked, with intervals and theory; nothing is written unless ``write`` asks for it.

        Arguments and errors: :func:`bench.compare`.
        """
        from bench.interface.comparing import compare

        return compare(self, isometry_seeds=isometry_seeds, rank_by=rank_by, write=write, progress=progress)


def manifest_of(path: Path) -> dict[str, Any]:
    """A run's manifest. Raises :class:`bench.RunError` for a folder that is no run."""
    try:
        return read_manifest(path)
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"run: {no_run(path)}{run_around(path)}") from None
    except (OSError, ValueError) as error:
        raise RunError(f"run: {str(path / NAME)!r} cannot be read: {one_line(error)}") from error
