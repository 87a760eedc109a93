"""Initializers by name, each ``init(key, shape, dtype)`` in the convention of :mod:`jax.nn.initializers`.

A hidden weight matrix is ``scale × init(key, (width, width), dtype)`` and acts as ``z = W h``. For square matrices the
fan-in is the width, so that JAX's own initializers serve as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.nn import initializers as jax_initializers

from bench.registry import Registry, describe

Init = Callable[..., Array]


class Initializer(NamedTuple):
    """A named scheme; calling it draws one matrix.

    ``decomposes``: it may call LAPACK, whose batched kernels share one thread pool on the CPU and can wait for each other
    for ever when several CPU devices run them; matrices are then drawn one by one.
    ``any_size``: its entries may be of any magnitude, and are divided by a power of two before use.
    """

    name: str
    summary: str
    init: Init
    decomposes: bool = False
    any_size: bool = False

    def __call__(self, key: Array, shape: tuple[int, int], dtype: jnp.dtype) -> Array:
        return self.init(key, shape, dtype)


def identity(key: Array, shape: tuple[int, int], dtype: jnp.dtype) -> Array:
    """The identity matrix E; draws nothing."""
    del key
    return jnp.eye(*shape, dtype=dtype)


def gaussian(key: Array, shape: tuple[int, int], dtype: jnp.dtype) -> Array:
    """N(0, 1/fan_in), not truncated: mean-field theory's σ_w = 1."""
    return jax.random.normal(key, shape, dtype) / jnp.sqrt(jnp.asarray(shape[-2], dtype))


def he_gaussian(key: Array, shape: tuple[int, int], dtype: jnp.dtype) -> Array:
    """N(0, 2/fan_in), not truncated, so that exact finite-width laws hold; compare ``he_normal``, which truncates."""
    return gaussian(key, shape, dtype) * jnp.sqrt(jnp.asarray(2, dtype))


def standard_uniform(key: Array, shape: tuple[int, int], dtype: jnp.dtype) -> Array:
    """U(±1/√fan_in): Glorot & Bengio 2010 (eq. 1) "standard", and the default of torch.nn.Linear."""
    bound = 1 / jnp.sqrt(jnp.asarray(shape[-2], dtype))
    return jax.random.uniform(key, shape, dtype, -bound, bound)


_INITIALIZERS = (
    Initializer("identity", "the identity matrix: the lecture's W = scale · E", identity),
    Initializer("gaussian", "N(0, 1/fan_in), not truncated: mean-field theory's sigma_w = scale", gaussian),
    Initializer("he_gaussian", "N(0, 2/fan_in), not truncated", he_gaussian),
    Initializer("lecun_normal", "truncated normal, variance 1/fan_in (LeCun et al. 1998)", jax_initializers.lecun_normal()),
    Initializer("lecun_uniform", "uniform, variance 1/fan_in", jax_initializers.lecun_uniform()),
    Initializer("he_normal", "truncated normal, variance 2/fan_in (He et al. 2015)", jax_initializers.he_normal()),
    Initializer("he_uniform", "uniform, variance 2/fan_in", jax_initializers.he_uniform()),
    Initializer(
        "glorot_normal",
        "truncated normal, variance 2/(fan_in + fan_out) (Glorot & Bengio 2010)",
        jax_initializers.glorot_normal(),
    ),
    Initializer("glorot_uniform", "uniform, variance 2/(fan_in + fan_out)", jax_initializers.glorot_uniform()),
    Initializer(
        "orthogonal",
        "Haar-distributed orthogonal matrix (Saxe et al. 2014)",
        jax_initializers.orthogonal(),
        decomposes=True,
    ),
    Initializer(
        "standard_uniform", "U(±1/√fan_in): Glorot & Bengio's standard, torch.nn.Linear's default", standard_uniform
    ),
)


def _wrap(name: str, init: Any) -> Initializer:
    """A user's scheme. Raises ValueError unless it returns what it is asked for."""
    accepted = "init(key, shape, dtype) that returns an array of that shape and dtype"
    try:
        made = jax.eval_shape(lambda: init(jax.random.key(0), (4, 4), jnp.dtype(jnp.float32)))
        if made.shape != (4, 4) or made.dtype != jnp.float32:
            raise ValueError(f"{made.dtype}{list(made.shape)} came back for float32[4, 4]")
    except Exception as error:
        raise ValueError(f"{accepted} ({describe(error)})") from error
    return Initializer(name, "the user's own", init, decomposes=True, any_size=True)


INITIALIZERS: Registry[Initializer] = Registry(
    kind="initializer",
    entries={initializer.name: initializer for initializer in _INITIALIZERS},
    wrap=_wrap,
)
