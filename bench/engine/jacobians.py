"""The measured singular values of the input-output Jacobian, at any depth and magnitude.

``J = D_{L-1} W_{L-1} ⋯ D_1 W_1`` (n × n) with ``D_l = diag phi'(z_l)`` and ``W_l = scale × (drawn matrix)``: dynamical
isometry (Saxe et al. 2014; Pennington, Schoenholz & Ganguli 2017, arXiv 1711.04735) is that all its singular values are
near 1. :func:`bench.theory.jacobian_spectrum` is what theory expects.

The engine runs forward; the product is built layer by layer and divided by a power of two after each. Rounding then adds
to it errors that are small beside its largest singular value, whatever the depth. Moments of λ² and σ_max / σ_rms are
made of the largest ones and keep the precision of the dtype; the smallest drowns, as σ_max / σ_min soon exceeds 1 / ε.
Since ``J⁻ᵀ = D_{L-1}⁻¹ W_{L-1}⁻ᵀ ⋯ D_1⁻¹ W_1⁻ᵀ`` is such a product itself, its largest singular value is 1 / σ_min as
precisely; D is inverted element by element, so that only the condition of the W costs digits. (The sums of log |diag R|
of the QR method for Lyapunov spectra tend to log σ with depth but are not log σ at any.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.sharding import Mesh

from bench.arithmetic.extended import (
    LARGEST_FLOAT_EXPONENT,
    Numbers,
    Split,
    exponent_of,
    power_of_two,
    scale_by_power_of_two,
    share_exponent,
    split,
)
from bench.engine.assembly import LOG10_2
from bench.engine.gradients import LANES, Trace, forward_program
from bench.engine.lanes import split_lanes, start_states, tiled
from bench.networks.activations import Activation, Propagated
from bench.networks.seeds import fetch_behind, over_seeds, place
from bench.networks.segments import LAYERS, Segment, segments_to
from bench.networks.tails import LINEAR_BEYOND

_EXPONENT = Trace._fields.index("slope_exponent")


class Isometry(NamedTuple):
    """What :func:`isometry` returns: float64 arrays [lanes, seeds], over the n singular values λ of one network's J.

    ``log10_mean``: log10 of the mean of λ², ‖J‖_F² / n; -inf where J is zero. ``relative_variance``: of λ², in units of
    that mean squared. ``ratio``: σ_max / σ_rms. Both are NaN where J is zero. ``log10_condition``: log10 σ_max / σ_min at
    the condition depth, inf where J is singular.
    """

    log10_mean: np.ndarray
    relative_variance: np.ndarray
    ratio: np.ndarray
    log10_condition: np.ndarray


class Product(NamedTuple):
    """``J = value · 2^exponent`` of every lane; the row index comes first, so that one product serves all lanes."""

    value: Numbers  # [seeds, width, lanes, width]
    exponent: Numbers  # [seeds, lanes]


class _Preactivations(Activation):
    """An activation whose slopes are not taken: z itself comes out in their place, and its exponent in their exponent's."""

    def propagate(self, value: Array, exponent: Array) -> Propagated:
        h = super().propagate(value, exponent)
        return Propagated(h.value, h.exponent, value, exponent)


def preactivations(
    segments: Callable[[int], Segment],
    starts: Sequence[Array],
    *,
    mesh: Mesh,
    activation: Activation,
    scales: np.ndarray,
    bias_stds: np.ndarray,
    count: int,
    input_norms: np.ndarray | None = None,
) -> Iterator[tuple[Segment, Array, Array]]:
    """``z_l = value · 2^exponent`` by the engine's forward pass, for the first ``count`` segments in order.

    starts: inputs [seeds, width]; each is run in every lane, times the lane's ``input_norms``, 1 by default. Yields the
    segment, value [LAYERS, seeds, rows, width] and exponent [LAYERS, seeds, rows], where rows are lanes, start after start.
    Of a homogeneous network without biases z_l comes without its factor scale^l, as at scale 1: no slope or angle has it.
    """
    dtype = np.dtype(starts[0].dtype)
    tiles, _ = split_lanes(activation, scales, bias_stds, dtype)
    lanes = place(mesh, tiles)
    forward = forward_program(mesh, _Preactivations(**vars(activation)))
    norms = tiled(np.ones(len(scales)) if input_norms is None else input_norms, fill=1.0)
    states = [[place(mesh, state, 0) for state in start_states(start, norms)] for start in starts]
    for index in range(count):
        segment = segments(index)
        values, traces = [], []
        for state in states:
            for tile, lane in enumerate(lanes):
                state[tile], trace, value = forward(segment, state[tile], starts[0], lane)  # any readout does
                values.append(value)
                traces.append(trace)
        yield segment, *_rows(values, traces, count=len(scales))


