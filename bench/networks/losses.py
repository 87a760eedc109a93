"""Losses by name: their size and their derivative with respect to the output, at any magnitude of the output."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Loss(NamedTuple):
    """``derivative(m, e)``: ∂loss/∂y at y = m · 2^e, as mantissa and exponent; all float64 arrays of one shape.

    ``log2(m, e)``: log2 |loss| there; -inf where it is zero.
    """

    name: str
    summary: str
    derivative: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    log2: Callable[[np.ndarray, np.ndarray], np.ndarray]


def _one(mantissa: np.ndarray, exponent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.ones_like(mantissa), np.zeros_like(exponent)


def _squared_error(mantissa: np.ndarray, exponent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Y - 1, in units of 2^max(e, 0); beyond 2^±1000 the smaller of the two terms is nothing beside the other."""
    above = np.maximum(exponent, 0)
    y = np.ldexp(mantissa, np.clip(exponent - above, -1000, 0).astype(int))
    return y - np.ldexp(1.0, np.clip(-above, -1000, 0).astype(int)), above


def log2_of(mantissa: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """Log2 of |m · 2^e|; -inf at zero."""
    with np.errstate(divide="ignore"):
        return np.log2(np.abs(mantissa)) + exponent


LOSSES = {
    loss.name: loss
    for loss in (
        Loss("output", "y itself, so that depth alone is seen", _one, log2_of),
        Loss("mse", "(y - 1)² / 2", _squared_error, lambda m, e: 2 * log2_of(*_squared_error(m, e)) - 1),
    )
}
