"""Things chosen by name: the suite's own, or a user's callable written ``package.module:attribute``."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def nearest(name: str, known: Iterable[str]) -> str:
    """The hint "; did you mean …?" where a known name is close, else nothing."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""


def describe(error: Exception) -> str:
    """An exception in one line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


class Registry(Generic[T]):
    """A read-only table of named entries, open to callables that are importable.

    ``wrap(name, callable)`` turns a user's callable into an entry.
    """

    def __init__(self, kind: str, entries: Mapping[str, T], wrap: Callable[[str, Any], T]) -> None:
        self.kind = kind
        self._entries = dict(entries)
        self._wrap = wrap

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def items(self) -> Iterator[tuple[str, T]]:
        """Every (name, entry) of the suite's own, in order."""
        return iter(self._entries.items())

    def __getitem__(self, name: str) -> T:
        """The entry called ``name``. Raises ValueError: what is accepted, and the nearest known name."""
        if name in self._entries:
            return self._entries[name]
        if ":" in name:
            return self._wrap(name, self._load(name))
        raise ValueError(f"{', '.join(self)}, or package.module:attribute{nearest(name, self)}")

    def resolve(self, entry: Any) -> T:
        """The entry of that name, or a callable as an entry under its own name. Raises ValueError for anything else."""
        if isinstance(entry, str):
            return self[entry]
        if not callable(entry):
            raise ValueError(f"the name of an {self.kind}, or a callable")
        return self._wrap(getattr(entry, "__name__", repr(entry)), entry)

    def _load(self, name: str) -> Any:
        module, _, attribute = name.partition(":")
        try:
            found: Any = importlib.import_module(module)
            for part in attribute.split("."):
                found = getattr(found, part)
        except Exception as error:  # importing runs the user's code, which may fail in any way
            raise ValueError(f"package.module:attribute of something importable ({describe(error)})") from error
        if not callable(found):
            raise ValueError(f"package.module:attribute of a callable (this one is of type {type(found).__name__})")
        return found
