"""The passes for any architecture: its blocks as they stand, and JAX's own derivative, in floats without an end.

Where the engine for plain networks (:mod:`bench.engine.gradients`) knows by hand how far every number may go, here the
program that JAX makes of a block is interpreted (:mod:`bench.arithmetic.unbounded`). All else is alike: one forward
pass for all depths, LAYERS blocks at a time; backward, DEPTHS depths at once, from where each ends. The states between
blocks are kept, and what a block computes between them is computed again on the way back.

Gradients are not formed where the vectors that a matrix multiplies are few: the forward pass tells of these a triangle
(:mod:`bench.engine.block_norms`), with which the norm of what comes back is the gradient's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.sharding import Mesh

from bench.arithmetic.compiling import options_for
from bench.arithmetic.number import Extended
from bench.arithmetic.unbounded import unbounded
from bench.engine.block_norms import apart, by_entry, by_layer, norms, root, total, triangles
from bench.engine.one_block import Layers, Setting, State, Vectors, pull_back, run_block, run_watched
from bench.networks.activations import Activation
from bench.networks.architectures.architecture import Architecture
from bench.networks.blocks import Blocks
from bench.networks.seeds import over_seeds


class Seen(NamedTuple):
    """What the forward pass tells of each block: [LAYERS]."""

    hidden: Any  # ‖h_l‖
    output: Any  # u · read(h_l)
    read: Any  # ‖read(h_l)‖, of the vector that the readout sees
    apart: Any  # :func:`bench.engine.block_norms.apart` of h_l


class Norms(NamedTuple):
    """What the backward pass tells of each block for one depth: [LAYERS]."""

    grad: dict[str, Any]  # ‖∂y/∂W‖ by name
    delta: Any  # ‖∂y/∂h_l‖


def walk(
    architecture: Architecture,
    phi: Callable[[Array], Array],
    layers: Layers,
    setting: Setting,
    depth: Array,
    state: State,
) -> tuple[State, State, tuple[Array, Array], Vectors]:
    """Of one network the last state, those before each block [LAYERS, …] and what the readout sees of all.

    And what is multiplied by each matrix.
    """
    block = partial(run_block, architecture, phi, setting, depth)

    def step(state: State, layer: Layers) -> tuple[State, tuple[State, Vectors]]:
        after, vectors = run_watched(block, layer, state)
        return after, (state, vectors)

    def read(state: State) -> Array:
        return architecture.read(jax.tree.leaves(state)[0])[0, -1]

    last, (before, vectors) = lax.scan(step, state, layers)
    return last, before, (jax.vmap(read)(before), read(last)[None]), vectors


def walk_back(
    architecture: Architecture,
    phi: Callable[[Array], Array],
    layers: Layers,
    setting: Setting,
    depth: Array,
    readout: Array,
    ends: Array,
    before: State,
    lower: Vectors,
    last: State,
    cotangent: State,
) -> tuple[State, Array, dict[str, Array]]:
    """∂y/∂state before the first block, and ‖∂y/∂h_l‖² and ‖∂y/∂W‖² of each [LAYERS].

    y = u · read(h_l) of the layer that ``ends`` [LAYERS] the network, if one of these does. before, last: the states before
    each block and the last one; lower: triangles of what each matrix multiplies; cotangent: of the last state, zero where
    the network ends here.
    """

    def entering(h: Array) -> Array:
        return jax.grad(lambda h: jnp.sum(architecture.read(h)[0, -1] * readout))(h)

    def step(cotangent: State, given: tuple[Layers, Array, State, Vectors, Array]) -> tuple[State, tuple[Array, Any]]:
        layer, last, state, lower, entering = given
        (delta, *others), tree = jax.tree.flatten(cotangent)
        # which were zero until now, or nothing at all where a function of one's own has no value behind the last layer
        delta, *others = [lax.select(last, entering, delta), *(lax.select(last, jnp.zeros_like(o), o) for o in others)]
        block = partial(run_block, architecture, phi, setting, depth)
        before, squares = pull_back(block, layer, state, jax.tree.unflatten(tree, [delta, *others]), lower)
        return before, (total(jnp.square(delta).reshape(-1)), squares)

    entering_after = jax.vmap(entering)(jax.tree.leaves(_after(before, last))[0])
    first, squares = lax.scan(step, cotangent, (layers, ends, before, lower, entering_after), reverse=True)
    return first, *squares


def _after(before: State, last: State) -> State:
    """The state after each block."""
    return jax.tree.map(lambda rest, one: jnp.concatenate([rest[1:], one[None]]), before, last)


def layers_of(architecture: Architecture, blocks: Blocks, first: Array, depth: Array) -> Layers:
    """One network's layers; a segment goes on beyond the last, where a function of layer and depth may have no value."""
    number = first + jnp.arange(len(blocks.inputs), dtype=first.dtype)
    number = jnp.minimum(number, depth - 1) if architecture.by_depth else number
    matrices = {
        name: Extended(matrix, blocks.exponents[name].astype(jnp.int32)[:, None, None])
        for name, matrix in blocks.matrices.items()
    }
    return Layers(matrices, blocks.biases, blocks.inputs, number)


