"""Callables of the user's own, whose errors come back as theirs, in one line, whenever they are raised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.settings.errors import UsageError
from bench.settings.registry import describe


@dataclass(frozen=True)
class Own:
    """A user's callable; one that works on small arrays may still fail at the real width or in float64."""

    function: Callable[..., Any]
    field: str
    name: str

    def __call__(self, *arguments: Any) -> Any:
        """What the function returns. Raises UsageError where it raises anything."""
        try:
            return self.function(*arguments)
        except Exception as error:  # the user's code may fail in any way
            given = ", ".join(f"{each.dtype}{list(each.shape)}" for each in arguments if hasattr(each, "dtype"))
            shapes = [list(each) for each in arguments if isinstance(each, tuple)]
            where = f"the shape {shapes[0]}" if shapes else given or "these arguments"
            raise UsageError(f"{self.field}: got {self.name!r}, which fails for {where} ({describe(error)})") from error
