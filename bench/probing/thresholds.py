"""From which numbers on a verdict is given; every one of them is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from bench.settings.errors import SweepError


@dataclass(frozen=True)
class Thresholds:
    """What counts as what, in decades where nothing else is said.

    per_layer: a slope of gradients over the layers, whose whole interval must be beyond it. apart: how far a layer's
    gradient may be from those of the last layers, and half of that where there is such a slope. large, small: how much
    larger or smaller than their weights the gradients of half of all matrices may be. zeros: the share of a gradient's
    rows or columns that may be exactly zero. lost: the share of entries, of a gradient or of the cotangent that it is made
    of, that may be below the smallest number of the format in which they are computed.
    """

    per_layer: float = 0.1
    apart: float = 3.0
    large: float = 3.0
    small: float = 6.0
    zeros: float = 0.8
    lost: float = 0.05

    @classmethod
    def given(cls, values: Mapping[str, Any]) -> Thresholds:
        """The defaults with these in their place. Raises SweepError for a name or value that is none."""
        known = [field.name for field in fields(cls)]
        for name, value in values.items():
            if name not in known:
                raise SweepError("thresholds", name, f"one of {', '.join(known)}")
            share = name in ("zeros", "lost")
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0 <= value <= (1 if share else 1e9):
                raise SweepError(name, value, "a share from 0 to 1" if share else "a number of decades ≥ 0")
        return cls(**{name: float(value) for name, value in values.items()})
