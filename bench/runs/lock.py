"""One process at a time in a run's folder; the next one is told which."""

from __future__ import annotations

import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path

from bench.runs.errors import RunError
from bench.runs.files import TEMPORARY, write_whole

HOLDER = f"{TEMPORARY}held-by"  # a temporary file: what a kill leaves is removed, and in nobody's way
LONGEST = 200


def acquire(folder: Path) -> int:
    """A descriptor that holds the folder until it is closed, or the process ends. Raises RunError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        words = f"name: another process{_holder(folder)} is writing {folder}; wait for it or choose another name"
        raise RunError(words) from error
    return handle


def sign(folder: Path) -> None:
    """Leave word of who holds it. What cannot be written is done without."""
    words = f"{os.getpid()} on {socket.gethostname()}"
    with suppress(OSError):
        write_whole(folder / HOLDER, lambda path: path.write_text(words, encoding="utf-8"))


def release(folder: Path, handle: int) -> None:
    """Let another process continue the run."""
    with suppress(OSError):
        (folder / HOLDER).unlink(missing_ok=True)
    os.close(handle)


def _holder(folder: Path) -> str:
    """Which process it is, where it has left word."""
    path = folder / HOLDER
    try:
        words = path.read_bytes()[:LONGEST].decode(errors="replace") if path.is_file() and not path.is_symlink() else ""
    except OSError:
        words = ""
    return f", {words}," if words and words.isprintable() else ""
