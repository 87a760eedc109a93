"""Chunks that fail are recorded, all others are measured, and the same call tries them again."""

import json
import os
from functools import partial

import pytest

from bench.cli.main import main
from bench.runs.contents import Contents
from bench.runs.errors import RunError
from bench.runs.executors.local import Local
from bench.runs.folder import RunFolder
from bench.runs.job import failed
from bench.runs.loop import fill
from bench.runs.overview import overview
from bench.settings.errors import ChunkError, SweepError
from bench.terminal.guard import guarded
from tests.runs.stand_in import chunks, filled, folder, job

BAD = {1, 2}


def test_where_nothing_measures_nothing_is_written_or_removed(tmp_path):
    class Nowhere(Local):
        def ready(self, precision):
            raise SweepError("executor", precision, "a place")

    opened = partial(RunFolder, tmp_path, "mine", Contents("sweep", {"key": 0}, chunks(1), ("cells",)), overwrite=True)
    for _ in range(2):
        before = list(tmp_path.rglob("*"))
        with pytest.raises(SweepError, match="a place"):
            fill(opened, job(), dtype="float32", progress=False, executor=Nowhere())
        assert list(tmp_path.rglob("*")) == before
        filled(tmp_path)


def test_one_that_fails_stops_no_other_and_is_tried_again(tmp_path, capsys):
    words = r"mine: 2 of 6 chunks failed \(chunk-00001: ValueError: number 1\); the same command tries them again"
    with pytest.raises(ChunkError, match=words) as caught:
        filled(tmp_path, fails=lambda chunk: chunk.index in BAD)
    assert isinstance(caught.value.__cause__, ValueError)  # with the traceback of the user's function
    mine = tmp_path / "mine"
    assert len(list((mine / "cells").iterdir())) == 4
    manifest = json.loads((mine / "manifest.json").read_text())
    assert manifest["finished"] is None
    assert manifest["failed"] == {f"chunk-0000{index}.parquet": f"ValueError: number {index}" for index in BAD}
    assert overview(mine).state == "2 failed"
    assert main(["runs", "mine", "--results", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "  failed: chunk-00002: ValueError: number 2"
    with pytest.raises(ChunkError, match="1 of 6"):
        filled(tmp_path, fails=lambda chunk: chunk.index == 2)
    assert list(overview(mine).failed) == ["chunk-00002.parquet"]
    filled(tmp_path)
    manifest = json.loads((mine / "manifest.json").read_text())
    assert manifest["finished"]
    assert "failed" not in manifest
    filled(tmp_path, "other")
    for path in (tmp_path / "other").rglob("*.parquet"):
        assert path.read_bytes() == (mine / path.relative_to(tmp_path / "other")).read_bytes()


def test_it_is_one_line_and_exit_1(tmp_path, capsys):
    assert guarded(lambda: filled(tmp_path, fails=lambda chunk: chunk.index == 0) and None, "bench sweep") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("mine: 1 of 6 chunks failed (chunk-00000: ValueError: number 0); the same command tries them again")


def test_why_is_known_after_a_kill_too(tmp_path):
    opened = folder(tmp_path)
    opened.begin()
    opened.write(opened.chunks[3], failed(ValueError("words")))
    assert overview(opened.path).failed == {"chunk-00003.parquet": "ValueError: words"}
    opened.close()
    again = folder(tmp_path)
    assert again.failed == {"chunk-00003.parquet": "ValueError: words"}
    again.close()


def test_the_second_process_is_told_who_holds_the_folder(tmp_path):
    held = folder(tmp_path)
    with pytest.raises(RunError, match=f"another process, {os.getpid()} on .*, is writing"):
        folder(tmp_path)
    held.close()
    folder(tmp_path).close()
    assert not [path for path in (tmp_path / "mine").iterdir() if path.is_file()]
