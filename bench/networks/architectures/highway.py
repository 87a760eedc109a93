"""Networks with gates (Srivastava, Greff & Schmidhuber 2015, arXiv 1505.00387)."""

from __future__ import annotations

import jax
from jax import Array

from bench.networks.architectures.architecture import Architecture, Step, Weights
from bench.networks.architectures.arguments import number


def highway(gate_bias: float = -2.0) -> Architecture:
    """T phi(W h) + (1 - T) h with the gate T = sigmoid(W_T h + gate_bias)."""
    bias = number("gate_bias", gate_bias)

    def block(h: Array, weights: Weights, step: Step) -> Array:
        gate = jax.nn.sigmoid(weights["T"](h) + bias)
        return gate * step.phi(weights["W"](h)) + (1 - gate) * h

    return Architecture("highway", block, shapes=lambda width: {"W": (width, width), "T": (width, width)})
