"""Things with a name and arguments, as they are written everywhere: ``adamw``, ``adamw:weight_decay=0.01,nesterov=true``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from bench.settings.errors import SweepError
from bench.settings.suggestions import nearest

WRITTEN = "NAME or NAME:ARGUMENT=VALUE,ARGUMENT=VALUE"
CONSTANTS = {"true": True, "false": False}


class Spec(NamedTuple):
    """A name and its arguments, in order of their names."""

    name: str
    arguments: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        if not self.arguments:
            return self.name
        return f"{self.name}:{','.join(f'{name}={_written(value)}' for name, value in self.arguments)}"


def parse_spec(field: str, text: object, known: Any) -> Spec:
    """A spec whose name is one of ``known``: values are numbers, true, false, lists ``1/2/3`` of such, or words.

    Raises SweepError: the nearest known name for an unknown one.
    """
    if not isinstance(text, str):
        raise SweepError(field, text, WRITTEN)
    name, colon, rest = text.partition(":")
    if name not in known:
        raise SweepError(field, text, f"one of {', '.join(known)}{nearest(name, known)}")
    if colon and not rest:
        raise SweepError(field, text, WRITTEN)
    arguments: dict[str, Any] = {}
    for part in rest.split(",") if rest else ():
        argument, equals, value = part.partition("=")
        if not equals or not argument.isidentifier() or not value:
            raise SweepError(field, text, WRITTEN)
        if argument in arguments:
            raise SweepError(field, text, f"{argument} once")
        arguments[argument] = _value(value)
    return Spec(name, tuple(sorted(arguments.items())))


def meant(spec: Spec, make: Callable[..., Any]) -> Spec:
    """The spec without arguments at the defaults of ``make``: two spellings of one thing mean the same."""
    known = inspect.signature(make).parameters
    others = ((name, value) for name, value in spec.arguments if not (name in known and _same(value, known[name].default)))
    return Spec(spec.name, tuple(others))


def _same(value: Any, default: Any) -> bool:
    """Whether they are equal: 1 and 1.0 are, 1 and true are not."""
    return isinstance(value, bool) == isinstance(default, bool) and value == default


def respelled(text: str) -> str:
    """The spec with every number as Python writes it, so that 0.3 and 3e-1 are one; whatever else it is, as it is."""

    def one(part: str) -> str:
        argument, equals, value = part.partition("=")
        number = _value(value)
        whole = isinstance(number, float) and number.is_integer()
        return f"{argument}{equals}{_written(int(number) if whole else number)}"

    name, colon, rest = text.partition(":")
    return f"{name}{colon}{','.join(map(one, rest.split(',')))}"


def _value(text: str) -> Any:
    if "/" in text:
        found = tuple(_value(part) for part in text.split("/"))
        return text if any(isinstance(part, str) for part in found) else found
    if text.lower() in CONSTANTS:
        return CONSTANTS[text.lower()]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return "/".join(map(_written, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
