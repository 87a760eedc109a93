"""Room for what is compiled: a process has only so many mappings of memory, of which a program takes some hundreds.

Linux gives it 65530 (vm.max_map_count), so that after some hundred programs LLVM would find no memory and end the process.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import jax

MAPPED, MOST = Path("/proc/self/maps"), Path("/proc/sys/vm/max_map_count")
SECONDS = 1.0  # that pass before it is looked at again: counting takes milliseconds
LOOKED = [time.monotonic()]  # when it was

Item = TypeVar("Item")


def with_room(items: Iterable[Item]) -> Iterator[Item]:
    """The same; whenever half of the mappings are taken after one, compiled programs are dropped, to be compiled anew."""
    for item in items:
        yield item
        _make_room()


def _make_room() -> None:
    if time.monotonic() - LOOKED[0] > SECONDS:
        if share_taken() > 1 / 2:
            jax.clear_caches()
        LOOKED[0] = time.monotonic()


def share_taken() -> float:
    """Of the mappings that this process may have; 0 where the system does not say."""
    try:
        return MAPPED.read_bytes().count(b"\n") / int(MOST.read_text())
    except (OSError, ValueError):
        return 0.0
