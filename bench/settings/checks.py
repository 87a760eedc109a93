"""Fields as people give them, checked and settled: names, whole numbers, numbers. All raise SweepError."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from bench.settings.errors import SweepError

DTYPES = ("float32", "float64")
LARGEST_COUNT = 1_000_000  # of layers, neurons and seeds: more is a slip of the keyboard


def _values(field: str, values: object, accepted: str) -> tuple[Any, ...]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise SweepError(field, values, f"a sequence of {accepted}")
    found = tuple(values)
    if not found:
        raise SweepError(field, found, f"at least one of {accepted}")
    return found


def names(field: str, values: object, registry: Any) -> tuple[str, ...]:
    """Names in ``registry`` (anything whose ``[name]`` raises ValueError for an unknown one), each once, in order."""
    found = _values(field, values, "names")
    for name in found:
        if not isinstance(name, str):
            raise SweepError(field, name, "names, or package.module:attribute")
        try:
            registry[name]
        except ValueError as error:
            raise SweepError(field, name, str(error)) from error
    return tuple(dict.fromkeys(found))


def integer(field: str, value: Any, *, at_least: int, at_most: int) -> int:
    """A whole number in range."""
    try:
        number = None if isinstance(value, (bool, str)) or int(value) != value else int(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or not at_least <= number <= at_most:
        raise SweepError(field, value, f"a whole number ≥ {at_least} and ≤ {at_most}")
    return number


def integers(field: str, values: object, *, at_least: int, at_most: int) -> tuple[int, ...]:
    """Whole numbers in range, sorted, each once."""
    found = _values(field, values, f"whole numbers ≥ {at_least}")
    return tuple(sorted({integer(field, value, at_least=at_least, at_most=at_most) for value in found}))


def reals(field: str, values: object) -> tuple[float, ...]:
    """Finite numbers ≥ 0, sorted, each once."""
    accepted = "finite numbers ≥ 0"
    for value in (found := _values(field, values, accepted)):
        try:
            usable = not isinstance(value, (bool, str)) and math.isfinite(value) and value >= 0
        except (TypeError, OverflowError):
            usable = False
        if not usable:
            raise SweepError(field, value, accepted)
    return tuple(sorted({abs(float(value)) for value in found}))
