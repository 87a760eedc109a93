"""One block of any architecture, and its derivative: what comes back to its state, and how much to its matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend.core import get_opaque_trace_state

from bench.engine.block_norms import thin, total
from bench.networks.architectures.architecture import Architecture, Step, dense

State = Any  # the pytree that blocks hand on, of arrays [batch, length, width]
Vectors = dict[str, Any]  # by the matrix's name: all that one block multiplies by it [vectors, in]
Watch = Callable[[str, Array, Array], Array]  # (a matrix's name, h, W h) → W h


class Setting(NamedTuple):
    """One lane: what drawn arrays are multiplied by, Extended."""

    scale: dict[str, Any]  # by the matrix's name: the sweep's scale times the scheme's gain
    bias_std: Any  # None where no lane has biases


class Layers(NamedTuple):
    """Consecutive layers of one network, or one of them without the first axis."""

    matrices: dict[str, Any]  # Extended [LAYERS, out, in]
    biases: dict[str, Array]  # [LAYERS, out]
    inputs: Array  # [LAYERS, batch, length, width]
    number: Array  # [LAYERS]: l


@jax.custom_vjp
def tap(value: Array, dummy: Array) -> Array:
    """The identity, whose dummy has the value's gradient."""
    del dummy
    return value


tap.defvjp(lambda value, dummy: (tap(value, dummy), None), lambda _, cotangent: (cotangent, cotangent))


def run_block(
    architecture: Architecture,
    phi: Callable[[Array], Array],
    setting: Setting,
    depth: Array,
    layer: Layers,
    state: State,
    watch: Watch = lambda _name, _h, product: product,
) -> State:
    """The next state; ``watch`` is called with every product in turn."""

    def product(name: str, h: Array) -> Array:
        z = watch(name, h, setting.scale[name] * dense(layer.matrices[name], h))
        return z if setting.bias_std is None else z + (setting.bias_std * layer.biases[name])[None, None, :]

    weights = {name: partial(product, name) for name in layer.matrices}
    step = Step(layer.number, depth, phi, layer.inputs, architecture.begun(layer.inputs.shape[-1]))
    return architecture.block(state, weights, step)


def run_watched(block: Callable[..., State], layer: Layers, state: State) -> tuple[State, Vectors]:
    """``block(layer, state, watch)``, and what it multiplies, where these vectors are few (:func:`thin`).

    Where a product is within a loop, a map or the like, what it multiplies stays there.
    """
    found = _products(partial(block, layer), state)
    read: dict[str, list[Array]] = {}

    def watch(name: str, h: Array, product: Array) -> Array:
        read.setdefault(name, []).append(h)
        return product

    after = block(layer, state, watch) if found else block(layer, state)
    vectors = {name: _joined(_balanced(products, products, jnp.divide)) for name, products in read.items()}
    return after, {name: each for name, each in vectors.items() if thin(each.shape)}


def pull_back(
    block: Callable[..., State], layer: Layers, state: State, cotangent: State, triangles: Vectors
) -> tuple[State, dict[str, Array]]:
    """The cotangent of the state before ``block(layer, state, watch)``, and by name ‖∂y/∂W‖² of its matrices.

    triangles: L of the vectors that :func:`run_watched` tells, with L Lᵀ = vectors vectorsᵀ. As the gradient is aᵀ b of
    products' cotangents a [vectors, out] and vectors b, ‖aᵀ b‖ = ‖aᵀ L‖ (:func:`bench.engine.block_norms.triangle`);
    where there is none, gradients are formed.
    """
    found = _products(partial(block, layer), state)
    matrices = layer.matrices
    if found is None:

        def shifted(state: State, shifts: dict[str, Array]) -> State:
            return block(layer, state, lambda name, h, product: product + dense(shifts[name], h))

        shifts = {name: jnp.zeros(matrix.shape, matrix.dtype) for name, matrix in matrices.items()}
        before, gradients = jax.vjp(shifted, state, shifts)[1](cotangent)
        return before, {name: _squares(gradient) for name, gradient in gradients.items()}

    def tapped(state: State, dummies: Sequence[Array]) -> tuple[State, list[Array]]:
        read: list[Array] = []

        def watch(_name: str, h: Array, product: Array) -> Array:
            read.append(h)
            return tap(product, dummies[len(read) - 1])

        return block(layer, state, watch), read

    dummies = [jnp.zeros(shape, layer.inputs.dtype) for _, shape in found]
    _, pull, read = jax.vjp(tapped, state, dummies, has_aux=True)
    before, gradients = pull(cotangent)
    squares = dict.fromkeys(matrices, jnp.zeros((), layer.inputs.dtype))
    for matrix in dict(found):
        uses = [use for use, (name, _) in enumerate(found) if name == matrix]
        multiplied = [read[use] for use in uses]
        a = _joined(_balanced([gradients[use] for use in uses], multiplied, jnp.multiply))
        b = _joined(_balanced(multiplied, multiplied, jnp.divide))
        lower = triangles.get(matrix)
        squares[matrix] = _squares((b if lower is None else lower).T @ a)
    return before, squares


def _balanced(arrays: Sequence[Array], multiplied: Sequence[Array], by: Callable[[Array, Array], Array]) -> list[Array]:
    """Of several uses of a matrix: arrays times, or divided by, the largest entry of what each multiplied.

    What one use multiplied may be far from what another did, and their cotangents as far the other way.
    """
    if len(multiplied) == 1:
        return list(arrays)
    largest = [jnp.max(jnp.abs(vectors)) for vectors in multiplied]
    return [by(array, jnp.where(one > 0, one, jnp.ones_like(one))) for array, one in zip(arrays, largest, strict=True)]


def _joined(products: Sequence[Array]) -> Array:
    """All vectors, of all examples, positions and products: [vectors, width]."""
    flat = [vectors.reshape(-1, vectors.shape[-1]) for vectors in products]
    return flat[0] if len(flat) == 1 else jnp.concatenate(flat)


def _squares(array: Array) -> Array:
    """The sum of all of them."""
    return total(jnp.square(array).reshape(-1))


def _products(block: Callable[..., State], state: State) -> list[tuple[str, tuple[int, ...]]] | None:
    """The matrix's name and the shape of each product of a block; None where one is within another program."""
    found: list[tuple[str, tuple[int, ...]]] = []
    places: list[object] = []

    def watch(name: str, _h: Array, product: Array) -> Array:
        found.append((name, product.shape))
        places.append(get_opaque_trace_state(convention="flax"))
        return product

    def run(state: State) -> State:
        places.append(get_opaque_trace_state(convention="flax"))
        return block(state, watch)

    jax.eval_shape(run, state)
    return found if all(place == places[0] for place in places) else None
