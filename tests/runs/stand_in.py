"""A kind of run that measures nothing: chunks, a job and a folder, for what is done with them."""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from bench.runs.chunk import AnyChunk
from bench.runs.contents import Contents
from bench.runs.folder import RunFolder
from bench.runs.job import Job, Outcome
from bench.runs.loop import LOCAL, fill

ROWS = 5
SECONDS = 0.03  # of a slow chunk
PATIENCE = 60.0  # seconds


@dataclass(frozen=True)
class Chunk(AnyChunk):
    pair: int  # chunks of two are measured together


def chunks(count: int) -> list[Chunk]:
    return [Chunk(index, index // 2) for index in range(count)]


def rows(chunk: Chunk) -> dict:
    values = np.arange(ROWS) + chunk.index / 8
    return {"cells": {"word": (["one"], np.zeros(ROWS, int)), "value": values}, "layers": {"value": -values}}


def job(fails: Callable[[Chunk], bool] = lambda _chunk: False) -> Job[Chunk]:
    def measure(group, bar):
        for chunk in group:
            if fails(chunk):
                raise ValueError(f"number {chunk.index}\nis not for us")
            bar.update(1)
            yield chunk, rows(chunk)

    return Job(
        group=lambda chunk: chunk.pair,
        measure=measure,
        cells=lambda _chunk: ROWS,
        work=lambda _chunk: 1,
        undefined=lambda _chunk: iter(()),
        bar={"bar_format": "{desc}"},
        recipe=partial(job, fails),
    )


def folder(results: Path, name: str = "mine", count: int = 6, **fields) -> RunFolder[Chunk]:
    told = {"key": 0, "depths": [2, 3], "precision": "full", **fields}
    return RunFolder(results, name, Contents("sweep", told, chunks(count), ("cells", "layers")))


def filled(results: Path, name: str = "mine", *, fails=lambda _chunk: False, executor=LOCAL, **fields) -> Path:
    opened = partial(folder, results, name, **fields)
    return fill(opened, job(fails), dtype="float32", progress=False, executor=executor)


def same(one: Path, other: Path) -> bool:
    """Whether both runs have the same shards to the byte."""
    found = [{path.relative_to(run): path.read_bytes() for path in run.rglob("*.parquet")} for run in (one, other)]
    return found[0] == found[1]


def waits_and_fails(marker: Path) -> Callable[[Chunk], bool]:
    """Whether a chunk fails: number 2 does, and waits where it is first measured, having left its process's number."""
    signs, patience = str(marker), PATIENCE

    def fails(chunk) -> bool:
        if chunk.index == 2 and not os.path.exists(signs):
            with open(f"{signs}.new", "w") as file:
                file.write(str(os.getpid()))
            os.rename(f"{signs}.new", signs)
            time.sleep(patience)
        return chunk.index == 2

    return fails


def slow(chunk: Chunk) -> bool:
    """Takes its time, and fails never."""
    del chunk
    time.sleep(SECONDS)
    return False


@contextmanager
def killing(marker: Path):
    """Kill the process that leaves its number there, as soon as it does."""

    def kill() -> None:
        deadline = time.monotonic() + PATIENCE
        while not marker.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        killed.append(int(marker.read_text()))
        os.kill(killed[0], signal.SIGKILL)

    killed: list[int] = []
    thread = threading.Thread(target=kill)
    thread.start()
    yield killed
    thread.join()


def partly(results: Path, name: str, wanted: set[int], **fields) -> Path:
    """A run that has those chunks, and was killed then."""
    with closing(folder(results, name, **fields)) as opened:
        opened.begin()
        for chunk in opened.chunks:
            if chunk.index in wanted:
                opened.write(chunk, Outcome(rows(chunk)))
        return opened.path
