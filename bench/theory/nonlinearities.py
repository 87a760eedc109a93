"""Activations as theory sees them: NumPy functions of float64, written without the engine's."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from scipy.special import erf, erfcx, expit, log_expit, ndtr

from bench.theory.arguments import did_you_mean

Function = Callable[[np.ndarray], np.ndarray]


class Nonlinearity(NamedTuple):
    """Phi and phi' elementwise.

    ``kinks``: where phi or phi' jumps; quadrature is exact for jumps at 0 alone, other jumps need closed forms.
    ``negative_slope``: for phi(z) = z above 0 and negative_slope · z below, else None.
    ``tail``: ln |phi'|, for slopes that fall below the float range far out.
    """

    name: str
    function: Function
    slope: Function
    kinks: tuple[float, ...] = ()
    negative_slope: float | None = None
    tail: Function | None = None

    def log_slope(self, z: np.ndarray) -> np.ndarray:
        """Ln |phi'|, -inf where it is 0: at any z that is a float, or, without a ``tail``, where phi' is one."""
        with np.errstate(divide="ignore", over="ignore"):
            return np.log(np.abs(self.slope(z))) if self.tail is None else self.tail(z)

    @property
    def vanishes_at_zero(self) -> bool:
        """Whether phi(0) = 0."""
        return bool(self.function(np.zeros(1))[0] == 0)

    @property
    def is_linear(self) -> bool:
        """Whether phi is the identity."""
        return self.negative_slope == 1


def _leaky(slope: float) -> tuple[Function, Function]:
    return lambda z: np.where(z > 0, z, slope * z), lambda z: np.where(z > 0, 1.0, slope)


def _exponential(name: str, scale: float, alpha: float) -> Nonlinearity:
    def function(z: np.ndarray) -> np.ndarray:
        return scale * np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))

    def tail(z: np.ndarray) -> np.ndarray:
        return np.log(scale) + np.where(z > 0, 0.0, np.log(alpha) + np.minimum(z, 0))

    return Nonlinearity(name, function, lambda z: np.exp(tail(z)), kinks=(0.0,), tail=tail)


def _tanh_slope(z: np.ndarray) -> np.ndarray:
    decay = np.exp(-2 * np.abs(z))  # 1 - tanh² would lose the tail to rounding
    return 4 * decay / (1 + decay) ** 2


def _tanh_tail(z: np.ndarray) -> np.ndarray:
    far = np.abs(z)
    return 2 * (np.log(2) - far - np.log1p(np.exp(-2 * far)))


def _normal_density(z: np.ndarray) -> np.ndarray:
    return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def _below_zero(z: np.ndarray) -> np.ndarray:
    """GELU's slope over the normal density for z ≤ 0: z + Mills' ratio."""
    return z + np.sqrt(np.pi / 2) * erfcx(-z / np.sqrt(2))


def _gelu_slope(z: np.ndarray) -> np.ndarray:
    density = _normal_density(z)
    return np.where(z > 0, ndtr(z) + z * density, density * _below_zero(np.minimum(z, 0.0)))


def _gelu_tail(z: np.ndarray) -> np.ndarray:
    below, above = np.minimum(z, 0.0), np.maximum(z, 0.0)
    left = np.log(np.abs(_below_zero(below))) - below**2 / 2 - np.log(2 * np.pi) / 2
    return np.where(z > 0, np.log(_gelu_slope(above)), left)


def _silu_tail(z: np.ndarray) -> np.ndarray:
    return log_expit(z) + np.log(np.abs(1 + z * expit(-z)))


_ALL = (
    Nonlinearity("linear", *_leaky(1.0), negative_slope=1.0),
    Nonlinearity("tanh", np.tanh, _tanh_slope, tail=_tanh_tail),
    Nonlinearity("sigmoid", expit, lambda z: expit(z) * expit(-z), tail=lambda z: log_expit(z) + log_expit(-z)),
    Nonlinearity("relu", *_leaky(0.0), kinks=(0.0,), negative_slope=0.0),
    Nonlinearity("leaky_relu", *_leaky(0.01), kinks=(0.0,), negative_slope=0.01),
    _exponential("elu", 1.0, 1.0),
    _exponential("selu", 1.0507009873554805, 1.6732632423543772),
    Nonlinearity("gelu", lambda z: z * ndtr(z), _gelu_slope, tail=_gelu_tail),
    Nonlinearity("silu", lambda z: z * expit(z), lambda z: expit(z) * (1 + z * expit(-z)), tail=_silu_tail),
    Nonlinearity("softplus", lambda z: np.logaddexp(0, z), expit, tail=log_expit),
    Nonlinearity(
        "erf", erf, lambda z: 2 / np.sqrt(np.pi) * np.exp(-(z**2)), tail=lambda z: np.log(2 / np.sqrt(np.pi)) - z**2
    ),
    Nonlinearity("hard_tanh", lambda z: np.clip(z, -1, 1), lambda z: np.where(np.abs(z) < 1, 1.0, 0.0), kinks=(-1.0, 1.0)),
    Nonlinearity("sine", np.sin, np.cos),
)
NONLINEARITIES = {nonlinearity.name: nonlinearity for nonlinearity in _ALL}
_NAMED: dict[str, Any] = {}  # callables that the user has named or given in this process


def name_callable(name: str, function: Any) -> None:
    """Let ``name`` stand for a callable on JAX arrays, for the rest of the process."""
    _NAMED[name] = function


def is_known(name: str) -> bool:
    """Whether it is the suite's own, or was named with :func:`name_callable`: nothing is imported to tell."""
    return name in NONLINEARITIES or name in _NAMED


