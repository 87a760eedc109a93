"""Gradient norms while a model trains, as a link of any optax chain."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from bench.probing.taps import wide


class GradientMonitorState(NamedTuple):
    """log₁₀ of the norm of every array of the last gradient, in the tree of the parameters; NaN before the first."""

    log10_norms: Any


def gradient_monitor() -> optax.GradientTransformation:
    """An optax transformation that changes nothing, and keeps log₁₀ of the norm of every gradient in its state.

        optimizer = optax.chain(bench.gradient_monitor(), optax.clip_by_global_norm(1.0), optax.adam(1e-3))
        updates, state = optimizer.update(gradients, state, params)
        state[0].log10_norms

    Norms are scaled by the largest entry, so that no square of one underflows or overflows; ``-inf`` is exactly zero. What
    is lost in the gradients themselves stays so: :func:`bench.probe`. Put it before what clips or scales.
    """

    def init(params: Any) -> GradientMonitorState:
        return GradientMonitorState(jax.tree.map(lambda array: jnp.full((), jnp.nan, wide(array.dtype)), params))

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, GradientMonitorState]:
        del state, params
        return updates, GradientMonitorState(jax.tree.map(_log10_norm, updates))

    return optax.GradientTransformation(init, update)


def _log10_norm(gradient: Array) -> Array:
    size = jnp.abs(gradient.astype(wide(gradient.dtype)))
    largest = jnp.max(size, initial=0)
    scaled = size / jnp.where(largest > 0, largest, 1)
    return jnp.log10(largest) + jnp.log10(jnp.maximum(jnp.sum(jnp.square(scaled)), 1)) / 2
