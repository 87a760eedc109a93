"""The measured angle between the gradients of two inputs, at any magnitude: shattered gradients.

``cos(z_l, z_l')`` of the pre-activations and ``cos(δ_l, δ_l')`` of ``δ_l = ∂y/∂z_l``, for two inputs of one network
(Balduzzi et al. 2017, arXiv 1702.08591). :func:`bench.theory.gradient_correlation` is what theory expects. No cosine
depends on lengths, so that powers of two are divided out of each layer and forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.sharding import Mesh

from bench.arithmetic.extended import normalize, share_exponent
from bench.engine.jacobians import preactivations, slopes_at
from bench.networks.activations import Activation
from bench.networks.seeds import over_seeds, place
from bench.networks.segments import LAYERS, Segment, segments_to


class Angles(NamedTuple):
    """What :func:`angles` returns: float64 arrays [lanes, seeds, layers], l = 1 … L-1; NaN where a vector is zero."""

    forward: np.ndarray  # cos(z_l, z_l')
    backward: np.ndarray  # cos(δ_l, δ_l')


def partner(inputs: np.ndarray, directions: np.ndarray, correlation: float) -> np.ndarray:
    """``x' = c x + √(1 - c²) x⊥``: as long as x, and at the angle arccos c = ``correlation`` to it.

    inputs (x), directions: [seeds, width]; x⊥ is what of the direction is orthogonal to x, of the length of x. For
    |c| < 1 the width is at least 2.
    """
    if abs(correlation) == 1:
        return correlation * inputs
    x, direction = np.asarray(inputs, float), np.asarray(directions, float)
    square = np.sum(x * x, axis=-1, keepdims=True)
    across = direction - x * np.sum(x * direction, axis=-1, keepdims=True) / square
    across *= np.sqrt(square / np.sum(across * across, axis=-1, keepdims=True))
    return (correlation * x + np.sqrt((1 - correlation) * (1 + correlation)) * across).astype(inputs.dtype)


@jax.jit
def apart(rows: Array) -> Array:
    """``‖a ∓ b‖² / 2`` of unit vectors along the first half of the rows and the second: 1 ∓ cos(a, b).

    rows: [..., 2 · lanes, width]; result: [..., lanes, 2]. Each keeps its digits where the cosine is near 1, or -1, and
    is 0 where it is below what rounding makes of equal vectors.
    """
    value, norm, _ = normalize(rows)
    first, second = jnp.split(value / norm[..., None], 2, axis=-2)
    halves = jnp.stack([jnp.sum(jnp.square(between), axis=-1) / 2 for between in (first - second, first + second)], axis=-1)
    rounding = jnp.finfo(rows.dtype).eps ** 2  # a compiler that takes the division into the difference leaves that of equals
    return jnp.where(halves < rounding, jnp.zeros_like(halves), halves)


def cosines(halves: Array) -> np.ndarray:
    """The cosines, in float64, of which :func:`apart` tells: exactly 1 for equal vectors, NaN where one is zero."""
    near, far = np.moveaxis(np.asarray(halves, float), -1, 0)
    return np.where(near <= far, 1 - near, far - 1)


def backward_segment(
    segment: Segment, slopes: Array, readout: Array, cotangent: Array, index: Array, depth: Array
) -> tuple[Array, Array]:
    """One seed's cotangents ∂y/∂h of the segment's input, and how far :func:`apart` its δ_l and δ_l' are [LAYERS, lanes, 2].

    slopes [LAYERS, 2 · lanes, width]; cotangent [2 · lanes, width]: of the segment's last h, up to powers of two; the
    readout enters at layer ``depth`` - 1.
    """

    def layer(cotangent: Array, inputs: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        weights, slope, number = inputs
        cotangent = jnp.where(number == depth - 1, readout[None, :], cotangent)
        delta, _, _ = normalize(slope * cotangent)
        return jnp.matmul(delta, weights), apart(delta)

    layers = len(slopes)
    numbers = index * layers + 1 + jnp.arange(layers, dtype=depth.dtype)
    return lax.scan(layer, cotangent, (segment.weights, slopes, numbers), reverse=True)


@cache
def backward_program(mesh: Mesh) -> Callable[..., tuple[Array, Array]]:
    """The compiled backward pass; the activation and its depth are data to it."""
    return over_seeds(backward_segment, mesh, in_axes=(1, 1, 0, 0, None, None), out_axes=(0, 1))


class Pairs(NamedTuple):
    """What :func:`pairs` returns: float64 arrays [depths, lanes, seeds]; NaN where a vector is zero."""

    last: np.ndarray  # cos(z_{L-1}, z_{L-1}')
    grad_first: np.ndarray  # cos(δ_1, δ_1')


def angles(
    segments: Callable[[int], Segment],
    inputs: Array,
    others: Array,
    readout: Array,
    *,
    mesh: Mesh,
    activation: Activation,
    scales: np.ndarray,
    bias_stds: np.ndarray,
    depth: int,
) -> Angles:
    """Cosines between what two inputs make of every layer of the network of that depth, L ≥ 2.

    segments: index → Segment, asked for in order and then in reverse; inputs, others (their :func:`partner`), readout:
    [seeds, width], split over ``mesh``; scales, bias_stds: [lanes], pairwise. Memory holds the slopes of all layers.
    """
    lanes, count = {"scales": scales, "bias_stds": bias_stds}, segments_to(depth)
    forward, slopes = _forward(segments, [inputs, others], mesh=mesh, activation=activation, count=count, **lanes)
    backward = _backward(segments, slopes, readout, mesh=mesh, scales=scales, depth=depth)
    return Angles(*(part[: depth - 1].transpose(2, 1, 0) for part in (forward, backward)))


def pairs(
    segments: Callable[[int], Segment],
    inputs: Array,
    others: Array,
    readout: Array,
    *,
    depths: Sequence[int],
    mesh: Mesh,
    activation: Activation,
    scales: np.ndarray,
    bias_stds: np.ndarray,
    input_norms: np.ndarray,
    layers: int = LAYERS,
) -> Pairs:
    """The last representations and the first gradients of two inputs, at every depth L ≥ 2, from one forward pass.

    Arguments are those of :func:`angles`; input_norms: [lanes], which both inputs are multiplied by; layers: of a segment.
    """
    lanes = {"scales": scales, "bias_stds": bias_stds, "input_norms": input_norms}
    count = segments_to(max(depths), layers)
    forward, slopes = _forward(segments, [inputs, others], mesh=mesh, activation=activation, count=count, **lanes)
    first = [_backward(segments, slopes, readout, mesh=mesh, scales=scales, depth=depth)[0] for depth in depths]
    return Pairs(*(np.stack(part).swapaxes(1, 2) for part in ([forward[depth - 2] for depth in depths], first)))


def _forward(
    segments: Callable[[int], Segment], starts: Sequence[Array], *, activation: Activation, **others: Any
) -> tuple[np.ndarray, list[Array]]:
    """cos(z_l, z_l') [layers, seeds, lanes], and the slopes of every segment."""
    cosine, slopes = [], []
    for _, value, exponent in preactivations(segments, starts, activation=activation, **others):
        cosine.append(cosines(apart(value)))
        slopes.append(share_exponent(slopes_at(activation, value, exponent)).mantissa)
    return np.concatenate(cosine), slopes


def _backward(
    segments: Callable[[int], Segment],
    slopes: Sequence[Array],
    readout: Array,
    *,
    mesh: Mesh,
    scales: np.ndarray,
    depth: int,
) -> np.ndarray:
    """cos(δ_l, δ_l') [layers, seeds, lanes] of the network of that depth.

    Scales are not in the arithmetic; where one is 0, no gradient comes through the weights of layer L - 1.
    """
    layers, seeds, rows, width = slopes[0].shape
    cotangent = place(mesh, np.zeros((seeds, rows, width), slopes[0].dtype), 0)
    found = []
    for index in reversed(range(segments_to(depth, layers))):
        at = np.int32(index), np.int32(depth)
        cotangent, halves = backward_program(mesh)(segments(index), slopes[index], readout, cotangent, *at)
        found.insert(0, cosines(halves))
    cosine = np.concatenate(found)
    cosine[: depth - 2, :, scales == 0] = np.nan
    return cosine
