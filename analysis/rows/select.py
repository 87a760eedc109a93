"""Which rows of a run a figure shows: named, checked, and refused in one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bench.settings.errors import UsageError, shown
from bench.settings.suggestions import nearest

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 12  # that many accepted values fit on one line


class Facet(NamedTuple):
    """What one panel shows: everything of a cell but depth, scale, learning rates and seed."""

    initializer: str
    activation: str
    width: int
    bias_std: float
    optimizer: str = ""  # of a training
    input_norm: float = 1.0  # of a sweep, in units of √n
    architecture: str = "plain"


AXES = (*Facet._fields, "depth", "scale", "learning_rate", "readout_learning_rate", "correlation", "format")


class SelectionError(UsageError):
    """An argument that asks for what a run does not hold: ``argument: got …, expected …``."""

    def __init__(self, argument: str, value: object, accepted: str) -> None:
        super().__init__(f"{argument}: got {shown(value)}, expected {accepted}")
        self.argument = argument


def check_name(argument: str, name: str, known: Iterable[str]) -> str:
    """The name, if it is known. Raises SelectionError with the names that are, and the nearest."""
    names = list(known)
    if name not in names:
        raise SelectionError(argument, name, f"one of {', '.join(names)}{nearest(name, names)}")
    return name


def select(frame: pd.DataFrame, **wanted: Sequence[Any] | None) -> pd.DataFrame:
    """The rows whose cell is wanted: ``select(frame, activations=["tanh"], scales=[0.5, 1.0])``; None takes all.

    The arguments are those columns of :data:`AXES` that the frame has, in the plural. Numbers match up to a relative 1e-6.
    Raises SelectionError for a value that no row has, and if no row has all of them.
    """
    keep = np.ones(len(frame), dtype=bool)
    for argument, values in wanted.items():
        if values is None:
            continue
        column = argument.removesuffix("s")
        if column not in AXES:
            raise TypeError(f"select() knows no {argument!r}")
        if column not in frame:
            raise SelectionError(argument, list(values), f"a run with the column {column}")
        known = distinct(frame, column)
        found = {_match(argument, value, known) for value in values if known}
        keep &= np.array([value in found for value in frame[column].tolist()], dtype=bool)
    if not keep.any():
        raise SelectionError("SELECTION", "no row", "a combination of values that the run holds")
    return frame.loc[keep]


def distinct(frame: pd.DataFrame, column: str) -> list[Any]:
    """The values that a column takes, ascending."""
    return sorted(set(frame[column].tolist()))


def spread(values: Sequence[Any], count: int) -> list[Any]:
    """At most ``count`` of the sorted values, evenly spread by their place, both ends included."""
    places = np.unique(np.rint(np.linspace(0, len(values) - 1, min(count, len(values)))).astype(int))
    return [values[place] for place in places]


def facets(frame: pd.DataFrame) -> list[tuple[Facet, pd.DataFrame]]:
    """The rows of every panel, in the order in which the run holds them."""
    columns = _facet_columns(frame)
    groups: Any = frame.groupby(columns, sort=False, observed=True)
    return [(Facet(**dict(zip(columns, key, strict=True))), rows) for key, rows in groups]


def varying(frame: pd.DataFrame) -> list[str]:
    """The facets' columns that take several values."""
    return [column for column in _facet_columns(frame) if len(distinct(frame, column)) > 1]


def one_facet(frame: pd.DataFrame) -> Facet:
    """The facet of a frame that has only one. Raises SelectionError for several, or for no rows."""
    for column in _facet_columns(frame):
        known = distinct(frame, column)
        if len(known) != 1:
            raise SelectionError(f"{column}s", len(known), f"one for a panel, of {_list(known)}")
    return facets(frame)[0][0]


def facet_title(facet: Facet, named: Iterable[str]) -> str:
    """Words for one panel: initializer and activation, optimizer and width if they are named, and what is not the usual.

    That is a bias above 0, an input whose norm is not √n, or is named, and an architecture that is not plain, or is named.
    """
    words = [facet.architecture] if "architecture" in named or facet.architecture != "plain" else []
    words += [facet.initializer, facet.activation]
    words += [facet.optimizer] if "optimizer" in named else []
    words += [f"n = {facet.width}"] if "width" in named else []
    words += [f"bias std {facet.bias_std:.4g}"] if facet.bias_std else []
    words += [f"inputs {facet.input_norm:.4g} √n"] if "input_norm" in named or facet.input_norm != 1 else []
    return ", ".join(words)


def _facet_columns(frame: pd.DataFrame) -> list[str]:
    """Those that the frame has: sweeps have no optimizer."""
    return [column for column in Facet._fields if column in frame]


def _match(argument: str, value: Any, known: Sequence[Any]) -> Any:
    if isinstance(value, str):
        return check_name(argument, value, map(str, known))
    exact = [number for number in known if number == value]
    close = exact or [number for number in known if np.isclose(number, value, rtol=1e-6, atol=0)]
    if not close:
        best = min(known, key=lambda number: abs(number - value))
        raise SelectionError(argument, value, f"one of {_list(known)}; the nearest is {best:g}")
    return close[0]


def _list(known: Sequence[Any]) -> str:
    words = [value if isinstance(value, str) else f"{value:g}" for value in known]
    if len(words) > SHOWN:
        return f"{', '.join(words[: SHOWN - 2])}, … {words[-1]} ({len(words)} values)"
    return ", ".join(words)
