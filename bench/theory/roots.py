"""Roots of functions of one number, to full precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PRECISION = 1e-14


def root(function: Callable[[float], Any], low: float, high: float) -> float:
    """Where a function changes its sign between two numbers (Brent's method). Raises ValueError if it does not."""
    from scipy.optimize import brentq  # here: no import of theory should wait for it

    options: Any = {"xtol": PRECISION, "rtol": PRECISION}
    found: Any = brentq(lambda x: float(function(x)), low, high, **options)
    return float(found)
