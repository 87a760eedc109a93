"""What a run tells on standard error, and that nothing of it stops a run."""

import contextlib
import io
import sys

import pytest

from bench.terminal.progress import Lines, progress_bar

FORMAT = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f}"


class Full(io.StringIO):
    def write(self, text):
        raise OSError(28, f"No space left on device for {text!r}")


@pytest.mark.parametrize("stream", [Full(), None], ids=["full", "closed"])
def test_a_bar_that_cannot_be_drawn_stops_nothing(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    done = 0
    with progress_bar(5, 5, cells=5, shown=True, bar_format=FORMAT) as bar:
        for _ in range(5):
            bar.set_description_str("at work")
            bar.update(1)
            done += 1
    assert done == 5


def test_where_nothing_can_be_drawn_over_there_are_lines_now_and_then():
    stream = io.StringIO()
    often, rarely = Lines(stream, every=0), Lines(stream)
    for text in ("\rone  ", "\n", "\rtwo", "\r   "):
        often.write(text)
        rarely.write(text)
    assert stream.getvalue() == "one\ntwo\n"


@pytest.mark.parametrize("shown", [True, False])
def test_the_end_says_how_many_cells_in_what_time_or_nothing(shown, capsys):
    with progress_bar(10, 4, cells=1234, shown=shown, bar_format=FORMAT) as bar:
        bar.update(4)
    told = capsys.readouterr().err
    assert told.startswith("1,234 cells in ") if shown else not told
    assert told.endswith(" a second\n") or not shown
    with contextlib.suppress(KeyError), progress_bar(10, 4, cells=1234, shown=True, bar_format=FORMAT):
        raise KeyError
    assert "cells in" not in capsys.readouterr().err
