"""One block of any architecture, and its derivative: what comes back to its state, and to its matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend.core import get_opaque_trace_state

from bench.engine.block_norms import norm
from bench.networks.architectures.architecture import Architecture, Step, dense

State = Any  # the pytree that blocks hand on, of arrays [batch, length, width]
Products = dict[str, list[tuple[Any, Any]]]  # by the matrix's name, for each product: its cotangent, and what was multiplied
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


def pull_back(block: Callable[..., State], layer: Layers, state: State, cotangent: State) -> tuple[State, Products]:
    """The cotangent of the state before ``block(layer, state, watch)``, and the factors of its matrices' gradients.

    Where a product is within a loop, a map or the like, its factors stay there: then gradients are formed, and their norms
    stand for them, times 1.
    """
    found = _products(partial(block, layer), state)
    matrices = layer.matrices
    if found is None:

        def shifted(state: State, shifts: dict[str, Array]) -> State:
            return block(layer, state, lambda name, h, product: product + dense(shifts[name], h))

        shifts = {name: jnp.zeros(matrix.shape, matrix.dtype) for name, matrix in matrices.items()}
        before, gradients = jax.vjp(shifted, state, shifts)[1](cotangent)
        one = jnp.ones((1, 1, 1), layer.inputs.dtype)
        return before, {name: [(norm(gradient)[None, None, None], one)] for name, gradient in gradients.items()}

    def tapped(state: State, dummies: Sequence[Array]) -> tuple[State, list[Array]]:
        read: list[Array] = []

        def watch(_name: str, h: Array, product: Array) -> Array:
            read.append(h)
            return tap(product, dummies[len(read) - 1])

        return block(layer, state, watch), read

    dummies = [jnp.zeros(shape, layer.inputs.dtype) for _, shape in found]
    _, pull, read = jax.vjp(tapped, state, dummies, has_aux=True)
    before, gradients = pull(cotangent)
    products: Products = {name: [] for name in matrices}
    for (name, _), gradient, h in zip(found, gradients, read, strict=True):
        products[name].append((gradient, h))
    return before, products


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
