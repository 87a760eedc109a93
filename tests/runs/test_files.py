"""Files are complete or absent, on the disk before they count, and never written through somebody else's links."""

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import bench
from bench.runs import lock, provenance
from bench.runs.contents import Contents
from bench.runs.files import write_whole


def text(words):
    return lambda path: path.write_text(words)


def test_a_file_is_on_the_disk_before_it_has_its_name_and_its_name_before_it_counts(tmp_path, monkeypatch):
    happened = []

    def describe(handle):
        return "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"

    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (happened.append(f"fsync {describe(handle)}"), fsync(handle)))
    monkeypatch.setattr(os, "replace", lambda *names: (happened.append("rename"), replace(*names)))
    write_whole(tmp_path / "rows", text("rows"))
    assert happened == ["fsync file", "rename", "fsync folder"]


def test_half_a_file_is_none(tmp_path):
    def fails(path):
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "rows").write_text("before")
    with pytest.raises(OSError, match="No space") as caught:
        write_whole(tmp_path / "rows", fails)
    assert caught.value.filename == str(tmp_path / "rows")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_what_is_too_long_for_a_name_is_an_error_of_that_name(tmp_path):
    with pytest.raises(OSError, match="too long") as caught:
        write_whole(tmp_path / ("x" * 300), text("rows"))
    assert caught.value.errno == errno.ENAMETOOLONG
    assert list(tmp_path.iterdir()) == []


def test_devices_and_pipes_stay_what_they_are(tmp_path):
    write_whole(Path("/dev/null"), text("rows"))
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    with pytest.raises(OSError, match="No space"):
        write_whole(Path("/dev/full"), text("rows"))
    pipe, found = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()))
    reader.start()
    write_whole(pipe, text("rows"))
    reader.join(10)
    assert found == ["rows"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_standard_output_in_a_file_gets_the_rows_after_what_was_printed(tmp_path):
    script = (
        "from pathlib import Path; from bench.runs.files import write_whole; print('first', flush=True);"
        "write_whole(Path('/dev/stdout'), lambda path: path.write_text('rows\\n')); print('last')"
    )
    with (tmp_path / "out").open("ab") as out:
        subprocess.run([sys.executable, "-c", script], stdout=out, check=True)
    assert (tmp_path / "out").read_text().split() == ["first", "rows", "last"]


def test_links_are_replaced_and_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "rows").symlink_to(victim)
    write_whole(tmp_path / "rows", text("rows"))
    assert victim.read_text() == "precious"
    assert (tmp_path / "rows").read_text() == "rows"


@pytest.mark.parametrize("place", ["shards.jsonl", ".writing-manifest.json", "cells/.writing-chunk-00000.parquet"])
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_nothing_is_written_through_links_planted_in_a_run(sweep, mine, tmp_path, place, link):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (mine / "cells" / "chunk-00000.parquet").unlink()
    link(victim, mine / place)
    bench.run(sweep, results=tmp_path, name="mine", progress=False)
    assert victim.read_text() == "precious"
    assert not os.path.lexists(mine / place)


def test_tables_that_are_links_are_refused(sweep, mine, tmp_path):
    (mine / "cells").rename(tmp_path / "elsewhere")
    (mine / "cells").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(bench.RunError, match="symbolic link"):
        bench.run(sweep, results=tmp_path, name="mine", progress=False)


def test_the_manifest_is_read_behind_the_lock(sweep, tmp_path, monkeypatch):
    held = []
    acquire, existing = lock.acquire, Contents.begun_in
    monkeypatch.setattr(lock, "acquire", lambda folder: (held.append("lock"), acquire(folder))[1])
    monkeypatch.setattr(Contents, "begun_in", lambda self, folder: (held.append("manifest"), existing(self, folder))[1])
    bench.run(sweep, results=tmp_path, name="mine", progress=False)
    assert held == ["lock", "manifest"]


def test_a_full_disk_loses_nothing(sweep, finished, tmp_path, monkeypatch):
    write_table, written = pq.write_table, []

    def full(table, path, **options):
        if len(written) == 2:
            Path(path).write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        write_table(table, path, **options)

    with monkeypatch.context() as patched:
        patched.setattr(pq, "write_table", full)
        with pytest.raises(OSError, match="No space") as caught:
            bench.run(sweep, results=tmp_path, name="mine", progress=False)
    assert caught.value.filename.endswith("chunk-00001.parquet")
    assert len(list((tmp_path / "mine").rglob("*.parquet"))) == 2
    folder = bench.run(sweep, results=tmp_path, name="mine", progress=False)
    for path in finished.rglob("*.parquet"):
        assert (folder / path.relative_to(finished)).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("script", ["sleep 60", "printf '\\377\\376'", "exit 3"])
def test_a_git_that_does_not_answer_is_done_without(tmp_path, monkeypatch, script):
    (tmp_path / "git").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(provenance, "PATIENCE", 0.3)
    monkeypatch.setattr(provenance, "_git", provenance._git.__wrapped__)  # not what it said before
    assert provenance.session()["git"] is None
