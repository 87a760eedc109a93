"""Figures to disk: whole or not at all, the same bytes for the same figure, and with a note of where it comes from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from analysis.drawing.labels import printable
from analysis.drawing.style import DPI, STYLE
from analysis.drawing.target import FORMATS, SaveError, check_path
from bench.runs.files import write_whole


@contextmanager
def _laid_out(figure: Figure) -> Iterator[None]:
    """The figure's layout at the resolution of files, made once: savefig would draw everything twice for it."""
    engine, dpi = figure.get_layout_engine(), figure.dpi
    if engine is None:
        yield
        return
    figure.set_dpi(DPI)
    try:
        engine.execute(figure)
        figure.set_layout_engine(None)  # "none" would leave one that does nothing, and be drawn for
        yield
    finally:
        figure.set_layout_engine(engine)
        figure.set_dpi(dpi)


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
        with mpl.rc_context(STYLE), _laid_out(figure):
            figure.savefig(temporary, format=ending[1:], dpi=DPI, metadata=metadata)

    try:
        write_whole(target, write)
    except OSError as error:
        raise SaveError(f"got {str(path)!r}, which cannot be written: {error.strerror or error}") from error
    return target
