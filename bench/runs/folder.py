"""Run folders: a manifest and shards, each complete or absent.

A shard that is in its place and is what its record says is done; that alone is resume. Anything else that may lie there, the
half of a shard, another run's, one that lost a bit, is measured again.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.runs import provenance
from bench.runs.chunk import AnyChunk
from bench.runs.errors import RunError
from bench.runs.files import TEMPORARY, write_whole
from bench.runs.manifest import FORMAT, NAME, first_of, read_manifest
from bench.runs.records import LOG, Log, Record, adopted, digest, is_intact, records_of, seconds_of
from bench.terminal.streams import note

RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
LONGEST_NAME = 200
Chunk = TypeVar("Chunk", bound=AnyChunk)


class RunFolder(Generic[Chunk]):
    """One run on disk, held open by one process at a time.

    kind: what is run, ``sweep`` or ``training``, and the manifest's key for ``fields``, which say what exactly and have a
    ``key``; chunks: its parts, in the order in which they run; tables: the folders of its shards, the first of which is
    written last and says that a chunk is done. Raises :class:`RunError` for a name that is not a plain folder name, a folder
    that cannot be written, one that holds something else or another run, and one that another process is writing.
    """

    def __init__(
        self,
        results: str | os.PathLike[str],
        name: str,
        *,
        kind: str,
        fields: Mapping[str, Any],
        chunks: Sequence[Chunk],
        tables: Sequence[str],
    ) -> None:
        check_place(results, name)
        self.path = Path(results) / name
        self.kind, self.chunks, self.tables = kind, tuple(chunks), tuple(tables)
        self._log: Log | None = None
        self._looked: set[str] = set()
        self._make(self.path)
        self._lock = self._acquire()
        try:  # what is there is looked at behind the lock, so that no other process changes it
            planned = {kind: dict(fields), "plan": [chunk.to_dict() for chunk in self.chunks]}
            existing = self._existing(planned)
            self._make_tables()
            self.manifest = existing or {"format": FORMAT, **planned}
            self._records = self._known(existing)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let another process continue the run."""
        if self._log is not None:
            self._log.close()
        os.close(self._lock)

    def missing(self) -> list[Chunk]:
        """The chunks whose shards are not there or not intact, in order; a line says which of those that are there."""
        found, damaged = [], []
        for chunk in self.chunks:
            lost = [name for name in self._names(chunk) if not is_intact(self.path / name, self._records.get(name))]
            damaged += [name for name in lost if os.path.lexists(self.path / name)]
            if lost:
                found.append(chunk)
        if damaged:
            note(f"{self.path}: damaged or of another run, measured again: {len(damaged)} shards ({first_of(damaged)})")
        return found

    def begin(self) -> None:
        """Note who measures from now on: versions, device and commit. A resumed run lists each who did. Raises OSError."""
        session = provenance.session()
        if "started" not in self.manifest:
            self.manifest |= {"key": self.manifest[self.kind]["key"], **session}
        else:
            self.manifest.setdefault("resumed", []).append(session)
        self.manifest |= {"format": FORMAT, "finished": None}
        self._began, self._before = time.monotonic(), seconds_of(self.path, self.manifest)
        self.manifest["total_seconds"] = self._before  # also of sessions that were killed
        self._write_manifest()
        self._log = Log(self.path)

    def finish(self) -> None:
        """Note the end of the run, and its seconds: since it began or was last resumed, and in all. Raises OSError."""
        seconds = self._seconds()
        total = round(self._before + seconds, 3)
        self.manifest |= {"finished": provenance.now(), "seconds": seconds, "total_seconds": total}
        self._write_manifest()
        (self.path / LOG).unlink(missing_ok=True)

    def write(self, chunk: Chunk, tables: Mapping[str, Mapping[str, Any]]) -> None:
        """The chunk's tables as shards; cells last: they say that it is done.

        Raises OSError, and RunError where the shards that are there were written by a version with fewer columns.
        """
        for folder in reversed(self.tables):
            table = pa.table({name: _column(values) for name, values in tables[folder].items()})
            self._check_columns(folder, table.column_names)
            self._write_shard(f"{folder}/{chunk.shard}", table)

    def _check_columns(self, folder: str, names: Sequence[str]) -> None:
        """Rows of two versions would be no table. Looks at one shard that is there, once for each folder."""
        if folder in self._looked:
            return
        self._looked.add(folder)
        records = ((self.path / name, record) for name, record in self._records.items() if name.startswith(f"{folder}/"))
        if (shard := next((path for path, record in records if is_intact(path, record)), None)) is not None:
            known = pq.read_schema(shard).names
            if lacking := [name for name in names if name not in known]:
                raise self._refused(_earlier(f"whose {folder} lack {', '.join(lacking)}"))

    def _write_shard(self, name: str, table: pa.Table) -> None:
        # a dictionary of measured numbers, hardly two of which are equal, costs time and room
        repeated = [field.name for field in table.schema if not pa.types.is_floating(field.type)]

        def write(path: Path) -> None:
            pq.write_table(table, path, compression="zstd", use_dictionary=cast("Any", repeated))
            self._records[name] = Record(table.num_rows, digest(path))
            assert self._log is not None, "begin() comes first"
            self._log.add(name, self._records[name], self._before + self._seconds())

        if not (self.path / name).is_file():
            (self.path / name).unlink(missing_ok=True)  # a pipe that somebody put there would be written into
        write_whole(self.path / name, write)

    def _seconds(self) -> float:
        """How long this session has measured."""
        return round(time.monotonic() - self._began, 3)

    def _names(self, chunk: Chunk) -> list[str]:
        return [f"{table}/{chunk.shard}" for table in self.tables]

    def _known(self, existing: dict[str, Any] | None) -> dict[str, Record]:
        if existing is None:
            return {}
        if existing.get("format", 1) == 1:
            return adopted(self.path, [name for chunk in self.chunks for name in self._names(chunk)])
        return records_of(self.path, existing)

    def _existing(self, planned: Mapping[str, Any]) -> dict[str, Any] | None:
        """The manifest of the run to be continued, None for a new one. Raises RunError for what is neither."""
        try:
            existing = read_manifest(self.path)
        except FileNotFoundError:
            existing = None
        except (OSError, ValueError) as error:
            raise RunError(f"name: {self.path / NAME} cannot be read: {error}") from error
        if existing is None and self._holds_foreign_files():
            raise RunError(f"name: {self.path} exists and is not a run; choose another name or remove it")
        if existing is not None and {key: existing.get(key) for key in planned} != planned:
            raise self._refused(_difference(self.kind, existing, planned[self.kind]))
        return existing

    def _refused(self, what: str) -> RunError:
        words = f"name: {self.path} {what} choose another name"
        return RunError(words, in_python=", or overwrite=True", as_options=", or --overwrite")

    def _holds_foreign_files(self) -> bool:
        """Whether there are files that are not left over from a run that was killed before its manifest was written."""
        return any(not path.is_dir() and not path.name.startswith(TEMPORARY) for path in self.path.rglob("*"))

    def _write_manifest(self) -> None:
        self.manifest["shards"] = {name: record._asdict() for name, record in sorted(self._records.items())}
        text = json.dumps(self.manifest, indent=1) + "\n"
        write_whole(self.path / NAME, lambda path: path.write_text(text, encoding="utf-8"))

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(f"{folder} is read-only")
        except OSError as error:
            raise RunError(f"results: {self.path} cannot be written: {error.strerror or error}") from error

    def _make_tables(self) -> None:
        for table in self.tables:
            if (self.path / table).is_symlink():
                raise RunError(f"name: {self.path / table} is a symbolic link, expected a folder; choose another name")
            self._make(self.path / table)
        for folder in (self.path, *(self.path / table for table in self.tables)):
            for stray in folder.glob(f"{TEMPORARY}*"):
                if stray.is_symlink() or not stray.is_dir():
                    stray.unlink()

    def _acquire(self) -> int:
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise RunError(f"name: another process is writing {self.path}; wait for it or choose another name") from error
        return handle


