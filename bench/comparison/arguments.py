"""What a comparison is asked for, checked before anything is measured for it."""

from __future__ import annotations

from typing import Any

from bench.settings.checks import integer
from bench.settings.errors import SweepError
from bench.settings.suggestions import nearest

MOST_ISOMETRY_SEEDS = 1_000
NUMBERS = ("slope", "imbalance", "relative_imbalance", "spread", "dead")  # that schemes can be ranked by


def check_isometry_seeds(count: object) -> int:
    """Of how many seeds the Jacobian is looked at. Raises SweepError."""
    return integer("isometry_seeds", count, at_least=0, at_most=MOST_ISOMETRY_SEEDS)


def check_rank_by(name: Any) -> str:
    """What schemes are ranked by. Raises SweepError."""
    if name not in NUMBERS:
        raise SweepError("rank_by", name, f"one of {', '.join(NUMBERS)}{nearest(str(name), NUMBERS)}")
    return name
