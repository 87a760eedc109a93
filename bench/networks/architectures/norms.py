"""Normalizations, without their gains and biases, which are 1 and 0 when training begins."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array, lax

TINY = 1e-5  # what is added to a variance, as flax, equinox and PyTorch do by default


def layer_norm(h: Array) -> Array:
    """(h - mean) / √(variance + 1e-5) over the units of each example and position (Ba et al. 2016)."""
    centred = h - jnp.mean(h, axis=-1, keepdims=True)
    return centred * lax.rsqrt(jnp.mean(jnp.square(centred), axis=-1, keepdims=True) + TINY)


def rms_norm(h: Array) -> Array:
    """Divides: h / √(mean square + 1e-5) over the units (Zhang & Sennrich 2019)."""
    return h * lax.rsqrt(jnp.mean(jnp.square(h), axis=-1, keepdims=True) + TINY)


def batch_norm(h: Array) -> Array:
    """(h - mean) / √(variance + 1e-5) of every unit over examples and positions (Ioffe & Szegedy 2015)."""
    centred = h - jnp.mean(h, axis=(0, 1), keepdims=True)
    return centred * lax.rsqrt(jnp.mean(jnp.square(centred), axis=(0, 1), keepdims=True) + TINY)


Norm = Callable[[Array], Array]
NORMS: dict[str, Norm] = {"layer": layer_norm, "rms": rms_norm}
