"""A sweep: what is measured, as immutable data that checks itself."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Self, cast

from bench.activations import ACTIVATIONS
from bench.initializers import INITIALIZERS
from bench.losses import LOSSES

DTYPES = ("float32", "float64")
LARGEST_KEY = 2**32 - 1
LARGEST_COUNT = 1_000_000  # of layers, neurons and seeds: more is a slip of the keyboard


class SweepError(ValueError):
    """A field of a sweep that cannot be: its text names the field, the value, and what is accepted."""

    def __init__(self, field: str, value: object, accepted: str) -> None:
        super().__init__(f"{field}: got {value!r}, expected {accepted}")
        self.field = field
        self.accepted = accepted


class Settings:
    """A frozen dataclass of settings, of a sweep or a training: as JSON and back, and what both check alike."""

    def _settle(self, field: str, value: object) -> None:
        object.__setattr__(self, field, value)

    def _settle_networks(self) -> None:
        """Check and settle the fields that say which networks there are. Raises SweepError."""
        given: Any = self
        self._settle("initializers", names("initializers", given.initializers, INITIALIZERS))
        self._settle("activations", names("activations", given.activations, ACTIVATIONS))
        self._settle("depths", integers("depths", given.depths, at_least=2, at_most=LARGEST_COUNT))
        self._settle("widths", integers("widths", given.widths, at_least=1, at_most=LARGEST_COUNT))
        self._settle("scales", reals("scales", given.scales))
        self._settle("bias_stds", reals("bias_stds", given.bias_stds))
        self._settle("seeds", integer("seeds", given.seeds, at_least=1, at_most=LARGEST_COUNT))
        self._settle("key", integer("key", given.key, at_least=0, at_most=LARGEST_KEY))
        if given.dtype not in DTYPES:
            raise SweepError("dtype", given.dtype, " or ".join(DTYPES))

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON types."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(cast(Any, self)).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`. Raises SweepError for a field that does not exist."""
        known = {field.name for field in fields(cast(Any, cls))}
        for name, value in values.items():
            if name not in known:
                raise SweepError(name, value, f"one of the fields {', '.join(sorted(known))}")
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class Sweep(Settings):
    """Every combination of its fields is one cell: a network, and one row of results.

    Sequences are stored as tuples, numbers sorted, each value once. Raises :class:`SweepError` (a ValueError) for a
    value that cannot be measured.

    initializers: names (``python -m bench list``) or ``package.module:attribute`` of any ``init(key, shape, dtype)``.
    activations: likewise; any function on arrays.
    depths: numbers L of weight matrices, the readout included; each ≥ 2.
    scales: factors on the drawn weights; each ≥ 0 and finite.
    widths: n ≥ 1, of every hidden layer and the input.
    bias_stds: standard deviations of the biases; each ≥ 0 and finite; 0 is no bias, or the scheme's own where it has one.
    seeds: how many independent networks, ≥ 1.
    key: the root of all randomness, 0 to 2^32 - 1.
    loss: "output" (the output y itself) or "mse" ((y - 1)² / 2).
    dtype: "float32" or "float64", of all arithmetic.
    layers: also keep one row for each layer of each cell.
    """

    initializers: tuple[str, ...] = ("gaussian",)
    activations: tuple[str, ...] = ("tanh",)
    depths: tuple[int, ...] = (2, 4, 8, 16, 32, 64)
    scales: tuple[float, ...] = (0.5, 1.0, 1.5)
    widths: tuple[int, ...] = (64,)
    bias_stds: tuple[float, ...] = (0.0,)
    seeds: int = 4
    key: int = 0
    loss: str = "output"
    dtype: str = "float32"
    layers: bool = True

    def __post_init__(self) -> None:
        self._settle_networks()
        if not isinstance(self.loss, str) or self.loss not in LOSSES:
            raise SweepError("loss", self.loss, " or ".join(LOSSES))
        if not isinstance(self.layers, bool):
            raise SweepError("layers", self.layers, "True or False")

    @property
    def cells(self) -> int:
        """How many rows the sweep has; fewer where an initializer makes one bias_std of several."""
        axes = (self.initializers, self.activations, self.widths, self.bias_stds, self.depths, self.scales)
        return math.prod(map(len, axes)) * self.seeds


def _values(field: str, values: object, accepted: str) -> tuple[Any, ...]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise SweepError(field, values, f"a sequence of {accepted}")
    found = tuple(values)
    if not found:
        raise SweepError(field, found, f"at least one of {accepted}")
    return found


def names(field: str, values: object, registry: Any) -> tuple[str, ...]:
    """Names in ``registry`` (anything whose ``[name]`` raises ValueError for an unknown one), each once, in order."""
    found = _values(field, values, "names")
    for name in found:
        if not isinstance(name, str):
            raise SweepError(field, name, "names, or package.module:attribute")
        try:
            registry[name]
        except ValueError as error:
            raise SweepError(field, name, str(error)) from error
    return tuple(dict.fromkeys(found))


def integer(field: str, value: Any, *, at_least: int, at_most: int) -> int:
    """A whole number in range."""
    try:
        number = None if isinstance(value, (bool, str)) or int(value) != value else int(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or not at_least <= number <= at_most:
        raise SweepError(field, value, f"a whole number ≥ {at_least} and ≤ {at_most}")
    return number


def integers(field: str, values: object, *, at_least: int, at_most: int) -> tuple[int, ...]:
    """Whole numbers in range, sorted, each once."""
    found = _values(field, values, f"whole numbers ≥ {at_least}")
    return tuple(sorted({integer(field, value, at_least=at_least, at_most=at_most) for value in found}))


def reals(field: str, values: object) -> tuple[float, ...]:
    """Finite numbers ≥ 0, sorted, each once."""
    accepted = "finite numbers ≥ 0"
    for value in (found := _values(field, values, accepted)):
        try:
            usable = not isinstance(value, (bool, str)) and math.isfinite(value) and value >= 0
        except (TypeError, OverflowError):
            usable = False
        if not usable:
            raise SweepError(field, value, accepted)
    return tuple(sorted({abs(float(value)) for value in found}))
