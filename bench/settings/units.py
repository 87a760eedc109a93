"""Amounts in words, and back."""

from __future__ import annotations

import math
import re

UNITS = ("bytes", "kB", "MB", "GB", "TB")
TIMES = {"day": 86_400, "hour": 3600, "minute": 60}


def amount(count: float) -> str:
    """So many bytes: ``1.23 MB``."""
    unit = 0
    while count >= 1000 and unit < len(UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.3g} {UNITS[unit]}"


def bytes_in(text: object) -> int | None:
    """The inverse of :func:`amount`, of a whole number of bytes too; None for what is no amount above 0."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?(?:e\d+)?)\s*([kMGT]?)(?:B|bytes)?\s*", str(text), re.IGNORECASE)
    if isinstance(text, bool) or found is None:
        return None
    count = float(found[1]) * 1000 ** " KMGT".index(found[2].upper() or " ")
    return int(count) if 1 <= count < math.inf else None


def duration(seconds: float) -> str:
    """So long: ``2.1 hours``, in its largest unit."""
    for name, length in TIMES.items():
        if seconds >= 2 * length:
            return f"{seconds / length:.2g} {name}s"
    return f"{seconds:.2g} s" if seconds < 100 else f"{seconds:.0f} s"


def ago(seconds: float) -> str:
    """How long ago: ``3 days``, in its largest unit."""
    for name, length in TIMES.items():
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now"
