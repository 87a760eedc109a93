"""What attention is at initialization: averages over softmaxes of normal logits."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

NUMBERS = 2**14  # drawn, with a fixed key: the averages are good to a percent
FEWEST = 256
KNOTS = 13
SMALLEST = 1e-3  # of √(1 - c), in the place of 0


class Attention(NamedTuple):
    """Averages over p = softmax(x), p′ = softmax(x′) of T logits, x and x′ of two positions.

    With A = diag p - p pᵀ, the derivative of softmax.
    """

    same: float  # Σ p²
    unlike: float  # Σ (p - p′)² / 2
    slope: float  # tr A²
    mixed: float  # tr A A′


def attention(length: int, strength: float, apart: float) -> Attention:
    """Of logits q·k of standard deviation κ² and correlation c, over s and between positions; apart: 1 - c, from 0 to 1."""
    if length == 1:
        return Attention(1.0, 0.0, 0.0, 0.0)
    found = _interpolated(length, strength)(math.sqrt(apart))
    return Attention(*found.tolist())._replace(unlike=float(found[1]) * apart**2)


@lru_cache(maxsize=64)
def _interpolated(length: int, strength: float) -> Callable[[float], np.ndarray]:
    """√(1 - c) → the averages, the second one over (1 - c)², which is what it begins as."""
    from scipy.interpolate import make_interp_spline  # here: no import of theory should wait for it

    knots = np.linspace(0, 1, KNOTS)
    known = [_averages(length, strength * knot, max(knot, SMALLEST) ** 2) for knot in knots]
    return make_interp_spline(knots, known, k=3)


def _averages(length: int, logit_std: float, apart: float) -> tuple[float, ...]:
    """Of logits of that standard deviation, those without what is common to all s."""
    first, other = _drawn(length)
    moved = math.sqrt(apart * (2 - apart)) * other - apart * first
    p, q = _softmax(logit_std * first), _softmax(logit_std * (first + moved))
    squares, product = (p**2).sum(axis=1), (p * q).sum(axis=1)
    slope = squares - 2 * (p**3).sum(axis=1) + squares**2
    mixed = product - (p * q * (p + q)).sum(axis=1) + product**2
    unlike = ((p - q) ** 2).sum(axis=1) / 2 / apart**2
    return tuple(float(each.mean()) for each in (squares, unlike, slope, mixed))


@lru_cache(maxsize=4)
def _drawn(length: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((2, max(FEWEST, NUMBERS // length), length))


def _softmax(logits: np.ndarray) -> np.ndarray:
    found = np.exp(logits - logits.max(axis=1, keepdims=True))
    return found / found.sum(axis=1, keepdims=True)
