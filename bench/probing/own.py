"""A user's ``make``: the function that returns a loss, its parameters and its other arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import jax

from bench.probing.model import Model, trace
from bench.settings.errors import SweepError
from bench.settings.registry import Registry, describe

RETURNS = "a function that returns (loss, params, args), args a tuple"
Make = Callable[..., tuple[Callable[..., Any], Any, tuple[Any, ...]]]


def load(name: str) -> Make:
    """The function ``package.module:make``. Raises SweepError."""
    if ":" not in name:
        raise SweepError("make", name, f"package.module:function, {RETURNS}")
    try:
        return Registry("model", {}, lambda _, function: function)[name]
    except ValueError as error:
        raise SweepError("make", name, str(error)) from error


def takes_key(make: Make) -> bool:
    """Whether it draws a model for every key."""
    try:
        parameters = inspect.signature(make).parameters.values()
    except ValueError:
        return False
    return any(each.default is each.empty and each.kind is not each.VAR_KEYWORD for each in parameters)


def model_of(make: Make, name: str, key: jax.Array, *, nonlinear: str = "refuse") -> Model:
    """The model that it returns for a key, traced. Raises SweepError, in one line, for whatever goes wrong in it."""
    try:
        made = make(key) if takes_key(make) else make()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the user's code, which may fail in any way
        raise SweepError("make", name, f"{RETURNS}; it raised {describe(error)}") from error
    if not isinstance(made, tuple) or len(made) != 3 or not callable(made[0]) or not isinstance(made[2], tuple | list):
        raise SweepError("make", name, f"{RETURNS}; it returned {_words(made)}")
    loss, params, args = made
    try:
        model = trace(loss, params, *args, nonlinear=nonlinear)
        model.value(model.parameters.arrays, model.data, model.program.consts)  # so that what fails then is not the user's
    except SweepError as error:
        raise SweepError("make", name, f"{RETURNS}; its {error}") from error
    except Exception as error:
        if "RESOURCE_EXHAUSTED" in str(error):
            raise
        raise SweepError("make", name, f"{RETURNS}; its loss(params, *args) raised {describe(error)}") from error
    return model


def _words(made: Any) -> str:
    names = [type(part).__name__ for part in made] if isinstance(made, tuple) else []
    return f"({', '.join(names)})" if names else f"one {type(made).__name__}"
