"""Progress on standard error, for what takes more than a moment."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def with_bar(items: Sequence[T], unit: str, *, shown: bool) -> tqdm[T]:
    """The items, with a bar that appears after two seconds and is gone at the end."""
    interval = 0.1 if sys.stderr.isatty() else 10
    return tqdm(items, desc="theory", unit=f" {unit}", delay=2, mininterval=interval, leave=False, disable=not shown)
