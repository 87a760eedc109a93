"""Every run of a results folder in a line, and whether its shards are what was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from bench.runs.files import TEMPORARY
from bench.runs.manifest import NAME, kind_of, one_line, planned_shards, read_manifest
from bench.runs.records import Record, failures_of, is_intact, records_of, rows_of

FIRST = "cells"  # the table whose shards are written last, and say that a chunk is done


class Overview(NamedTuple):
    """A run as its folder is now."""

    path: Path
    kind: str
    done: int  # chunks
    planned: int | None  # None where the manifest has no plan
    rows: int  # of cells
    kept: bool  # there are rows, or the run is unfinished: False where only what was drawn of them is kept
    finished: bool
    device: str
    bytes: int
    ended: datetime | None  # when it was finished, or last written
    failed: Mapping[str, str]  # shard → why its chunk could not be measured

    @property
    def state(self) -> str:
        """In a word or two."""
        if self.failed:
            return f"{len(self.failed)} failed"
        if not self.finished:
            return "unfinished"
        if not self.kept:
            return "figures only"
        return "finished" if self.planned in (None, self.done) else "shards missing"


def overview(folder: Path) -> Overview:
    """Raises OSError or ValueError, in one line, for a folder that is no run."""
    manifest = read_manifest(folder)
    records, there = records_of(folder, manifest), {path.name for path in (folder / FIRST).glob("*.parquet")}
    planned = planned_shards(manifest)
    recorded = there if manifest.get("format", 1) == 1 else {name for name in there if f"{FIRST}/{name}" in records}
    done = sorted(recorded if planned is None else recorded & set(planned))
    device = manifest.get("device")
    words = f"{device.get('count')} × {device.get('kind')}" if isinstance(device, dict) else ""
    return Overview(
        path=folder,
        kind=kind_of(manifest),
        done=len(done),
        planned=None if planned is None else len(planned),
        rows=sum(_rows(folder, records, f"{FIRST}/{each}") for each in done),
        kept=bool(there) or not manifest.get("finished"),
        finished=bool(manifest.get("finished")),
        device=words,
        bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        ended=_time(folder, manifest),
        failed={name: why for name, why in failures_of(folder, manifest).items() if name not in done},
    )


def _rows(folder: Path, records: Mapping[str, Record], shard: str) -> int:
    return records[shard].rows if shard in records else rows_of(folder / shard) or 0


def runs_in(results: Path) -> Iterator[Overview | tuple[Path, str]]:
    """Every run of the folder by name; for one that cannot be read its path, and why. Raises OSError."""
    folders = (path for path in results.iterdir() if not path.name.startswith(TEMPORARY))
    for folder in sorted(path for path in folders if (path / NAME).exists()):
        try:
            yield overview(folder)
        except (OSError, ValueError) as error:
            yield folder, one_line(error)


def verified(folder: Path) -> tuple[int, list[str]]:
    """How many shards of all tables were looked at, and which are not what was written: other bytes, or other rows.

    Of tables of which none is there, as in a run that keeps only what was drawn, none is looked at, nor any that has no
    record (of a run of an older version). Raises OSError or ValueError for a folder that is no run.
    """
    records = records_of(folder, read_manifest(folder))
    kept = {name.partition("/")[0] for name in records if (folder / name).exists()}
    wanted = {name: record for name, record in records.items() if name.partition("/")[0] in kept}
    sound = {
        name for name, record in wanted.items() if is_intact(folder / name, record) and rows_of(folder / name) == record.rows
    }
    return len(wanted), sorted(wanted.keys() - sound)


def _time(folder: Path, manifest: Mapping[str, Any]) -> datetime | None:
    try:
        finished = datetime.fromisoformat(str(manifest["finished"]))
        return finished if finished.tzinfo else finished.replace(tzinfo=UTC)  # somebody else's may have none
    except (KeyError, ValueError):
        written = [path.stat().st_mtime for path in folder.rglob("*") if path.is_file()]
        return datetime.fromtimestamp(max(written), UTC) if written else None
