"""Where a run may lie, and what it may be called."""

from __future__ import annotations

import os
import re

from bench.runs.errors import RunError

RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
LONGEST_NAME = 200


def check_place(results: str | os.PathLike[str], name: str) -> None:
    """Raises RunError for a name or folder that no run can have."""
    if not RUN_NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise RunError(f"name: got {name!r}, expected a folder name of at most {LONGEST_NAME} letters, digits and . _ + -")
    if not os.fspath(results):
        raise RunError("results: got '', expected a folder")
    if not os.fsdecode(results).isprintable():
        raise RunError(f"results: got {os.fsdecode(results)!r}, expected a folder whose name is printable text in UTF-8")
