"""The project's folder in the user's cache: compiled programs, and how fast a device was found to be."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path | None:
    """The folder, which is made; None where there is no home, or nothing can be written."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    try:
        folder = (Path(given) if os.path.isabs(given) else Path.home() / ".cache") / "depthscale"  # as the standard has it
    except RuntimeError:
        return None
    return folder if is_writable(folder) else None


def is_writable(folder: Path) -> bool:
    """Whether files can be put there, once the folder is made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)
