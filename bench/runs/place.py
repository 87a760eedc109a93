"""Where a run may lie, and what it may be called."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from bench.runs.errors import RunError
from bench.runs.files import TEMPORARY

RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
LONGEST_NAME = 200
OF_THE_SYSTEM = (("proc",), ("sys",))  # below /: these say that they can be written, and make nothing


def check_place(results: str | os.PathLike[str], name: str) -> None:
    """Raises RunError for a name or folder that no run can have."""
    check_name(name)
    if not os.fspath(results):
        raise RunError("results: got '', expected a folder")
    if not os.fsdecode(results).isprintable():
        raise RunError(f"results: got {os.fsdecode(results)!r}, expected a folder whose name is printable text in UTF-8")


def check_name(name: str, argument: str = "name") -> None:
    """Raises RunError for a name that no run can have; ``argument``: what gives it."""
    if not RUN_NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        accepted = f"a folder name of at most {LONGEST_NAME} letters, digits and . _ + -"
        raise RunError(f"{argument}: got {name!r}, expected {accepted}")


def make_folder(folder: Path) -> None:
    """Raises RunError where it cannot be made, or nothing be written into it."""
    try:
        _check_no_file(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(f"{folder} is read-only")
    except OSError as error:
        raise _refused(folder, error) from error


def check_writable(folder: Path) -> None:
    """Raises RunError where it could not be made, or written into. Nothing is."""
    try:
        _check_no_file(folder)
        home = folder.absolute()
        while not _is_there(home):
            if home.is_symlink():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            home = home.parent
        if home.resolve().parts[1:2] in OF_THE_SYSTEM:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if not home.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(home, os.W_OK | os.X_OK):
            raise PermissionError(f"{home} is read-only")
    except OSError as error:
        raise _refused(folder, error) from error


def _check_no_file(folder: Path) -> None:
    if folder.is_file():
        raise RunError(f"name: {folder} is a file; choose another name")


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _refused(folder: Path, error: OSError) -> RunError:
    return RunError(f"results: {folder} cannot be written: {error.strerror or error}")


def holds_foreign_files(folder: Path) -> bool:
    """Whether there are files that are not left over from a run that was killed before its manifest was written."""
    return any(not path.is_dir() and not path.name.startswith(TEMPORARY) for path in folder.rglob("*"))
