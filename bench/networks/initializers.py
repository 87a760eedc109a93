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
from jax import Array, lax
from jax.nn import initializers as jax_initializers

from bench.arithmetic.numerics import multiplying
from bench.networks.own import Own
from bench.settings.registry import Registry, called, describe

Init = Callable[..., Array]
INCOMING = 15  # weights of a unit of ``sparse``
NOISE = 0.1  # of ``scaled_identity``
# of N(0, 1) truncated at ±2: variance 1 - 4 φ(2) / (2 Φ(2) - 1)
TRUNCATED_STD = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))


class Family(NamedTuple):
    """What schemes that differ by a factor have in common: drawn once, it serves them all.

    ``init``: draws a matrix. ``bias``: draws a bias of unit variance.
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

    def draw(self, key: Array, shape: tuple[int, ...], dtype: Any) -> Array:
        """What ``init`` draws, whatever products multiply around it."""
        with multiplying():
            return self.init(key, shape, dtype)


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
        return self.family.init(key, shape, dtype) * self.gain


def rectangular_gain(initializer: Initializer, fan_in: int, fan_out: int) -> float:
    """What a scheme's family is multiplied by, beside the gain of its square matrices, to have its variance there."""
    return math.sqrt(2 * fan_in / (fan_in + fan_out)) if initializer.averages_fans else 1.0


def identity(key: Array, shape: tuple[int, int], dtype: jnp.dtype) -> Array:
    """The identity matrix E; draws nothing."""
    del key
    return jnp.eye(*shape, dtype=dtype)


def gaussian(key: Array, shape: tuple[int, int], dtype: jnp.dtype) -> Array:
    """N(0, 1/fan_in), not truncated, so that exact finite-width laws hold: mean-field theory's σ_w = 1."""
    return jax.random.normal(key, shape, dtype) / jnp.sqrt(jnp.asarray(shape[-2], dtype))


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


def _wrap(name: str, init: Any) -> Initializer:
    """A user's scheme. Raises ValueError unless it returns what it is asked for."""
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
)
