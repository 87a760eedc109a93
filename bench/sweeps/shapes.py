"""How much of a sweep is computed side by side: seeds, lanes and depths.

On CPUs as many of each whatever the sweep, padded if need be, so that no bit of a cell depends on the others. Other devices
take far more at a time, and would do many times the arithmetic of a sweep of few: there shapes follow the sweep.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax

from bench.engine.gradients import DEPTHS, LANES, Shape, seeds_per_device
from bench.engine.measure_blocks import lanes_together
from bench.networks.architectures.registry import architecture_of
from bench.networks.seeds import at_once, shapes_are_fixed
from bench.networks.segments import segments_to
from bench.settings.defaults import PLAIN
from bench.sweeps.sweep import Sweep

FEWER_CALLS = 1.2  # times the least arithmetic that is done for depths to go together


def seeds_at_once(sweep: Sweep, seeds: int, width: int, architecture: str = PLAIN) -> int:
    """How many of a chunk's seeds a device works on at a time, by the numbers of a state."""
    numbers = width if architecture == PLAIN else width * sweep.batch * sweep.length
    return at_once(seeds, seeds_per_device(numbers, jax.local_devices()[0].platform))


def shape_of(sweep: Sweep, lanes: int, architecture: str = PLAIN) -> Shape:
    """How so many lanes and the sweep's depths are divided.

    Where shapes follow the sweep: lanes in as few tiles as on CPUs, all alike, and as many depths together as cost little.
    """
    most = LANES if architecture == PLAIN else lanes_together(sweep.batch, sweep.length)
    by_depth = architecture_of(architecture).by_depth
    if shapes_are_fixed():
        return Shape(most, 1 if by_depth else DEPTHS)
    depths = 1 if by_depth else _depths_together(sweep.depths, again=architecture != PLAIN)
    return Shape(math.ceil(lanes / math.ceil(lanes / most)), depths)


def segments_back(depths: Sequence[int], together: int) -> int:
    """How many segments are gone back through for these depths, so many at a time, the deepest first."""
    return sum(segments_to(last) for last in sorted(depths, reverse=True)[::together])


def _depths_together(depths: Sequence[int], *, again: bool) -> int:
    """As many as cost little more than the least; again: segments are computed once more before they are walked back."""
    costs = {each: segments_back(depths, each) * (again + each) for each in range(1, DEPTHS + 1)}
    return max(each for each, cost in costs.items() if cost <= FEWER_CALLS * min(costs.values()))
