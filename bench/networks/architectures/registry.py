"""Architectures by name with arguments (``residual:alpha=1/sqrt(L)``), or a user's own (``package.module:block``)."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import jax.numpy as jnp

from bench.networks import architectures
from bench.networks.architectures.architecture import Architecture
from bench.networks.architectures.traced import traced
from bench.settings.errors import SweepError
from bench.settings.registry import describe
from bench.settings.specs import meant, parse_spec
from bench.settings.suggestions import nearest

FIELD = "architectures"
_named: set[str] = set()


def _found() -> dict[str, Callable[..., Architecture]]:
    """Every function of this folder that makes an architecture."""
    modules = (importlib.import_module(f"{architectures.__name__}.{each.name}") for each in _modules())
    functions = (found for module in modules for found in vars(module).values() if inspect.isfunction(found))
    made = {f.__name__: f for f in functions if inspect.signature(f).return_annotation in ("Architecture", Architecture)}
    return dict(sorted(made.items(), key=lambda item: (item[0] != "plain", item[0])))


def _modules() -> list[pkgutil.ModuleInfo]:
    return [each for each in pkgutil.iter_modules(architectures.__path__) if each.name != "registry"]


ARCHITECTURES: Mapping[str, Callable[..., Architecture]] = _found()


def architecture_of(text: str) -> Architecture:
    """The architecture that is written so. Raises SweepError: what is accepted, and the nearest known name."""
    return _own(text) if text.partition(":")[0] not in ARCHITECTURES and ":" in text else _of_the_suite(text)


@cache
def _of_the_suite(text: str) -> Architecture:
    spec = parse_spec(FIELD, text, ARCHITECTURES)
    make = ARCHITECTURES[spec.name]
    known = inspect.signature(make).parameters
    for name, _ in spec.arguments:
        if name not in known:
            accepted = f"arguments of {spec.name}: {', '.join(known)}" if known else f"{spec.name} without arguments"
            raise SweepError(FIELD, text, accepted + nearest(name, known))
    try:
        return make(**dict(spec.arguments))
    except ValueError as error:
        raise SweepError(FIELD, text, f"{spec.name}'s {error}") from error


def known(text: str) -> bool:
    """Whether it is the suite's own, or the user has named it in this process: else it is only a word."""
    return text.partition(":")[0] in ARCHITECTURES or text in _named


def settled(text: Any) -> str:
    """How it is written in rows, with arguments in the order of their names; known from now on. Raises SweepError."""
    if not isinstance(text, str):
        raise SweepError(FIELD, text, "names with arguments, or package.module:block")
    architecture_of(text)
    _named.add(text)
    return str(parse_spec(FIELD, text, ARCHITECTURES)) if text.partition(":")[0] in ARCHITECTURES else text


def each_once(given: Iterable[Any]) -> tuple[str, ...]:
    """How they are written in rows, of several spellings of one architecture the first. Raises SweepError."""
    found: dict[object, str] = {}
    for name in map(settled, given):
        make = ARCHITECTURES.get(name.partition(":")[0])
        found.setdefault(meant(parse_spec(FIELD, name, ARCHITECTURES), make) if make else name, name)
    return tuple(found.values())


def _own(text: str) -> Architecture:
    module, _, attribute = text.partition(":")
    accepted = "package.module:attribute of a block(h, weights, step), an Architecture, or what makes one of them"
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
        if callable(found) and not isinstance(found, Architecture):
            found = _made_of(text, found)
    except (Exception, SystemExit) as error:  # importing runs the user's code, which may fail in any way
        meant = nearest(module, ARCHITECTURES) if isinstance(error, ModuleNotFoundError) and error.name == module else ""
        raise SweepError(FIELD, text, f"{accepted} ({describe(error)}){meant}") from error
    if not isinstance(found, Architecture):
        raise SweepError(FIELD, text, f"{accepted} (this is of type {type(found).__name__})")
    return found


@cache  # by the function: a module may be loaded anew
def _made_of(name: str, function: Callable[..., Any]) -> Any:
    if not _takes_nothing(function):
        return _of_block(name, function)
    made = function()
    return _of_block(name, made) if callable(made) and not isinstance(made, Architecture) else made


def _of_block(name: str, block: Callable[..., Any]) -> Architecture:
    """Of a bare function, with what it looks at; all that there is, where it cannot be told without its true sizes."""
    architecture = Architecture(name, block, by_depth=True, driven=True)
    try:
        looks = traced(architecture, jnp.tanh, (2, 3, 4), "float32")
    except (Exception, SystemExit):  # it is tried again, at its sizes, where it is used
        return architecture
    return replace(architecture, by_depth=looks.by_depth, driven=looks.driven)


def _takes_nothing(function: Any) -> bool:
    try:
        inspect.signature(function).bind()
    except TypeError:
        return False
    return True
