"""Run folders: a manifest and shards, each complete or absent.

A file is written under a temporary name that begins with a dot and then renamed, which no kill can interrupt half way. A
shard that exists is done; that alone is resume.
"""

from __future__ import annotations

import fcntl
import importlib.metadata
import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import jax
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.runs.files import TEMPORARY, write_whole
from bench.settings.errors import UsageError

FORMAT = 1
RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
LONGEST_NAME = 200
KINDS = ("sweep", "training")
PACKAGES = ("depthscale", "jax", "jaxlib", "numpy", "optax", "pyarrow", "scikit-learn")


class RunError(UsageError):
    """A run that cannot be started or continued; the text says which argument, why, and what to do."""


class Shard(Protocol):
    """A part of a run that is done at once and becomes one file of each kind."""

    @property
    def shard(self) -> str:
        """The file's name."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """What it covers, as JSON types."""
        ...


Chunk = TypeVar("Chunk", bound=Shard)


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
        if not RUN_NAME.fullmatch(name) or len(name) > LONGEST_NAME:
            raise RunError(
                f"run: got {name!r}, expected a folder name of at most {LONGEST_NAME} letters, digits and . _ + -"
            )
        if not os.fspath(results):
            raise RunError("results: got '', expected a folder")
        self.path = Path(results) / name
        self.kind, self.chunks, self.tables = kind, tuple(chunks), tuple(tables)
        planned = {kind: dict(fields), "plan": [chunk.to_dict() for chunk in self.chunks]}
        existing = self._read_manifest()
        if existing is None and self._holds_foreign_files():
            raise RunError(f"run: {self.path} exists and is not a run; choose another --run or remove it")
        if existing is not None and {key: existing.get(key) for key in planned} != planned:
            difference = _difference(existing.get(kind, {}), planned[kind])
            raise RunError(f"run: {self.path} holds another {kind}{difference}; choose another --run")
        self._make_folders()
        self._lock = self._acquire()
        try:
            self._sweep_temporaries()
            self.manifest = existing or {"format": FORMAT, **planned}
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let another process continue the run."""
        os.close(self._lock)

    def missing(self) -> list[Chunk]:
        """The chunks whose shards are not there yet, in order."""
        return [
            chunk for chunk in self.chunks if not all((self.path / table / chunk.shard).exists() for table in self.tables)
        ]

    def begin(self) -> None:
        """Note who measures from now on: versions, device and commit. A resumed run lists each who did."""
        session = {"started": _now(), "versions": _versions(), "device": _device(), "git": _git()}
        if "started" not in self.manifest:
            self.manifest |= {"key": self.manifest[self.kind]["key"], **session, "finished": None}
        else:
            self.manifest.setdefault("resumed", []).append(session)
        self._write_manifest()

    def finish(self) -> None:
        """Note the end of the run."""
        self.manifest["finished"] = _now()
        self._write_manifest()

    def write(self, chunk: Chunk, tables: Mapping[str, Mapping[str, Any]]) -> None:
        """The chunk's tables as shards; cells last: they say that it is done."""
        for folder in reversed(self.tables):
            table = pa.table({name: _column(values) for name, values in tables[folder].items()})
            write_whole(
                self.path / folder / chunk.shard,
                lambda path, table=table: pq.write_table(table, path, compression="zstd"),
            )

    def _read_manifest(self) -> dict[str, Any] | None:
        try:
            manifest = json.loads((self.path / "manifest.json").read_text())
            if not isinstance(manifest, dict) or not any(isinstance(manifest.get(kind), dict) for kind in KINDS):
                raise ValueError(f"it describes no {' or '.join(KINDS)}")
            return manifest
        except FileNotFoundError:
            return None
        except NotADirectoryError as error:
            raise RunError(f"results: {self.path} cannot be written: {error.strerror}") from error
        except (OSError, ValueError) as error:
            raise RunError(f"run: {self.path / 'manifest.json'} cannot be read: {error}") from error

    def _holds_foreign_files(self) -> bool:
        """Whether there are files that are not left over from a run that was killed before its manifest was written."""
        return any(path.is_file() and not path.name.startswith(TEMPORARY) for path in self.path.rglob("*"))

    def _write_manifest(self) -> None:
        text = json.dumps(self.manifest, indent=1) + "\n"
        write_whole(self.path / "manifest.json", lambda path: path.write_text(text))

    def _make_folders(self) -> None:
        try:
            for table in self.tables:
                (self.path / table).mkdir(parents=True, exist_ok=True)
                if not os.access(self.path / table, os.W_OK | os.X_OK):
                    raise PermissionError(f"{self.path / table} is read-only")
        except OSError as error:
            raise RunError(f"results: {self.path} cannot be written: {error.strerror or error}") from error

    def _acquire(self) -> int:
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise RunError(f"run: another process is writing {self.path}; wait for it or choose another --run") from error
        return handle

    def _sweep_temporaries(self) -> None:
        for stray in self.path.rglob(f"{TEMPORARY}*"):
            stray.unlink()


def _column(values: Any) -> pa.Array:
    """A column from an array, or from a pair (words, [rows] which of them)."""
    if isinstance(values, tuple):
        words, which = values
        return pa.array(words).take(pa.array(which))
    return pa.array(np.ascontiguousarray(values))


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    fields = [name for name in new if old.get(name) != new[name]]
    return f" ({', '.join(fields)} differ)" if fields else ", cut into other chunks by another version"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _versions() -> dict[str, str | None]:
    def version(package: str) -> str | None:
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            return None

    return {package: version(package) for package in PACKAGES}


def _device() -> dict[str, Any]:
    devices = jax.local_devices()
    return {"platform": devices[0].platform, "kind": devices[0].device_kind, "count": len(devices)}


def _git() -> dict[str, Any] | None:
    """The commit of the project's own checkout, and whether its files, results aside, were changed; None outside one."""

    def git(*arguments: str) -> str:
        here = Path(__file__).parent
        done = subprocess.run(["git", "-C", here, *arguments], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":(top,exclude)results")
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(changed)}
    except (OSError, subprocess.CalledProcessError):
        return None
