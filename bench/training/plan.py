"""How a training is cut into chunks: a function of the training alone, so that any machine resumes what another began."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from bench.networks.initializers import INITIALIZERS, rectangular_gain
from bench.networks.schemes import families, setting_of
from bench.runs.chunk import AnyChunk, blocks
from bench.settings.defaults import PLAIN
from bench.training.sizes import cells_per_chunk
from bench.training.tasks import load_task
from bench.training.training import Training


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
    architecture: str = PLAIN

    @property
    def program(self) -> tuple[object, ...]:
        """What its cells share: those of chunks with the same one are trained side by side."""
        return self.initializers, self.activation, self.width, self.depth, self.optimizer, self.biased, self.architecture

    @property
    def count(self) -> int:
        """How many cells it has."""
        return self.cells[1] - self.cells[0]


class Scheme(NamedTuple):
    """What an initializer and a bias_std give to all cells that they make, at scale 1."""

    initializer: str
    bias_std: float
    input_gain: float
    input_bias_std: float
    gain: float
    note: str


def cells_of(
    training: Training, initializers: tuple[str, ...], activation: str, width: int, *, biased: bool
) -> tuple[Cell, ...]:
    """The cells that those initializers make, with biases or without; seeds run fastest, then learning rates and scales.

    Where a scheme makes one bias_std of several that were asked for, it is trained once.
    """
    schemes = _schemes(training, load_task(training.task).inputs, initializers, activation, width, biased)
    return _cells(training, schemes, range(len(schemes) * _cells_of_scheme(training)))


def cells_in(training: Training, chunk: Chunk) -> tuple[Cell, ...]:
    """The chunk's cells, of which none but these are made."""
    return _cells(training, _schemes_of(training, chunk), range(*chunk.cells))


def sharing(training: Training, chunk: Chunk) -> int:
    """How many cells of the training have the chunk's program."""
    return len(_schemes_of(training, chunk)) * _cells_of_scheme(training)


def schemes_in(training: Training, chunk: Chunk) -> tuple[Scheme, ...]:
    """The schemes that the chunk's cells are of."""
    each = _cells_of_scheme(training)
    return _schemes_of(training, chunk)[chunk.cells[0] // each : (chunk.cells[1] - 1) // each + 1]


def _schemes_of(training: Training, chunk: Chunk) -> tuple[Scheme, ...]:
    inputs = load_task(training.task).inputs
    return _schemes(training, inputs, chunk.initializers, chunk.activation, chunk.width, chunk.biased)


@lru_cache(maxsize=64)
def _schemes(
    training: Training, fan_in: int, initializers: tuple[str, ...], activation: str, width: int, biased: bool
) -> tuple[Scheme, ...]:
    found: dict[tuple[str, float], Scheme] = {}
    for name in initializers:
        for asked in training.bias_stds:
            hidden = setting_of(name, activation, width, asked)
            first = setting_of(name, activation, fan_in, asked)
            if (hidden.bias_std > 0) == biased:
                gain = first.gain * rectangular_gain(INITIALIZERS[name], fan_in, width)
                scheme = Scheme(name, hidden.bias_std, gain, first.bias_std, hidden.gain, hidden.note)
                found.setdefault(scheme[:2], scheme)
    return tuple(found.values())


def _axes(training: Training) -> tuple[int, int, int, int]:
    """Scales, learning rates, readout's learning rates, seeds: how many a scheme has of each."""
    readout = max(1, len(training.readout_learning_rates))
    return len(training.scales), len(training.learning_rates), readout, training.seeds


def _cells_of_scheme(training: Training) -> int:
    return math.prod(_axes(training))


def _cells(training: Training, schemes: tuple[Scheme, ...], numbers: range) -> tuple[Cell, ...]:
    found = []
    scales, rates, readout, seeds = _axes(training)
    for number in numbers:
        rest, seed = divmod(number, seeds)
        rest, readout_place = divmod(rest, readout)
        rest, rate_place = divmod(rest, rates)
        place, scale_place = divmod(rest, scales)
        scheme, scale, rate = schemes[place], training.scales[scale_place], training.learning_rates[rate_place]
        readout_rate = training.readout_learning_rates[readout_place] if training.readout_learning_rates else rate
        columns = (scheme.initializer, scheme.bias_std, scale, rate, readout_rate, seed)
        found.append(Cell(*columns, scale * scheme.input_gain, scheme.input_bias_std, scale * scheme.gain, scheme.note))
    return tuple(found)


def plan(training: Training) -> tuple[Chunk, ...]:
    """The chunks of a training, in the order in which they run: those that share a program one after the other."""
    chunks: list[Chunk] = []
    inputs = load_task(training.task).inputs
    for architecture, width, depth in product(training.architectures, training.widths, training.depths):
        size = cells_per_chunk(training, depth, width, architecture)
        for activation, optimizer, biased in product(training.activations, training.optimizers, (False, True)):
            for initializers in families(training.initializers):
                schemes = _schemes(training, inputs, initializers, activation, width, biased)
                count = len(schemes) * _cells_of_scheme(training)
                for cells in blocks(count, size):
                    network = (initializers, activation, width, depth, optimizer, biased)
                    chunks.append(Chunk(len(chunks), *network, cells, architecture))
    return tuple(chunks)
