"""The network that is trained: the contract's, with an input layer, and a readout to several outputs.

    z_1 = W_1 x + b_1                W_1 in R^{n×inputs}
    z_l = W_l h_{l-1} + b_l          l = 2 … L-1, W_l in R^{n×n}
    h_l = phi(z_l)
    y   = W_L h_{L-1}                W_L in R^{outputs×n}

The depth L ≥ 2 counts the weight matrices. Where ``bias_std`` is 0 there are no biases, and none to train. Everything here
is of one network and in plain floats, as training is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax import Array, lax

from bench.networks.activations import ACTIVATIONS, Activation

EVALUATED = 512  # examples at a time


class Network(Protocol):
    """What the loop knows of a network; hashable, as it names a compiled program."""

    def outputs(self, parameters: Any, x: Array) -> Array:
        """Y [examples, outputs] for x [examples, inputs]."""
        ...

    def watched(self, parameters: Any) -> tuple[Array, Array, Array]:
        """What the first, the middle and the last layer have of the parameters, or of a tree like them."""
        ...

    def evaluated(self, batch: int) -> int:
        """How many examples are evaluated at a time, where a step sees ``batch``."""
        ...


class Parameters(NamedTuple):
    """What is trained. The hidden layers are stacked, so that a scan over them compiles once for any depth."""

    input: Array  # W_1 [n, inputs]
    input_bias: Array | None  # [n]
    hidden: Array  # W_2 … W_{L-1} [L - 2, n, n]
    hidden_bias: Array | None  # [L - 2, n]
    readout: Array  # W_L [outputs, n]


@jax.custom_vjp
def product(weights: Array, h: Array) -> Array:
    """W h for every example: weights [out, in], h [in, examples]."""
    return lax.dot_general(weights, h, (((1,), (0,)), ((), ())))


def _pull(kept: tuple[Array, Array], cotangent: Array) -> tuple[Array, Array]:
    weights, h = kept
    over_examples = (((1,), (1,)), ((), ()))
    # small products of a transposed matrix are slower on CPUs than its copy and a plain product
    transposed = lax.optimization_barrier(weights.T)
    return lax.dot_general(cotangent, h, over_examples), product(transposed, cotangent)


product.defvjp(lambda weights, h: (product(weights, h), (weights, h)), _pull)


def weights_times(weights: Array, h: Array, bias: Array | None) -> Array:
    """W h + b for every example: weights [out, in], h [in, examples], bias [out].

    Examples run fastest, since there are more of them than neurons in a narrow network, and products are faster for it.
    """
    z = product(weights, h)
    return z if bias is None else z + bias[:, None]


# phi'(z) as a function of phi(z), where there is one: then phi(z), which the next layer's gradient needs as well, is all
# that a layer has to keep for its backward pass, and a deep network's activations stay in the cache
SLOPE_FROM_VALUE: dict[str, Callable[[Array], Array]] = {
    "tanh": lambda h: (1 - h) * (1 + h),
    "sigmoid": lambda h: h * (1 - h),
    "relu": lambda h: (h > 0).astype(h.dtype),
}


def slim(activation: Activation) -> Callable[[Array], Array]:
    """The activation, with a derivative that keeps as little as it can."""
    slope = SLOPE_FROM_VALUE.get(activation.name)
    if slope is None or activation is not ACTIVATIONS[activation.name]:  # a user's own may have the same name
        return activation

    @jax.custom_vjp
    def phi(z: Array) -> Array:
        return activation(z)

    def forward(z: Array) -> tuple[Array, Array]:
        h = activation(z)
        return h, h

    phi.defvjp(forward, lambda h, cotangent: (cotangent * slope(h),))
    return phi


def outputs(parameters: Parameters, x: Array, activation: Activation) -> Array:
    """Y [examples, outputs] for x [examples, inputs].

    A step of the scan goes from one pre-activation to the next, so that what it keeps for the backward pass is phi(z) once.
    """
    phi = slim(activation)

    def layer(z: Array, layer: tuple[Array, Array | None]) -> tuple[Array, None]:
        return weights_times(layer[0], phi(z), layer[1]), None

    z = weights_times(parameters.input, x.T, parameters.input_bias)
    z, _ = lax.scan(layer, z, (parameters.hidden, parameters.hidden_bias))
    return weights_times(parameters.readout, phi(z), None).T


def cross_entropy(y: Array, targets: Array) -> Array:
    """[examples]: -log softmax(y) at the label, the place of the largest target."""
    labels = jax.nn.one_hot(jnp.argmax(targets, axis=-1), y.shape[-1], dtype=bool)
    # not taken by their index, whose derivative would be a scatter
    return -jnp.sum(jnp.where(labels, jax.nn.log_softmax(y), jnp.zeros((), y.dtype)), axis=-1)


def squared_error(y: Array, targets: Array) -> Array:
    """[examples]: ½ ‖y - target‖², whose gradient flow is Saxe et al.'s."""
    return jnp.sum(jnp.square(y - targets), axis=-1) / 2


LOSSES: dict[str, Callable[[Array, Array], Array]] = {"cross_entropy": cross_entropy, "mse": squared_error}


def hits(y: Array, targets: Array) -> Array:
    """[examples]: 1 where the largest output is the largest target's; 0 where outputs are not finite."""
    right = jnp.argmax(y, axis=-1) == jnp.argmax(targets, axis=-1)
    return (right & jnp.all(jnp.isfinite(y), axis=-1)).astype(y.dtype)


def mean_loss(network: Network, parameters: Any, x: Array, targets: Array, *, loss: str) -> tuple[Array, Array]:
    """(mean loss of the examples, share of hits)."""
    y = network.outputs(parameters, x)
    return jnp.mean(LOSSES[loss](y, targets)), jnp.mean(hits(y, targets))


def log10_norm(values: Array) -> Array:
    """log10 of the Frobenius norm of any float array: the squares do not underflow, so that only values that do are zero."""
    largest = jnp.max(jnp.abs(values))
    ordinary = jnp.isfinite(largest) & (largest > 0)
    fractions = values / jnp.where(ordinary, largest, jnp.ones_like(largest))
    return jnp.where(ordinary, jnp.log10(largest) + jnp.log10(jnp.sum(jnp.square(fractions))) / 2, jnp.log10(largest))


class PlainNetwork(NamedTuple):
    """The plain network, as the loop sees it."""

    activation: Activation

    def outputs(self, parameters: Parameters, x: Array) -> Array:
        """Y [examples, outputs]."""
        return outputs(parameters, x, self.activation)

    def watched(self, parameters: Parameters) -> tuple[Array, Array, Array]:
        """W_1, W_{L/2} and W_{L-1}, of the hidden layers."""
        depth = parameters.hidden.shape[0] + 2

        def layer(number: int) -> Array:
            return parameters.input if number == 1 else parameters.hidden[number - 2]

        return layer(1), layer(max(1, depth // 2)), layer(depth - 1)

    def evaluated(self, batch: int) -> int:
        """How many examples are evaluated at a time, whatever the batch: none looks at others."""
        del batch
        return EVALUATED
