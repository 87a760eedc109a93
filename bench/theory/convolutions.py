"""Laws of convolutions over positions, on a ring or beyond whose ends there are zeros; K: kernels, of all axes together.

With ⟨V⟩_p the mean over what the kernel sees at position p, q = σ²⟨V⟩, and V, M, G of every position:

    conv         V_l = E φ²                       G_{l-1} = σ² ⟨G_l E φ′²⟩     ‖∂y/∂W_l‖² = n K Σ_p G_p E φ′² ⟨V⟩_p
    conv, skip   V_l = V + 2 M E φ + E φ²         G_{l-1} = G_l + σ² ⟨G_l E φ′²⟩

On a ring positions are alike, and all but K is as in plain and residual networks: inputs of two positions meet the same
matrices at one place of the kernel, and others, independent ones, elsewhere. Zeros take away at the ends: with kernels of
3, ⟨·⟩ has the largest eigenvalue (1 + 2 cos(π/(H + 1)))/3 for each axis of H positions, by which He's critical ReLU networks
lose a gradient's mean square in every block.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from bench.theory.block import SWITCH, Block, Cotangents, Law, Pull, Setting
from bench.theory.lone_blocks import Alone, alone, plain, residual
from bench.theory.moments import CLIP, expectation, tabulated
from bench.theory.nonlinearities import Nonlinearity

Field = np.ndarray  # [positions], natural logarithms


def _ring(setting: Setting, state: Alone, layer: int) -> Alone:
    found = (residual if setting.says("skip") else plain)(setting, state, layer)
    return found._replace(weights=found.weights + math.log(_kernels(setting)))


def _between_zeros(setting: Setting) -> Iterator[Block]:
    sees, seen_by, square = _mean(setting, 1), _mean(setting, -1), 2 * math.log(setting.std)
    value, tilt = np.full(setting.length, 2 * math.log(setting.input_norm)), np.zeros(setting.length)
    skip, kernels = setting.says("skip"), math.log(_kernels(setting))
    while True:
        reads = sees(value)
        middle, height, slope = _averages(setting.phi, square + reads)
        pull = _pull(seen_by, square, slope, slope + reads + kernels, skip=skip)
        if skip:
            middle *= np.exp((height - value) / 2)  # E φ / √V
            grown = np.logaddexp(np.log1p(2 * tilt * middle), height - value)
            tilt, value = (tilt + middle) * np.exp(-grown / 2), value + grown
        else:
            value = height
        yield Block(float(np.logaddexp.reduce(value)) - math.log(setting.length), math.nan, pull)


def _pull(seen_by: Callable[[Field], Field], square: float, slope: Field, weights: Field, *, skip: bool) -> Pull:
    def pull(cotangents: Cotangents) -> tuple[Cotangents, float]:
        before = square + seen_by(cotangents + slope)
        passed = np.logaddexp(cotangents, before) if skip else before
        return passed, float(np.logaddexp.reduce(cotangents + weights))

    return pull


def _averages(phi: Nonlinearity, log_variance: Field) -> tuple[Field, Field, Field]:
    """E φ / √E φ², ln E φ² and ln E φ′² of every position."""
    found = tabulated(phi)(log_variance)
    variance = np.exp(np.clip(log_variance, -CLIP, CLIP))
    mean, square = expectation(lambda z: (phi.function(z), phi.function(z) ** 2), variance)
    return mean / np.sqrt(square), found.log_value, found.log_slope


def _mean(setting: Setting, direction: int) -> Callable[[Field], Field]:
    """Logarithms → of the mean over what a kernel sees of them (1), or over the kernels that see it (-1)."""
    dims, kernel = _dims(setting), _kernel(setting)
    left = kernel // 2
    before = (left, kernel - 1 - left) if direction > 0 else (kernel - 1 - left, left)

    def mean(field: Field) -> Field:
        grid = field.reshape((round(len(field) ** (1 / dims)),) * dims)
        for axis in range(dims):
            beyond = [before if each == axis else (0, 0) for each in range(dims)]
            around = np.pad(grid, beyond, constant_values=-np.inf)
            windows = np.lib.stride_tricks.sliding_window_view(around, kernel, axis)
            grid = np.logaddexp.reduce(windows, axis=-1) - math.log(kernel)
        return grid.reshape(-1)

    return mean


def _dims(setting: Setting) -> int:
    return int(setting.given.get("dims", "1"))


def _kernel(setting: Setting) -> int:
    return int(setting.given.get("kernel", "3"))


def _kernels(setting: Setting) -> int:
    return _kernel(setting) ** _dims(setting)


def _on_ring(setting: Setting) -> bool:
    return setting.given.get("padding", "circular") == "circular"


def _start(setting: Setting) -> Cotangents:
    return np.zeros(1) if _on_ring(setting) else np.append(np.full(setting.length - 1, -np.inf), 0.0)


def _blocks(setting: Setting) -> Iterator[Block]:
    return alone(_ring)(setting) if _on_ring(setting) else _between_zeros(setting)


_WORDS = {"skip": SWITCH, "padding": ("circular", "zero")}
LAWS = {"conv": Law(_blocks, ("dims", "kernel", "skip", "padding"), _WORDS, start=_start)}
