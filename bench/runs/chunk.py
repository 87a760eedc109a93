"""Chunks: what runs at once and becomes one shard of each table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.runs.manifest import shard_name


@dataclass(frozen=True)
class AnyChunk:
    """A part of a run. What it covers are the fields of each kind of chunk; ``index`` says when it runs."""

    index: int

    @property
    def shard(self) -> str:
        """The file name of its rows."""
        return shard_name(self.index)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON types."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in vars(self).items()}


def blocks(total: int, size: int) -> list[tuple[int, int]]:
    """(first, past the last) of blocks of ``size``, of which the last may be smaller."""
    return [(first, min(first + size, total)) for first in range(0, total, size)]
