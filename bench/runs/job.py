"""What a kind of run gives to the loop, and what becomes of each of its chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from tqdm import tqdm

from bench.runs.chunk import AnyChunk
from bench.settings.registry import describe

Chunk = TypeVar("Chunk", bound=AnyChunk)
Tables = Mapping[str, Any]  # of columns, by the tables' names, or as Arrow has them


class Job(NamedTuple, Generic[Chunk]):
    """What a kind of run gives to the loop."""

    group: Callable[[Chunk], object]  # what chunks share that are measured together, one after the other
    measure: Callable[[list[Chunk], tqdm], Iterable[tuple[Chunk, Tables]]]  # such chunks, telling the bar of the work done
    cells: Callable[[Chunk], int]  # rows that a chunk has, one for each network
    work: Callable[[Chunk], float]  # how much there is to a chunk, in the bar's unit
    undefined: Callable[[Chunk], Iterator[str]]  # schemes of a chunk whose rows are NaN, and why
    bar: Mapping[str, Any]  # how the bar is written
    recipe: Callable[[], Job[Any]] | None = None  # the job made again, where it can be pickled: for other processes
    devices: int | None = None  # of a CPU, with which another process gets the same bits; None: any number


class Outcome(NamedTuple):
    """A chunk's tables, or why there are none."""

    tables: Tables | None
    error: str = ""
    cause: BaseException | None = None  # of this process
    worker: Mapping[str, Any] | None = None  # who measured it, where that was another process


def failed(error: BaseException) -> Outcome:
    """The outcome of a chunk whose measurement raised that."""
    return Outcome(None, describe(error), error)
