"""A network in float64 written as anyone would, and what JAX says of it: one program for each function, at any depth."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

MOST_LAYERS = 20


class Plain(NamedTuple):
    """Of one network with l = 1 … L-1 hidden layers, as NumPy arrays."""

    weights: np.ndarray  # [L-1, n, n]: ∂loss/∂W_l by jax.grad
    readout: np.ndarray  # [n]: ∂loss/∂u
    delta: np.ndarray  # [L-1, n]: ∂loss/∂z_l
    z: np.ndarray  # [L-1, n]


def _hidden(phi, offsets, weights, biases, x, layers):
    """h_{L-1} and all z, to which ``offsets`` are added; what is beyond the last layer passes h on."""

    def layer(h, inputs):
        number, matrix, bias, offset = inputs
        z = matrix @ h + bias + offset
        return jnp.where(number < layers, phi(z), h), z

    return jax.lax.scan(layer, x, (jnp.arange(MOST_LAYERS), weights, biases, offsets))


@cache
def _program(phi: Callable) -> Callable:
    def loss(weights, readout, offsets, biases, x, layers, squared):
        h, z = _hidden(phi, offsets, weights, biases, x, layers)
        y = readout @ h
        return jnp.where(squared, (y - 1) ** 2 / 2, y), z

    def outcome(weights, readout, biases, x, layers, squared):
        offsets = jnp.zeros_like(biases)
        gradients, z = jax.grad(loss, argnums=(0, 1, 2), has_aux=True)(weights, readout, offsets, biases, x, layers, squared)
        return Plain(*gradients, z)

    return jax.jit(outcome)


@cache
def _jacobian_program(phi: Callable) -> Callable:
    def end(x, weights, biases, layers):
        return _hidden(phi, jnp.zeros_like(biases), weights, biases, x, layers)[0]

    return jax.jit(jax.jacobian(end))


def _padded(*parts: np.ndarray) -> list[np.ndarray]:
    return [np.pad(part, ((0, MOST_LAYERS - len(part)), *[(0, 0)] * (part.ndim - 1))) for part in parts]


def jacobian(phi: Callable, weights, biases, x) -> np.ndarray:
    """[n, n]: ∂h_{L-1}/∂x of the same network, by jax.jacobian."""
    with jax.enable_x64(True):
        return np.asarray(_jacobian_program(phi)(x, *_padded(weights, biases), np.int64(len(weights))))


def plain(phi: Callable, weights, biases, x, readout, *, loss: str = "output") -> Plain:
    """Of ``z_l = W_l h_{l-1} + b_l``, ``h_l = phi(z_l)``, ``y = u · h_{L-1}`` with weights [L-1 ≤ MOST_LAYERS, n, n]."""
    layers = len(weights)
    padded = _padded(weights, biases)
    with jax.enable_x64(True):
        found = _program(phi)(padded[0], readout, padded[1], x, np.int64(layers), np.bool_(loss == "mse"))
        whole = Plain(*map(np.asarray, found))
    return whole._replace(weights=whole.weights[:layers], delta=whole.delta[:layers], z=whole.z[:layers])
