"""Room for what is compiled: a process has only so many mappings of memory, of which a program takes some hundreds.

Linux gives it 65530 (vm.max_map_count), so that after some hundred programs LLVM would find no memory and end the process.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import jax

MAPPED, MOST = Path("/proc/self/maps"), Path("/proc/sys/vm/max_map_count")
SECONDS = 1.0  # that pass before they are counted again, which takes milliseconds

Item = TypeVar("Item")


@dataclass
class Room:
    """When mappings were last counted, and the share of them that others than compiled programs take, as far as is known."""

    counted: float
    others: float = 0.0


ROOM = Room(time.monotonic())


def with_room(items: Iterable[Item]) -> Iterator[Item]:
    """The same; whenever half of the mappings that there are for them are taken after one, compiled programs are dropped.

    What is needed of them, by whoever in this process, is compiled again.
    """
    for item in items:
        yield item
        if time.monotonic() - ROOM.counted > SECONDS:
            if share_taken() > (1 + ROOM.others) / 2:
                jax.clear_caches()
                ROOM.others = share_taken()
            ROOM.counted = time.monotonic()


def share_taken() -> float:
    """Of the mappings that this process may have; 0 where the system does not say."""
    try:
        return MAPPED.read_bytes().count(b"\n") / int(MOST.read_text())
    except (OSError, ValueError):
        return 0.0
