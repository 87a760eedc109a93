"""The passes for any architecture: its blocks as they stand, and :func:`jax.grad`, in floats without an end.

Where the engine for plain networks (:mod:`bench.engine.gradients`) knows by hand how far every number may go, here the
program that JAX makes of the blocks is interpreted (:mod:`bench.arithmetic.unbounded`). All else is alike: one forward
pass for all depths, LAYERS blocks at a time; backward, DEPTHS depths at once, from where each ends; norms of gradients come
out as gradients with respect to dummies, so that no gradient is stored. What a block computes between its ends is computed
again in the backward pass: only the states between segments are kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.sharding import Mesh

from bench.arithmetic.unbounded import unbounded
from bench.networks.activations import Activation
from bench.networks.architectures.architecture import Architecture, Step, dense
from bench.networks.blocks import Blocks
from bench.networks.seeds import over_seeds

State = Any  # the pytree that blocks hand on, of arrays [batch, length, width]


class Setting(NamedTuple):
    """One lane: what drawn arrays are multiplied by."""

    scale: dict[str, Any]  # by the matrix's name, Extended: the sweep's scale, the scheme's gain, the draw's exponent
    bias_std: Any


class Seen(NamedTuple):
    """What the forward pass tells of each block: [LAYERS], Extended."""

    hidden: Any  # ‖h_l‖
    output: Any  # u · read(h_l)
    read: Any  # ‖read(h_l)‖, of the vector that the readout sees
    apart: Any  # :func:`apart` of h_l


class Norms(NamedTuple):
    """What the backward pass tells of each block for one depth: [LAYERS], Extended."""

    grad: dict[str, Any]  # ‖∂y/∂W‖ by name
    delta: Any  # ‖∂y/∂h_l‖


def norm(array: Array) -> Array:
    """The root of the sum of all squares."""
    return jnp.sqrt(jnp.sum(jnp.square(array)))


def apart(h: Array) -> Array:
    """1 - cosine, h [batch, length, width]: of the last position and others of its example, else of it and other examples.

    The mean over these, as ‖a/‖a‖ - b/‖b‖‖² / 2, which loses no digits where vectors are nearly parallel.
    """
    vectors = jnp.concatenate([h[0, -1:], h[0, :-1] if h.shape[1] > 1 else h[1:, -1]])
    units = vectors / jnp.sqrt(jnp.sum(jnp.square(vectors), axis=-1, keepdims=True))
    return jnp.sum(jnp.square(units[1:] - units[:1])) / (2 * max(1, len(vectors) - 1))


@jax.custom_vjp
def scaled_product(matrix: Array, scale: Array, h: Array, dummy: Array) -> Array:
    """``scale · matrix h``, whose dummy's gradient is ‖∂loss/∂(scale · matrix)‖."""
    del dummy
    return scale * dense(matrix, h)


def _forward(matrix: Array, scale: Array, h: Array, dummy: Array) -> tuple[Array, tuple[Array, Array, Array]]:
    return scaled_product(matrix, scale, h, dummy), (matrix, scale, h)


def _backward(kept: tuple[Array, Array, Array], cotangent: Array) -> tuple[Array, Array, Array, Array]:
    matrix, scale, h = kept
    back = scale * dense(matrix.T, cotangent)
    return jnp.zeros_like(matrix), jnp.zeros_like(scale), back, _norm_of_gradient(cotangent, h)


def _norm_of_gradient(cotangent: Array, h: Array) -> Array:
    """‖Σ cotangent hᵀ‖, the sum over examples and positions."""
    if math.prod(h.shape[:-1]) == 1:
        return norm(cotangent) * norm(h)
    contract_all = (((0, 1), (0, 1)), ((), ()))
    return norm(lax.dot_general(cotangent, h, contract_all))


scaled_product.defvjp(_forward, _backward)


@jax.custom_vjp
def tap(h: Array, dummy: Array) -> Array:
    """The identity; the dummy's gradient is the norm of the cotangent."""
    del dummy
    return h


tap.defvjp(lambda h, dummy: (tap(h, dummy), None), lambda _, cotangent: (cotangent, norm(cotangent)))


