"""Lanes: the (initializer, bias_std, input_norm, scale) that share drawn weights, and what each gives to the engine."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import NamedTuple

from bench.networks.schemes import setting_of
from bench.sweeps.sweep import Sweep


class Lane(NamedTuple):
    """One network of every seed: its columns, and what it multiplies the drawn weights by; several may share one."""

    initializer: str
    bias_std: float  # as it is drawn, which some schemes settle themselves
    input_norm: float  # in units of √n
    scale: float  # the sweep's
    engine_scale: float  # scale × the scheme's gain; NaN where the scheme is undefined
    note: str  # why it is


@lru_cache(maxsize=8)
def lanes_of(sweep: Sweep, initializers: tuple[str, ...], activation: str, width: int) -> tuple[Lane, ...]:
    """The sweep's lanes of those initializers, the scale running fastest, then input_norm and bias_std.

    Where a scheme makes one bias_std of several that were asked for, it is measured once.
    """
    lanes: dict[tuple[str, float, float, float], Lane] = {}
    for initializer in initializers:
        for asked in sweep.bias_stds:
            gain, bias_std, note = setting_of(initializer, activation, width, asked)
            for input_norm, scale in product(sweep.input_norms, sweep.scales):
                lane = Lane(initializer, bias_std, input_norm, scale, scale * gain, note)
                lanes.setdefault(lane[:4], lane)
    return tuple(lanes.values())


def count_lanes(sweep: Sweep, initializers: tuple[str, ...], activation: str, width: int) -> int:
    """How many :func:`lanes_of` lists."""
    drawn = {
        (name, setting_of(name, activation, width, asked).bias_std) for name in initializers for asked in sweep.bias_stds
    }
    return len(drawn) * len(sweep.input_norms) * len(sweep.scales)
