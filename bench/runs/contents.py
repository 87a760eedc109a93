"""What a run's folder is to hold, and whether one that is there does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from bench.runs.chunk import AnyChunk
from bench.runs.errors import RunError
from bench.runs.manifest import NAME, one_line, read_manifest
from bench.runs.place import holds_foreign_files
from bench.runs.refusals import difference, refused

Chunk = TypeVar("Chunk", bound=AnyChunk)


class Contents(NamedTuple, Generic[Chunk]):
    """A run, as its folder is told of it."""

    kind: str  # what is run, ``sweep`` or ``training``, and the manifest's key for its fields
    fields: Mapping[str, Any]  # which say what exactly, and have a ``key``
    chunks: Sequence[Chunk]  # its parts, in the order in which they run
    tables: Sequence[str]  # folders of shards; the first one's are written last and say that a chunk is done

    def planned(self) -> dict[str, Any]:
        """What a manifest says before anything is measured."""
        return {self.kind: dict(self.fields), "plan": [chunk.to_dict() for chunk in self.chunks]}

    def begun_in(self, folder: Path) -> dict[str, Any] | None:
        """The manifest of the run to be continued, None for a new one. Raises RunError for a folder that holds neither."""
        try:
            existing = read_manifest(folder)
        except (FileNotFoundError, NotADirectoryError):
            existing = None
        except (OSError, ValueError) as error:
            words = f"cannot be read: {one_line(error)}; remove the folder yourself, or choose another name"
            raise RunError(f"name: {str(folder / NAME)!r} {words}") from error
        if existing is None and holds_foreign_files(folder):
            raise RunError(f"name: {folder} exists and is not a run; choose another name or remove it")
        if existing is not None:
            planned = self.planned()
            if {key: existing.get(key) for key in planned} != planned:
                raise refused(folder, difference(self.kind, existing, planned[self.kind]))
        return existing
