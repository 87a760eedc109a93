"""Files that are complete or absent, whatever is killed or unplugged: written under a name of their own, then renamed."""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

TEMPORARY = ".writing-"
OPEN_FILES = ("/dev", "/proc")  # where links such as /dev/stdout stand for what a process has open


def write_whole(path: Path, write: Callable[[Path], object], *, wait: bool = True) -> None:
    """What ``write`` writes to the path that it is given, at ``path``: all of it or nothing, on the disk before it counts.

    Unless it is to ``wait`` for the disk, a machine that loses its power may lose what was written shortly before, or keep a
    file without its content; a process that is killed loses nothing.

    The temporary file beside ``path`` is created exclusively, so that nothing is written through a link that somebody left
    there; a link at ``path`` is replaced, not followed. Devices, pipes and what a process has open (``/dev/null``,
    ``/dev/stdout``) are written into. Raises OSError with the path as its ``filename``.
    """
    try:
        if _is_stream(path):
            _write_into(path, write)
            return
        temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(8)}{path.suffix[:16]}")
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666))
        try:
            write(temporary)
            if wait:
                sync(temporary)
            os.replace(temporary, path)
            if wait:
                sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OSError(error.errno or errno.EIO, error.strerror or str(error), os.fspath(path)) from error


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_all(folder: Path) -> None:
    """Wait until all that was written to the folder's file system is on the disk: many files at once, sooner than each."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        syncfs = getattr(ctypes.CDLL(None), "syncfs", None)  # of Linux
        if syncfs is None or syncfs(handle) != 0:
            os.sync()
    finally:
        os.close(handle)


def _is_stream(path: Path) -> bool:
    """Whether a rename would put a file in the place of a device, a pipe or another process's end of one."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    if stat.S_ISLNK(mode):
        return path.absolute().as_posix().startswith(OPEN_FILES)
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _write_into(path: Path, write: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder) / f"whole{path.suffix[:16]}"
        write(temporary)
        # appended, since what has been printed to a redirected standard output is not to be overwritten
        with open(os.open(path, os.O_WRONLY | os.O_APPEND), "wb") as target, temporary.open("rb") as source:
            shutil.copyfileobj(source, target)
