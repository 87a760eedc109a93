"""The network that is trained where a block is not plain: the sweep's, between an input layer and a readout.

    h_0[t] = W_0[t] x_t               W_0[t] in R^{n×(inputs/T)}, x_t the t-th of T equal pieces of the input
    h_l    = block_l(h_{l-1})         l = 1 … L-1
    y      = W_L mean_t read(h_{L-1})[t]

T is the training's ``length``: each position sees a piece of the input, through a matrix of its own, so that positions are
told apart. Blocks that read an input at every step read h_0. Blocks that are normalized over examples are so over those of
the step, in evaluation as in training: no averages are kept.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from bench.networks.activations import Activation
from bench.networks.architectures.architecture import Architecture, Step, dense
from bench.training.network import slim


class BlockParameters(NamedTuple):
    """What is trained. What blocks have is stacked, [L - 1, …], or [1, …] where they share it."""

    input: Array  # [T · n, inputs / T]
    hidden: dict[str, Array]  # by name [L - 1, out, in]
    hidden_bias: dict[str, Array] | None  # by name [L - 1, out]
    hidden_beside: dict[str, Array]  # Architecture.trained, by name [L - 1, n or 1]
    readout: Array  # [outputs, n]


class BlockNetwork(NamedTuple):
    """A network of L - 1 blocks of an architecture, on inputs that are cut into ``length`` pieces."""

    architecture: Architecture
    activation: Activation
    depth: int
    length: int

    def outputs(self, parameters: BlockParameters, x: Array) -> Array:
        """Y [examples, outputs] for x [examples, inputs]."""
        architecture, depth, phi = self.architecture, jnp.asarray(self.depth, x.dtype), slim(self.activation)
        h = embed(parameters.input, x, self.length)

        def block(state: Any, given: tuple[Any, Array]) -> tuple[Any, None]:
            (matrices, biases, beside), layer = given

            def product(name: str, h: Array) -> Array:
                z = dense(matrices[name], h)
                return z if biases is None else z + biases[name][None, None, :]

            weights = {name: partial(product, name) for name in matrices}
            beside = {name: value[None, None, :] for name, value in beside.items()}
            return architecture.block(state, weights, Step(layer, depth, phi, h, beside)), None

        own = parameters.hidden, parameters.hidden_bias, parameters.hidden_beside
        layers = jnp.arange(1, self.depth, dtype=x.dtype)
        if architecture.shared:
            first = jax.tree.map(lambda stacked: stacked[0], own)
            state, _ = lax.scan(lambda state, layer: block(state, (first, layer)), architecture.start(h), layers)
        else:
            state, _ = lax.scan(block, architecture.start(h), (own, layers))
        read = architecture.read(jax.tree.leaves(state)[0])
        return dense(parameters.readout, jnp.mean(read, axis=1, keepdims=True))[:, 0]

    def watched(self, parameters: BlockParameters) -> tuple[Array, Array, Array]:
        """The numbers of all matrices of the first block, of block L/2 and of the last, each in one row."""

        def block(layer: int) -> Array:
            place = 0 if self.architecture.shared else layer - 1
            return jnp.concatenate([stacked[place].ravel() for stacked in parameters.hidden.values()])

        return block(1), block(max(1, self.depth // 2)), block(self.depth - 1)

    def evaluated(self, batch: int) -> int:
        """How many examples are evaluated at a time: as many as a step sees, since blocks may normalize over them."""
        return batch


def embed(weights: Array, x: Array, length: int) -> Array:
    """h_0 [examples, T, n] of x [examples, inputs]: weights [T · n, inputs / T]."""
    examples, pieces = x.shape[0], x.reshape(x.shape[0], length, -1)
    matrices = weights.reshape(length, -1, pieces.shape[-1])
    over = (((2,), (2,)), ((0,), (1,)))  # inputs are summed, positions go side by side
    found = lax.dot_general(matrices, pieces, over)  # [T, n, examples]
    return found.transpose(2, 0, 1).reshape(examples, length, -1)
