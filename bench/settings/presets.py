"""Presets: settings with a name and a line, made when they are asked for, so that help and ``list`` need no JAX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from functools import cached_property
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from bench.settings.ranges import RANGED, parse

T = TypeVar("T")


class Preset(Generic[T]):
    """A line about some settings, and the fields that are given to ``make``; numbers may be written as ranges."""

    def __init__(self, make: Callable[..., T], summary: str, **written: Any) -> None:
        self.summary = summary
        self.written: Mapping[str, Any] = MappingProxyType(written)
        self._make = make

    @cached_property
    def settings(self) -> T:
        """The settings themselves. Raises SweepError."""
        return self._make(**{field: self._value(field, value) for field, value in self.written.items()})

    def _value(self, field: str, value: Any) -> Any:
        if field in RANGED and isinstance(value, str):
            return tuple(number for part in value.split() for number in parse(field, part, whole=RANGED[field]))
        return value

    def __repr__(self) -> str:
        return f"<preset: {self.summary}>"


def defaults_of(kind: Any) -> dict[str, Any]:
    """The fields of a dataclass and their defaults, without making one."""
    return {field.name: field.default for field in fields(kind) if field.default is not MISSING}
