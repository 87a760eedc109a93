"""Gains and offsets of normalizations, which training moves: gain · LN(h) + offset, from 1 and 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jax import Array

from bench.networks.architectures.architecture import Step, Trained
from bench.networks.architectures.norms import Norm

GAIN, OFFSET = "_gain", "_offset"


def gains(*names: str, offsets: bool = True) -> Callable[[int], Mapping[str, Trained]]:
    """What is ``trained`` where a block has normalizations of those names; offsets: whether these have offsets."""
    starts = {GAIN: 1.0, **({OFFSET: 0.0} if offsets else {})}
    return lambda width: {name + kind: Trained(start, (width,)) for name in names for kind, start in starts.items()}


def with_gain(normalize: Norm, step: Step, name: str) -> Callable[[Array], Array]:
    """The normalization of that name with its gain and offset; without them, 1 and 0, where nothing is trained."""
    gain, offset = step.trained.get(name + GAIN, 1.0), step.trained.get(name + OFFSET, 0.0)

    def normalized(h: Array) -> Array:
        h = normalize(h)
        h = h if isinstance(gain, float) else gain * h
        return h if isinstance(offset, float) else h + offset

    return normalized
