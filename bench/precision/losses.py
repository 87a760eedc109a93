"""What of every layer's exact gradient is lost in a number format."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.sharding import Mesh

from bench.arithmetic.extended import LARGEST_FLOAT_EXPONENT, exponent_of, power_of_two
from bench.arithmetic.formats import FORMATS, Format, round_to
from bench.networks.seeds import over_seeds
from bench.networks.segments import LAYERS
from bench.precision.exact import Vectors
from bench.precision.network import Computed


class Seen(NamedTuple):
    """Of one layer's gradient in a format, entry by entry beside the exact one; every field is one number."""

    every: Any  # entries that there are
    entries: Any  # that are not exactly zero
    flushed: Any  # of those: zero in the format
    subnormal: Any  # of those: below the format's smallest normal number, and not zero
    overflowed: Any  # of all: infinite, NaN, or beyond the largest number
    norm: Any  # of the format's gradient, to be multiplied by 2^norm_exponent
    norm_exponent: Any
    apart: Any  # ‖G/‖G‖ - E/‖E‖‖, of the format's and the exact one: 2 sin(angle / 2)
    exact_norm: Any  # to be multiplied by 2^exact_exponent
    exact_exponent: Any
    delta_lost: Any  # 1 where half of δ's entries that are not exactly zero are zero in the format, or one overflowed
    hidden_lost: Any  # the same of h_l
    log2_largest: Any  # of the exact gradient's entries, δ's and ∂loss/∂y
    log2_activation: Any  # the largest of |h_{l-1}| and |h_l|, exact
    log2_least: Any  # of those of the gradient and of δ that are not zero


class Layers(NamedTuple):
    """One seed's layers in a format, and exact: all fields begin with [lanes, layers]."""

    delta: Array  # [depths, width]
    entering: Array  # [width]: h_{l-1}
    leaving: Array  # [width]: h_l
    exact_delta: Array  # [depths, width]
    exact_delta_exponent: Array  # [depths]
    exact_entering: Array  # [width]
    exact_entering_exponent: Array
    exact_leaving: Array  # [width]
    exact_leaving_exponent: Array
    log2_of_output: Array  # [depths]: log2 |∂loss/∂y|


def layers_of(computed: Computed, exact: Vectors, index: int) -> Layers:
    """Segment number ``index`` of whole networks, of all seeds."""
    here, after = (slice(index * LAYERS + shift, (index + 1) * LAYERS + shift) for shift in (0, 1))
    exponent = exact.delta_exponent[:, :, here]
    return Layers(
        computed.delta[:, :, here],
        computed.hidden[:, :, here],
        computed.hidden[:, :, after],
        exact.delta[:, :, here],
        exponent,
        exact.entering[:, :, here],
        exact.entering_exponent[:, :, here],
        exact.entering[:, :, after],
        exact.entering_exponent[:, :, after],
        jnp.broadcast_to(exact.log2_of_output[:, :, None], exponent.shape),
    )


def seen_in(layers: Layers, to: Format) -> Array:
    """One seed's layers in a format, as the fields of :class:`Seen` [fields, lanes, layers, depths]."""
    seen = lax.map(lambda lane: lax.map(lambda layer: _layer(layer, to), lane), layers)
    return jnp.stack(seen)


def _layer(layer: Layers, to: Format) -> Seen:
    """What is seen of one layer, of all depths."""
    h, exact_h, h_exponent = layer.entering, layer.exact_entering, layer.exact_entering_exponent
    hidden_lost = _lost(layer.leaving, layer.exact_leaving, to)
    largest_h = _largest(exact_h) + h_exponent
    log2_activation = jnp.maximum(largest_h, _largest(layer.exact_leaving) + layer.exact_leaving_exponent)

    def seen(delta: Array, exact_delta: Array, delta_exponent: Array, log2_of_output: Array) -> Seen:
        product = delta[:, None] * h[None, :]
        own = round_to(product, to)
        there = (exact_delta != 0)[:, None] & (exact_h != 0)[None, :]
        shift = jnp.clip(exponent_of(jnp.max(jnp.abs(own))), -LARGEST_FLOAT_EXPONENT, LARGEST_FLOAT_EXPONENT)
        scaled = own * power_of_two(-shift)
        norm, delta_norm, h_norm = _norm(scaled), _norm(exact_delta), _norm(exact_h)
        unit = (exact_delta / delta_norm)[:, None] * (exact_h / h_norm)[None, :]
        least_delta, least_h = _least(exact_delta) + delta_exponent, _least(exact_h) + h_exponent
        largest = _largest(exact_delta) + delta_exponent
        return Seen(
            every=_count(jnp.ones_like(there)),
            entries=_count(there),
            flushed=_count(there & (own == 0)),
            subnormal=_count(there & (own != 0) & (jnp.abs(own) < 2.0**to.least)),
            overflowed=_count(_overflows(product, to)),
            norm=norm,
            norm_exponent=shift,
            apart=_norm(scaled / norm - unit),
            exact_norm=delta_norm * h_norm,
            exact_exponent=delta_exponent + h_exponent,
            delta_lost=_lost(delta, exact_delta, to),
            hidden_lost=hidden_lost,
            log2_largest=jnp.maximum(jnp.maximum(largest, largest + largest_h), log2_of_output),
            log2_activation=log2_activation,
            log2_least=jnp.minimum(least_delta, least_delta + least_h),
        )

    return jax.vmap(seen)(layer.delta, layer.exact_delta, layer.exact_delta_exponent, layer.log2_of_output)


def _norm(values: Array) -> Array:
    return jnp.sqrt(jnp.sum(jnp.square(values)))


def _count(which: Array) -> Array:
    return jnp.sum(which, dtype=jnp.float32)


def _largest(values: Array) -> Array:
    """Log2 of the largest."""
    return jnp.log2(jnp.max(jnp.abs(values)))


def _least(values: Array) -> Array:
    """Log2 of the smallest that is not zero."""
    size = jnp.abs(values)
    return jnp.log2(jnp.min(jnp.where(size == 0, jnp.full_like(size, np.inf), size)))


def _overflows(values: Array, to: Format) -> Array:
    """Which are infinite or NaN, or beyond the largest number that they are rounded to."""
    whole = round_to(values, to._replace(largest=np.inf))
    return ~jnp.isfinite(values) | (jnp.abs(whole) > to.largest)


def _lost(own: Array, exact: Array, to: Format) -> Array:
    """1 where half of the entries that are not exactly zero are zero in the format, or one overflowed."""
    there = exact != 0
    half = _count(there & (own == 0)) * 2 >= jnp.maximum(_count(there), 1)
    return (half | jnp.any(_overflows(own, to))).astype(own.dtype)


def overflowed(values: Array) -> Array:
    """1 where a number is infinite or NaN."""
    return (~jnp.isfinite(values)).astype(values.dtype)


@cache
def losses_program(mesh: Mesh, name: str) -> Callable[[Layers], Array]:
    """The compiled :func:`seen_in` of one format, over seeds."""

    def seen(layers: Layers) -> Array:
        return seen_in(layers, FORMATS[name])

    return over_seeds(seen, mesh, in_axes=(0,), out_axes=0)
