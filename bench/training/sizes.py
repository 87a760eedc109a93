"""What training one network costs, by estimate: operations and bytes. They decide how a training is cut."""

from __future__ import annotations

import math

import numpy as np

from bench.networks.architectures.registry import architecture_of
from bench.networks.block_trial import block_of
from bench.networks.seeds import at_once, shapes_are_fixed
from bench.networks.segments import LAYERS, segments_to
from bench.settings.defaults import PLAIN
from bench.training.tasks import Task, load_task
from bench.training.training import Training

CHUNK_WORK = 1e12  # floating-point operations, about: what is lost at most when a run is killed
FEWEST_CELLS, MOST_CELLS = 8, 4096
MEMORY = 2**30  # what the networks that a device trains at a time may hold, by estimate
STATES = 6  # copies of the parameters: themselves, their draw, gradients, updates, and what an optimizer keeps
STEPS = 64  # of a block: what is compiled as one loop, and told to the bar
COPIES = 5  # of the parameters, as measured with sgd (python -m tests.runs.peaks)
PADDING = 16  # layers that may be drawn beyond the last


def work(training: Training, depth: int, width: int, architecture: str = PLAIN) -> float:
    """Floating-point operations of one cell's training: three products for each matrix, example and step."""
    task = load_task(training.task)
    hidden = (depth - 2) * width * width
    if architecture != PLAIN:
        hidden = (depth - 1) * training.length * _matrices(architecture, width)
    weights = width * (task.inputs + task.outputs) + hidden
    return 6.0 * weights * _batch(training, task) * training.steps


def cell_bytes(training: Training, depth: int, width: int, architecture: str = PLAIN) -> int:
    """An estimate of what a cell holds while it is trained: its parameters' copies, and its activations."""
    task = load_task(training.task)
    if architecture == PLAIN:
        parameters = width * (task.inputs + task.outputs + (depth + 14) * (width + 1))
        activations = 2 * depth * width + task.inputs + 4 * task.outputs
    else:
        layers = 1 if architecture_of(architecture).shared else depth - 1
        own = _matrices(architecture, width) + sum(rows for rows, _ in architecture_of(architecture).shapes(width).values())
        parameters = width * (task.inputs + task.outputs) + (layers + PADDING) * own
        activations = depth * _kept(training, width, architecture) + task.inputs + 4 * task.outputs
    return (STATES * parameters + activations * _batch(training, task)) * np.dtype(training.dtype).itemsize


def peak_bytes(training: Training, depth: int, width: int, architecture: str = PLAIN) -> int:
    """What a cell holds at its peak, as near as is known; :func:`cell_bytes` is a bound that also decides how runs are cut.

    While it is drawn: its layers, whole segments of them, and its parameters; while it is trained: these COPIES times.
    """
    task = load_task(training.task)
    ends = width * (task.inputs + task.outputs)
    if architecture == PLAIN:
        layers, own, kept = depth - 2, width * (width + 1), depth * width
    else:
        layers = 1 if architecture_of(architecture).shared else depth - 1
        own = _matrices(architecture, width)
        kept = depth * _kept(training, width, architecture) // 2  # what is element by element is computed in place
    drawn = ends + segments_to(depth) * LAYERS * own
    parameters = ends + layers * own
    examples = (kept + task.inputs + 4 * task.outputs) * _batch(training, task)
    return (max(drawn + parameters, COPIES * parameters) + examples) * np.dtype(training.dtype).itemsize


def cells_per_device(training: Training, cells: int, depth: int, width: int, architecture: str = PLAIN) -> int:
    """How many cells one device trains at a time, of a training that has so many that share a program.

    However many are left, since the order of a sum can depend on it. On a CPU always as many: what was fastest at width 32
    (fewer pay more for calling each product, more for memory). Elsewhere as few equal parts of all of them as fit; that so
    many fill the device is a guess. Never more than the memory's estimate allows.
    """
    wanted = max(1, (512 if shapes_are_fixed() else 2**17) // width)
    return at_once(cells, max(1, min(wanted, MEMORY // cell_bytes(training, depth, width, architecture))))


def cells_per_chunk(training: Training, depth: int, width: int, architecture: str = PLAIN) -> int:
    """How many cells one shard has at most."""
    fitting = int(min(CHUNK_WORK / work(training, depth, width, architecture), MOST_CELLS)) // FEWEST_CELLS * FEWEST_CELLS
    return max(fitting, FEWEST_CELLS)


def _batch(training: Training, task: Task) -> int:
    return min(training.batch, len(task.x_train))


def _matrices(architecture: str, width: int) -> int:
    """The numbers of one block's matrices."""
    return sum(map(math.prod, architecture_of(architecture).shapes(width).values()))


def _kept(training: Training, width: int, architecture: str) -> int:
    """How many numbers a block computes for an example, all of which may be kept for its backward pass."""
    examples = 2  # no fewer, for blocks that normalize over them
    shape = (examples, training.length, width)
    return block_of(architecture, training.activations[0], shape, training.dtype).numbers // examples
