"""A precision run: a sweep whose networks are also computed in number formats, as immutable data that checks itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from bench.settings.checks import reals, sequence
from bench.settings.defaults import PLAIN
from bench.settings.errors import SweepError
from bench.settings.suggestions import nearest
from bench.sweeps.sweep import Sweep

LARGEST_EXPONENT = 126  # of a loss scale: 2^±126 is a normal float32
ACCEPTED = "a power of two, such as 1, 1024 or 0.5, from 2^-126 to 2^126"


@dataclass(frozen=True, kw_only=True)
class Precision(Sweep):
    """A :class:`bench.Sweep`, of which every network's gradient is also computed in each of several number formats.

    Raises :class:`bench.SweepError` (a ValueError) for a value that cannot be used. All other fields are a sweep's, and so
    are its rows, to the bit.

    formats: names of :data:`bench.arithmetic.formats.FORMATS`.
    loss_scale: a power of two, by which the loss is multiplied in the formats and their gradients are divided again.
    """

    formats: tuple[str, ...] = ("float16", "bfloat16")
    loss_scale: float = 1.0

    def __post_init__(self) -> None:
        from bench.arithmetic.formats import FORMATS

        super().__post_init__()
        for name in (found := sequence("formats", self.formats, "number formats")):
            if name not in FORMATS:
                hint = nearest(name, FORMATS) if isinstance(name, str) else ""
                raise SweepError("formats", name, f"names among {', '.join(FORMATS)}{hint}")
        if self.precision != "full":
            raise SweepError("precision", self.precision, "full: formats are held against it")
        if self.architectures != (PLAIN,):
            raise SweepError(
                "architectures",
                self.architectures[-1],
                f"{PLAIN}; of any other network, probe with formats says what they lose",
            )
        self._settle("formats", tuple(dict.fromkeys(found)))
        self._settle("loss_scale", _power_of_two(self.loss_scale))


def _power_of_two(value: Any) -> float:
    """The loss scale. Raises SweepError."""
    (number,) = reals("loss_scale", [value], accepted=ACCEPTED, fits=lambda number: number > 0)
    mantissa, exponent = math.frexp(number)
    if mantissa != 0.5 or abs(exponent - 1) > LARGEST_EXPONENT:
        raise SweepError("loss_scale", value, ACCEPTED)
    return number
