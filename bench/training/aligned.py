"""Deep linear networks whose weights begin along the singular vectors of their task: ``saxe:aligned=true``.

    W_l = scale · R_l          l = 1 … L-1, R_l the orthogonal matrix that its scheme draws
    W_L = scale · U (R_{L-1} … R_1 V)ᵀ

U, V: the singular vectors of the task's modes. All matrices are alike along the modes, so that gradient flow keeps every
mode by itself and it is learned as :func:`bench.theory.deep_linear.learned_modes` says, from scale^L (Saxe et al. 2014,
arXiv 1312.6120). It is the one case in which the readout is scaled.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from bench.arithmetic.extended import Numbers
from bench.settings.defaults import PLAIN, VALUES
from bench.settings.errors import SweepError
from bench.settings.specs import parse_spec
from bench.training.network import Parameters, product
from bench.training.tasks import TASKS, Task, load_task
from bench.training.training import Training

SCHEMES = ("orthogonal", "identity")
WORD = "saxe:aligned=true"


class Modes(NamedTuple):
    """The singular vectors of a task's modes."""

    left: Numbers  # [outputs, modes]
    right: Numbers  # [inputs, modes]


def modes_of(text: str, dtype: str) -> Modes | None:
    """The modes of the task that is written so; None where weights are not aligned with them."""
    if text.endswith(".npz"):
        return None
    arguments = dict(parse_spec("task", text, TASKS).arguments)
    if not arguments.get("aligned"):
        return None
    task, count = load_task(text), np.size(arguments.get("values", VALUES))
    left, _, right = np.linalg.svd(task.y_train.T @ task.x_train)
    return Modes(left[:, :count].astype(dtype), right[:count].T.astype(dtype))


def align(parameters: Parameters, modes: Modes, factor: Array) -> Parameters:
    """The network with its readout along the modes, at ``factor``, which is that of the other matrices."""

    def layer(h: Array, weights: Array) -> tuple[Array, None]:
        z = product(weights, h)
        length = jnp.linalg.norm(z, axis=0, keepdims=True)
        return z / jnp.where(length > 0, length, jnp.ones_like(length)), None

    h, _ = layer(jnp.asarray(modes.right), parameters.input)
    h, _ = lax.scan(layer, h, parameters.hidden)
    return parameters._replace(readout=factor * product(jnp.asarray(modes.left), h.T))


def check_aligned(training: Training, task: Task) -> None:
    """Raises SweepError where a training is aligned and its modes would not be learned one by one."""
    if modes_of(training.task, training.dtype) is None:
        return
    unfit: list[tuple[str, object, str]] = []
    for field, value, fits, accepted in (
        ("architectures", training.architectures, training.architectures == (PLAIN,), PLAIN),
        ("initializers", training.initializers, set(training.initializers) <= set(SCHEMES), " or ".join(SCHEMES)),
        ("activations", training.activations, training.activations == ("linear",), "linear"),
        ("bias_stds", training.bias_stds, training.bias_stds == (0.0,), "0"),
        ("loss", training.loss, training.loss == "mse", "mse"),
        ("batch", training.batch, training.batch >= len(task.x_train), f"{len(task.x_train)} or more (all examples)"),
        ("widths", training.widths, min(training.widths) >= task.inputs, f"{task.inputs} or more (the task's inputs)"),
    ):
        if not fits:
            unfit.append((field, value, accepted))
    if unfit:
        (field, value, accepted), *others = unfit
        everything = ", and ".join([accepted, *(f"{name} {needed}" for name, _, needed in others)])
        raise SweepError(field, value, f"{everything}: {WORD} needs modes that are learned one by one")
