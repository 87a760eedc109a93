"""The training loop: many networks at once, each a plain :func:`jax.grad` of its own, the loop over steps compiled.

One cell's step is written as one would write it for one network; :func:`jax.vmap` makes the block of cells that a device
works on, :func:`jax.shard_map` splits blocks over devices, and a :func:`jax.lax.scan` runs the steps. Learning rates,
schedules, initializers and the clipping norm are data: there is one program for each depth, activation and optimizer.

On CPUs shapes are fixed: every device trains :func:`bench.training.sizes.cells_per_device` cells, whatever the grid, so that
a cell has the same bits alone and in company.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array, lax
from jax.sharding import Mesh

from bench.networks.seeds import fetch_behind, over_seeds, place
from bench.training.network import LOSSES, Network, hits, log10_norm, mean_loss
from bench.training.optimizers import Optimizer, Rates


class State(NamedTuple):
    """A network in training."""

    parameters: Any  # its kind of network's
    optimizer: Any  # optax's state
    alive: Array  # bool: every loss so far was finite


class Metrics(NamedTuple):
    """What is seen of a step, before its update."""

    loss: Array  # of the minibatch
    accuracy: Array
    log10_grad_first: Array  # of W_1, W_{L/2} and W_{L-1}
    log10_grad_middle: Array
    log10_grad_last: Array
    log10_update_ratio: Array  # log10 ‖ΔW_1‖ / ‖W_1‖, with the optimizer's ΔW_1


class Kind(NamedTuple):
    """What a program is compiled for, beside shapes."""

    network: Network
    loss: str
    optimizer: Optimizer
    clipped: bool
    whole: bool  # every step sees all examples, so that none are picked


def clip_by_global_norm(gradients: Any, largest: Array) -> Any:
    """What optax.clip_by_global_norm does, and where squares overflow too: gradients of 1e30 are clipped like any others."""
    top = jnp.max(jnp.stack([jnp.max(jnp.abs(leaf)) for leaf in jax.tree.leaves(gradients) if leaf.size]))
    unit = jnp.where(top > 0, top, jnp.ones_like(top))
    fractions = jax.tree.map(lambda leaf: leaf / unit, gradients)
    norm = optax.tree.norm(fractions)
    exceeds = unit * norm > largest
    return jax.tree.map(lambda leaf, part: jnp.where(exceeds, part * (largest / norm), leaf), gradients, fractions)


def train_step(state: State, x: Array, targets: Array, rates: Rates, clip: Array, kind: Kind) -> tuple[State, Metrics]:
    """One step of one network on the minibatch x [batch, inputs], targets [batch, outputs].

    A network whose loss is not finite is not updated, then and from then on.
    """

    def loss(parameters: Any) -> tuple[Array, Array]:
        return mean_loss(kind.network, parameters, x, targets, loss=kind.loss)

    (value, accuracy), gradients = jax.value_and_grad(loss, has_aux=True)(state.parameters)
    first, middle, last = map(log10_norm, kind.network.watched(gradients))
    if kind.clipped:
        gradients = clip_by_global_norm(gradients, clip)
    updates, optimizer = kind.optimizer.update(rates, gradients, state.optimizer, state.parameters)
    alive = state.alive & jnp.isfinite(value)
    parameters = jax.tree.map(lambda old, update: jnp.where(alive, old + update, old), state.parameters, updates)
    ratio = log10_norm(kind.network.watched(updates)[0]) - log10_norm(kind.network.watched(state.parameters)[0])
    return State(parameters, optimizer, alive), Metrics(value, accuracy, first, middle, last, ratio)


@cache
def train_program(mesh: Mesh, kind: Kind) -> Callable[..., tuple[State, Array]]:
    """Compiles a block of steps, which takes the state's memory over: (state, Metrics as one array [cells, steps, 6]).

    Its arguments: the state; order [cells, steps, batch], which examples are seen ([cells, steps, 0] where all are);
    learning rates [cells]; factors on them [steps]; active [steps], as those that only fill the last block up change
    nothing; all inputs, all targets, the norm.
    """

    def train(
        state: State, order: Array, rates: Rates, factors: Array, active: Array, x: Array, targets: Array, clip: Array
    ) -> tuple[State, Array]:
        def step(state: State, inputs: tuple[Array, Array, Array]) -> tuple[State, Array]:
            examples, factor, active = inputs
            begun = state._replace(alive=state.alive & active)
            seen = (x, targets) if kind.whole else (x[examples], targets[examples])
            after, metrics = train_step(begun, *seen, jax.tree.map(lambda rate: rate * factor, rates), clip, kind)
            return after._replace(alive=jnp.where(active, after.alive, state.alive)), jnp.stack(metrics)

        return lax.scan(step, state, (order, factors, active))

    return over_seeds(train, mesh, in_axes=(0, 0, 0, None, None, None, None, None), out_axes=0, donate=(0,))


@cache
def evaluate_program(mesh: Mesh, network: Network, loss: str) -> Callable[[Any, Array, Array, Array], Array]:
    """Compiles ``(parameters, x [examples, inputs], targets, counted [examples]) → [cells, 3]``.

    Sums of the loss and of hits over the examples that count, and 1 if all weights are finite.
    """

    def evaluate(parameters: Any, x: Array, targets: Array, counted: Array) -> Array:
        y = network.outputs(parameters, x)
        zero = jnp.zeros((), y.dtype)
        sums = [jnp.sum(jnp.where(counted, values, zero)) for values in (LOSSES[loss](y, targets), hits(y, targets))]
        finite = jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(parameters)])
        return jnp.stack([*sums, jnp.all(finite).astype(y.dtype)])

    return over_seeds(evaluate, mesh, in_axes=(0, None, None, None), out_axes=0)


def evaluate(
    parameters: Any, x: np.ndarray, targets: np.ndarray, *, mesh: Mesh, network: Network, loss: str, batch: int
) -> np.ndarray:
    """[cells, 3] in float64: mean loss of the examples, share of hits, 1 if all weights are finite."""
    program, size = evaluate_program(mesh, network, loss), network.evaluated(batch)

    def filled(array: np.ndarray, first: int) -> np.ndarray:
        """A block of ``size``: blocks may normalize over all of its examples, so that others fill the last one up."""
        own = array[first : first + size]
        return np.concatenate([own, np.resize(array, (size - len(own), array.shape[1]))])

    def run() -> Iterator[tuple[int, Array]]:
        for first in range(0, len(x), size):
            counted = np.arange(size) < len(x) - first
            yield first, program(parameters, *place(mesh, (filled(x, first), filled(targets, first), counted)))

    sums = np.stack([np.asarray(found, float) for _, found in fetch_behind(run())])
    with np.errstate(invalid="ignore", over="ignore"):
        means = sums[:, :, :2].sum(axis=0) / len(x)
    return np.concatenate([means, sums[0, :, 2:]], axis=1)
