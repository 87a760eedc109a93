"""Things chosen by name: the suite's own, or a user's callable, itself or written ``package.module:attribute``."""

from __future__ import annotations

import html
import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from bench.settings.callables import digest, importable_name, is_of_a_callable, name_of, short_name
from bench.settings.errors import SweepError
from bench.settings.specs import meant, parse_spec, respelled
from bench.settings.suggestions import nearest

T = TypeVar("T")


class FactoryError(TypeError):
    """A function that makes the wanted one was given in its place."""


def describe(error: BaseException) -> str:
    """An exception in one line."""
    lines = str(error).strip().splitlines()
    if isinstance(error, FactoryError):
        return lines[0]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def called(function: Any, *arguments: Any) -> Any:
    """What it returns. Raises FactoryError where that is a function, or it takes no such arguments but makes one without."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # nothing is known of some built-in ones
        return function(*arguments)
    takes_none = all(each.default is not each.empty for each in signature.parameters.values())
    try:
        signature.bind(*arguments)
        fits = True
    except TypeError:
        fits = not takes_none
    made = function(*arguments) if fits else function()
    if callable(made):
        name = short_name(function)
        raise FactoryError(f"{name} is a factory; call it: {name}({'' if takes_none else '…'})")
    return made if fits else function(*arguments)


class Registry(Generic[T]):
    """A read-only table of named entries, open to callables.

    ``wrap(name, callable)`` turns a user's callable into an entry; ``announce(name, callable)`` is told of each that the
    user has named or given (:meth:`name`). ``makers``: functions of arguments that are written after their names
    (``dks:of=tanh,depth=852``) and always make the same callable of the same arguments.
    """

    def __init__(
        self,
        kind: str,
        entries: Mapping[str, T],
        wrap: Callable[[str, Any], T],
        announce: Callable[[str, Any], object] = lambda _name, _callable: None,
        makers: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        self.kind = kind
        self._entries = dict(entries)
        self._given: dict[str, tuple[str, T]] = {}  # name → digest, if it has no name of its own, and entry of a callable
        self._callables: dict[str, Any] = {}  # name → what was given, of those that have no name of their own
        self._wrap = wrap
        self._wrapped: dict[str, tuple[Any, T]] = {}  # name → what was found under it last, and the entry that it made
        self._announce = announce
        self._makers = dict(makers or {})

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        lines = [f"  {name:{width}}  {getattr(entry, 'summary', '')}" for name, entry in self.items()]
        return "\n".join([f"{len(self)} {self.kind}s, by name:", *lines])

    def _repr_html_(self) -> str:
        cells = ((name, getattr(entry, "summary", "")) for name, entry in self.items())
        rows = "".join(
            f"<tr><td><code>{html.escape(name)}</code></td><td>{html.escape(text)}</td></tr>" for name, text in cells
        )
        return f"<table><caption>{len(self)} {self.kind}s, by name</caption>{rows}</table>"

    def keys(self) -> list[str]:
        """Every name of the suite's own, in order."""
        return list(self._entries)

    def items(self) -> Iterator[tuple[str, T]]:
        """Every (name, entry) of the suite's own, in order."""
        return iter(self._entries.items())

    def __getitem__(self, name: str) -> T:
        """The entry called ``name``. Raises ValueError: what is accepted, and the nearest known name."""
        if name in self._entries:
            return self._entries[name]
        if ":" not in name and name in self._given:
            return self._given[name][1]
        return self._entry(name, self._load(name))

    def name(self, entry: Any) -> str:
        """What an entry is called from now on in this process: a name, or a callable.

        An entry of the suite's own, or the very function that it is made of, has that entry's name; for others see
        :mod:`bench.settings.callables`. Raises ValueError for what cannot be used, and where a name is another callable's.
        """
        if isinstance(entry, str):
            if entry in self._entries or (":" not in entry and entry in self._given):
                return str(entry)
            name = respelled(entry) if entry.partition(":")[0] in self._makers else str(entry)
            return self._take(name, "", lambda: self._load(name))
        if not callable(entry):
            raise ValueError("names, package.module:attribute, or callables")
        for name, own in self._entries.items():
            if entry is own or entry is getattr(own, "function", None):
                return name
        if (name := importable_name(entry)) is not None:
            return self._take(name, "", lambda: entry)
        return self._take(name_of(entry), digest(entry), lambda: entry)

    def meaning(self, name: str) -> object:
        """What two names of one entry have in common, as :meth:`name` gives them: ``gaussian:mean=0`` is ``gaussian``."""
        if (made := name.partition(":")[0]) not in self._makers:
            return name
        return meant(parse_spec(self.kind, name, self._makers), self._makers[made])

    def unnamed(self, names: Iterable[str]) -> dict[str, Any]:
        """Of those names the callables that this process was given, and no other one can import."""
        return {name: self._callables[name] for name in names if name in self._callables}

    def known(self, name: str) -> bool:
        """Whether it is the suite's own, or the user has named or given it in this process: else it is only a word."""
        return name in self._entries or name in self._given or name.partition(":")[0] in self._makers

    def _take(self, name: str, content: str, get: Callable[[], Any]) -> str:
        if not content or name not in self._given:  # a module may have been loaded anew
            found = get()
            self._given[name] = content, self._entry(name, found)
            if content:
                self._callables[name] = found
            self._announce(name, found)
        elif self._given[name][0] != content:
            raise ValueError(f"a callable whose name is not taken: {name} is another one's; rename the function")
        return name

    def _entry(self, name: str, found: Any) -> T:
        """What is found under that name as an entry, made once: a user's is tried, which takes a while."""
        known = self._wrapped.get(name)
        if known is None or known[0] is not found:  # a module may have been loaded anew
            known = self._wrapped[name] = found, self._wrap(name, found)
        return known[1]

    def resolve(self, entry: Any) -> T:
        """The entry of that name, or a callable as an entry under its own name. Raises ValueError for anything else."""
        if isinstance(entry, str):
            return self[entry]
        if not callable(entry):
            raise ValueError(f"the name of an {self.kind}, or a callable")
        return self._wrap(getattr(entry, "__name__", repr(entry)), entry)

    def _make(self, text: str) -> Any:
        """What a maker makes of the arguments that are written after its name. Raises ValueError."""
        try:
            spec = parse_spec(self.kind, text, self._makers)
        except SweepError as error:
            raise ValueError(error.accepted) from error
        make, given = self._makers[spec.name], dict(spec.arguments)
        known = inspect.signature(make).parameters
        for argument in given:
            if argument not in known:
                raise ValueError(f"arguments of {spec.name}: {', '.join(known)}{nearest(argument, known)}")
        try:
            return make(**given)
        except ValueError as error:
            raise ValueError(f"{spec.name}'s {error}") from error

    def _load(self, name: str) -> Any:
        module, colon, attribute = name.partition(":")
        if module in self._makers:
            return self._make(name)
        if colon and module in self._entries:
            others = f", unlike {', '.join(self._makers)}" if self._makers else ""
            raise ValueError(f"{module} alone: it takes no arguments{others}")
        if is_of_a_callable(name):
            raise ValueError(
                f"a callable that this process knows by that name: give the {self.kind} itself, as it was given"
            )
        if not colon:
            made = "".join(f", {each}:…" for each in self._makers)
            raise ValueError(f"{', '.join(self)}{made}, or package.module:attribute{nearest(name, self)}")
        try:
            found: Any = importlib.import_module(module)
            for part in attribute.split("."):
                found = getattr(found, part)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # importing runs the user's code, which may fail in any way
            meant = nearest(module, self._makers)
            raise ValueError(f"package.module:attribute of something importable ({describe(error)}){meant}") from error
        if not callable(found):
            raise ValueError(f"package.module:attribute of a callable (this one is of type {type(found).__name__})")
        return found
