"""From what a training did to its rows: one for each cell, and one for each cell and recorded step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from bench.training.loop import Metrics
from bench.training.plan import Cell, Chunk
from bench.training.tasks import Task
from bench.training.training import Training

WINDOW = 10  # minibatches over which a target is to be reached
PER_DECADE = 10  # recorded steps
LATE = 20  # steps at the end, whose mean loss says whether training has converged
PART = 10  # which part of the steps, at the end, says whether accuracy still rises
LARGEST_RATIO = 1e6  # of a loss to the first one

Table = dict[str, Any]


class Trained(NamedTuple):
    """What some cells did."""

    cells: Sequence[Cell]
    metrics: np.ndarray  # [cells, steps, 6]: Metrics of every step
    train: np.ndarray  # [cells, 3]: loss, accuracy, whether all weights are finite, on the training set at the end
    test: np.ndarray  # [cells, 3]

    def part(self, cells: slice) -> Trained:
        """What those of the cells did."""
        return Trained(self.cells[cells], self.metrics[cells], self.train[cells], self.test[cells])


def join(parts: Sequence[Trained]) -> Trained:
    """What the cells of all parts did, one part after the other."""
    cells = [cell for part in parts for cell in part.cells]
    return Trained(cells, *(np.concatenate([part[field] for part in parts]) for field in range(1, 4)))


def recorded_steps(steps: int) -> np.ndarray:
    """Steps 0, 1, 2, … and then log-spaced ones, PER_DECADE of them in a decade; the last step too."""
    spaced = np.rint(10 ** (np.arange(1, 1 + PER_DECADE * np.ceil(np.log10(max(steps, 2)))) / PER_DECADE)).astype(int)
    found = np.unique(np.concatenate([[0, 1], spaced, [steps - 1]]))
    return found[found < steps]


def diverged_at(trained: Trained) -> np.ndarray:
    """[cells]: updates made when the loss, or at the end a weight, was no longer finite; inf if always finite."""
    lost = ~np.isfinite(trained.metrics[:, :, 0])
    steps = lost.shape[1]
    at_end = np.isfinite(trained.train[:, 0]) & (trained.train[:, 2] == 1)
    return np.where(lost.any(axis=1), lost.argmax(axis=1), np.where(at_end, np.inf, steps)).astype(float)


def steps_to_target(training: Training, trained: Trained, examples: int, diverged: np.ndarray) -> np.ndarray:
    """[cells]: updates made before the last of the first WINDOW minibatches whose mean meets the target; inf if none do.

    A minibatch is seen before its own update. The window is no longer than an epoch: with all examples in every step it is
    one step.
    """
    kind, value = training.target_value
    seen = trained.metrics[:, :, Metrics._fields.index(kind)]
    window = min(WINDOW, max(1, examples // training.batch))
    steps = seen.shape[1]
    if steps < window:
        return np.full(len(seen), np.inf)
    with np.errstate(invalid="ignore", over="ignore"):
        mean = np.lib.stride_tricks.sliding_window_view(seen, window, axis=1).mean(axis=-1)
        met = mean >= value if kind == "accuracy" else mean <= value
    met &= np.arange(window - 1, steps) < diverged[:, None]
    return np.where(met.any(axis=1), met.argmax(axis=1) + window - 1, np.inf)


def convergence(losses: np.ndarray) -> np.ndarray:
    """[cells]: one signed number for how training went, negative where it converged.

    With v_t = loss_t / loss_0, at most 10⁶ and 10⁶ where it is not finite: -Σ v_t where the mean of the last 20 v is below
    1, else Σ 1/v_t. So -1 is learned at once, -steps hardly at all, and 1 diverges at once. NaN where the first loss is 0
    or not finite. losses: [cells, steps]. The measure of Sohl-Dickstein 2024, arXiv 2402.06184, as its code has it.
    """
    with np.errstate(all="ignore"):
        ratio = losses / losses[:, :1]
        ratio = np.where(ratio < LARGEST_RATIO, ratio, LARGEST_RATIO)  # NaN is not below anything
        converged = ratio[:, -LATE:].mean(axis=1) < 1
        found = np.where(converged, -ratio.sum(axis=1), (1 / ratio).sum(axis=1))
    return np.where(np.isfinite(losses[:, 0]) & (losses[:, 0] > 0), found, np.nan)


def late_accuracy_gain(accuracies: np.ndarray) -> np.ndarray:
    """[cells]: mean accuracy of the minibatches in the last tenth of the steps, less that in the tenth before.

    It says whether a network was still learning when its steps were over. NaN for fewer than two steps, and where a step has
    no accuracy. accuracies: [cells, steps].
    """
    steps = max(accuracies.shape[1] // PART, 1)
    if accuracies.shape[1] < 2 * steps:
        return np.full(len(accuracies), np.nan)
    return accuracies[:, -steps:].mean(axis=1) - accuracies[:, -2 * steps : -steps].mean(axis=1)


def tables(training: Training, task: Task, chunk: Chunk, whole: Trained) -> dict[str, Table]:
    """The rows of a chunk by kind: ``cells`` and ``curves``, in the order of the cells, and of steps."""
    keys = _key_columns(training, chunk, whole.cells)
    diverged = diverged_at(whole)
    lost = np.isfinite(diverged)
    undefined = np.array([np.isnan(cell.factor) for cell in whole.cells])
    gone = lost | undefined

    def value(values: np.ndarray, where: np.ndarray) -> np.ndarray:
        return np.where(where, np.nan, values)

    blind = ~np.isfinite(whole.metrics[:, :, 0])  # such a loss has no gradient in floats, whatever jax.grad says
    watched = np.where(blind[:, :, None], np.nan, whole.metrics[:, :, 2:])
    first = watched[:, 0]
    cells = keys | {
        "final_train_loss": value(whole.train[:, 0], gone),
        "final_train_accuracy": value(whole.train[:, 1], gone),
        "test_loss": value(whole.test[:, 0], gone),
        "test_accuracy": value(whole.test[:, 1], gone),
        "late_accuracy_gain": value(late_accuracy_gain(whole.metrics[:, :, 1]), gone),
        "steps_to_target": value(steps_to_target(training, whole, len(task.x_train), diverged), undefined),
        "diverged_at": value(diverged, undefined),
        "convergence": value(convergence(whole.metrics[:, :, 0]), undefined),
        "log10_grad_first": value(first[:, 0], undefined),
        "log10_grad_last": value(first[:, 2], undefined),
        "log10_update_ratio": value(first[:, 3], undefined),
    }
    if not training.curves:
        return {"cells": cells}
    steps = recorded_steps(training.steps)
    kept = np.concatenate([whole.metrics[:, steps, :2], watched[:, steps]], axis=2)
    after = (steps[None, :] > diverged[:, None]) | undefined[:, None]
    curves: Table = {
        name: (column[0], np.repeat(column[1], len(steps))) if isinstance(column, tuple) else np.repeat(column, len(steps))
        for name, column in keys.items()
    }
    curves["step"] = np.tile(steps, len(whole.cells))
    for field, name in enumerate(Metrics._fields):
        curves[name] = value(kept[:, :, field], after).ravel()
    return {"cells": cells, "curves": curves}


def _key_columns(training: Training, chunk: Chunk, cells: Sequence[Cell]) -> Table:
    """The columns that say which cell a row is of; words as (words, [rows] which of them)."""
    same = np.zeros(len(cells), np.int16)
    member = np.array([chunk.initializers.index(cell.initializer) for cell in cells], np.int16)
    return {
        "architecture": ((chunk.architecture,), same),
        "task": ((training.task,), same),
        "initializer": (chunk.initializers, member),
        "activation": ((chunk.activation,), same),
        "width": np.full(len(cells), chunk.width),
        "bias_std": np.array([cell.bias_std for cell in cells]),
        "depth": np.full(len(cells), chunk.depth),
        "scale": np.array([cell.scale for cell in cells]),
        "optimizer": ((chunk.optimizer,), same),
        "learning_rate": np.array([cell.learning_rate for cell in cells]),
        "readout_learning_rate": np.array([cell.readout_learning_rate for cell in cells]),
        "schedule": ((training.schedule,), same),
        "clip": np.full(len(cells), training.clip),
        "seed": np.array([cell.seed for cell in cells]),
    }
