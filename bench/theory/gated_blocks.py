"""The law of highway networks: units that are mixed with what they were, by gates of their own.

With T = sigmoid(N(0, q) + b), q = σ²V, all of one unit independent of each other and of h, averages E, and M the mean of h:

    V_l = E T² E φ² + 2 E T(1-T) M E φ + E (1-T)² V          M_l = E T E φ + E (1-T) M
    G_{l-1} = G_l (E (1-T)² + σ² E T² E φ′² + σ² E T′² E (φ - h)²)
    ‖∂y/∂W_l‖² = n G_l V (E T² E φ′² + E T′² E (φ - h)²)      E (φ - h)² = E φ² - 2 M E φ + V

Of two inputs, with H_T and H_φ half the mean squares of the differences of T and φ, and D = V (1 - c):

    D_l = E T² H_φ + H_T (E (φ - h)² - H_φ - D) + E (1-T)² D
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.special import expit

from bench.theory import mean_direction
from bench.theory.block import Setting, averages, both, log, log_sum
from bench.theory.lone_blocks import Alone, alone
from bench.theory.mean_direction import Units
from bench.theory.moments import CLIP, expectation
from bench.theory.nonlinearities import Nonlinearity

BIAS = -2.0  # where none is given


@lru_cache(maxsize=64)
def _gate(bias: float) -> Nonlinearity:
    """Sigmoid of z + bias."""
    return Nonlinearity("gate", lambda z: expit(z + bias), lambda z: expit(z + bias) * expit(-z - bias))


def _highway(setting: Setting, state: Alone, _layer: int) -> Alone:
    gate, square, value = _gate(float(setting.given.get("gate_bias", BIAS))), 2 * math.log(setting.std), state.value
    middle, height, slope = averages(setting.phi, square + value)
    middle *= math.exp((height - value) / 2)  # E φ / √V
    opened, closed, opened2, mixed, closed2, slope2 = (float(mean[0]) for mean in _of_gate(gate, square + value))
    height, tilt = math.exp(height - value), state.tilt  # E φ² / V
    unlike = height - 2 * tilt * middle + 1  # E (φ - h)² / V
    grown = log(opened2 * height + 2 * mixed * tilt * middle + closed2)
    back = log_sum(log(opened2) + slope, log(slope2 * unlike) + value)
    apart = math.nan
    if state.apart == state.apart:
        least = state.apart - value  # D / V
        branch = math.exp(both(setting.phi, square + value, square + state.apart)[0] - value)
        parted = math.exp(both(gate, square + value, square + state.apart)[0])
        apart = value + log(opened2 * branch + parted * (unlike - branch - math.exp(least)) + closed2 * math.exp(least))
    units = _units(setting, gate, value, tilt)
    tilt = (opened * middle + closed * tilt) * math.exp(-grown / 2)
    return Alone(value + grown, apart, log_sum(log(closed2), square + back), back + value, tilt, units)


def _units(setting: Setting, gate: Nonlinearity, value: float, tilt: float) -> Units:
    x, of_gate, before, weights = mean_direction.points(2, tilt)
    std, size = setting.std, mean_direction.size(value)
    z, logit = std * size * x, std * size * of_gate
    opened, branch = gate.function(logit), setting.phi.function(z) / size
    slope, turn = opened * setting.phi.slope(z), gate.slope(logit) * (branch - before)
    moves = slope * std * x + turn * logit
    slopes = std**2 * (slope**2 + (turn * size) ** 2)
    return Units(before, opened * branch + (1 - opened) * before, 1 - opened, moves, slopes, weights)


def _of_gate(gate: Nonlinearity, log_variance: float) -> tuple[np.ndarray, ...]:
    """Averages of T, 1 - T, T², T(1 - T), (1 - T)² and T′²."""

    def integrands(z: np.ndarray) -> tuple[np.ndarray, ...]:
        opened = gate.function(z)
        closed = 1 - opened
        return opened, closed, opened**2, opened * closed, closed**2, (opened * closed) ** 2

    return expectation(integrands, np.exp(np.clip([log_variance], -CLIP, CLIP)))


LAWS = {"highway": mean_direction.law(alone(_highway, means=True), ("gate_bias",))}
