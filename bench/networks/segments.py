"""A network's hidden layers before scaling, as many at a time as one program walks over."""

from __future__ import annotations

from typing import NamedTuple

from jax import Array, lax

from bench.arithmetic.extended import Numbers

LAYERS = 16  # of a segment, on CPUs always


class Segment(NamedTuple):
    """Consecutive hidden layers, LAYERS if nothing else is said, before scaling: W = weights · 2^weight_exponent."""

    weights: Numbers  # [layers, seeds, width, width]
    weight_exponent: Numbers  # [layers, seeds]
    biases: Numbers  # [layers, seeds, width], drawn with unit variance


def segments_to(depth: int, layers: int = LAYERS) -> int:
    """How many segments of so many layers hold the hidden layers 1 … depth - 1."""
    return -(-(depth - 1) // layers)


def preactivate(weights: Array, value: Array, scale: Array) -> Array:
    """``scale · (W h)`` for every lane: weights [n, n], value [LANES, n], scale [LANES].

    W is contracted in place, so that the scan hands it to its backward pass as it is and no transposed copy is kept.
    """
    contract_columns = (((1,), (1,)), ((), ()))
    product = lax.dot_general(value, weights, contract_columns)
    return product * scale[:, None]
