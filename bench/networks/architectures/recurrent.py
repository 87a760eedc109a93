"""Networks whose depth is time: one cell for all blocks, which reads a new input x_l at every step."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from bench.networks.architectures.architecture import Architecture, Shapes, Step, Weights
from bench.networks.architectures.arguments import number

Cell = tuple[Array, Array]  # h and c


def _in_and_out(width: int) -> Shapes:
    return {"W": (width, width), "U": (width, width)}


def rnn(inputs: float = 1.0, spectral_radius: float = 0.0) -> Architecture:
    """phi(W h + inputs · U x_l) with the same W and U at every step; inputs=0: none but h_0 (Elman 1990).

    spectral_radius = r > 0: W is divided by its own and multiplied by r, whatever the scheme draws (Jaeger 2001).
    """
    strength = number("inputs", inputs)
    radius = number("spectral_radius", spectral_radius, at_least=0)

    def block(h: Array, weights: Weights, step: Step) -> Array:
        return step.phi(weights["W"](h) + strength * weights["U"](step.input))

    radii = {"W": radius} if radius else {}
    return Architecture("rnn", block, shapes=_in_and_out, radii=radii, shared=True, driven=True)


def lstm(forget_bias: float = 1.0, chrono: float = 0.0) -> Architecture:
    """Cell: h = o phi(c), c = f c + i phi(z); i, f (+ forget_bias), o, z of W h + U x_l (Hochreiter & Schmidhuber 1997).

    chrono = T ≥ 2: forget biases are the logarithms of times from 1 to T - 1, evenly spaced over the units, in the place of
    drawn ones, and those of i their negatives (Tallec & Ollivier 2018, arXiv 1804.11188).
    """
    bias = number("forget_bias", forget_bias)
    longest = number("chrono", chrono)
    if 0 != longest < 2:
        raise ValueError("chrono: 0 (none) or a number ≥ 2")
    if longest and bias != 1:
        raise ValueError("forget_bias: none beside chrono, which sets it")

    def block(state: Cell, weights: Weights, step: Step) -> Cell:
        h, c = state
        i, f, o, z = jnp.split(weights["W"](h) + weights["U"](step.input), 4, axis=-1)
        if longest:
            width = h.shape[-1]
            memory = jnp.asarray(np.log(1 + (longest - 2) * (np.arange(width) + 0.5) / width)[None, None], h.dtype)
            i, f = i - memory, f + memory
        else:
            f = f + bias
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * step.phi(z)
        return jax.nn.sigmoid(o) * step.phi(c), c

    return Architecture(
        "lstm",
        block,
        shapes=lambda width: {"W": (4 * width, width), "U": (4 * width, width)},
        start=lambda h: (h, jnp.zeros_like(h)),
        shared=True,
        driven=True,
    )


def gru() -> Architecture:
    """(1 - z) phi(r W h + U x_l) + z h with gates r, z of V h + G x_l (Cho et al. 2014, as cuDNN has it)."""

    def block(h: Array, weights: Weights, step: Step) -> Array:
        reset, keep = jnp.split(jax.nn.sigmoid(weights["V"](h) + weights["G"](step.input)), 2, axis=-1)
        return (1 - keep) * step.phi(reset * weights["W"](h) + weights["U"](step.input)) + keep * h

    def shapes(width: int) -> Shapes:
        return {**_in_and_out(width), "V": (2 * width, width), "G": (2 * width, width)}

    return Architecture("gru", block, shapes=shapes, shared=True, driven=True)
