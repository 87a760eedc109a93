"""Laws of blocks in which every example and position is alone: no one's gradient goes through another.

With V = V_{l-1}, G_l the mean square of ∂y/∂h_l in units of 1/n, and averages over z ~ N(0, q):

    plain            q = σ²V    V_l = E φ²                             G_{l-1} = G_l σ² E φ′²
    residual         q = σ²V    V_l = V + 2 α M E φ + α² E φ²          G_{l-1} = G_l (1 + α² σ² E φ′²)
    residual2        q = σ²V    V_l = V + α² σ² E φ²                   G_{l-1} = G_l (1 + α² σ⁴ E φ′²)
    normed           q = 1      V_l = E φ²                             G_{l-1} = G_l E φ′² / V
    normed, after    q = σ²V    V_l = 1,  s² = Var φ (rms: E φ²)       G_{l-1} = G_l σ² E φ′² / s²
    pre_layernorm    q = 1/l or 1    V_l = V + σ² E φ²                 G_{l-1} = G_l (1 + σ² q E φ′² / V)
      peri                           V_l = V + 1                       G_{l-1} = G_l (1 + q E φ′² / (V E φ²))
    post_layernorm   q = 1      V_l = 1,  s² = 1 + σ² E φ²             G_{l-1} = G_l (1 + σ² E φ′²) / s²
    rnn              q = σ²(V + i²)  V_l = E φ²                        G_{l-1} = G_l σ² E φ′²

M is the mean of h's entries, M_l = M + α E φ: activations that are positive on average add up. A normalization divides
cotangents by what it divides the signal by; its two projections cost O(1/n). ``fixup`` divides σ of both matrices by √L, and
W₂ is 0. Where inputs are two, D = V (1 - c) is half the mean square of their difference, and follows the same lines with
E (φ(z) - φ(z′))² / 2 in the place of E φ², without the term of M; recurrent networks read inputs that are independent.
They are taken as if every step had matrices of its own (Chen et al. 2018, arXiv 1806.05394), which Gaussian ones allow for
√n steps: from 2√n on traces of W W … leave mean field behind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import NamedTuple

import numpy as np

from bench.theory import mean_direction
from bench.theory.block import SWITCH, Block, Law, Setting, averages, both, cosine_of, log, log_sum, scaled, steps
from bench.theory.mean_direction import Units


class Alone(NamedTuple):
    """What one block does to mean squares, in natural logarithms."""

    value: float  # V_l
    apart: float  # D_l of two inputs; NaN where it is not followed
    back: float  # G_{l-1} / G_l
    weights: float  # ‖∂y/∂W_l‖² / (n G_l)
    tilt: float = 0.0  # M_l / √V_l itself
    units: Units | None = None  # of blocks whose mean counts (:mod:`bench.theory.mean_direction`)


Step = Callable[[Setting, Alone, int], Alone]  # of block l, from what the one before left
Blocks = Callable[[Setting], Iterator[Block]]


def alone(step: Step, *, layers: Callable[[Setting], Iterable[int]] = lambda _: count(1), means: bool = False) -> Blocks:
    """The blocks whose steps these are; means: cotangents along (1, …, 1) and h are followed beside the others."""

    def blocks(setting: Setting) -> Iterator[Block]:
        value = 2 * math.log(setting.input_norm)
        apart = value + log(1 - setting.correlation) if setting.cosines else math.nan
        state = Alone(value, apart, 0.0, 0.0)
        for layer in layers(setting):
            state = step(setting, state, layer)
            pull = scaled(state.back, state.weights)
            if means and state.units is not None:
                pull = mean_direction.pull(state.units, state.back, state.weights, setting.width)
            yield Block(state.value, cosine_of(state.value, state.apart), pull)

    return blocks


def _difference(setting: Setting, variance: float, apart: float) -> float:
    """Ln E (φ(z) - φ(z′))² / 2."""
    return both(setting.phi, variance, apart)[0] if apart == apart else apart


def plain(setting: Setting, state: Alone, _layer: int) -> Alone:
    """Phi(W h)."""
    square = 2 * math.log(setting.std)
    _, height, slope = averages(setting.phi, square + state.value)
    return Alone(
        height, _difference(setting, square + state.value, square + state.apart), square + slope, slope + state.value
    )


def _recurrent(setting: Setting, state: Alone, _layer: int) -> Alone:
    square, strength = 2 * math.log(setting.std), 2 * log(abs(float(setting.given.get("inputs", "1"))))
    reads, unlike = log_sum(state.value, strength), log_sum(state.apart, strength)
    _, height, slope = averages(setting.phi, square + reads)
    return Alone(height, _difference(setting, square + reads, square + unlike), square + slope, slope + reads)


def residual(setting: Setting, state: Alone, _layer: int) -> Alone:
    """Skip: h + alpha phi(W h)."""
    alpha, square, value = setting.factor("alpha"), 2 * math.log(setting.std), state.value
    shrunk = 2 * log(abs(alpha))
    middle, height, slope = averages(setting.phi, square + value)
    middle *= alpha * math.exp((height - value) / 2)  # in units of √V
    more = log_sum(math.log1p(2 * state.tilt * middle), shrunk + height - value)
    tilt = (state.tilt + middle) * math.exp(-more / 2)
    apart = log_sum(state.apart, shrunk + _difference(setting, square + value, square + state.apart))
    units = _units(setting, alpha, value, state.tilt)
    return Alone(value + more, apart, log_sum(0.0, shrunk + square + slope), shrunk + slope + value, tilt, units)


def _units(setting: Setting, alpha: float, value: float, tilt: float) -> Units:
    x, before, weights = mean_direction.points(1, tilt)
    size = mean_direction.size(value)
    slope = alpha * setting.phi.slope(setting.std * size * x)
    after = before + alpha * setting.phi.function(setting.std * size * x) / size
    return Units(before, after, np.ones_like(x), slope * setting.std * x, (setting.std * slope) ** 2, weights)


def _residual2(setting: Setting, state: Alone, _layer: int) -> Alone:
    init = setting.given.get("init", "plain")
    gate = {"skipinit": 0.0, "rezero": 0.0, "layerscale": 1e-4}.get(init)
    shrunk = 2 * log(abs(setting.factor("alpha") if gate is None else gate))
    first = 2 * math.log(setting.std) - (math.log(setting.depth) if init == "fixup" else 0.0)  # ln σ² of W₁
    second = -math.inf if init == "fixup" else first
    _, height, slope = averages(setting.phi, first + state.value)
    apart = log_sum(state.apart, shrunk + second + _difference(setting, first + state.value, first + state.apart))
    return Alone(
        log_sum(state.value, shrunk + second + height),
        apart,
        log_sum(0.0, shrunk + first + second + slope),
        shrunk + log_sum(height, second + slope + state.value),
    )


def _normed(setting: Setting, state: Alone, _layer: int) -> Alone:
    square, value = 2 * math.log(setting.std), state.value
    if not setting.says("after"):
        _, height, slope = averages(setting.phi, 0.0)
        return Alone(height, _difference(setting, 0.0, state.apart - value), slope - value, slope - square)
    middle, height, slope = averages(setting.phi, square + value)
    removed = 0.0 if setting.given.get("norm") == "rms" else middle**2
    divided = height + math.log1p(-removed)
    apart = _difference(setting, square + value, square + state.apart) - divided
    return Alone(0.0, apart, square + slope - divided, slope + value - divided)


def _pre_layernorm(setting: Setting, state: Alone, layer: int) -> Alone:
    variance = -math.log(layer) if setting.given.get("scaling") == "1/sqrt(l)" else 0.0
    _, height, slope = averages(setting.phi, variance)
    branch = -height if setting.says("peri") else 2 * math.log(setting.std)  # what it is multiplied by
    weights = height + branch - 2 * math.log(setting.std)
    more, back = branch + height, branch + variance + slope - state.value
    apart = log_sum(state.apart, branch + _difference(setting, variance, variance + state.apart - state.value))
    return Alone(log_sum(state.value, more), apart, log_sum(0.0, back), weights)


def _post_layernorm(setting: Setting, state: Alone, _layer: int) -> Alone:
    square, value = 2 * math.log(setting.std), state.value
    _, height, slope = averages(setting.phi, value)
    divided = log_sum(value, square + height)
    apart = log_sum(state.apart, square + _difference(setting, value, state.apart)) - divided
    return Alone(0.0, apart, log_sum(0.0, square + slope) - divided, height - divided)


_NORM = {"norm": ("layer", "rms")}
LAWS = {
    "plain": Law(alone(plain)),
    "residual": mean_direction.law(alone(residual, means=True), ("alpha",)),
    "residual2": Law(alone(_residual2), ("alpha", "init"), {"init": ("plain", "fixup", "skipinit", "rezero", "layerscale")}),
    "normed": Law(alone(_normed), ("norm", "after"), _NORM | {"after": SWITCH}),
    "pre_layernorm": Law(
        alone(_pre_layernorm),
        ("norm", "scaling", "peri"),
        _NORM | {"scaling": ("none", "1/sqrt(l)"), "peri": SWITCH},
        normalized=lambda _: True,
    ),
    "post_layernorm": Law(alone(_post_layernorm), ("norm",), _NORM),
    "rnn": Law(alone(_recurrent, layers=steps), ("inputs",)),
}
