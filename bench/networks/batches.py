"""The very networks that a sweep measures, on the devices, for any program that wants to look at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from jax import Array
from jax.sharding import Mesh

from bench.networks.activations import ACTIVATIONS
from bench.networks.draws import draw_batches, draw_directions, draw_networks, segment_program
from bench.networks.initializers import INITIALIZERS
from bench.networks.seeds import place
from bench.networks.segments import LAYERS, Segment
from bench.networks.unit_variance import BATCH, normalized


class Batch(NamedTuple):
    """Networks before scaling, one of every seed."""

    inputs: Array  # [seeds, width]
    readout: Array  # [seeds, width]
    directions: Callable[[], np.ndarray]  # [seeds, width], in which another input differs from these
    segments: Callable[[str], Callable[[int], Segment]]  # activation → index → hidden layers 1 + layers · index and on
    layers: int  # of a segment
    alone: (
        bool  # whether one segment is drawn at a time: matrices are decomposed, and LAPACK's calls can wait for each other
    )
    kept: bool  # whether segments that are asked for again are there


def networks_of(
    initializer: str,
    *,
    key: int,
    width: int,
    seeds: Iterable[int],
    dtype: str,
    mesh: Mesh,
    keep: bool,
    biased: bool = True,
    layers: int = LAYERS,
) -> Batch:
    """The networks of a sweep with that ``key`` and ``dtype``, split over ``mesh``, whose size divides their number.

    Their hidden layers are ``W = engine scale × weights · 2^weight_exponent`` and ``b = bias_std × biases``, with the two
    numbers of :func:`bench.networks.schemes.lane_setting`. They are the same for every initializer of a family, and the
    activation matters only where weights are normalized on data. Segments have so many ``layers``; they are drawn when asked
    for, and drawn again each time unless ``keep``; biases are zero unless ``biased``. To be called, and the segments asked
    for, under ``jax.enable_x64(dtype == "float64")``.
    """
    seeds = list(seeds)
    family = INITIALIZERS[initializer].family
    keys, inputs, readout = place(mesh, draw_networks(key, width, seeds, dtype), 0)
    program = segment_program(mesh, family, width, dtype, biased=biased, layers=layers)

    def draw(index: int) -> Segment:
        return program(keys, np.int32(1 + index * layers))

    drawn = _keeping(draw) if keep else draw

    def segments(activation: str) -> Callable[[int], Segment]:
        if not family.unit_variance:
            return drawn
        batch = place(mesh, draw_batches(key, width, seeds, BATCH, dtype), 0)
        return normalized(drawn, batch, mesh=mesh, activation=ACTIVATIONS[activation])

    return Batch(
        inputs,
        readout,
        lambda: draw_directions(key, width, seeds),
        segments,
        layers,
        family.decomposes or family.unit_variance,
        keep,
    )


def _keeping(segments: Callable[[int], Segment]) -> Callable[[int], Segment]:
    kept: dict[int, Segment] = {}

    def segment(index: int) -> Segment:
        if index not in kept:
            kept[index] = segments(index)
        return kept[index]

    return segment
