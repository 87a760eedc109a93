"""Amounts in words."""

from __future__ import annotations

UNITS = ("bytes", "kB", "MB", "GB", "TB")
TIMES = {"day": 86_400, "hour": 3600, "minute": 60}


def amount(count: float) -> str:
    """So many bytes: ``1.23 MB``."""
    unit = 0
    while count >= 1000 and unit < len(UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.3g} {UNITS[unit]}"


def ago(seconds: float) -> str:
    """How long ago: ``3 days``, in its largest unit."""
    for name, length in TIMES.items():
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now"
