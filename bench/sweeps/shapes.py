"""How much of a sweep is computed side by side, and by one call: seeds, lanes, depths and segments.

On CPUs as many of each whatever the sweep, padded if need be, so that no bit of a cell depends on the others. Other devices
take far more at a time, and would do many times the arithmetic of a sweep of few: there shapes follow the sweep.
"""

from __future__ import annotations

import math
from itertools import product

import jax

from bench.engine.gradients import DEPTHS, FIXED, LANES, Shape, seeds_per_device
from bench.engine.measure_blocks import VECTORS, lanes_together
from bench.networks.architectures.registry import architecture_of
from bench.networks.seeds import at_once, shapes_are_fixed
from bench.networks.segments import segments_to
from bench.settings.defaults import PLAIN
from bench.sweeps.sweep import Sweep

FEWER_CALLS = 1.2  # times the least arithmetic that is done so that calls are fewer
LONGER = 1, 2, 4, 8  # times LAYERS that a segment may have
WIDEST = 512  # times that number: layers that are wider keep a device busy, and memory too


def seeds_at_once(sweep: Sweep, seeds: int, width: int, architecture: str = PLAIN) -> int:
    """How many of a chunk's seeds a device works on at a time: fewer where a tile of fewest lanes is large already."""
    numbers = width if architecture == PLAIN else width * math.ceil(sweep.batch * sweep.length / VECTORS)
    return at_once(seeds, seeds_per_device(numbers, jax.local_devices()[0].platform))


def shape_of(sweep: Sweep, lanes: int, width: int, architecture: str = PLAIN) -> Shape:
    """How so many lanes, the sweep's depths and its layers are divided.

    Where shapes follow the sweep: lanes in as few tiles as on CPUs, all alike, and as many depths and layers together as
    make calls fewest and cost little; these do not depend on the lanes, which share the draw.
    """
    by_depth = architecture_of(architecture).by_depth
    most = LANES if architecture == PLAIN else lanes_together(sweep.batch, sweep.length)
    if shapes_are_fixed():
        return FIXED._replace(lanes=most, depths=1 if by_depth else DEPTHS)
    depths = range(1, 2 if by_depth else DEPTHS + 1)
    longer = [each for each in LONGER if architecture == PLAIN and each * width <= WIDEST] or LONGER[:1]
    shapes = [Shape(math.ceil(lanes / math.ceil(lanes / most)), *each) for each in product(depths, longer)]
    least = min(_arithmetic(sweep, shape, architecture) for shape in shapes)
    few = (shape for shape in shapes if _arithmetic(sweep, shape, architecture) <= FEWER_CALLS * least)
    return min(few, key=lambda shape: sum(calls_of(sweep, shape, architecture)))


def calls_of(sweep: Sweep, shape: Shape, architecture: str = PLAIN) -> tuple[int, int]:
    """How many calls walk forward, and back, for one tile of lanes and all depths."""
    depths = sorted(sweep.depths, reverse=True)
    through = [segments_to(depth, shape.layers) for depth in depths]
    return sum(through) if architecture_of(architecture).by_depth else through[0], sum(through[:: shape.depths])


def _arithmetic(sweep: Sweep, shape: Shape, architecture: str) -> int:
    """In segments that are walked over; those of blocks are computed once more before they are walked back."""
    forward, back = calls_of(sweep, shape, architecture)
    return shape.segments * (forward + back * (shape.depths + (architecture != PLAIN)))
