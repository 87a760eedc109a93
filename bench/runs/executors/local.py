"""Chunks in this process, one after the other; those that share something, such as a draw, share it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar

from tqdm import tqdm

from bench.runs.executors.executor import Work
from bench.runs.job import Job, Outcome, failed


@dataclass(frozen=True)
class Local:
    """The process itself, with all of its devices."""

    name: ClassVar[str] = "local"

    def ready(self, precision: str) -> AbstractContextManager[object]:
        """It is, if its devices multiply so."""
        from bench.arithmetic.numerics import check_precision  # it needs JAX, which the command starts later

        check_precision(precision)
        return nullcontext()

    def outcomes(self, work: Work) -> Generator[tuple[Any, Outcome], None, None]:
        """Every chunk and its outcome, in order; one that fails stops no other."""
        for _, group in groupby(work.chunks, key=work.job.group):
            left = list(group)
            try:
                for chunk, tables in work.job.measure(list(left), work.bar):
                    left.remove(chunk)
                    yield chunk, Outcome(tables)
            except (Exception, SystemExit) as error:  # a user's function may raise anything
                if len(left) == 1:
                    yield left[0], failed(error)
                else:  # which of them it was, shows when each is alone
                    yield from ((chunk, alone(work.job, chunk, work.bar)) for chunk in left)


def alone(job: Job[Any], chunk: Any, bar: tqdm) -> Outcome:
    """The outcome of one chunk, measured for itself: the same, to the bit, as in company."""
    try:
        ((_, tables),) = job.measure([chunk], bar)
    except (Exception, SystemExit) as error:
        return failed(error)
    return Outcome(tables)
