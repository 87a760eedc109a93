"""A command line as a process: signals and streams are settled before anything that takes time is imported."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import NoReturn

from bench.terminal.signals import listen, say_when_interrupted
from bench.terminal.streams import settle_streams

OWN = ("bench", "analysis")  # never looked for in the user's folder


def run_process(module: str, prog: str) -> NoReturn:
    """Run ``main(prog=prog)`` of that module as this process."""
    say_when_interrupted(f"{prog}: interrupted")
    settle_streams()  # first: a pipe of ours must not take the place of a stream that is closed
    listen()
    _find_users_modules()
    from bench.terminal.guard import guarded  # after what is there for its sake

    sys.exit(guarded(lambda: import_module(module).main(prog=prog), prog))


def _find_users_modules() -> None:
    """Modules in the current folder can be named (``mine:init``), but none of them comes before an installed one."""
    for package in OWN:
        import_module(package)
    try:
        here = os.getcwd()
    except OSError:  # it was removed
        return
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
