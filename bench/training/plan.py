"""How a training is cut into chunks: a function of the training alone, so that any machine resumes what another began."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from bench.networks.initializers import INITIALIZERS
from bench.networks.schemes import families, setting_of
from bench.runs.chunk import AnyChunk, blocks
from bench.training.draws import rectangular_gain
from bench.training.tasks import load_task
from bench.training.training import Training

CHUNK_WORK = 1e12  # floating-point operations, about: what is lost at most when a run is killed
FEWEST_CELLS, MOST_CELLS = 8, 4096
MEMORY = 2**30  # what the networks that a device trains at a time may hold, by estimate
STATES = 6  # copies of the parameters: themselves, their draw, gradients, updates, and what an optimizer keeps


class Cell(NamedTuple):
    """One network: its columns, and the factors on its drawn weights."""

    initializer: str
    bias_std: float  # as it is drawn in hidden layers, which some schemes settle themselves
    scale: float
    learning_rate: float
    readout_learning_rate: float
    seed: int
    input_factor: float  # NaN where the scheme is undefined
    input_bias_std: float
    factor: float
    note: str  # why it is undefined


@dataclass(frozen=True)
class Chunk(AnyChunk):
    """What becomes one shard: cells that share a program, and whose initializers share a draw.

    Cells are numbered as :func:`cells_of` lists them.
    """

    initializers: tuple[str, ...]
    activation: str
    width: int
    depth: int
    optimizer: str
    biased: bool
    cells: tuple[int, int]  # first, past the last

    @property
    def program(self) -> tuple[object, ...]:
        """What its cells share: those of chunks with the same one are trained side by side."""
        return self.initializers, self.activation, self.width, self.depth, self.optimizer, self.biased

    @property
    def count(self) -> int:
        """How many cells it has."""
        return self.cells[1] - self.cells[0]


def cells_of(
    training: Training, initializers: tuple[str, ...], activation: str, width: int, *, biased: bool
) -> tuple[Cell, ...]:
    """The cells that those initializers make, with biases or without; seeds run fastest, then learning rates and scales.

    Where a scheme makes one bias_std of several that were asked for, it is trained once.
    """
    return _cells(training, load_task(training.task).inputs, initializers, activation, width, biased)


@lru_cache(maxsize=8)
def _cells(
    training: Training, fan_in: int, initializers: tuple[str, ...], activation: str, width: int, biased: bool
) -> tuple[Cell, ...]:
    found: dict[tuple[Any, ...], Cell] = {}
    for name in initializers:
        for asked in training.bias_stds:
            hidden = setting_of(name, activation, width, asked)
            first = setting_of(name, activation, fan_in, asked)
            if (hidden.bias_std > 0) != biased:
                continue
            gain = first.gain * rectangular_gain(INITIALIZERS[name], fan_in, width)
            for scale in training.scales:
                numbers = (scale * gain, first.bias_std, scale * hidden.gain, hidden.note)
                for rate in training.learning_rates:
                    for readout_rate in training.readout_learning_rates or (rate,):
                        for seed in range(training.seeds):
                            columns = (name, hidden.bias_std, scale, rate, readout_rate, seed)
                            found.setdefault(columns, Cell(*columns, *numbers))
    return tuple(found.values())


def cells_in(training: Training, chunk: Chunk) -> tuple[Cell, ...]:
    """The chunk's cells."""
    every = cells_of(training, chunk.initializers, chunk.activation, chunk.width, biased=chunk.biased)
    return every[slice(*chunk.cells)]


def work(training: Training, depth: int, width: int) -> float:
    """Floating-point operations of one cell's training: three products for each matrix, example and step."""
    task = load_task(training.task)
    weights = width * (task.inputs + task.outputs + (depth - 2) * width)
    return 6.0 * weights * min(training.batch, len(task.x_train)) * training.steps


def cell_bytes(training: Training, depth: int, width: int) -> int:
    """An estimate of what a cell holds while it is trained: its parameters' copies, and its activations twice."""
    task = load_task(training.task)
    parameters = width * (task.inputs + task.outputs + (depth + 14) * (width + 1))
    activations = 2 * depth * width + task.inputs + 4 * task.outputs
    return (STATES * parameters + activations * min(training.batch, len(task.x_train))) * np.dtype(training.dtype).itemsize


def cells_per_device(training: Training, depth: int, width: int, platform: str) -> int:
    """How many cells one device trains at a time, always as many, since the order of a sum can depend on it.

    On a CPU, what was fastest at width 32 (fewer pay more for calling each product, more for memory); elsewhere enough to
    fill the device, by guess. Never more than the memory's estimate allows.
    """
    wanted = max(1, (512 if platform == "cpu" else 2**17) // width)
    return max(1, min(wanted, MEMORY // cell_bytes(training, depth, width)))


def plan(training: Training) -> tuple[Chunk, ...]:
    """The chunks of a training, in the order in which they run: those that share a program one after the other."""
    chunks: list[Chunk] = []
    for width in training.widths:
        for depth in training.depths:
            size = int(min(CHUNK_WORK / work(training, depth, width), MOST_CELLS)) // FEWEST_CELLS * FEWEST_CELLS
            size = max(size, FEWEST_CELLS)
            for activation in training.activations:
                for optimizer in training.optimizers:
                    for biased in (False, True):
                        for initializers in families(training.initializers):
                            count = len(cells_of(training, initializers, activation, width, biased=biased))
                            for cells in blocks(count, size):
                                chunks.append(
                                    Chunk(len(chunks), initializers, activation, width, depth, optimizer, biased, cells)
                                )
    return tuple(chunks)
