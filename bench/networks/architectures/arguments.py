"""Arguments of architectures, checked where they are given. All raise ValueError: what is accepted."""

from __future__ import annotations

import math
from collections.abc import Iterable

import jax.numpy as jnp
from jax import Array

BY_DEPTH = ("1/sqrt(L)", "1/L")


def number(argument: str, value: object, *, at_least: float = -math.inf) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < at_least:
        raise ValueError(f"{argument}: a finite number" + (f" ≥ {at_least:g}" if at_least > -math.inf else ""))
    return float(value)


def whole(argument: str, value: object, *, at_least: int = 1, at_most: int = 10**6) -> int:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, int) or not at_least <= value <= at_most:
        raise ValueError(f"{argument}: a whole number from {at_least} to {at_most}")
    return value


def choice(argument: str, value: object, known: Iterable[object]) -> object:
    """One of those known."""
    if not any(value is each or (value == each and type(value) is type(each)) for each in known):
        raise ValueError(f"{argument}: {' or '.join(str(each).lower() for each in known)}")
    return value


def factor(argument: str, value: object) -> float | str:
    """What :func:`factor_of` takes."""
    return value if isinstance(value, str) and value in BY_DEPTH else _number_or_words(argument, value)


def _number_or_words(argument: str, value: object) -> float:
    try:
        return number(argument, value)
    except ValueError as error:
        raise ValueError(f"{error}, or {' or '.join(BY_DEPTH)}") from None


def factor_of(value: float | str, depth: Array) -> Array | float:
    """A branch's factor: a number, or ``1/sqrt(L)`` or ``1/L`` with the depth L."""
    if value == "1/sqrt(L)":
        return 1 / jnp.sqrt(depth)
    return 1 / depth if value == "1/L" else float(value)


def looks_at_depth(value: float | str) -> bool:
    """Whether :func:`factor_of` does."""
    return value in BY_DEPTH