@cache
def forward_program(mesh: Mesh, architecture: Architecture, activation: Activation, beside: bool) -> Callable[..., Any]:
    """Compiles (blocks, readout, settings, first layer, depth, state) → (the last one, what is before blocks, Seen, ‖W‖).

    Before each block are its state and triangles of what its matrices multiply: [LAYERS, seeds, lanes, …], as loops have
    them. Seen and the norms are stacked. beside: whether other programs run at the same time.
    """
    walked = unbounded(partial(walk, architecture, activation.function))

    def of_lane(
        layers: Layers, readout: Array, setting: Setting, depth: Array, state: State
    ) -> tuple[State, State, Extended]:
        last, before, read, vectors = walked(layers, setting, depth, state)
        states = before, jax.tree.map(lambda part: part[None], last)
        told = [_seen(jax.tree.leaves(h, is_leaf=is_number)[0], r, readout) for h, r in zip(states, read, strict=True)]
        after = jax.tree.map(lambda first, ended: jnp.concatenate([first[:, 1:], ended], axis=1), *told)
        before = jax.tree.map(lambda number: by_entry(by_layer(number)), before, is_leaf=is_number)
        return last, (before, {name: triangles(each) for name, each in vectors.items()}), after

    def forward(blocks: Blocks, readout: Array, setting: Setting, first: Array, depth: Array, state: State) -> Any:
        layers = layers_of(architecture, blocks, first, depth)
        over_lanes = jax.vmap(of_lane, in_axes=(None, None, 0, None, 0), out_axes=(0, 1, 0))
        lanes = over_lanes(layers, readout, setting, depth, state)
        return *lanes, stacked({name: norms(matrix) for name, matrix in layers.matrices.items()})

    axes = (1, 0, None, None, None, 0)
    return over_seeds(forward, mesh, in_axes=axes, out_axes=(0, 1, 0, 0), options=_options(mesh, beside))


@cache
def backward_program(mesh: Mesh, architecture: Architecture, activation: Activation, beside: bool) -> Callable[..., Any]:
    """Compiles (blocks, readout, settings, first layer, depths, last state, what is before, cotangents) → (…, Norms).

    depths: [DEPTHS], where the derivative of y, which is 1, enters; cotangents and what comes back are [seeds, DEPTHS,
    lanes, …]. The norms are stacked. beside: as forward.
    """
    walked = unbounded(partial(walk_back, architecture, activation.function))

    def of_lane(
        layers: Layers, readout: Array, setting: Setting, ends: Array, depth: Array, last: State, before: Any, back: State
    ) -> tuple[State, Extended]:
        back, delta, squares = walked(layers, setting, depth, readout, ends, *before, last, back)
        return back, stacked(Norms({name: root(each) for name, each in squares.items()}, root(delta)))

    def backward(
        blocks: Blocks,
        readout: Array,
        setting: Setting,
        first: Array,
        depths: Array,
        last: State,
        before: Any,
        cotangents: State,
    ) -> tuple[State, Extended]:
        def of_depth(depth: Array, cotangent: State) -> tuple[State, Extended]:
            layers = layers_of(architecture, blocks, first, depth)
            ends = first + jnp.arange(len(blocks.inputs), dtype=first.dtype) == depth - 1
            over_lanes = jax.vmap(of_lane, in_axes=(None, None, 0, None, None, 0, 1, 0))
            return over_lanes(layers, readout, setting, ends, depth, last, before, cotangent)

        return jax.vmap(of_depth)(depths, cotangents)

    axes = (1, 0, None, None, None, 0, 1, 0)
    return over_seeds(backward, mesh, in_axes=axes, out_axes=0, options=_options(mesh, beside))


def _seen(hidden: Extended, read: Extended, readout: Array) -> Extended:
    """:class:`Seen` of each of these states [n, …], stacked; read: what the readout sees of them [n, width]."""
    hidden, read = by_layer(hidden), by_layer(read)
    output = Extended(total(read.mantissa * readout[None, :]), read.exponent)
    distance = Extended(jax.vmap(apart)(hidden.mantissa), jnp.zeros_like(hidden.exponent))
    return stacked(Seen(norms(hidden), output, norms(read), distance))


def stacked(tree: Any) -> Extended:
    """All numbers of a tree as one [numbers, …], in the order of its leaves: the host asks for few arrays, not for many."""
    numbers = jax.tree.leaves(tree, is_leaf=is_number)
    return Extended(jnp.stack([each.mantissa for each in numbers]), jnp.stack([each.exponent for each in numbers]))


def is_number(leaf: Any) -> bool:
    """Whether it is one Extended, of which a tree has several."""
    return isinstance(leaf, Extended)


def _options(mesh: Mesh, beside: bool) -> dict[str, Any]:
    """On CPUs LLVM's level 1, which takes two thirds of the time to compile and runs no slower."""
    # XLA's library for CPUs is left to products: it takes long to sum up what is broadcast
    others: dict[str, Any] = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT"}
    others["xla_cpu_prefer_vector_width"] = 512  # bits, where there are as many: kernels compute much of what they read
    if beside:  # kernels that are divided among cores would wait for those that are busy elsewhere
        others["xla_disable_hlo_passes"] = "cpu-parallel-task-assigner"
    return options_for(mesh.devices.flat[0].platform, level=1, **others)
