"""The loop that fills a run's folder: what is missing, each chunk written as soon as it is measured."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from bench.arithmetic.numerics import settled
from bench.runs.chunk import AnyChunk
from bench.runs.executors.executor import Executor, Work
from bench.runs.executors.local import Local
from bench.runs.executors.versions import check_worker, identity
from bench.runs.folder import RunFolder
from bench.runs.job import Job
from bench.settings.errors import ChunkError
from bench.terminal.progress import progress_bar, report_undefined

LOCAL = Local()
Chunk = TypeVar("Chunk", bound=AnyChunk)


def fill(
    open_folder: Callable[[], RunFolder[Chunk]],
    job: Job[Chunk],
    *,
    dtype: str,
    precision: str = "full",
    progress: bool,
    executor: Executor = LOCAL,
) -> Path:
    """Measure what the folder lacks, here or where ``executor`` does it, and return the folder's path.

    Raises SweepError before anything is written or removed, where there is nothing that measures; RunError; OSError where
    rows cannot be written; and at the end :class:`ChunkError` where chunks could not be measured; the rest is there then.
    """
    with settled(dtype), executor.ready(precision), closing(open_folder()) as folder:
        missing = folder.missing()
        if missing or not folder.manifest.get("finished"):
            folder.begin(executor.name)
            report_undefined(line for chunk in missing for line in job.undefined(chunk))
            total, left = (sum(map(job.work, chunks)) for chunks in (folder.chunks, missing))
            cause = None
            with progress_bar(total, left, cells=sum(map(job.cells, missing)), shown=progress, **job.bar) as bar:
                work = Work(job, missing, dtype, folder.manifest[folder.kind], folder.path, bar)
                with closing(executor.outcomes(work)) as outcomes:
                    for chunk, outcome in outcomes:
                        if outcome.worker is not None:
                            check_worker(identity(), outcome.worker)
                            folder.meet(outcome.worker)
                            bar.update(job.work(chunk))
                        folder.write(chunk, outcome)
                        cause = outcome.cause or cause
                        if outcome.tables is None:
                            bar.lose(job.cells(chunk))
            folder.finish()
            if folder.failed:
                raise ChunkError(folder.path, folder.failed, len(folder.chunks)) from cause
        return folder.path
