"""The training loop: many networks at once, each a plain :func:`jax.grad` of its own, the loop over steps compiled.

One cell's step is written as one would write it for one network; :func:`jax.vmap` makes the block of cells that a device
works on, :func:`jax.shard_map` splits blocks over devices, and a :func:`jax.lax.scan` runs the steps. Learning rates,
schedules, initializers and the clipping norm are data: there is one program for each depth, activation and optimizer.

Shapes are fixed: every device trains :func:`bench.training.plan.cells_per_device` cells, whatever the grid, so that a cell
has the same bits alone and in company.
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

from bench.networks.activations import Activation
from bench.networks.seeds import fetch_behind, over_seeds, place
from bench.training.aligned import Modes, align
from bench.training.draws import Drawn, Factors, assemble, normalize_on
from bench.training.network import (
    LOSSES,
    Parameters,
    hits,
    layer_weights,
    log10_norm,
    mean_loss,
    outputs,
    watched_layers,
)
from bench.training.optimizers import Optimizer, Rates

EVALUATED = 512  # examples at a time


class State(NamedTuple):
    """A network in training."""

    parameters: Parameters
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

    activation: Activation
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

    def loss(parameters: Parameters) -> tuple[Array, Array]:
        return mean_loss(parameters, x, targets, activation=kind.activation, loss=kind.loss)

    (value, accuracy), gradients = jax.value_and_grad(loss, has_aux=True)(state.parameters)
    depth = state.parameters.hidden.shape[0] + 2
    first, middle, last = (log10_norm(layer_weights(gradients, layer)) for layer in watched_layers(depth))
    if kind.clipped:
        gradients = clip_by_global_norm(gradients, clip)
    updates, optimizer = kind.optimizer.update(rates, gradients, state.optimizer, state.parameters)
    alive = state.alive & jnp.isfinite(value)
    parameters = jax.tree.map(lambda old, update: jnp.where(alive, old + update, old), state.parameters, updates)
    ratio = log10_norm(updates.input) - log10_norm(state.parameters.input)
    return State(parameters, optimizer, alive), Metrics(value, accuracy, first, middle, last, ratio)


@cache
def start_program(
    mesh: Mesh, depth: int, optimizer: Optimizer, normalizing: Activation | None, *, biased: bool
) -> Callable[[Drawn, Factors, Rates, Array, Modes | None], State]:
    """Compiles ``(drawn, factors, learning rates [cells], examples [CALIBRATION, inputs], modes) → State``.

    Networks as they begin; normalizing: the activation, where weights are normalized on the examples; modes: where readouts
    are aligned with a task's, those.
    """

    def start(segments: Any, others: Drawn, factors: Factors, rates: Rates, examples: Array, modes: Modes | None) -> State:
        drawn = others._replace(segments=segments)
        if normalizing is not None:
            drawn = normalize_on(drawn, examples, normalizing)
        parameters = assemble(drawn, factors, depth, biased=biased)
        if modes is not None:
            parameters = align(parameters, modes, factors.hidden)
        return State(parameters, optimizer.init(rates, parameters), jnp.ones((), bool))

    program = over_seeds(start, mesh, in_axes=(1, 0, 0, 0, None, None), out_axes=0)

    def call(drawn: Drawn, factors: Factors, rates: Rates, examples: Array, modes: Modes | None) -> State:
        return program(drawn.segments, drawn._replace(segments=()), factors, rates, examples, modes)

    return call


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
def evaluate_program(mesh: Mesh, activation: Activation, loss: str) -> Callable[[Parameters, Array, Array, Array], Array]:
    """Compiles ``(parameters, x [EVALUATED, inputs], targets, counted [EVALUATED]) → [cells, 3]``.

    Sums of the loss and of hits over the examples that count, and 1 if all weights are finite.
    """

    def evaluate(parameters: Parameters, x: Array, targets: Array, counted: Array) -> Array:
        y = outputs(parameters, x, activation)
        zero = jnp.zeros((), y.dtype)
        sums = [jnp.sum(jnp.where(counted, values, zero)) for values in (LOSSES[loss](y, targets), hits(y, targets))]
        finite = jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(parameters)])
        return jnp.stack([*sums, jnp.all(finite).astype(y.dtype)])

    return over_seeds(evaluate, mesh, in_axes=(0, None, None, None), out_axes=0)


def evaluate(
    parameters: Parameters, x: np.ndarray, targets: np.ndarray, *, mesh: Mesh, activation: Activation, loss: str
) -> np.ndarray:
    """[cells, 3] in float64: mean loss of the examples, share of hits, 1 if all weights are finite."""
    program = evaluate_program(mesh, activation, loss)

    def run() -> Iterator[tuple[int, Array]]:
        for first in range(0, len(x), EVALUATED):
            block = [array[first : first + EVALUATED] for array in (x, targets)]
            short = EVALUATED - len(block[0])
            padded = (np.pad(array, ((0, short), (0, 0))) for array in block)
            yield first, program(parameters, *place(mesh, (*padded, np.arange(EVALUATED) < EVALUATED - short)))

    sums = np.stack([np.asarray(found, float) for _, found in fetch_behind(run())])
    with np.errstate(invalid="ignore", over="ignore"):
        means = sums[:, :, :2].sum(axis=0) / len(x)
    return np.concatenate([means, sums[0, :, 2:]], axis=1)
