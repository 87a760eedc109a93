"""What mean field theory keeps of a block, and the averages over one and two inputs that its laws are made of.

Mean squares are natural logarithms, so that they may be of any size; what was squared has no unit but that of h_0 = x, whose
entries have mean square 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from bench.theory.moments import CLIP, expectation, tabulated
from bench.theory.nonlinearities import Nonlinearity
from bench.theory.pairs import pair

SWITCH = ("true", "false")
LARGEST_STD = 1e60  # where squares are floats
STEP = 0.2  # of the quadrature over pairs: 10^-4 up to variances of 30, and 10 times as fast as the finest


class Setting(NamedTuple):
    """What a network's law depends on beside its name; ``given``: its arguments as they are written."""

    given: Mapping[str, str]
    phi: Nonlinearity
    std: float  # σ of N(0, σ²/fan_in)
    depth: int  # L, of blocks that look at it
    width: int
    batch: int
    length: int
    input_norm: float  # of h_0, in units of √n
    correlation: float  # of the inputs of two examples or positions
    cosines: bool  # whether they are followed where nothing else depends on them

    def factor(self, name: str) -> float:
        """A branch's factor: a number, 1/sqrt(L) or 1/L; by default 1."""
        text = self.given.get(name, "1")
        by_depth = {"1/sqrt(l)": self.depth**-0.5, "1/l": 1 / self.depth}
        return by_depth[text] if text in by_depth else float(text)

    def says(self, name: str) -> bool:
        """Whether that switch is on."""
        return self.given.get(name, "false") == "true"


# ln of the mean squares of ∂y/∂h_l, in parts that the law of a block tells apart, whose sum is ‖∂y/∂h_l‖²
Cotangents = np.ndarray
Pull = Callable[[Cotangents], tuple[Cotangents, float]]  # of h_l → those of h_{l-1}, and ln ‖∂y/∂W_l‖² / n


class Block(NamedTuple):
    """What one block does."""

    value: float  # ln V_l: the mean square of the entries of h_l, over all examples and positions
    cosine: float  # of h_l of two positions, or, where there is one, of two examples
    pull: Pull


class Law(NamedTuple):
    """A network: its blocks, one after another, and what the readout sees."""

    blocks: Callable[[Setting], Iterator[Block]]  # they end where the law does
    arguments: tuple[str, ...] = ()  # those that it knows
    words: Mapping[str, tuple[str, ...]] = MappingProxyType({})  # what those may be that are no numbers
    knows: Callable[[Setting], bool] = lambda _: True  # so many examples and positions, and such variances
    start: Callable[[Setting], Cotangents] = lambda _: np.zeros(1)  # of what the readout sees
    norm: Callable[[Cotangents], float] = np.logaddexp.reduce  # ln ‖∂y/∂h_l‖²
    normalized: Callable[[Setting], bool] = lambda _: False  # whether it sees h_{L-1} divided by its root mean square


@lru_cache(maxsize=2**14)
def averages(phi: Nonlinearity, log_variance: float) -> tuple[float, float, float]:
    """E φ / √E φ², ln E φ² and ln E φ′² over N(0, q)."""
    found = tabulated(phi)(np.array([log_variance]))
    variance = np.exp(np.clip([log_variance], -CLIP, CLIP))  # beyond, φ is z, a constant or 0
    (mean,), (square,) = expectation(lambda z: (phi.function(z), phi.function(z) ** 2), variance)
    return float(mean / np.sqrt(square)) if square else 0.0, float(found.log_value[0]), float(found.log_slope[0])


@lru_cache(maxsize=2**14)
def both(phi: Nonlinearity, log_variance: float, log_apart: float) -> tuple[float, float]:
    """Ln E (φ(z) - φ(z′))² / 2 and E φ′(z)φ′(z′) / E φ′², where z, z′ ~ N(0, q) and E (z - z′)² / 2 is e^log_apart."""
    inside = float(np.clip(log_variance, -CLIP, CLIP))
    apart = min(log_apart - log_variance, math.log(2))  # 1 - c
    least = max(apart, math.log(1e-12))  # below, the difference is linear in that of its arguments
    found = pair(phi, math.exp(inside), math.exp(least), step=STEP)
    value, same = averages(phi, log_variance)[1], averages(phi, inside)[1:]
    slope = math.exp(same[1])
    return log(found.half_square) + apart - least + value - same[0], found.slope / slope if slope else 1.0


def steps(setting: Setting) -> range:
    """Those for which matrices that all steps share are as good as new ones: √n, after which traces of W W … count."""
    return range(1, 1 + math.isqrt(setting.width))


def log(number: float) -> float:
    """Ln of a number ≥ 0."""
    return math.log(number) if number > 0 else -math.inf


def log_sum(*logarithms: float) -> float:
    """Ln of the sum of e^x; NaN of what is not followed."""
    return math.nan if any(map(math.isnan, logarithms)) else float(np.logaddexp.reduce(logarithms))


def cosine_of(value: float, apart: float) -> float:
    """Of two vectors of mean square V whose difference has half the mean square e^apart."""
    return 1 - math.exp(apart - value)


def scaled(back: float, weights: float) -> Pull:
    """The pull of a block that multiplies a cotangent's mean square by e^back."""
    return lambda cotangents: (cotangents + back, log_sum(*cotangents) + weights)
