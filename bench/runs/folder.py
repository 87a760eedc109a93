"""Run folders: a manifest and shards, each complete or absent.

A shard that is in its place and is what its record says is done; that alone is resume. Anything else that may lie there, the
half of a shard, another run's, one that lost a bit, is measured again.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import pyarrow as pa
import pyarrow.parquet as pq

from bench.runs import lock, provenance
from bench.runs.chunk import AnyChunk
from bench.runs.contents import Contents
from bench.runs.errors import RunError
from bench.runs.files import TEMPORARY, sync_all, write_whole
from bench.runs.job import Outcome
from bench.runs.manifest import FORMAT, NAME, as_text, first_of
from bench.runs.place import check_place, make_folder
from bench.runs.records import LOG, Log, Record, adopted, digest, failures_of, is_intact, records_of, seconds_of
from bench.runs.refusals import earlier, refused
from bench.runs.removal import clear_removed, remove_run
from bench.runs.tables import as_table
from bench.terminal.streams import note

OF_A_SESSION = ("started", "versions", "device", "git", "executor")
SYNC_SECONDS = 5.0  # of rows, that a machine which loses its power may lose: each shard would wait for the disk longest
Chunk = TypeVar("Chunk", bound=AnyChunk)


class RunFolder(Generic[Chunk]):
    """One run on disk, held open by one process at a time.

    contents: what it holds, or is to hold; overwrite: remove what the folder holds first, if that is a run. Raises
    :class:`RunError` for a name that is not a plain folder name, a folder that cannot be written, one that holds something
    else or another run, and one that another process is writing.
    """

    def __init__(
        self,
        results: str | os.PathLike[str],
        name: str,
        contents: Contents[Chunk],
        *,
        overwrite: bool = False,
    ) -> None:
        check_place(results, name)
        if overwrite:
            remove_run(results, name)
        self.path = Path(results) / name
        self.kind, self.chunks, self.tables = contents.kind, tuple(contents.chunks), tuple(contents.tables)
        self._log: Log | None = None
        self._looked: set[str] = set()
        self._session: dict[str, Any] = {}
        make_folder(self.path)
        clear_removed(results)
        self._lock = lock.acquire(self.path)
        try:  # what is there is looked at behind the lock, so that no other process changes it
            existing = contents.begun_in(self.path)
            self._make_tables()
            lock.sign(self.path)
            self.manifest = existing or {"format": FORMAT, **contents.planned()}
            self._records = self._known(existing)
            self.failed = failures_of(self.path, self.manifest)  # shard → why it is not there
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let another process continue the run."""
        if self._log is not None:
            self._log.close()
        lock.release(self.path, self._lock)

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

    def begin(self, executor: str = "local") -> None:
        """Note who measures from now on: versions, device and commit. A resumed run lists each who did. Raises OSError."""
        session: dict[str, Any] = provenance.session() | {"executor": executor}
        if "started" not in self.manifest:
            self.manifest |= {"key": self.manifest[self.kind]["key"], **session}
            self._session = self.manifest
        else:
            self.manifest.setdefault("resumed", []).append(session)
            self._session = session
        self.manifest |= {"format": FORMAT, "finished": None}
        self._began, self._before = time.monotonic(), seconds_of(self.path, self.manifest)
        self._synced = self._began
        self.manifest["total_seconds"] = self._before  # also of sessions that were killed
        self._write_manifest()
        self._log = Log(self.path)

    def meet(self, worker: Mapping[str, Any]) -> None:
        """Note that another process measures: its device is the run's."""
        who = {"host": worker["host"], "device": worker.get("device")}
        workers: list[Any] = self._session.setdefault("workers", [])
        if who not in workers:
            workers.append(who)
            self._session["device"] = workers[0]["device"]

    def finish(self) -> None:
        """Note the end of the run, and its seconds: since it began or was last resumed, and in all. Raises OSError.

        A run of which chunks have failed is not finished.
        """
        seconds = self._seconds()
        total = round(self._before + seconds, 3)
        self._sync()
        ended = None if self.failed else provenance.now()
        self.manifest |= {"finished": ended, "seconds": seconds, "total_seconds": total}
        self._write_manifest()
        (self.path / LOG).unlink(missing_ok=True)

    def write(self, chunk: Chunk, outcome: Outcome) -> None:
        """The chunk's tables as shards; cells last: they say that it is done. Of one that failed, why.

        Raises OSError, and RunError where the shards that are there were written by a version with fewer columns.
        """
        if outcome.tables is None:
            self.failed[chunk.shard] = outcome.error
            self._logged().fail(chunk.shard, outcome.error)
            return
        for folder in reversed(self.tables):
            table = as_table(outcome.tables[folder])
            self._check_columns(folder, table.column_names)
            self._write_shard(f"{folder}/{chunk.shard}", table)
        self.failed.pop(chunk.shard, None)

    def adopt(self, chunk: Chunk, source: Path, records: Mapping[str, Record]) -> None:
        """The chunk's shards from the run in another folder, which has them whole. Raises OSError."""
        for name in reversed(self._names(chunk)):
            write_whole(self.path / name, lambda path, name=name: shutil.copyfile(source / name, path))
            self._records[name] = records[name]
        self.failed.pop(chunk.shard, None)

    def describe(self, sessions: Sequence[Mapping[str, Any]], *, finished: bool, seconds: float) -> None:
        """Note who measured what was adopted. Raises OSError."""
        first, *others = ({name: session.get(name) for name in OF_A_SESSION} for session in sessions)
        ended = provenance.now() if finished else None
        self.manifest |= {"key": self.manifest[self.kind].get("key"), **first, "resumed": others}
        self.manifest |= {"format": FORMAT, "finished": ended, "seconds": None, "total_seconds": seconds}
        self._write_manifest()

    def _check_columns(self, folder: str, names: Sequence[str]) -> None:
        """Rows of two versions would be no table. Looks at one shard that is there, once for each folder."""
        if folder in self._looked:
            return
        self._looked.add(folder)
        records = ((self.path / name, record) for name, record in self._records.items() if name.startswith(f"{folder}/"))
        if (shard := next((path for path, record in records if is_intact(path, record)), None)) is not None:
            known = pq.read_schema(shard).names
            if lacking := [name for name in names if name not in known]:
                raise refused(self.path, earlier(f"whose {folder} lack {', '.join(lacking)}"))

    def _write_shard(self, name: str, table: pa.Table) -> None:
        # a dictionary of measured numbers, hardly two of which are equal, costs time and room
        repeated = [field.name for field in table.schema if not pa.types.is_floating(field.type)]

        def write(path: Path) -> None:
            pq.write_table(table, path, compression="zstd", use_dictionary=cast("Any", repeated))
            self._records[name] = Record(table.num_rows, digest(path))
            self._logged().add(name, self._records[name], self._before + self._seconds())

        if not (self.path / name).is_file():
            (self.path / name).unlink(missing_ok=True)  # a pipe that somebody put there would be written into
        write_whole(self.path / name, write, wait=False)
        if time.monotonic() - self._synced > SYNC_SECONDS:
            self._sync()

    def _sync(self) -> None:
        sync_all(self.path)
        self._synced = time.monotonic()

    def _logged(self) -> Log:
        assert self._log is not None, "begin() comes first"
        return self._log

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

    def _write_manifest(self) -> None:
        self.manifest["shards"] = {name: record._asdict() for name, record in sorted(self._records.items())}
        self.manifest.pop("failed", None)
        if self.failed:
            self.manifest["failed"] = dict(sorted(self.failed.items()))
        text = as_text(self.manifest)
        write_whole(self.path / NAME, lambda path: path.write_text(text, encoding="utf-8"))

    def _make_tables(self) -> None:
        for table in self.tables:
            if (self.path / table).is_symlink():
                raise RunError(f"name: {self.path / table} is a symbolic link, expected a folder; choose another name")
            make_folder(self.path / table)
        for folder in (self.path, *(self.path / table for table in self.tables)):
            for stray in folder.glob(f"{TEMPORARY}*"):
                if stray.is_symlink() or not stray.is_dir():
                    stray.unlink()
                else:
                    shutil.rmtree(stray, ignore_errors=True)
