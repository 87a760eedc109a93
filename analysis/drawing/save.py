"""Figures to disk: whole or not at all, the same bytes for the same figure, and with a note of where it comes from."""

from __future__ import annotations

import os
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from analysis.drawing.labels import printable
from analysis.drawing.style import DPI, STYLE
from analysis.drawing.target import FORMATS, SaveError, check_path
from bench.runs.files import write_whole


def save_figure(figure: Figure, path: str | os.PathLike[str], *, title: str = "", note: str = "") -> Path:
    """Write a figure as png (300 dpi), pdf or svg by the ending, all of it or nothing.

    title and note go into the file's metadata. Returns the path. Raises :class:`SaveError` for another ending or a place
    that cannot be written.
    """
    target = check_path(path)
    ending = target.suffix.lower()
    of_file = FORMATS[ending]
    given = {"Title": printable(title), of_file.note: printable(note)}
    metadata = {**of_file.without, **{name: text for name, text in given.items() if text}}

    def write(temporary: Path) -> None:
        with mpl.rc_context(STYLE):
            figure.savefig(temporary, format=ending[1:], dpi=DPI, metadata=metadata)

    try:
        write_whole(target, write)
    except OSError as error:
        raise SaveError(f"got {str(path)!r}, which cannot be written: {error.strerror or error}") from error
    return target
