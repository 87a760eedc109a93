"""What a machine can hold, so that what cannot fit is refused before anything is written."""

from __future__ import annotations

import os
from pathlib import Path

import jax

from bench.settings.errors import SweepError
from bench.settings.units import amount

CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
BASE_BYTES = 2**23  # of any run: tables under construction, files, what is freed and not given back
MOST_CHUNKS = 100_000  # files in a folder, and entries of a manifest


def host_bytes() -> int:
    """The memory of this machine, or of the container that the process is in."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in CGROUPS:
        try:
            limits.append(int(Path(name).read_text(encoding="ascii")))
        except (OSError, ValueError):  # no such container, or one without a limit
            continue
    return min(limits)


def device_bytes() -> int:
    """The memory of all devices together: the host's, where they have none of their own."""
    own = [(device.memory_stats() or {}).get("bytes_limit") for device in jax.local_devices()]
    known = [limit for limit in own if limit]
    return sum(known) if known and jax.default_backend() != "cpu" else host_bytes()


def check_room(field: str, value: object, needed: float, where: str, room: int, allowed: int | None = None) -> None:
    """Raises SweepError, naming the field, where ``needed`` bytes are more than there are. ``where``: for what.

    allowed: how many may be taken; what needs more of them names that limit.
    """
    if needed > room:
        raise SweepError(field, value, f"what fits into {amount(room)} of memory; {where} takes about {amount(needed)}")
    if allowed is not None and needed > allowed:
        raise SweepError("max_memory", amount(allowed), f"more: {where} takes about {amount(needed)}")


def check_chunks(count: int) -> None:
    """Raises SweepError where a run would be cut into more pieces than can be kept apart."""
    if count > MOST_CHUNKS:
        raise SweepError("seeds", f"{count:,} chunks", f"a run of at most {MOST_CHUNKS:,}; cut it into several")
