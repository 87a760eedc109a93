"""What a folder holds instead of the run that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.runs.errors import RunError


def refused(folder: Path, what: str) -> RunError:
    """The error that says what a folder holds instead."""
    words = f"name: {folder} {what} choose another name"
    return RunError(words, in_python=", or overwrite=True", as_options=", or --overwrite")


def difference(kind: str, existing: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What a folder holds instead of the run with the fields ``new``."""
    old = existing.get(kind) or {}
    if later := [name for name in old if name not in new]:
        return (
            f"was begun by a later version of depthscale, which knows {', '.join(later)} too, and cannot be finished by "
            "this one; to measure it again,"
        )
    fields = [name for name in new if old.get(name) != new[name]]
    if old and not any(name in old for name in fields):
        return earlier(f"which knew no {', '.join(fields)}" if fields else "which cut it into other chunks")
    return f"holds another {kind} ({', '.join(fields)} differ);"


def earlier(how: str) -> str:
    """What is said of a run that another version began."""
    return (
        f"was begun by an earlier version of depthscale, {how}, and cannot be finished by this one; "
        "what it holds can be read, drawn and compared; to measure it again,"
    )
