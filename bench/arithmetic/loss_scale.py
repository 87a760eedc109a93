"""Loss scales: the largest at which no gradient overflows, and those at which fewest entries are lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from bench.arithmetic.formats import FORMATS, Format
from bench.arithmetic.mixed import Mixed
from bench.arithmetic.policy import DYNAMIC

LEAST, MOST = -100, 120  # powers of two that are tried: a loss of 10^-8 times any of them is a float32


class Scales(NamedTuple):
    """Powers of two between which, ends included, no gradient overflows and as few entries are lost as can be.

    lost: the share of the entries, exact zeros aside, that are rounded to zero all the same.
    """

    low: int
    high: int
    lost: float

    @property
    def middle(self) -> int:
        """With as much room on both sides; 1 where that is among them and the range has no end."""
        return 0 if self.low <= 0 and self.high == MOST else (self.low + self.high) // 2


class Step:
    """A forward pass that is done, and its backward pass at any loss scale."""

    def __init__(self, mixed: Mixed, params: Any, *rest: Any):
        self.mixed = mixed
        self.value, self._vjp = mixed.forward(params, *rest)
        self._last: tuple[float, Any] | None = None  # which is asked for again

    def gradients(self, scale: float) -> Any:
        """The tree of gradients times the loss scale, as the backward pass leaves it."""
        if self._last is None or self._last[0] != scale:
            self._last = scale, self.mixed.scaled(self.value, self._vjp, scale)
        return self._last[1]

    def scaled(self, scale: float) -> list[np.ndarray]:
        """Its leaves."""
        return [wide(each) for each in jax.tree.leaves(self.gradients(scale))]

    def unscaled(self, scale: float) -> list[np.ndarray]:
        """Gradients divided by it again, as the master weights get them."""
        return [wide(each) for each in jax.tree.leaves(self.mixed.unscaled(self.gradients(scale), scale))]

    @property
    def held(self) -> Format:
        """The format in which the backward pass leaves gradients."""
        policy = self.mixed.policy
        return FORMATS[policy.others or policy.gradients]

    def overflows(self, scale: float) -> bool:
        """Whether a gradient is not finite, or, of a format that has no infinity, the largest number."""
        if not np.isfinite(float(self.value)):
            return True
        return any(bool(np.any(overflowed(gradient, self.held))) for gradient in self.scaled(scale))

    def largest(self) -> int | None:
        """log₂ of the largest loss scale at which no gradient overflows, by bisection; None where every one does."""
        return _last(lambda power: not self.overflows(2.0**power), LEAST, MOST)

    def scale(self) -> float:
        """The policy's own; the largest where it is dynamic, and 1 where none helps."""
        given = self.mixed.policy.loss_scale
        if given != DYNAMIC:
            return float(given)
        power = self.largest()
        return 1.0 if power is None else 2.0**power

    def saving(self, exact_zeros: Sequence[np.ndarray]) -> Scales | None:
        """Loss scales at which fewest entries are rounded to zero that are not exactly so; None where all overflow.

        Found by trying: the largest, then the smallest that loses no more entries than it.
        """
        high = self.largest()
        if high is None:
            return None

        def lost(power: int) -> int:
            given = zip(self.scaled(2.0**power), exact_zeros, strict=True)
            return sum(int(np.sum((gradient == 0) & ~zero)) for gradient, zero in given)

        fewest, entries = lost(high), sum(int(np.sum(~zero)) for zero in exact_zeros)
        below = _last(lambda power: lost(power) > fewest, LEAST, high)
        return Scales(LEAST if below is None else below + 1, high, fewest / max(entries, 1))


def wide(array: Any) -> np.ndarray:
    """As float64, of which short formats are part."""
    return np.asarray(array, np.float64)


def overflowed(scaled: np.ndarray, held: Format) -> np.ndarray:
    """Which entries are infinite or NaN, or, of a format that has no infinity, the largest number."""
    beyond = ~np.isfinite(scaled)
    return beyond | (np.abs(scaled) >= held.largest) if held.beyond == held.largest else beyond


def _last(holds: Callable[[int], bool], low: int, high: int) -> int | None:
    """The last number of a range up to which something holds, if it holds for the first."""
    if not holds(low):
        return None
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low
