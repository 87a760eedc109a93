"""Gradients that are exactly zero by design: a gate is zero, and gets a gradient itself."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from bench.arithmetic.number import Extended
from bench.probing.model import Model

OPEN = 2.0**-6  # of the size that a gate is given


def opened(model: Model, gradients: Sequence[Extended]) -> list[Extended] | None:
    """The gradients that there are when all gates are open; None where there is no gate.

    A gate is a parameter of zeros that has a gradient.
    """
    gates = [i for i, gradient in enumerate(gradients) if _has_any(gradient) and not _any(model.parameters.arrays[i])]
    if not gates:
        return None
    parameters = list(model.parameters.arrays)
    for i in gates:
        draw = jax.random.normal(jax.random.key(i), parameters[i].shape, jnp.float32)
        parameters[i] = (OPEN * draw).astype(parameters[i].dtype)
    return model.gradients(parameters)[1]


def _any(array: object) -> bool:
    return bool(np.any(np.asarray(array, np.float32)))


def _has_any(gradient: Extended) -> bool:
    return _any(gradient.mantissa)
