"""Initializers by name, each ``init(key, shape, dtype)`` in the convention of :mod:`jax.nn.initializers`.

A hidden weight matrix is ``scale × gain × init(key, (width, width), dtype)`` and acts as ``z = W h``. For square matrices
both fans are the width, so that JAX's own initializers serve as they are, and schemes that differ by a factor alone are one
family: the same draw, with another gain.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.nn import initializers as jax_initializers

from bench.arithmetic.numerics import multiplying
from bench.networks.matrices import (
    delta_orthogonal,
    gaussian,
    identity,
    noisy_identity,
    shifted_gaussian,
    sparse,
    uniform_bias,
)
from bench.networks.own import Own
from bench.settings.registry import Registry, called, describe

Init = Callable[..., Array]
LARGEST_MEAN = 1e6  # of ``gaussian:mean=…``, in its own standard deviations: float32 keeps the draw beside it
# of N(0, 1) truncated at ±2: variance 1 - 4 φ(2) / (2 Φ(2) - 1)
TRUNCATED_STD = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))


class Family(NamedTuple):
    """What schemes that differ by a factor have in common: drawn once, it serves them all.

    ``init``: draws a matrix. ``numbers``: what it takes after key, shape and dtype; data to the programs that draw.
    ``bias``: draws a bias of unit variance.
    ``decomposes``: ``init`` may call LAPACK, whose batched kernels share one thread pool on the CPU and can wait for each
    other for ever when several CPU devices run them; matrices are then drawn one by one.
    ``any_size``: its entries may be of any magnitude, and are divided by a power of two before use.
    ``unit_variance``: its matrices are normalized on data, for the activation in use (:mod:`bench.networks.unit_variance`).
    ``units_in_rows``: a matrix that is not square is drawn as (out, in); otherwise as (in, out), which is JAX's convention.
    ``of_kernels``: it takes a matrix that is not square for a convolution's kernel of an odd number of taps.
    """

    init: Init
    bias: Init = jax.random.normal
    decomposes: bool = False
    any_size: bool = False
    unit_variance: bool = False
    units_in_rows: bool = False
    of_kernels: bool = False
    numbers: tuple[float, ...] = ()

    @property
    def template(self) -> Family:
        """What families that differ in their numbers have in common: a program that draws them."""
        return self._replace(numbers=(0.0,) * len(self.numbers))

    def draw(self, key: Array, shape: tuple[int, ...], dtype: Any, *numbers: Array) -> Array:
        """What ``init`` draws with those numbers, whatever products multiply around it."""
        with multiplying():
            return self.init(key, shape, dtype, *numbers)


class Setting(NamedTuple):
    """What a scheme uses for one activation, width and bias: W = scale × gain × draw, b ~ (0, bias_std²).

    ``gain`` is NaN where the scheme is undefined, and ``note`` says why.
    """

    gain: float
    bias_std: float
    note: str = ""


class Initializer(NamedTuple):
    """A named scheme; calling it draws one square matrix, at gain 1 if the gain depends on the activation.

    ``setting``: (activation's name, width, the sweep's bias_std) → Setting, for a scheme that has more to it than ``gain``.
    ``averages_fans``: its variance is that of the mean of both fans, which matters for matrices that are not square.
    """

    name: str
    summary: str
    family: Family
    gain: float = 1.0
    setting: Callable[[str, int, float], Setting] | None = None
    averages_fans: bool = False

    def __call__(self, key: Array, shape: tuple[int, int], dtype: jnp.dtype) -> Array:
        return self.family.init(key, shape, dtype, *self.family.numbers) * self.gain


def rectangular_gain(initializer: Initializer, fan_in: int, fan_out: int) -> float:
    """What a scheme's family is multiplied by, beside the gain of its square matrices, to have its variance there."""
    return math.sqrt(2 * fan_in / (fan_in + fan_out)) if initializer.averages_fans else 1.0


def critical_setting(activation: str, width: int, bias_std: float) -> Setting:
    """The activation's critical point: its own bias where the sweep's is 0, else the point on the edge with the sweep's.

    Undefined where theory finds none (:func:`bench.theory.critical`).
    """
    del width
    from bench.theory import critical  # SciPy takes a while, and no other scheme needs it

    point = critical(activation, bias_std or None)
    if math.isnan(point.weight_std):
        return Setting(math.nan, bias_std, point.note)
    return Setting(point.weight_std, point.bias_std)


def torch_setting(activation: str, width: int, bias_std: float) -> Setting:
    """Weights and biases U(±1/√n), of variance 1/(3n); a ``bias_std`` above 0 that the sweep asks for wins over theirs."""
    del activation
    return Setting(1 / math.sqrt(3), bias_std or 1 / math.sqrt(3 * width))


GAUSSIAN = Family(gaussian)
TRUNCATED = Family(jax_initializers.lecun_normal())
UNIFORM = Family(jax_initializers.lecun_uniform())
ORTHOGONAL = Family(jax_initializers.orthogonal(), decomposes=True)

