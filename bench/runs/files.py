"""Files that are complete or absent: written under a temporary name that begins with a dot, then renamed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

TEMPORARY = ".writing-"


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """What ``write`` writes to the path that it is given, at ``path``; no kill leaves half of it. Raises OSError."""
    temporary = path.with_name(f"{TEMPORARY}{path.name}")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
