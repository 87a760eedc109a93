"""One run from the shards of several that measured the same."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from bench.runs.agreement import differences, sessions
from bench.runs.chunk import AnyChunk
from bench.runs.contents import Contents
from bench.runs.errors import RunError
from bench.runs.folder import RunFolder
from bench.runs.manifest import NAME, first_of, kind_of, no_run, one_line, planned_shards, read_manifest
from bench.runs.overview import FIRST
from bench.runs.records import Record, is_intact, records_of
from bench.settings.errors import shown


@dataclass(frozen=True)
class Planned(AnyChunk):
    """A chunk as a manifest lists it."""

    fields: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """What the manifest says."""
        return dict(self.fields)


class Source(NamedTuple):
    """A run that is merged."""

    path: Path
    manifest: dict[str, Any]
    records: dict[str, Record]


class Merged(NamedTuple):
    """What came of it: the folder, chunks that it now has of all, those that were taken from each run, and lost shards."""

    path: Path
    done: int
    planned: int
    taken: Mapping[str, int]
    damaged: Sequence[str]  # shards, as RUN/TABLE/SHARD, of chunks that no run has whole


def merge_runs(results: str | os.PathLike[str], names: Sequence[str], into: str) -> Merged:
    """The run ``results/into`` with the chunks of all the named ones, which are left as they are.

    Raises RunError, in one line with the difference, for runs that measured something else, in other chunks, with other
    versions or on another kind of device, or whose shards of one chunk are not the same to the bit, and where none of them
    has a chunk whole; and as :class:`RunFolder` does for the folder.
    """
    there = [into] if (Path(results) / into / NAME).is_file() else []
    sources = [_source(Path(results) / name) for name in dict.fromkeys([*there, *names])]
    for other in sources[1:]:
        _check_alike(sources[0], other)
    first = sources[0].manifest
    kind, shards = kind_of(first), planned_shards(first)
    if shards is None:
        raise RunError(f"NAME: {sources[0].path} has no plan of chunks, as runs of very old versions; it cannot be merged")
    chunks = [Planned(entry["index"], entry) for entry in first["plan"]]
    found = {name.partition("/")[0] for source in sources for name in source.records}
    tables = (FIRST, *sorted(found - {FIRST}))
    holders = [_holders(sources, chunk, tables) for chunk in chunks]
    nowhere = [chunk for chunk, having in zip(chunks, holders, strict=True) if not having]
    damaged = [each for chunk in nowhere for each in _damaged(sources, chunk, tables)]
    if len(nowhere) == len(chunks):
        why = f" ({len(damaged)} shards are damaged: {first_of(damaged)})" if damaged else ""
        raise RunError(f"NAME: {' and '.join(names)} cannot be merged: none has a chunk that is whole{why}")
    with closing(RunFolder(results, into, Contents(kind, first[kind], chunks, tables))) as folder:
        taken: Counter[str] = Counter()
        for chunk, having in zip(chunks, holders, strict=True):
            if having and having[0].path != folder.path:
                folder.adopt(chunk, having[0].path, having[0].records)
            taken.update(source.path.name for source in having[:1])
        measured = [session for source in sources for session in sessions(source.manifest)]
        folder.describe(measured, finished=taken.total() == len(chunks), seconds=_seconds(sources))
        return Merged(folder.path, taken.total(), len(chunks), taken, damaged)


def _source(path: Path) -> Source:
    try:
        manifest = read_manifest(path)
        planned_shards(manifest)
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"NAME: {no_run(path)}") from None
    except (OSError, ValueError) as error:
        raise RunError(f"NAME: {str(path / NAME)!r} cannot be read: {one_line(error)}") from error
    return Source(path, manifest, records_of(path, manifest))


def _check_alike(one: Source, other: Source) -> None:
    names = f"{one.path.name} and {other.path.name}"
    kinds = kind_of(one.manifest), kind_of(other.manifest)
    if kinds[0] != kinds[1]:
        raise RunError(f"NAME: {names} cannot be merged: a {kinds[0]} and a {kinds[1]}")
    ours, theirs = (source.manifest[kinds[0]] for source in (one, other))
    for field in dict.fromkeys([*ours, *theirs]):
        if ours.get(field) != theirs.get(field):
            _refuse(names, field, shown(ours.get(field)), shown(theirs.get(field)))
    if one.manifest.get("plan") != other.manifest.get("plan"):
        raise RunError(f"NAME: {names} cannot be merged: they are cut into other chunks, by other versions of depthscale")
    for session, another in product(sessions(one.manifest), sessions(other.manifest)):
        for difference in differences(session, another):
            _refuse(names, *difference)


def _refuse(names: str, what: str, ours: str, theirs: str) -> None:
    raise RunError(f"NAME: {names} cannot be merged: {what} differs, {ours} and {theirs}")


def _holders(sources: Sequence[Source], chunk: AnyChunk, tables: Sequence[str]) -> list[Source]:
    """The runs that have the chunk whole. Raises RunError where they do not have the same."""
    names = [f"{table}/{chunk.shard}" for table in tables]
    holders = [
        source for source in sources if all(is_intact(source.path / name, source.records.get(name)) for name in names)
    ]
    for name in names:
        if len({source.records[name].sha256 for source in holders}) > 1:
            runs = " and ".join(source.path.name for source in holders)
            raise RunError(f"NAME: {runs} cannot be merged: {name} is another in each, to the bit")
    return holders


def _damaged(sources: Sequence[Source], chunk: AnyChunk, tables: Sequence[str]) -> list[str]:
    """The chunk's shards that are there, and are not what was written."""
    names = [f"{table}/{chunk.shard}" for table in tables]
    there = [
        (source, name) for source in sources for name in names if name in source.records and (source.path / name).exists()
    ]
    return [
        f"{source.path.name}/{name}" for source, name in there if not is_intact(source.path / name, source.records[name])
    ]


def _seconds(sources: Sequence[Source]) -> float:
    known = [source.manifest.get("total_seconds") for source in sources]
    return round(sum(seconds for seconds in known if type(seconds) is float), 3)
