"""Ctrl-C and SIGTERM: one line and exit status 130, at once, whatever the process is doing.

Files are complete or absent, so nothing is gained by unwinding: JAX's compiler does not return to Python for seconds,
callbacks and imports swallow KeyboardInterrupt, and what is torn down half way crashes. A thread ends the process instead; a
signal wakes it through a pipe, even while the main thread is in a library.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import NoReturn

INTERRUPTED = 130


class _Words:
    """What is said when the process is interrupted."""

    line = "interrupted"


def say_when_interrupted(line: str) -> None:
    """Say that line when the process is interrupted from now on."""
    _Words.line = line


def listen() -> None:
    """End the process with one line when it is interrupted; signals that it was told to ignore stay ignored."""
    heard = [each for each in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(each) is not signal.SIG_IGN]
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for each in heard:
        signal.signal(each, lambda *_: None)
    threading.Thread(target=_wait, args=(reading, set(heard)), daemon=True).start()


def _wait(reading: int, heard: set[int]) -> None:
    while not heard & set(os.read(reading, 64)):
        pass
    _leave()


def _leave() -> NoReturn:
    """Written to the descriptor itself: the main thread may hold the stream's lock."""
    try:
        os.write(2, f"{chr(10) if os.isatty(2) else ''}{_Words.line}\n".encode(errors="backslashreplace"))
    except OSError:
        pass
    finally:
        os._exit(INTERRUPTED)
