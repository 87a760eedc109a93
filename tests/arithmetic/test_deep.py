"""Deep functions whose gradients no float holds, against arithmetic of 60 digits."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import bench
from tests.tolerance import FLOAT64_GRAD

pytestmark = pytest.mark.thorough

DEPTH, DIGITS = 200, 60
MATRIX = np.array([[3, 1, 1], [1, 2, -1], [-1, 1, 4]]) / 8
START = np.array([3, -1, 2]) / 4
WEIGHTS = np.array([5, 4, 3]) / 4

JAX = SimpleNamespace(
    tanh=jnp.tanh,
    exp=jnp.exp,
    relu=jax.nn.relu,
    sqrt=jnp.sqrt,
    repeat=lambda layer, h: jax.lax.scan(lambda h, _: (layer(h), None), h, length=DEPTH)[0],
)


def _repeat(layer, h):
    for _ in range(DEPTH):
        h = layer(h)
    return h


MPMATH = SimpleNamespace(
    tanh=np.frompyfunc(mpmath.tanh, 1, 1),
    exp=np.frompyfunc(mpmath.exp, 1, 1),
    relu=np.frompyfunc(lambda x: max(x, mpmath.mpf(0)), 1, 1),
    sqrt=mpmath.sqrt,
    repeat=_repeat,
)


def normed(xp, h):
    centred = h - h.sum() / 3
    return centred / xp.sqrt((centred * centred).sum() / 3)


def recurrent(xp, w):
    def step(h):
        gate = 1 / (1 + xp.exp(6 + w * h))
        return gate * h + (1 - gate) * xp.tanh(MATRIX @ h * w / 64)

    return (xp.repeat(step, w * START) * START).sum()


FUNCTIONS = {
    "tanh": lambda xp, w: xp.repeat(lambda h: xp.tanh(MATRIX @ (w * h) / 64), START).sum(),
    "relu": lambda xp, w: xp.repeat(lambda h: xp.relu(256 * (MATRIX @ (w * h))), START).sum(),
    "residual": lambda xp, w: xp.repeat(lambda h: h + xp.relu(100 * (MATRIX @ (w * h))), START).sum(),
    "layer norm": lambda xp, w: (
        (xp.repeat(lambda h: normed(xp, w * h + MATRIX @ h), w * START) * START).sum() * xp.repeat(lambda h: h / 64, w).sum()
    ),
    "product": lambda xp, w: xp.repeat(lambda h: h * (w * w * START).sum() / 100, w).sum(),
    "recurrent": recurrent,
}


@pytest.fixture(scope="module")
def found():
    def everything(w):
        return {name: jax.grad(lambda w, f=function: f(JAX, w))(w) for name, function in FUNCTIONS.items()}

    with jax.enable_x64(True):
        return jax.jit(bench.unbounded(everything))(WEIGHTS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_are_those_of_sixty_digits(name, found):
    with mpmath.workdps(2 * DIGITS):
        step = mpmath.mpf(10) ** -(DIGITS // 2)
        weights = np.array([mpmath.mpf(w) for w in WEIGHTS])
        units = np.identity(3, int) * step
        function = FUNCTIONS[name]
        expected = [(function(MPMATH, weights + u) - function(MPMATH, weights - u)) / (2 * step) for u in units]
        largest = max(map(abs, expected))
        assert abs(mpmath.log10(largest)) > 320  # beyond the range of float64
        ours = [mpmath.mpf(float(m)) * mpmath.mpf(2) ** int(found[name].exponent[0]) for m in found[name].mantissa]
        assert max(abs(a - b) for a, b in zip(ours, expected, strict=True)) < FLOAT64_GRAD * largest
