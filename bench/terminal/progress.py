"""What runs tell while they run and at their end, on standard error; nothing of it can stop them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from tqdm import tqdm

from bench.terminal.streams import error_stream, note

T = TypeVar("T")
BETWEEN_LINES = 10.0  # seconds, where standard error is not a terminal
BETWEEN_FRAMES = 0.1  # seconds, where it is


class Lines:
    """A stream for a bar where nothing can be drawn over: a line now and then, without carriage returns."""

    def __init__(self, stream: Any, every: float = BETWEEN_LINES) -> None:
        self._stream, self._every = stream, every
        self._last = time.monotonic()

    def write(self, text: str) -> None:
        """A line, unless the last one, or the beginning, was less than ``every`` seconds ago."""
        if (line := text.strip()) and time.monotonic() - self._last >= self._every:
            self._last = time.monotonic()
            self._stream.write(f"{line}\n")

    def flush(self) -> None:
        """Flushes what is below."""
        self._stream.flush()


class Bar(tqdm):
    """A bar that says at its end how many cells were done, and in what time."""

    def __init__(self, *arguments: Any, cells: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._cells, self._began = cells, time.monotonic()

    def lose(self, cells: int) -> None:
        """So many cells are not done after all."""
        self._cells -= cells

    def __exit__(self, kind: Any, *_: Any) -> None:
        shown = not self.disable
        self.close()
        if kind is None and shown:
            seconds = time.monotonic() - self._began
            note(f"{self._cells:,} cells in {_duration(seconds)}, {_rate(self._cells / max(seconds, 1e-9))} a second")


def progress_bar(total: float, missing: float, *, cells: int, shown: bool, bar_format: str, **options: Any) -> Bar:
    """A bar of which ``missing`` of ``total``, and so many cells, are still to do."""
    return Bar(total=total, initial=total - missing, cells=cells, disable=not shown, **_drawn(bar_format), **options)


def with_bar(items: Sequence[T], unit: str, *, shown: bool) -> tqdm[T]:
    """The items, with a bar that appears after two seconds and is gone at the end."""
    return tqdm(items, desc="theory", unit=f" {unit}", delay=2, leave=False, disable=not shown, **_drawn())


def counting_bar(total: int, unit: str, what: str, *, shown: bool) -> tqdm:
    """A bar of things that are counted."""
    return tqdm(total=total, unit=f" {unit}", desc=what, disable=not shown, **_drawn())


def report_undefined(schemes: Iterable[str]) -> None:
    """One line for all schemes that are undefined, each once, if there are any."""
    found = list(dict.fromkeys(schemes))
    if found:
        note(f"undefined, their rows are NaN: {'; '.join(found)}")


def _drawn(bar_format: str | None = None) -> dict[str, Any]:
    """How tqdm draws on standard error as it is."""
    stream = error_stream()
    if stream.isatty():
        return {"file": stream, "mininterval": BETWEEN_FRAMES, "bar_format": bar_format}
    plain = None if bar_format is None else bar_format.replace("|{bar}|", "")
    return {"file": Lines(stream), "mininterval": BETWEEN_LINES, "bar_format": plain}


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else tqdm.format_interval(seconds)


def _rate(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"
