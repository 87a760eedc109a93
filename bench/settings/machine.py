"""What the machine lets this process use."""

from __future__ import annotations

import os


def cores() -> int:
    """How many of the machine's cores this process may use, as far as the system says."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return getattr(os, "process_cpu_count", os.cpu_count)() or 1
