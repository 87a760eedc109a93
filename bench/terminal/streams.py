"""Standard output and error that may be closed, full, or a pipe that nobody reads any more."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Any


class Unfailing:
    """A text stream that drops what cannot be written: a note never stops a measurement."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes what can be written."""
        with contextlib.suppress(OSError, ValueError):  # full, closed by its reader, or by the program
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flushes what can be flushed."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def isatty(self) -> bool:
        """Whether it is a terminal that can be drawn on."""
        with contextlib.suppress(OSError, ValueError):
            return self._stream.isatty()
        return False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def error_stream() -> Any:
    """Standard error as it is now, which never fails."""
    if sys.stderr is None:
        return io.StringIO()
    return sys.stderr if isinstance(sys.stderr, Unfailing) else Unfailing(sys.stderr)


def note(text: str) -> None:
    """One line on standard error."""
    print(" ".join(text.split()), file=error_stream(), flush=True)


def settle_streams() -> None:
    """Make standard streams that are always there: what is closed is nowhere, and errors in notes are dropped.

    A descriptor 1 or 2 that is closed would go to the next file that is opened, and a library's messages into it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w", closefd=False, encoding="utf-8"))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without Unicode gets codes, not a traceback
    sys.stderr = error_stream()


def settle_output() -> None:
    """Write what is left for standard output, or nowhere if it cannot be: the end of the process tries it again."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