def nonlinearity(activation: Any) -> Nonlinearity:
    """The entry of that name; ``package.module:function`` or a callable on JAX arrays is differentiated by JAX.

    A callable's jumps anywhere but at 0 cost accuracy. Raises ValueError for a name that is not known.
    """
    if isinstance(activation, Nonlinearity):
        return activation
    if isinstance(activation, str) and activation in NONLINEARITIES:
        return NONLINEARITIES[activation]
    if not isinstance(activation, str) and not callable(activation):
        raise ValueError(f"activation: got {activation!r}, expected a name, or a function on JAX arrays")
    return _of_callable(activation)


@cache
def _of_callable(activation: Any) -> Nonlinearity:
    import jax  # only a function of the user's own needs it

    function = _load(activation) if isinstance(activation, str) else activation
    name = activation if isinstance(activation, str) else getattr(activation, "__name__", repr(activation))

    def value_and_slope(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with jax.enable_x64(True):
            point = jax.numpy.asarray(z, dtype=float)
            try:
                value, slope = jax.jvp(function, (point,), (jax.numpy.ones_like(point),))
            except jax.errors.TracerArrayConversionError:
                raise ValueError(f"activation: got {activation!r}, expected a function on JAX arrays") from None
        return np.asarray(value, float), np.asarray(slope, float)

    return Nonlinearity(name, lambda z: value_and_slope(z)[0], lambda z: value_and_slope(z)[1], kinks=(0.0,))


def _load(name: str) -> Any:
    """The callable that ``package.module:attribute`` names. Raises ValueError."""
    try:
        found = _NAMED.get(name) or (pkgutil.resolve_name(name) if ":" in name else None)
    except (Exception, SystemExit) as error:  # importing runs the user's code, which may fail in any way
        raise ValueError(f"activation: got {name!r}, which cannot be imported ({type(error).__name__}: {error})") from error
    if not callable(found):
        raise ValueError(
            f"activation: got {name!r}, expected one of {', '.join(NONLINEARITIES)}, or package.module:function"
            f"{did_you_mean(name, NONLINEARITIES)}"
        )
    return found
