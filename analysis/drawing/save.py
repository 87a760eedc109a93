"""Figures to disk: whole or not at all, and the same bytes for the same figure."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from analysis.drawing.style import DPI, STYLE

# Dates would make every file differ from the last; the rest of the metadata is matplotlib's own.
FORMATS: Mapping[str, dict[str, Any]] = MappingProxyType(
    {".png": {}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
)


class SaveError(ValueError):
    """A file that cannot be written: its one line names it, the reason, and what is accepted."""


def check_path(path: str | os.PathLike[str]) -> Path:
    """The path, if a figure can go there. Raises :class:`SaveError` before anything is drawn."""
    checked = Path(path)
    if checked.suffix.lower() not in FORMATS:
        raise SaveError(f"got {str(path)!r}, expected a file that ends in {', '.join(FORMATS)}")
    if checked.is_dir():
        raise SaveError(f"got {str(path)!r}, expected a file, not a folder")
    if not checked.parent.is_dir():
        raise SaveError(f"got {str(path)!r}, expected a file in a folder that exists; {str(checked.parent)!r} does not")
    if not os.access(checked.parent, os.W_OK | os.X_OK):
        raise SaveError(f"got {str(path)!r}, expected a file in a folder that can be written; choose another with --out")
    return checked


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure as png (300 dpi), pdf or svg by the ending, under a temporary name and then renamed.

    Returns the path. Raises :class:`SaveError` for another ending or a place that cannot be written.
    """
    target = check_path(path)
    ending = target.suffix.lower()
    temporary = target.with_name(f".writing-{os.getpid()}-{target.name}")
    try:
        with mpl.rc_context(STYLE):
            figure.savefig(temporary, format=ending[1:], dpi=DPI, metadata=FORMATS[ending])
        os.replace(temporary, target)
    except OSError as error:
        raise SaveError(f"got {str(path)!r}, which cannot be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return target
