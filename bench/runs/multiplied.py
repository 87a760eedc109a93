"""Around all that a run measures: products of fewer bits where it asks for them, and room for what that compiles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tqdm import tqdm

from bench.arithmetic.numerics import check_precision, multiplying
from bench.runs.job import Tables
from bench.runs.room import with_room

Measure = Callable[[list[Any], tqdm], Iterable[tuple[Any, Tables]]]


def multiplied(measure: Measure, precision: str) -> Measure:
    """The same, with products that multiply so, and room for compiled programs (:func:`bench.runs.room.with_room`).

    What it returns raises SweepError on devices that do not.
    """

    def measured(chunks: list[Any], bar: tqdm) -> Iterator[tuple[Any, Tables]]:
        check_precision(precision)
        with multiplying(precision):
            yield from with_room(measure(chunks, bar))

    return measured
