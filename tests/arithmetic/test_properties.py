"""Laws of numbers without an end, on programs drawn at random."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jax import lax

import bench
from tests.arithmetic.zoo import MODELS, draws
from tests.tolerance import FLOAT64_GRAD

UNARY = {
    "tanh": jnp.tanh,
    "sin": jnp.sin,
    "exp": lambda x: jnp.exp(-jnp.abs(x)),
    "log": lambda x: jnp.log(1.5 + jnp.abs(x)),
    "log1p": lambda x: jnp.log1p(x * x),
    "sqrt": lambda x: jnp.sqrt(jnp.abs(x) + 0.1),
    "rsqrt": lambda x: lax.rsqrt(x * x + 0.1),
    "cube": lambda x: x**3,
    "tiny": lambda x: x * 1e-40,
    "huge": lambda x: x * 1e40,
    "reverse": lambda x: x[::-1],
    "transpose": lambda x: x.T,
    "cumsum": lambda x: jnp.cumsum(x, 0),
    "sort": lambda x: jnp.sort(x, 1),
    "mean": lambda x: x - x.mean(1, keepdims=True),
    "softmax": lambda x: jax.nn.softmax(x),
    "max": lambda x: x / (1 + jnp.abs(x).max()),
    "gather": lambda x: x[jnp.array([2, 0, 0])],
    "scatter": lambda x: x.at[1].add(x[0]),
    "logistic": jax.nn.sigmoid,
}
BINARY = {
    "add": jnp.add,
    "sub": jnp.subtract,
    "mul": jnp.multiply,
    "div": lambda x, y: x / (1 + jnp.abs(y)),
    "max": jnp.maximum,
    "select": lambda x, y: jnp.where(x > y, x, 2 * y),
    "matmul": jnp.matmul,
    "concatenate": lambda x, y: jnp.concatenate([x, y])[1:4],
}
STEPS = st.sampled_from([*UNARY.items(), *BINARY.items(), *BINARY.items()])
REPRODUCIBLE = {"derandomize": True, "deadline": None, "database": None, "suppress_health_check": [*HealthCheck]}


def programs(length: int):
    """Random programs of so many primitives."""
    return st.lists(st.tuples(STEPS, st.integers(1, 4), st.integers(1, 4)), min_size=length, max_size=length)


@settings(max_examples=4, **REPRODUCIBLE)
@given(programs(10))
def test_a_random_program_is_that_of_float64(steps):
    assert_equals_float64(steps)


@pytest.mark.thorough
@settings(max_examples=4, **REPRODUCIBLE)
@given(programs(30))
def test_a_long_random_program_is_that_of_float64(steps):
    assert_equals_float64(steps)


def assert_equals_float64(steps) -> None:
    def program(x):
        values = [x, x.T, jnp.sin(3 * x), 1 + x]
        for (name, function), back, further in steps:
            values.append(
                function(values[-back], *([values[-further]] if name in BINARY and function is BINARY[name] else []))
            )
        return values[-1], values[-2]

    x = draws("float64")(3, 3)
    with jax.enable_x64(True), jax.numpy_rank_promotion("allow"):
        found = jax.jit(bench.unbounded(program))(x)
        expected = jax.jit(program)(x)
    for one, other in zip(found, map(np.asarray, expected), strict=True):
        if np.isfinite(other).all() and (np.abs(other).max() > 1e-290 or not other.any()):
            difference = np.abs(np.asarray(one.to_float()) - other).max()
            assert difference <= FLOAT64_GRAD * np.abs(other).max()


@pytest.fixture(scope="module")
def scaled_gradient():
    loss, params = MODELS["mixture of experts"](draws("float32"))
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        gradient = jax.jit(bench.unbounded(jax.grad(lambda params, scale: loss(params) * scale)))
        one = jax.tree.map(np.asarray, gradient(params, power_of_two(0)))
        yield lambda k: gradient(params, power_of_two(k)), one


def power_of_two(k: int) -> bench.Extended:
    return bench.Extended(np.float32(1), np.int32(k))


@settings(max_examples=20, **REPRODUCIBLE)
@given(st.integers(-(10**8), 10**8))
def test_a_loss_times_a_power_of_two_shifts_exponents_and_changes_no_mantissa(scaled_gradient, k):
    gradient, one = scaled_gradient
    found = gradient(k)
    for name, number in one.items():
        np.testing.assert_array_equal(found[name].mantissa, number.mantissa)
        nonzero = np.broadcast_to(number.exponent, number.shape)[number.mantissa != 0].max()
        assert found[name].exponent.max() == nonzero + k
