"""Networks as they begin to train, many at once: drawn, scaled, and handed to their optimizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh

from bench.arithmetic.numerics import multiplying
from bench.networks.activations import ACTIVATIONS, Activation
from bench.networks.architectures.architecture import Architecture
from bench.networks.architectures.registry import architecture_of
from bench.networks.initializers import INITIALIZERS
from bench.networks.seeds import over_seeds, place
from bench.settings.defaults import PLAIN
from bench.training.aligned import Modes, align, modes_of
from bench.training.block_network import BlockNetwork
from bench.training.block_start import BlockFactors, DrawnBlocks, assemble_blocks, block_factors, draw_blocks
from bench.training.draws import CALIBRATION, Drawn, Factors, assemble, draw, normalize_on
from bench.training.loop import State
from bench.training.network import Network, PlainNetwork
from bench.training.optimizers import Optimizer, Rates, parse_optimizer
from bench.training.plan import Cell, Chunk
from bench.training.tasks import Task
from bench.training.training import Training


def network_of(training: Training, chunk: Chunk) -> Network:
    """The network that a chunk's cells train."""
    activation = ACTIVATIONS[chunk.activation]
    if chunk.architecture == PLAIN:
        return PlainNetwork(activation)
    return BlockNetwork(architecture_of(chunk.architecture), activation, chunk.depth, training.length)


def starting_state(training: Training, task: Task, chunk: Chunk, cells: Sequence[Cell], mesh: Mesh) -> State:
    """The cells' networks as they begin, split over ``mesh``. Undefined ones are zero throughout."""
    rates, optimizer = rates_of(training, cells, mesh), parse_optimizer(chunk.optimizer)
    scheme = INITIALIZERS[chunk.initializers[0]]
    shared = {
        "key": training.key,
        "width": chunk.width,
        "inputs": task.inputs,
        "outputs": task.outputs,
        "depth": chunk.depth,
        "seeds": [cell.seed for cell in cells],
        "dtype": training.dtype,
        "mesh": mesh,
    }
    if chunk.architecture != PLAIN:
        architecture = architecture_of(chunk.architecture)
        blocks = draw_blocks(architecture, scheme.name, length=training.length, biased=chunk.biased, **shared)
        by_name, bias = block_factors(architecture, cells, chunk.width, chunk.depth)
        program = start_blocks_program(mesh, architecture, chunk.depth, optimizer, biased=chunk.biased)
        factors = {name: defined(each, training.dtype) for name, each in by_name.items()}
        scaled = place(mesh, BlockFactors(factors, defined(bias, training.dtype)), 0)
        return program(blocks.segments, blocks._replace(segments=()), scaled, rates)
    drawn = draw(scheme.name, **shared)
    columns = np.array([(cell.input_factor, cell.input_bias_std, cell.factor, cell.bias_std) for cell in cells])
    factors = Factors(*defined(columns.T, training.dtype))
    normalizing = ACTIVATIONS[chunk.activation] if scheme.family.unit_variance else None
    program = start_program(mesh, chunk.depth, optimizer, normalizing, biased=chunk.biased)
    examples = place(mesh, task.x_train[:CALIBRATION].astype(training.dtype))
    modes = place(mesh, modes_of(training.task, training.dtype))
    return program(drawn, place(mesh, factors, 0), rates, examples, modes)


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
            with multiplying():  # as it is drawn
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
def start_blocks_program(
    mesh: Mesh, architecture: Architecture, depth: int, optimizer: Optimizer, *, biased: bool
) -> Callable[[Any, DrawnBlocks, BlockFactors, Rates], State]:
    """Compiles ``(segments, what else was drawn, factors, learning rates [cells]) → State``."""

    def start(segments: Any, others: DrawnBlocks, factors: BlockFactors, rates: Rates) -> State:
        parameters = assemble_blocks(others._replace(segments=segments), factors, architecture, depth, biased=biased)
        return State(parameters, optimizer.init(rates, parameters), jnp.ones((), bool))

    return over_seeds(start, mesh, in_axes=(1, 0, 0, 0), out_axes=0)


def rates_of(training: Training, cells: Sequence[Cell], mesh: Mesh) -> Rates:
    """The cells' learning rates."""
    rates = cast([(cell.learning_rate, cell.readout_learning_rate) for cell in cells], training.dtype)
    return place(mesh, Rates(*rates.T), 0)


def defined(values: np.ndarray, dtype: str) -> np.ndarray:
    """As that type; 0 where a scheme is undefined."""
    return cast(np.nan_to_num(values, nan=0.0), dtype)


def cast(values: object, dtype: str) -> np.ndarray:
    """As that type; what is beyond its range is inf, without a warning: such networks diverge."""
    with np.errstate(over="ignore"):
        return np.asarray(values, float).astype(dtype)
