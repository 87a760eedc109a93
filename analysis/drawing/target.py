"""Where a figure can go: kinds of files, and what is refused before anything is drawn."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple


class Format(NamedTuple):
    """What a kind of file calls its note, and what of matplotlib's own is left out: dates would make every file differ."""

    note: str
    without: Mapping[str, Any] = MappingProxyType({})


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        ".png": Format("Description"),
        ".pdf": Format("Subject", {"CreationDate": None}),
        ".svg": Format("Description", {"Date": None}),
    }
)


class SaveError(ValueError):
    """A file that cannot be written: its one line names it, the reason, and what is accepted."""


def check_path(path: str | os.PathLike[str], endings: Iterable[str] = FORMATS) -> Path:
    """The path, if a file with one of these endings can go there. Raises :class:`SaveError` before anything is drawn."""
    checked = Path(path)
    if checked.suffix.lower() not in endings:
        raise SaveError(f"got {str(path)!r}, expected a file that ends in {', '.join(endings)}")
    try:
        os.lstat(checked)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:  # the name is too long, or goes round in a circle of links
        raise SaveError(f"got {str(path)[:60]!r}…, which cannot be a file: {error.strerror}") from error
    if checked.is_dir():
        raise SaveError(f"got {str(path)!r}, expected a file, not a folder")
    if not checked.parent.is_dir():
        raise SaveError(f"got {str(path)!r}, expected a file in a folder that exists; {str(checked.parent)!r} does not")
    if not os.access(checked.parent, os.W_OK | os.X_OK):
        raise SaveError(f"got {str(path)!r}, expected a file in a folder that can be written")
    return checked