def check_place(results: str | os.PathLike[str], name: str) -> None:
    """Raises RunError for a name or folder that no run can have."""
    if not RUN_NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise RunError(f"name: got {name!r}, expected a folder name of at most {LONGEST_NAME} letters, digits and . _ + -")
    if not os.fspath(results):
        raise RunError("results: got '', expected a folder")
    if not os.fsdecode(results).isprintable():
        raise RunError(f"results: got {os.fsdecode(results)!r}, expected a folder whose name is printable text in UTF-8")


def _column(values: Any) -> pa.Array:
    """A column from an array, or from a pair (words, [rows] which of them)."""
    if isinstance(values, tuple):
        words, which = values
        return pa.array(words).take(pa.array(which))
    return pa.array(np.ascontiguousarray(values))


def _difference(kind: str, existing: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What a folder holds instead of the run with the fields ``new``."""
    old = existing.get(kind) or {}
    fields = [name for name in new if old.get(name) != new[name]]
    if old and not any(name in old for name in fields):
        return _earlier(f"which knew no {', '.join(fields)}" if fields else "which cut it into other chunks")
    return f"holds another {kind} ({', '.join(fields)} differ);"


def _earlier(how: str) -> str:
    return (
        f"was begun by an earlier version of depthscale, {how}, and cannot be finished by this one; "
        "what it holds can be read, drawn and compared; to measure it again,"
    )