_INITIALIZERS = (
    Initializer("identity", "the identity matrix: the lecture's W = scale · E", Family(identity)),
    Initializer("scaled_identity", "E + 0.1 N(0, 1/n), after Le, Jaitly & Hinton 2015", Family(noisy_identity)),
    Initializer("gaussian", "N(0, 1/fan_in), not truncated: mean-field theory's sigma_w = scale", GAUSSIAN),
    Initializer("he_gaussian", "N(0, 2/fan_in), not truncated", GAUSSIAN, math.sqrt(2)),
    Initializer(
        "critical", "gaussian at the activation's critical point, bias included", GAUSSIAN, setting=critical_setting
    ),
    Initializer("lecun_normal", "truncated normal, variance 1/fan_in (LeCun et al. 1998)", TRUNCATED),
    Initializer("he_normal", "truncated normal, variance 2/fan_in (He et al. 2015)", TRUNCATED, math.sqrt(2)),
    Initializer(
        "glorot_normal",
        "truncated normal, variance 2/(fan_in + fan_out) (Glorot & Bengio 2010)",
        TRUNCATED,
        averages_fans=True,
    ),
    Initializer(
        "truncated",
        "N(0, 1/fan_in) cut at 2 sigma, variance 0.774/fan_in: Haiku's default, TensorFlow's truncated_normal",
        TRUNCATED,
        TRUNCATED_STD,
    ),
    Initializer("jax_lecun", "jax.nn.initializers.lecun_normal, zero bias", TRUNCATED),
    Initializer("flax_default", "flax.linen.Dense's default: lecun_normal, zero bias", TRUNCATED),
    Initializer("lecun_uniform", "uniform, variance 1/fan_in", UNIFORM),
    Initializer("he_uniform", "uniform, variance 2/fan_in", UNIFORM, math.sqrt(2)),
    Initializer("glorot_uniform", "uniform, variance 2/(fan_in + fan_out)", UNIFORM, averages_fans=True),
    Initializer("keras_glorot", "keras.layers.Dense's default: glorot_uniform, zero bias", UNIFORM, averages_fans=True),
    Initializer("standard_uniform", "U(±1/√fan_in): Glorot & Bengio's standard", UNIFORM, 1 / math.sqrt(3)),
    Initializer(
        "torch_linear",
        "torch.nn.Linear's default: weights and biases U(±1/√fan_in)",
        UNIFORM._replace(bias=uniform_bias),
        1 / math.sqrt(3),
        torch_setting,
    ),
    Initializer("orthogonal", "Haar-distributed orthogonal matrix (Saxe et al. 2014)", ORTHOGONAL),
    Initializer(
        "delta_orthogonal",
        "orthogonal at a kernel's middle tap, the others 0 (Xiao et al. 2018); of square matrices: orthogonal",
        Family(delta_orthogonal, decomposes=True, of_kernels=True),
    ),
    Initializer(
        "critical_orthogonal",
        "orthogonal at the activation's critical point, bias included",
        ORTHOGONAL,
        setting=critical_setting,
    ),
    Initializer(
        "lsuv",
        "orthogonal, then unit variance layer by layer on a batch (Mishkin & Matas 2016); one matrix: orthogonal",
        ORTHOGONAL._replace(unit_variance=True),
    ),
    Initializer(
        "sparse", "15 weights N(0, 1) into every unit, the others 0 (Martens 2010)", Family(sparse, units_in_rows=True)
    ),
)


def gaussian_with(mean: float = 0.0) -> Initializer:
    """``gaussian:mean=…``, N(mean, 1) / √fan_in. Raises ValueError."""
    if isinstance(mean, bool) or not isinstance(mean, int | float) or not abs(mean) <= LARGEST_MEAN:
        raise ValueError(f"mean: a number from {-LARGEST_MEAN:g} to {LARGEST_MEAN:g}")
    return Initializer("gaussian", "N(mean, 1) / √fan_in", Family(shifted_gaussian, numbers=(float(mean),)))


def _wrap(name: str, init: Any) -> Initializer:
    """A made scheme, or a user's. Raises ValueError unless it returns what it is asked for."""
    if isinstance(init, Initializer):
        return init._replace(name=name)
    accepted = "init(key, shape, dtype) that returns an array of that shape and dtype"
    try:
        made = jax.eval_shape(lambda: called(init, jax.random.key(0), (4, 4), jnp.dtype(jnp.float32)))
        if made.shape != (4, 4) or made.dtype != jnp.float32:
            raise ValueError(f"{made.dtype}{list(made.shape)} came back for float32[4, 4]")
    except (Exception, SystemExit) as error:
        raise ValueError(f"{accepted} ({describe(error)})") from error
    return Initializer(name, "the user's own", Family(Own(init, "initializers", name), decomposes=True, any_size=True))


INITIALIZERS: Registry[Initializer] = Registry(
    kind="initializer",
    entries={initializer.name: initializer for initializer in _INITIALIZERS},
    wrap=_wrap,
    makers={"gaussian": gaussian_with},
)