def run_blocks(
    architecture: Architecture,
    phi: Callable[[Array], Array],
    blocks: Blocks,
    readout: Array,
    setting: Setting,
    first: Array,
    depth: Array,
    state: State,
    dummies: Norms,
) -> tuple[State, Seen]:
    """The state after LAYERS blocks of one network, and what is seen of each of them."""
    trained = architecture.begun(readout.shape[-1])

    def block(state: State, given: tuple[Blocks, Array, Norms]) -> tuple[State, Seen]:
        drawn, layer, dummy = given

        def product(name: str, h: Array) -> Array:
            z = scaled_product(drawn.matrices[name], setting.scale[name], h, dummy.grad[name])
            return z + (setting.bias_std * drawn.biases[name])[None, None, :]

        weights = {name: partial(product, name) for name in drawn.matrices}
        # a segment goes on beyond the last block, where a function of layer and depth may have no value
        number = jnp.minimum(layer, depth - 1) if architecture.by_depth else layer
        state = architecture.block(state, weights, Step(number, depth, phi, drawn.inputs, trained))
        leaves, tree = jax.tree.flatten(state)
        h, *others = leaves
        h = tap(h, dummy.delta)
        seen = architecture.read(h)[0, -1]
        output = jnp.sum(seen * readout)
        h_only, seen_only = lax.stop_gradient((h, seen))  # a norm has no derivative at 0
        distance = apart(h_only) if h.size > h.shape[-1] else jnp.zeros_like(output)
        return jax.tree.unflatten(tree, [h, *others]), Seen(norm(h_only), output, norm(seen_only), distance)

    layers = first + jnp.arange(len(blocks.inputs), dtype=first.dtype)
    return lax.scan(block, state, (blocks, layers, dummies))


def zeros_of(blocks: Blocks) -> Norms:
    """What the dummies are."""
    zeros = jnp.zeros(len(blocks.inputs), blocks.inputs.dtype)
    return Norms(dict.fromkeys(blocks.matrices, zeros), zeros)


@cache
def forward_program(mesh: Mesh, architecture: Architecture, activation: Activation) -> Callable[..., tuple[State, Seen]]:
    """Compiles (blocks, readout, settings, first layer, depths [lanes], states) → states and Seen of a segment."""

    def forward(blocks: Blocks, readout: Array, setting: Setting, first: Array, depth: Array, state: State) -> Any:
        return run_blocks(architecture, activation.function, blocks, readout, setting, first, depth, state, zeros_of(blocks))

    over_lanes = jax.vmap(unbounded(forward), in_axes=(None, None, 0, None, 0, 0))
    axes = (1, 0, None, None, None, 0)
    return over_seeds(over_lanes, mesh, in_axes=axes, out_axes=0, options=_options(mesh))


@cache
def backward_program(mesh: Mesh, architecture: Architecture, activation: Activation) -> Callable[..., tuple[State, Norms]]:
    """Compiles (blocks, readout, settings, first layer, depths [DEPTHS, lanes], states, cotangents) → cotangents and Norms.

    The derivative of y is 1, and enters where a depth ends. cotangents and what comes back: [seeds, DEPTHS, lanes, …].
    """

    def backward(
        blocks: Blocks, readout: Array, setting: Setting, first: Array, depth: Array, state: State, cotangent: State
    ) -> tuple[State, Norms]:
        run = partial(run_blocks, architecture, activation.function, blocks, readout, setting, first, depth)
        _, pull = jax.vjp(run, state, zeros_of(blocks))
        layers = first + jnp.arange(len(blocks.inputs), dtype=first.dtype)
        enters = (layers == depth - 1).astype(readout.dtype)
        silent = jnp.zeros_like(enters)
        return pull((cotangent, Seen(silent, enters, silent, silent)))

    over_lanes = jax.vmap(unbounded(backward), in_axes=(None, None, 0, None, 0, 0, 0))
    over_depths = jax.vmap(over_lanes, in_axes=(None, None, None, None, 0, None, 0))
    axes = (1, 0, None, None, None, 0, 0)
    return over_seeds(over_depths, mesh, in_axes=axes, out_axes=0, options=_options(mesh))


def _options(mesh: Mesh) -> dict[str, int] | None:
    """On CPUs LLVM's level 1, which takes two thirds of the time to compile and runs no slower."""
    return {"xla_backend_optimization_level": 1} if mesh.devices.flat[0].platform == "cpu" else None
