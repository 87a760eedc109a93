"""Fields as people give them, checked and settled: names, whole numbers, numbers. All raise SweepError."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from bench.settings.callables import short_name
from bench.settings.errors import SweepError

DTYPES = ("float32", "float64")
PRECISIONS = ("full", "tf32", "bfloat16")  # of what products of matrices multiply
LARGEST_COUNT = 1_000_000  # of layers, neurons and seeds: more is a slip of the keyboard


def sequence(field: str, values: Any, accepted: str) -> tuple[Any, ...]:
    """A sequence's values, at least one; anything else is the only one."""
    try:
        found = (values,) if isinstance(values, (str, bytes)) or callable(values) else tuple(iter(values))
    except TypeError:  # a number, or an array without axes
        found = (values,)
    if not found:
        raise SweepError(field, found, f"at least one of {accepted}")
    return found


def names(field: str, values: object, registry: Any) -> tuple[str, ...]:
    """Names in a :class:`bench.settings.registry.Registry`, in order, each entry once, as it is written first.

    Callables get a name.
    """
    found: dict[object, str] = {}
    for value in sequence(field, values, "names"):
        try:
            name = registry.name(value)
            found.setdefault(registry.meaning(name), name)
        except ValueError as error:
            shown = short_name(value) if callable(value) else value
            raise SweepError(field, shown, str(error)) from error
    return tuple(found.values())


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
    found = sequence(field, values, f"whole numbers ≥ {at_least}")
    return tuple(sorted({integer(field, value, at_least=at_least, at_most=at_most) for value in found}))


def reals(
    field: str,
    values: object,
    *,
    accepted: str = "finite numbers ≥ 0",
    fits: Callable[[Any], bool] = lambda value: value >= 0,
) -> tuple[float, ...]:
    """Finite numbers that fit, and what is said where one does not; sorted, each once."""
    for value in (found := sequence(field, values, accepted)):
        try:
            usable = not isinstance(value, (bool, str)) and math.isfinite(value) and fits(value)
        except (TypeError, OverflowError):
            usable = False
        if not usable:
            raise SweepError(field, value, accepted)
    return tuple(sorted({float(value) + 0.0 for value in found}))
