"""How many networks and resamples a comparison takes, checked before anything is measured for it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bench.settings.checks import integer

# argument → the least and the most of it
LIMITS: Mapping[str, tuple[int, int]] = MappingProxyType({"isometry_seeds": (0, 1_000), "resamples": (1_000, 100_000)})


def check_count(name: str, value: object) -> int:
    """The whole number of that argument. Raises SweepError."""
    least, most = LIMITS[name]
    return integer(name, value, at_least=least, at_most=most)
