"""The loop that fills a run's folder: what is missing, group after group, each chunk written as soon as it is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from tqdm import tqdm

from bench.arithmetic.numerics import settled
from bench.runs.chunk import AnyChunk
from bench.runs.errors import RunError
from bench.runs.folder import RunFolder
from bench.terminal.progress import progress_bar, report_undefined

Chunk = TypeVar("Chunk", bound=AnyChunk)
Tables = Mapping[str, Mapping[str, Any]]


class Job(NamedTuple, Generic[Chunk]):
    """What a kind of run gives to the loop."""

    group: Callable[[Chunk], object]  # what chunks share that are measured together, one after the other
    measure: Callable[[list[Chunk], tqdm], Iterable[tuple[Chunk, Tables]]]  # such chunks, telling the bar of the work done
    cells: Callable[[Chunk], int]  # rows that a chunk has, one for each network
    work: Callable[[Chunk], float]  # how much there is to a chunk, in the bar's unit
    undefined: Callable[[Chunk], Iterator[str]]  # schemes of a chunk whose rows are NaN, and why
    bar: Mapping[str, Any]  # how the bar is written


def fill(open_folder: Callable[[], RunFolder[Chunk]], job: Job[Chunk], *, dtype: str, progress: bool) -> Path:
    """Measure what the folder lacks, and return its path. Raises RunError, and OSError where rows cannot be written."""
    with settled(dtype), closing(open_folder()) as folder:
        missing = folder.missing()
        if missing or not folder.manifest.get("finished"):
            folder.begin()
            report_undefined(line for chunk in missing for line in job.undefined(chunk))
            total, left = (sum(map(job.work, chunks)) for chunks in (folder.chunks, missing))
            with progress_bar(total, left, cells=sum(map(job.cells, missing)), shown=progress, **job.bar) as bar:
                for _, chunks in groupby(missing, key=job.group):
                    _measure(folder, job, list(chunks), bar)
            folder.finish()
        return folder.path


def _measure(folder: RunFolder[Chunk], job: Job[Chunk], chunks: list[Chunk], bar: tqdm) -> None:
    try:
        for chunk, tables in job.measure(chunks, bar):
            folder.write(chunk, tables)
    except SystemExit as error:  # a user's function: nothing of the project's own leaves a run half way
        raise RunError(
            f"name: {folder.path} is not finished: a function of yours called sys.exit({error.code!r})"
        ) from error
