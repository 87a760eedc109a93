"""What the suite's schemes draw, each ``init(key, shape, dtype)`` in the convention of :mod:`jax.nn.initializers`."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.nn import initializers as jax_initializers

INCOMING = 15  # weights of a unit of ``sparse``
NOISE = 0.1  # of ``scaled_identity``


def identity(key: Array, shape: tuple[int, int], dtype: jnp.dtype) -> Array:
    """The identity matrix E; draws nothing."""
    del key
    return jnp.eye(*shape, dtype=dtype)


def gaussian(key: Array, shape: tuple[int, int], dtype: jnp.dtype) -> Array:
    """N(0, 1/fan_in), not truncated, so that exact finite-width laws hold: mean-field theory's σ_w = 1."""
    return jax.random.normal(key, shape, dtype) / jnp.sqrt(jnp.asarray(shape[-2], dtype))


def shifted_gaussian(key: Array, shape: tuple[int, int], dtype: jnp.dtype, mean: float | Array = 0.0) -> Array:
    """N(mean, 1) / √fan_in: a Gaussian matrix and one of rank 1, whose singular value for n × n is √n |mean|."""
    return gaussian(key, shape, dtype) + mean / jnp.sqrt(jnp.asarray(shape[-2], dtype))


def noisy_identity(key: Array, shape: tuple[int, int], dtype: jnp.dtype) -> Array:
    """E + 0.1 N(0, 1/fan_in)."""
    return identity(key, shape, dtype) + NOISE * gaussian(key, shape, dtype)


def sparse(key: Array, shape: tuple[int, int], dtype: jnp.dtype) -> Array:
    """Min(15, n) weights N(0, 1) in every row, at places drawn without replacement, and zeros elsewhere.

    Martens 2010 (Deep learning via Hessian-free optimization, §5), as Sutskever et al. 2013 give it for any width.
    """
    places, values = jax.random.split(key)
    _, columns = lax.top_k(jax.random.uniform(places, shape), min(INCOMING, shape[-1]))
    drawn = jax.random.normal(values, columns.shape, dtype)
    return jnp.put_along_axis(jnp.zeros(shape, dtype), columns, drawn, axis=-1, inplace=False)


def delta_orthogonal(key: Array, shape: tuple[int, int], dtype: jnp.dtype) -> Array:
    """An orthogonal matrix at the middle tap of a kernel, and zeros at the others: shape (taps · n, n); else orthogonal.

    Xiao et al. 2018, arXiv 1806.05393, Algorithm 1: a convolution on a ring that keeps all lengths.
    """
    taps, rest = divmod(*shape)
    if rest or taps < 2:
        return jax_initializers.orthogonal()(key, shape, dtype)
    return jax_initializers.delta_orthogonal()(key, (taps, shape[1], shape[1]), dtype).reshape(shape)


def uniform_bias(key: Array, shape: tuple[int, ...], dtype: jnp.dtype) -> Array:
    """U(±√3), of unit variance."""
    return jax.random.uniform(key, shape, dtype, -math.sqrt(3), math.sqrt(3))
