"""What theory accepts: arguments, checked by their names at its door, so that each means the same everywhere."""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import numpy as np

Result = TypeVar("Result")


class Kind(NamedTuple):
    """What is accepted, in words, and as a test of a number."""

    accepted: str
    fits: Callable[[Any], bool]
    several: bool = False  # a sequence of them, with at least one
    number: Callable[[Any], Any] | None = float  # what it is as a number; None for what is none


def _whole(least: int) -> Kind:
    return Kind(f"a whole number ≥ {least}", lambda value: value == int(value) and value >= least, number=int)


_DEPTH, _STD = _whole(2), Kind("a finite number ≥ 0", lambda value: 0 <= value < math.inf)
_ABOVE_ZERO = Kind("a finite number > 0", lambda value: 0 < value < math.inf)
_KINDS = {
    "width": _whole(1),
    "batch": _whole(1),
    "length": _whole(1),
    "layers": _whole(1),
    "samples": _whole(1),
    "matrices": _DEPTH,
    "depth": _DEPTH,
    "depths": Kind("whole numbers ≥ 2, at least one", _DEPTH.fits, several=True, number=int),
    "scale": _STD,
    "weight_std": _STD,
    "bias_std": _STD,
    "negative_slope": Kind("a finite number", math.isfinite),
    "start": _STD,
    "values": Kind("finite numbers ≥ 0, at least one", _STD.fits, several=True),
    "times": Kind("finite numbers ≥ 0, at least one", _STD.fits, several=True),
    "input_norm": _ABOVE_ZERO,
    "correlation": Kind("a number between -1 and 1", lambda value: -1 <= value <= 1),
    "seeds": _whole(1),
    "confidence": Kind("a number between 0 and 1", lambda value: 0 < value < 1),
    "initializer": Kind("a name", lambda value: isinstance(value, str), number=None),
    "architecture": Kind("a name", lambda value: isinstance(value, str), number=None),
    "loss": Kind("output or mse", lambda value: value in ("output", "mse"), number=None),
    "generator": Kind("a numpy.random.Generator", lambda value: isinstance(value, np.random.Generator), number=None),
}


def checked(function: Callable[..., Result]) -> Callable[..., Result]:
    """The function, which raises ValueError for an argument that cannot be: its name, the value and what is accepted."""
    signature = inspect.signature(function)
    # where None is the default, it stands for a value that the function chooses
    kinds = {name: (_KINDS[name], each.default is None) for name, each in signature.parameters.items() if name in _KINDS}

    @wraps(function)
    def call(*arguments: Any, **named: Any) -> Result:
        bound = signature.bind(*arguments, **named)
        for name, (kind, may_be_none) in kinds.items():
            given = bound.arguments
            if name in given and not (may_be_none and given[name] is None):
                given[name] = check(name, given[name], kind)
        return function(*bound.args, **bound.kwargs)

    return call


def check(name: str, value: Any, kind: Kind) -> Any:
    """The value, whole numbers as ints. Raises ValueError unless it is what is accepted."""
    try:
        usable = len(value) > 0 and all(_fits(each, kind) for each in value) if kind.several else _fits(value, kind)
    except TypeError:  # not a sequence
        usable = False
    if not usable:
        raise ValueError(f"{name}: got {value!r}, expected {kind.accepted}")
    if kind.number is not int:
        return value
    return tuple(map(int, value)) if kind.several else int(value)


def above_zero(name: str, value: Any) -> None:
    """Raise ValueError unless it is a finite number > 0."""
    check(name, value, _ABOVE_ZERO)


def _fits(value: Any, kind: Kind) -> bool:
    if kind.number is None:
        return kind.fits(value)
    try:
        return not isinstance(value, (bool, str)) and np.ndim(value) == 0 and bool(kind.fits(value))
    except (TypeError, ValueError, OverflowError):  # not a number; NaN or an infinity as a whole one
        return False


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint where a known name is close, else nothing."""
    close = difflib.get_close_matches(name.casefold().replace("-", "_"), list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
