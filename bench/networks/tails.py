"""Phi and phi' with exponents of their own, for phi whose value or slope has an exponentially small tail."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from bench.arithmetic.extended import LOG2_E, Split

# Beyond 2^±52, phi(z) is its linear part at the origin or its asymptote to float64's precision, while sums of z² are still
# finite in float32. Tails are taken at no larger an argument.
LINEAR_BEYOND = 52


def _whole(mantissa: Array) -> Split:
    return Split(mantissa, jnp.zeros_like(mantissa))


def tanh_tail(z: Array) -> tuple[Split, Split]:
    """Phi' = 4 e^(-2|z|) / (1 + e^(-2|z|))²; 1 - tanh² would lose it to rounding."""
    distance = jnp.abs(z)
    return _whole(jnp.tanh(z)), Split(4 / jnp.square(1 + jnp.exp(-2 * distance)), -2 * LOG2_E * distance)


def sigmoid_tail(z: Array) -> tuple[Split, Split]:
    """Phi = e^min(z, 0) / (1 + e^-|z|), phi' = e^-|z| / (1 + e^-|z|)²."""
    distance = jnp.abs(z)
    larger = 1 / (1 + jnp.exp(-distance))
    return Split(larger, LOG2_E * jnp.minimum(z, 0)), Split(jnp.square(larger), -LOG2_E * distance)


def softplus_tail(z: Array) -> tuple[Split, Split]:
    """Phi = ln(1 + e^z), which is e^z times a number in (ln 2, 1) below 0; phi' is the logistic function."""
    decay = jnp.exp(-jnp.minimum(jnp.abs(z), LINEAR_BEYOND))
    value = jnp.where(z < 0, jnp.log1p(decay) / decay, z + jnp.log1p(decay))
    log2 = LOG2_E * jnp.minimum(z, 0)
    return Split(value, log2), Split(1 / (1 + decay), log2)


def erf_tail(z: Array) -> tuple[Split, Split]:
    """Phi' = 2/√π e^(-z²)."""
    return _whole(lax.erf(z)), Split(jnp.full_like(z, 2 / np.sqrt(np.pi)), -LOG2_E * jnp.square(z))


def exponential_unit_tail(z: Array, *, scale: float, alpha: float) -> tuple[Split, Split]:
    """ELU and SELU: scale · z above 0, scale · alpha (e^z - 1) below."""
    below = jnp.minimum(z, 0)
    value = scale * jnp.where(z > 0, z, alpha * jnp.expm1(below))
    return _whole(value), Split(scale * jnp.where(z > 0, jnp.ones_like(z), alpha), LOG2_E * below)


def silu_tail(z: Array) -> tuple[Split, Split]:
    """Phi = z s(z), phi' = s(z) (1 + z s(-z)) with the logistic s(z) = e^min(z, 0) / (1 + e^-|z|)."""
    decay = jnp.exp(-jnp.abs(z))
    larger, smaller = 1 / (1 + decay), decay / (1 + decay)
    log2 = LOG2_E * jnp.minimum(z, 0)
    return Split(z * larger, log2), Split(larger * (1 + z * jnp.where(z < 0, larger, smaller)), log2)


def gelu_tail(z: Array) -> tuple[Split, Split]:
    """Phi = z Φ(z), phi' = Φ(z) + z φ(z), with Φ(z) = φ(z) R(-z) below 0 (R: Mills' ratio)."""
    below, above = jnp.minimum(z, 0), jnp.maximum(z, 0)
    root = float(np.sqrt(2 * np.pi))
    log2 = -LOG2_E / 2 * jnp.square(below)
    mills = _mills_ratio(-below) / root
    cumulative = jax.scipy.special.ndtr(above)
    density = jnp.exp(-jnp.square(above) / 2) / root
    value = jnp.where(z < 0, z * mills, z * cumulative)
    return Split(value, log2), Split(jnp.where(z < 0, mills + z / root, cumulative + z * density), log2)


def _mills_ratio(x: Array) -> Array:
    """R(x) = (1 - Φ(x)) / φ(x) for x ≥ 0: directly near 0, by Laplace's continued fraction beyond 5."""
    near, far = jnp.minimum(x, 5), jnp.maximum(x, 5)
    direct = jnp.exp(jax.scipy.special.log_ndtr(-near) + jnp.square(near) / 2) * float(np.sqrt(2 * np.pi))
    tail = far
    for term in range(16, 0, -1):
        tail = far + term / tail
    return jnp.where(x < 5, direct, 1 / tail)
