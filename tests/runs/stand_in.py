"""A kind of run that measures nothing: chunks, a job and a folder, for what is done with them."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.runs.chunk import AnyChunk
from bench.runs.folder import RunFolder
from bench.runs.job import Job, Outcome
from bench.runs.loop import fill

ROWS = 5


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
    )


def folder(results: Path, name: str = "mine", count: int = 6, **fields) -> RunFolder[Chunk]:
    told = {"key": 0, "depths": [2, 3], **fields}
    return RunFolder(results, name, kind="sweep", fields=told, chunks=chunks(count), tables=("cells", "layers"))


def filled(results: Path, name: str = "mine", *, fails=lambda _chunk: False, **fields) -> Path:
    return fill(lambda: folder(results, name, **fields), job(fails), dtype="float32", progress=False)


def partly(results: Path, name: str, wanted: set[int], **fields) -> Path:
    """A run that has those chunks, and was killed then."""
    with closing(folder(results, name, **fields)) as opened:
        opened.begin()
        for chunk in opened.chunks:
            if chunk.index in wanted:
                opened.write(chunk, Outcome(rows(chunk)))
        return opened.path
