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

    def resolve(self, entry: str | Callable[..., Any]) -> T:
        """The entry of that name, or a callable as an entry under its own name."""
        return self[entry] if isinstance(entry, str) else self._wrap(getattr(entry, "__name__", repr(entry)), entry)

    def _load(self, name: str) -> Any:
        module, _, attribute = name.partition(":")
        try:
            found: Any = importlib.import_module(module)
            for part in attribute.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError, ValueError) as error:
            raise ValueError(f"{self.kind} {name!r} cannot be imported: {error}") from error
        if not callable(found):
            raise ValueError(f"{self.kind} {name!r} is {type(found).__name__}, not a callable")
        return found
