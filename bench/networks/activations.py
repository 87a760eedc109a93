"""Activations by name, each with what range-free propagation needs to know of it.

A pre-activation is held as ``z = v · 2^e``: a mantissa of ordinary size and one exponent per example, so that it may be
of any magnitude. :meth:`Activation.propagate` applies phi and its derivative to such a pair without leaving it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from bench.arithmetic.extended import LARGEST_FLOAT_EXPONENT, Split, scale_by_power_of_two, share_exponent, split
from bench.networks.own import Own
from bench.networks.tailored import TAILORED
from bench.networks.tails import (
    LINEAR_BEYOND,
    erf_tail,
    exponential_unit_tail,
    gelu_tail,
    sigmoid_tail,
    silu_tail,
    softplus_tail,
    tanh_tail,
)
from bench.settings.registry import Registry, called, describe

Elementwise = Callable[[Array], Array]


class Propagated(NamedTuple):
    """One activation layer: ``h = value · 2^exponent`` and ``phi'(z) = slope · 2^slope_exponent``."""

    value: Array  # [..., width]
    exponent: Array  # [...]
    slope: Array  # [..., width]
    slope_exponent: Array  # [...]


ValueAndSlope = Callable[[Array], tuple[Split, Split]]


@dataclass(frozen=True)
class Activation:
    """An elementwise function phi and its behaviour at the ends of the number range.

    ``function``: phi itself, on arrays.
    ``asymptotes``: (a₋, a₊) such that phi(z) - a± z stays bounded as z → ±∞; (0, 0) for a bounded phi.
    ``homogeneous``: phi(c z) = c phi(z) for every c > 0, so that exponents pass through untouched.
    ``vanishes_at_zero``: phi(0) = 0, and phi has a derivative there.
    ``split``: z → (phi, phi') as :class:`Split`, for phi with a tail that falls below every float; by default phi itself
    and its :func:`jax.jvp`.
    ``plain``: nothing is known of phi, so phi(z) is evaluated in ordinary floats, within their range.
    """

    name: str
    summary: str
    function: Elementwise
    asymptotes: tuple[float, float] = (0.0, 0.0)
    homogeneous: bool = False
    vanishes_at_zero: bool = True
    split: ValueAndSlope | None = None
    plain: bool = False

    def __call__(self, z: Array) -> Array:
        return self.function(z)

    def value_and_slope(self, z: Array) -> tuple[Split, Split]:
        """phi(z) and phi'(z) elementwise, each with an exponent of its own."""
        if self.split is not None:
            return self.split(z)
        value, slope = jax.jvp(self.function, (z,), (jnp.ones_like(z),))
        return Split(value, jnp.zeros_like(z)), Split(slope, jnp.zeros_like(z))

    def propagate(self, value: Array, exponent: Array) -> Propagated:
        """Phi and phi' at ``z = value · 2^exponent``.

        value: [..., width], of ordinary size; exponent: [...], integers held as floats.

        With c the exponent clipped to ±52, ``phi(z) = 2^(e-c) phi(2^c v)`` holds to float precision where phi is linear:
        near 0 when phi(0) = 0, and far out when some unit of the example is on a side with a nonzero asymptote. Elsewhere
        phi(z) is of ordinary size itself and needs no exponent but its tail's.
        """
        zero = jnp.zeros_like(exponent)
        if self.homogeneous:
            phi, slope = self.value_and_slope(value)
            return Propagated(phi.mantissa, exponent, slope.mantissa, zero)
        if self.plain:
            z = scale_by_power_of_two(value, jnp.clip(exponent, -LARGEST_FLOAT_EXPONENT, LARGEST_FLOAT_EXPONENT))
            phi, slope = (share_exponent(split(part.mantissa)) for part in self.value_and_slope(z))
            return Propagated(*phi, *slope)
        clipped = jnp.clip(exponent, -LINEAR_BEYOND, LINEAR_BEYOND)
        z = scale_by_power_of_two(value, clipped)
        linear = jnp.where(exponent < 0, self.vanishes_at_zero, self._reaches_asymptote(value))
        phi, slope = (share_exponent(part) for part in self.value_and_slope(z))
        value = scale_by_power_of_two(phi.mantissa, jnp.where(linear, -clipped, zero))
        return Propagated(value, phi.log2 + jnp.where(linear, exponent, zero), slope.mantissa, slope.log2)

    def _reaches_asymptote(self, value: Array) -> Array:
        below, above = self.asymptotes
        reaches = jnp.zeros(value.shape[:-1], bool)
        if below:
            reaches |= jnp.any(value < 0, axis=-1)
        if above:
            reaches |= jnp.any(value > 0, axis=-1)
        return reaches


SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772

_ACTIVATIONS = (
    Activation("linear", "z", lambda z: z, homogeneous=True),
    Activation("tanh", "hyperbolic tangent", jnp.tanh, split=tanh_tail),
    Activation("sigmoid", "1 / (1 + e^-z)", jax.nn.sigmoid, split=sigmoid_tail, vanishes_at_zero=False),
    Activation("relu", "max(z, 0); derivative 0 at 0", jax.nn.relu, homogeneous=True),
    Activation("leaky_relu", "z above 0, 0.01 z below", partial(jax.nn.leaky_relu, negative_slope=0.01), homogeneous=True),
    Activation(
        "elu",
        "z above 0, e^z - 1 below (Clevert et al. 2016)",
        jax.nn.elu,
        asymptotes=(0.0, 1.0),
        split=partial(exponential_unit_tail, scale=1.0, alpha=1.0),
    ),
    Activation(
        "selu",
        "1.0507 × (z above 0, 1.6733 (e^z - 1) below) (Klambauer et al. 2017)",
        jax.nn.selu,
        asymptotes=(0.0, SELU_SCALE),
        split=partial(exponential_unit_tail, scale=SELU_SCALE, alpha=SELU_ALPHA),
    ),
    Activation(
        "gelu",
        "z Φ(z), exact, not the tanh fit (Hendrycks & Gimpel 2016)",
        partial(jax.nn.gelu, approximate=False),
        asymptotes=(0.0, 1.0),
        split=gelu_tail,
    ),
    Activation("silu", "z / (1 + e^-z), also called swish", jax.nn.silu, asymptotes=(0.0, 1.0), split=silu_tail),
    Activation(
        "softplus",
        "ln(1 + e^z)",
        jax.nn.softplus,
        asymptotes=(0.0, 1.0),
        split=softplus_tail,
        vanishes_at_zero=False,
    ),
    Activation("erf", "the error function", lax.erf, split=erf_tail),
    Activation("hard_tanh", "z clipped to [-1, 1]", jax.nn.hard_tanh),
    Activation("sine", "sin z", jnp.sin),
)


def _wrap(name: str, function: Any) -> Activation:
    """A user's function as an activation. Raises ValueError unless it acts on each element alone."""
    if isinstance(function, Activation):
        return function
    accepted = "a function that maps a float array element by element, without changing its shape or dtype"
    z = np.linspace(-2, 2, 6, dtype=np.float32)
    try:
        shaped = jax.eval_shape(lambda z: called(function, z), z.reshape(2, 3))
        if shaped.shape != (2, 3) or shaped.dtype != z.dtype:
            raise ValueError(f"{shaped.dtype}{list(shaped.shape)} came back for float32[2, 3]")
        influence = np.asarray(jax.jit(jax.jacobian(function))(z.reshape(2, 3))).reshape(6, 6)
    except (Exception, SystemExit) as error:
        raise ValueError(f"{accepted} ({describe(error)})") from error
    if np.isnan(influence).any():
        raise ValueError(f"{accepted}, with a derivative everywhere (it is NaN somewhere in -2 to 2)")
    if np.any(influence[~np.eye(6, dtype=bool)]):
        raise ValueError(f"{accepted} (its elements influence each other)")
    return Activation(name, "the user's own", Own(function, "activations", name), plain=True)


def _tell_theory(name: str, function: Elementwise) -> None:
    from bench.theory.nonlinearities import name_callable  # SciPy takes a while, and the suite's own need it not

    name_callable(name, function)


ACTIVATIONS: Registry[Activation] = Registry(
    kind="activation",
    entries={activation.name: activation for activation in _ACTIVATIONS},
    wrap=_wrap,
    announce=_tell_theory,
    makers=TAILORED,
)
