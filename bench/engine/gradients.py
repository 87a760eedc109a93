"""The engine: the two passes that give every gradient norm of a deep network, at any depth and magnitude.

The network of depth L is ``z_l = W_l h_{l-1} + b_l``, ``h_l = phi(z_l)`` for l < L and ``y = u · h_{L-1}``, with
``W_l = scale × (drawn matrix)``. Since ``∂loss/∂W_l = δ_l h_{l-1}ᵀ`` with ``δ_l = ∂loss/∂z_l``, its Frobenius norm is
``‖δ_l‖ ‖h_{l-1}‖``:

* the forward pass runs the network once, for all scales side by side, and keeps ‖h_l‖ and phi'(z_l);
* the backward pass is :func:`jax.vjp` through a :func:`jax.lax.scan` over layers, vmapped over depths as
  :func:`jax.jacrev` does: the readout of *every* depth is differentiated with respect to every z_l at once. What is
  differentiated is the tangent network ``δh_l = phi'(z_l) ⊙ W_l δh_{l-1}``, whose gradients are those of the network
  itself and whose values nobody needs, so that the compiler drops them.

Nothing leaves the floating-point range (:mod:`bench.arithmetic.extended`): forward, ``h = v · 2^e`` with one exponent
an example; backward, a probe in every layer divides the cotangent by a power of two and hands out its norm.

Shapes. A lane is one (scale, bias_std). LANES of them make a tile, DEPTHS depths × one tile a block of cotangents, LAYERS
layers a segment, and :func:`seeds_per_device` seeds go together. Every product is ``(LANES, n) @ (n, n)`` or
``(DEPTHS · LANES, n) @ (n, n)``, and every sum is over arrays of one shape, whatever the sweep around it: so one compilation
serves all depths and scales, and no cell's bits depend on its neighbours. Devices that are no CPUs are given another
:class:`Shape` (:mod:`bench.sweeps.shapes`); LANES, DEPTHS and LAYERS stand for its numbers in the shapes of arrays below.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.sharding import Mesh

from bench.arithmetic.extended import EXPONENT_OF_ZERO, Numbers, normalize, probe, scale_by_power_of_two
from bench.networks.activations import Activation
from bench.networks.seeds import over_seeds
from bench.networks.segments import LAYERS, Segment, preactivate

LANES, DEPTHS = 32, 4


def seeds_per_device(width: int, platform: str) -> int:
    """How many seeds one device works on at a time: always as many, since the order of a sum can depend on it.

    On a CPU, what keeps a block of cotangents in a core's cache; elsewhere, enough of them to fill the device.
    """
    return max(1, (128 if platform == "cpu" else 8192) // width)


class Shape(NamedTuple):
    """How many lanes make a tile, how many depths a block of cotangents, and how many times LAYERS a segment."""

    lanes: int
    depths: int
    segments: int = 1

    @property
    def layers(self) -> int:
        """Of a segment."""
        return self.segments * LAYERS


FIXED = Shape(LANES, DEPTHS)


class Lanes(NamedTuple):
    """One tile of (scale, bias_std), each number split into mantissa · 2^exponent."""

    scale: Numbers  # [LANES]
    scale_exponent: Numbers
    bias_std: Numbers
    bias_exponent: Numbers


class State(NamedTuple):
    """Activations ``h = value · 2^exponent``."""

    value: Numbers  # [seeds, LANES, width]
    exponent: Numbers  # [seeds, LANES]


class Trace(NamedTuple):
    """What the forward pass tells of each layer: ``‖h‖ = norm · 2^exponent``, ``u · h = output · 2^exponent``.

    The exponents of phi' and of scale · W are those by which the backward pass's mantissas are to be multiplied;
    ``‖scale · W‖_F = weight_norm · 2^weight_exponent``.
    """

    norm: Numbers  # [LAYERS, seeds, LANES]
    output: Numbers
    exponent: Numbers
    slope_exponent: Numbers
    weight_exponent: Numbers
    weight_norm: Numbers


def forward_layer(
    state: State, drawn: Segment, readout: Array, lanes: Lanes, *, activation: Activation
) -> tuple[State, Trace, Array]:
    """One seed's next state from one layer of a segment: the state, its Trace, and phi'(z_l) [LANES, width]."""
    product = preactivate(drawn.weights, state.value, lanes.scale)
    weight_exponent = lanes.scale_exponent + drawn.weight_exponent
    product_exponent = state.exponent + weight_exponent
    exponent = jnp.maximum(product_exponent, lanes.bias_exponent)
    bias = lanes.bias_std[:, None] * drawn.biases[None, :]
    z = scale_by_power_of_two(product, product_exponent - exponent)
    z += scale_by_power_of_two(bias, lanes.bias_exponent - exponent)
    h = activation.propagate(z, exponent)
    value, norm, shift = normalize(h.value)
    state = State(value, jnp.maximum(h.exponent + shift, EXPONENT_OF_ZERO))
    output = jnp.sum(value * readout[None, :], axis=-1)
    weight_norm = jnp.abs(lanes.scale) * jnp.sqrt(jnp.sum(jnp.square(drawn.weights)))
    return state, Trace(norm, output, state.exponent, h.slope_exponent, weight_exponent, weight_norm), h.slope


def forward_segment(
    segment: Segment, state: State, readout: Array, lanes: Lanes, *, activation: Activation
) -> tuple[State, Array, Array]:
    """One seed's forward pass: the state after the segment, its Trace as one array, and phi'(z_l) [LAYERS, LANES, width]."""

    def layer(state: State, drawn: Segment) -> tuple[State, tuple[Array, Array]]:
        state, trace, slope = forward_layer(state, drawn, readout, lanes, activation=activation)
        return state, (jnp.stack(trace), slope)

    state, (trace, slopes) = lax.scan(layer, state, segment)
    return state, trace.swapaxes(0, 1), slopes


def backward_segment(
    segment: Segment,
    slopes: Array,
    readout: Array,
    lanes: Lanes,
    cotangent: Array,
    derivative: Array,
    depths: Array,
    index: Array,
) -> tuple[Array, Array]:
    """One seed's backward pass through segment number ``index``, for DEPTHS depths.

    cotangent [DEPTHS, LANES, width]: of the segment's last h, from deeper layers; derivative [DEPTHS, LANES]: ∂loss/∂y,
    which enters at layer L - 1 of each of ``depths`` [DEPTHS], or not at all where that layer is in another segment.
    Returns the cotangent of the segment's input, and the probes' norms and shifts [DEPTHS, LAYERS, LANES, 2]: ‖δ_l‖ is the
    norm times all shifts, in powers of two, from the depth's start down to l. Of the
    first segment the cotangent is W_1ᵀ δ_1, without the scale: with the identity in place of W_1, δ_1 itself.
    """

    def tangent_network(last: Array, tangent: Array, dummies: Array) -> tuple[Array, Array]:
        def layer(tangent: Array, inputs: tuple[Array, ...]) -> tuple[Array, Array]:
            weights, slope, scale, dummy, last = inputs
            tangent = slope * probe(preactivate(weights, tangent, scale), dummy)
            # nothing comes back from behind the last layer, where a user's activation may have no value
            return jnp.where(last, jnp.zeros_like(tangent), tangent), tangent @ readout

        return lax.scan(layer, tangent, (segment.weights, slopes, scales, dummies, last))

    layers, rows, _ = slopes.shape
    layer = index * layers + 1 + jnp.arange(layers, dtype=depths.dtype)
    scales = jnp.where(layer[:, None] == 1, jnp.ones_like(lanes.scale)[None, :], lanes.scale[None, :])
    start = jnp.zeros_like(slopes[0]), jnp.zeros((layers, rows, 2), slopes.dtype)
    last = depths[:, None] - 1 == layer[None, :]
    derivatives = jnp.where(last[:, :, None], derivative[:, None, :], jnp.zeros_like(derivative[:, None, :]))

    def pull(last: Array, cotangent: Array, derivative: Array) -> tuple[Array, Array]:
        _, pulled = jax.vjp(partial(tangent_network, last), *start)
        return pulled((cotangent, derivative))

    return jax.vmap(pull)(last, cotangent, derivatives)


@cache
def backward_program(mesh: Mesh) -> Callable[..., tuple[Array, Array]]:
    """The compiled backward pass; the activation, its depths, scales and loss are data to it."""
    return over_seeds(backward_segment, mesh, in_axes=(1, 1, 0, None, 0, 0, None, None), out_axes=(0, 2))


@cache
def forward_program(mesh: Mesh, activation: Activation) -> Callable[..., tuple[State, Array, Array]]:
    """The compiled forward pass of one activation."""

    def forward(segment: Segment, state: State, readout: Array, lanes: Lanes) -> tuple[State, Array, Array]:
        return forward_segment(segment, state, readout, lanes, activation=activation)

    return over_seeds(forward, mesh, in_axes=(1, 0, 0, None), out_axes=(0, 2, 1))
