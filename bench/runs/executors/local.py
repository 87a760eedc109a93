"""Chunks in this process, one after the other; those that share something, such as a draw, share it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TypeVar

from tqdm import tqdm

from bench.runs.chunk import AnyChunk
from bench.runs.job import Job, Outcome, failed

Chunk = TypeVar("Chunk", bound=AnyChunk)


def outcomes(job: Job[Chunk], chunks: Sequence[Chunk], bar: tqdm) -> Iterator[tuple[Chunk, Outcome]]:
    """Every chunk and its outcome, in order; one that fails stops no other."""
    for _, group in groupby(chunks, key=job.group):
        together = list(group)
        left = list(together)
        try:
            for chunk, tables in job.measure(together, bar):
                left.remove(chunk)
                yield chunk, Outcome(tables)
        except (Exception, SystemExit) as error:  # a user's function may raise anything
            # which of those that are left it was, shows when each is alone
            yield from [(left[0], failed(error))] if len(left) == 1 else _each_alone(job, left, bar)


def _each_alone(job: Job[Chunk], chunks: Sequence[Chunk], bar: tqdm) -> Iterator[tuple[Chunk, Outcome]]:
    for chunk in chunks:
        yield chunk, alone(job, chunk, bar)


def alone(job: Job[Chunk], chunk: Chunk, bar: tqdm) -> Outcome:
    """The outcome of one chunk, measured for itself: the same, to the bit, as in company."""
    try:
        ((_, tables),) = job.measure([chunk], bar)
    except (Exception, SystemExit) as error:
        return failed(error)
    return Outcome(tables)