@partial(jax.jit, static_argnames="count")
def _rows(values: list[Array], traces: list[Array], *, count: int) -> tuple[Array, Array]:
    """The first ``count`` lanes of every start, whose tiles come one after the other, without the tiles' padding."""
    tiles = -(-count // LANES)
    kept = [slice(0, count - place % tiles * LANES) for place in range(len(values))]
    exponents = [trace[_EXPONENT, :, :, real] for trace, real in zip(traces, kept, strict=True)]
    rows = [value[:, :, real] for value, real in zip(values, kept, strict=True)]
    return jnp.concatenate(rows, axis=2), jnp.concatenate(exponents, axis=2)


@partial(jax.jit, static_argnames="activation")
def slopes_at(activation: Activation, value: Array, exponent: Array) -> Split:
    """phi'(value · 2^exponent), each with an exponent of its own: value [..., width], exponent [...]."""
    limit = LARGEST_FLOAT_EXPONENT if activation.plain else LINEAR_BEYOND
    _, slope = activation.value_and_slope(scale_by_power_of_two(value, jnp.clip(exponent, -limit, limit)))
    mantissa, log2 = split(slope.mantissa)
    return Split(mantissa, log2 + slope.log2)


def multiply_segment(segment: Segment, slopes: Split, product: Product, layers: Array) -> Product:
    """One seed's ``D_l W_l ⋯`` from the left for the segment's first ``layers``, its Frobenius norm kept in [1, 2)."""
    contract = (((1,), (0,)), ((), ()))

    def layer(index: Array, product: Product) -> Product:
        slope, slope_exponent = share_exponent(Split(slopes.mantissa[index], slopes.log2[index]))
        value = lax.dot_general(segment.weights[index], product.value, contract, precision=lax.Precision.HIGHEST)
        value *= slope.T[:, :, None]
        shift = exponent_of(jnp.sqrt(jnp.sum(jnp.square(value), axis=(0, 2))))
        value *= power_of_two(-jnp.maximum(shift, -LARGEST_FLOAT_EXPONENT))[None, :, None]
        return Product(value, product.exponent + segment.weight_exponent[index] + slope_exponent + shift)

    return lax.fori_loop(0, layers, layer, product)


@cache
def multiply_program(mesh: Mesh) -> Callable[..., Product]:
    """The compiled product over a segment; the activation is data to it."""
    return over_seeds(multiply_segment, mesh, in_axes=(1, 1, 0, None), out_axes=0)


def isometry(
    segments: Callable[[int], Segment],
    inputs: Array,
    *,
    mesh: Mesh,
    activation: Activation,
    scales: np.ndarray,
    bias_stds: np.ndarray,
    depth: int,
    condition_depth: int,
    input_norms: np.ndarray | None = None,
) -> Isometry:
    """Moments of the squared singular values of J at ``depth``, and its condition number at ``condition_depth``.

    segments: index → Segment, asked for in order, and those of the condition number once more; inputs: [seeds, width],
    split over ``mesh``; scales, bias_stds: [lanes], pairwise; depths ≥ 2. Memory and time of the condition number are for
    depths of at most 64 or so: its products are float64 whatever the dtype, from slopes of that dtype.
    """
    count = segments_to(max(depth, condition_depth))
    product = _identity(mesh, inputs.shape, len(scales), np.dtype(inputs.dtype))
    kept: list[Split] = []

    def multiply() -> Iterator[tuple[int, Array]]:
        nonlocal product
        walk = preactivations(
            segments,
            [inputs],
            mesh=mesh,
            activation=activation,
            scales=scales,
            bias_stds=bias_stds,
            count=count,
            input_norms=input_norms,
        )
        for index, (segment, value, exponent) in enumerate(walk):
            slopes = slopes_at(activation, value, exponent)
            if index < segments_to(condition_depth):
                kept.append(slopes)
            product = multiply_program(mesh)(segment, slopes, product, _layers(index, depth))
            yield index, product.exponent

    for _ in fetch_behind(multiply()):
        pass  # only so as not to draw all segments ahead of the product
    squares = np.square(_singular_values(product)) * (scales > 0)[:, None, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = squares.mean(axis=-1)
        magnitude = LOG10_2 * np.asarray(product.exponent, float).T + (depth - 1) * np.log10(scales)[:, None]
        return Isometry(
            np.log10(mean) + 2 * magnitude,
            squares.var(axis=-1) / np.square(mean),
            np.sqrt(squares.max(axis=-1) / mean),
            np.where((scales > 0)[:, None], _log10_condition(segments, kept, mesh, condition_depth), np.inf),
        )


def _identity(mesh: Mesh, shape: Sequence[int], lanes: int, dtype: np.dtype) -> Product:
    seeds, width = shape
    start = np.broadcast_to(np.eye(width, dtype=dtype)[:, None, :], (seeds, width, lanes, width))
    return place(mesh, Product(start, np.zeros((seeds, lanes), dtype)), 0)


def _layers(index: int, depth: int) -> np.int32:
    """How many layers of segment number ``index`` the network of that depth has."""
    return np.int32(np.clip(depth - 1 - index * LAYERS, 0, LAYERS))


def _singular_values(product: Product) -> np.ndarray:
    """Of the mantissas: [lanes, seeds, width], descending; NaN where the product is not finite."""
    value = np.asarray(product.value, float).transpose(2, 0, 1, 3)
    finite = np.asarray(np.isfinite(value).all(axis=(-2, -1)))
    values = np.linalg.svd(np.where(finite[..., None, None], value, 0.0), compute_uv=False)
    return np.where(finite[..., None], values, np.nan)


def _log10_condition(segments: Callable[[int], Segment], slopes: Sequence[Split], mesh: Mesh, depth: int) -> np.ndarray:
    """log10 σ_max(J) σ_max(J⁻ᵀ) [lanes, seeds] from slopes [LAYERS, seeds, lanes, width], a Split for each segment."""
    _, seeds, lanes, width = slopes[0].mantissa.shape
    singular = np.zeros((lanes, seeds), bool)
    with jax.enable_x64(True):
        products = [_identity(mesh, (seeds, width), lanes, np.dtype(float))] * 2
    for index, drawn in enumerate(slopes):
        layers = _layers(index, depth)
        segment = Segment(*(np.asarray(part, float)[:layers] for part in segments(index)))
        slope, log2 = (np.asarray(part, float)[:layers] for part in drawn)
        dead, flat = slope == 0, np.linalg.slogdet(segment.weights).sign == 0
        singular |= dead.any(axis=(0, 3)).T | flat.any(axis=0)
        weights = np.where(flat[..., None, None], np.eye(width), segment.weights)
        slope, log2 = np.where(dead, 1, slope), np.where(dead, 0, log2)
        inverse = Segment(np.linalg.inv(weights).swapaxes(-1, -2), -segment.weight_exponent, segment.biases)
        factors = (
            (segment, drawn._replace(mantissa=slope, log2=log2)),
            (inverse, drawn._replace(mantissa=1 / slope, log2=-log2)),
        )
        with jax.enable_x64(True):
            for number, factor in enumerate(factors):
                products[number] = multiply_program(mesh)(*place(mesh, factor, 1), products[number], layers)
    log10 = sum(
        np.log10(_singular_values(product)[..., 0]) + LOG10_2 * np.asarray(product.exponent).T for product in products
    )
    return np.where(singular, np.inf, np.asarray(log10))
