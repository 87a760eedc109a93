"""What is known of each shard: how many rows it has, and its SHA-256.

A shard's record is written before the shard is renamed into its place, so that a shard in place always has one; a record
without its shard says nothing. While a run is measured, records are lines at the end of ``shards.jsonl``, since a manifest
that grows with the run would be written again for every chunk. When it is finished, or continued, they move into the
manifest, as ``shards``.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

LOG = "shards.jsonl"
LONGEST = 300  # characters of why a chunk failed


class Record(NamedTuple):
    """What a shard is to be."""

    rows: int
    sha256: str


def digest(path: Path) -> str:
    """The SHA-256 of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_intact(path: Path, record: Record | None) -> bool:
    """Whether the file is there and is what its record says."""
    try:
        return record is not None and path.is_file() and digest(path) == record.sha256
    except OSError:
        return False


def rows_of(path: Path) -> int | None:
    """How many rows a shard says that it has; None where it cannot be read."""
    try:
        return pq.read_metadata(path).num_rows
    except (OSError, pa.ArrowException):
        return None


def records_of(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Record]:
    """``table/shard`` → its record, of those that the manifest and the lines after it hold; later ones win."""
    found: dict[str, Record] = {}
    shards = manifest.get("shards")
    for name, entry in shards.items() if isinstance(shards, dict) else ():
        _note(found, name, entry)
    for entry in _lines(folder):
        _note(found, entry.get("shard"), entry)
    return found


def failures_of(folder: Path, manifest: Mapping[str, Any]) -> dict[str, str]:
    """A chunk's shard → why it could not be measured, when it was last tried."""
    said = manifest.get("failed")
    found = {str(name): _line(why) for name, why in said.items()} if isinstance(said, dict) else {}
    for entry in _lines(folder):
        if isinstance(entry.get("failed"), str):
            found[entry["failed"]] = _line(entry.get("error"))
        elif isinstance(entry.get("shard"), str):
            found.pop(entry["shard"].rpartition("/")[2], None)
    return found


def seconds_of(folder: Path, manifest: Mapping[str, Any]) -> float:
    """How long all sessions of a run have measured: to the end of those that finished it, to the last shard of others."""
    known = [0.0, manifest.get("seconds"), manifest.get("total_seconds")]
    known += [entry.get("total_seconds") for entry in _lines(folder)]
    return max(seconds for seconds in known if type(seconds) is float and 0 <= seconds < math.inf)


def adopted(folder: Path, names: list[str]) -> dict[str, Record]:
    """Records of the shards of a run of format 1, which has none: of those that can be read from end to end."""
    found: dict[str, Record] = {}
    for name in names:
        try:
            if (folder / name).is_file():
                found[name] = Record(pq.read_table(folder / name).num_rows, digest(folder / name))
        except (OSError, pa.ArrowException):
            continue
    return found


def _lines(folder: Path) -> Iterator[dict[str, Any]]:
    """What the lines after the manifest say."""
    log = folder / LOG
    if log.is_file() and not log.is_symlink():
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):  # a line that a kill cut short
                continue
            if isinstance(entry, dict):
                yield entry


def _line(why: Any) -> str:
    return " ".join(str(why).split())[:LONGEST]


def _note(found: dict[str, Record], name: Any, entry: Any) -> None:
    if not isinstance(name, str) or not isinstance(entry, dict):
        return
    rows, sha256 = entry.get("rows"), entry.get("sha256")
    if type(rows) is int and isinstance(sha256, str):
        found[name] = Record(rows, sha256)


class Log:
    """The file of records that a measuring process appends to, each handed to the system before :meth:`add` returns."""

    def __init__(self, folder: Path) -> None:
        path = folder / LOG
        path.unlink(missing_ok=True)  # its records are in the manifest by now
        self._handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)

    def add(self, name: str, record: Record, total_seconds: float) -> None:
        """Append the record of the shard ``table/shard``, and how long was measured until then. Raises OSError."""
        self._append({"shard": name, **record._asdict(), "total_seconds": total_seconds})

    def fail(self, shard: str, error: str) -> None:
        """Append why a chunk has no rows. Raises OSError."""
        self._append({"failed": shard, "error": error})

    def _append(self, entry: Mapping[str, Any]) -> None:
        os.write(self._handle, f"{json.dumps(entry)}\n".encode())

    def close(self) -> None:
        """Stop appending."""
        os.close(self._handle)
