"""Primitives in float32 at magnitudes that only float64 has, and where numbers of very different magnitudes meet."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bench

pytestmark = pytest.mark.thorough

FLOAT32 = 1e-5  # of the largest entry
WHERE = [2, 0, 2]

HOMOGENEOUS = {
    "neg": lambda x, _: -x,
    "add": lambda x, y: x + y,
    "sub": lambda x, y: y - x,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "max": jnp.maximum,
    "min": jnp.minimum,
    "hard tanh": lambda x, _: jnp.clip(x, -1, 1),
    "compare": lambda x, y: jnp.where(x > y, x, 0),
    "leaky relu": lambda x, _: jnp.where(x > 0, x, 0.1 * x),
    "select of a huge one": lambda x, y: jnp.where(x == x, x, 1e30 * y),
    "one or the other": lambda x, y: jax.lax.select(x[0, 0] > y[0, 0], x, y),
    "tanh": lambda x, _: jnp.tanh(x),
    "sin": lambda x, _: jnp.sin(jnp.where(jnp.abs(x) < 1e5, x, 0)),
    "atan": lambda x, _: jnp.arctan(x),
    "expm1": lambda x, _: jnp.expm1(jnp.clip(x, -200, 200)),
    "log1p": lambda x, _: jnp.log1p(jnp.abs(x)),
    "sinh": lambda x, _: jnp.sinh(jnp.clip(x, -200, 200)),
    "asinh": lambda x, _: jnp.arcsinh(x),
    "exp": lambda x, _: jnp.exp(jnp.clip(x, -200, 200)[:, :1]),
    "logistic": lambda x, _: jax.nn.sigmoid(jnp.clip(x, -200, 200)[:, 0]),
    "log": lambda x, _: jnp.log(jnp.abs(x)),
    "log near one": lambda x, _: jnp.log(0.9921875 + 0 * x),
    "sqrt": lambda x, _: jnp.sqrt(jnp.abs(x)),
    "rsqrt": lambda x, _: jax.lax.rsqrt(jnp.abs(x)),
    "cbrt": lambda x, _: jnp.cbrt(x),
    "x^3": lambda x, _: x**3,
    "x^-2": lambda x, _: x**-2,
    "x^0.7": lambda x, _: jnp.abs(x) ** 0.7,
    "dot": lambda x, y: x @ y.T,
    "sum": lambda x, _: x.sum(0),
    "mean square": lambda x, _: (x**2).mean(),
    "prod": lambda x, y: x[0, :2].prod() * y[0, 0],
    "cumsum": lambda x, _: jnp.cumsum(x, 1),
    "cumprod": lambda x, _: jnp.cumprod(x[:, :2], 1),
    "reduce max": lambda x, _: x.max(1),
    "reduce min of both": lambda x, y: jnp.concatenate([x, y]).min(0),
    "sort": lambda x, _: jnp.sort(x, 1),
    "concatenate": lambda x, y: jnp.concatenate([x, y]),
    "scatter add": lambda x, y: x.at[jnp.array(WHERE)].add(y),
    "scatter max": lambda x, y: x.at[jnp.array(WHERE)].max(y),
    "scatter mul": lambda x, y: x.at[jnp.array(WHERE[:2])].mul(y[:2]),
    "pad": lambda x, _: jnp.pad(x, 1),
    "convolution": lambda x, y: jax.lax.conv_general_dilated(x[None, None], y[None, None, :2, :2], (1, 1), "SAME"),
    "pooling": lambda x, _: jax.lax.reduce_window(x, 0.0, jax.lax.add, (2, 2), (1, 1), "VALID"),
    "logsumexp": lambda x, _: jax.nn.logsumexp(x),
    "bfloat16": lambda x, _: (x.astype(jnp.bfloat16) * 2).astype(x.dtype),
    "float16": lambda x, _: (x.astype(jnp.float16) * 2).astype(x.dtype),
    "float8": lambda x, _: x.astype(jnp.float8_e4m3fn).astype(x.dtype) * 2,
    "rounded": lambda x, _: jax.lax.reduce_precision(x, 5, 10),
    "scan": lambda x, y: jax.lax.scan(lambda c, row: (c * 0.5 + row, c), y[0], x),
}
LOSSY = {"bfloat16": 2**-8, "float16": 2**-10, "float8": 2**-3, "rounded": 2**-10}


def extended(value: np.ndarray) -> bench.Extended:
    """Float64 numbers of about one magnitude as float32 mantissas and one exponent."""
    exponent = np.frexp(np.abs(value).max())[1] - 1
    return bench.Extended((value * 2.0**-exponent).astype(np.float32), np.full((1,) * value.ndim, exponent, np.int32))


@pytest.fixture(scope="module")
def every_function():
    def everything(x, y):
        return {name: function(x, y) for name, function in HOMOGENEOUS.items()}

    return jax.jit(bench.unbounded(everything)), jax.jit(everything)


@pytest.mark.parametrize(("a", "b"), [(1, 1), (1e-70, 1e-75), (1e70, 1e-70), (1e-60, 1e60), (1e80, 1e75)])
def test_a_primitive_in_float32_is_exact_where_only_float64_has_the_numbers(a, b, every_function):
    generator = np.random.default_rng(1)
    x, y = a * generator.normal(size=(3, 4)), b * generator.normal(size=(3, 4))
    numbers, floats = every_function
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        found = numbers(extended(x), extended(y))
        with jax.enable_x64(True):
            expected = floats(x, y)
    wrong = {}
    for name in HOMOGENEOUS:
        ours = jax.tree.leaves(found[name], is_leaf=lambda n: isinstance(n, bench.Extended))
        for one, other in zip(ours, jax.tree.leaves(expected[name]), strict=True):
            other = np.asarray(other, np.float64)
            if name in LOSSY and not 1e-2 < a < 1e2:  # formats of no such magnitudes
                other = x if name == "rounded" else 2 * x
            value = np.ldexp(np.asarray(one.mantissa, np.float64), np.asarray(one.exponent))
            if not np.abs(value - other).max() <= (FLOAT32 + LOSSY.get(name, 0)) * np.abs(other).max():
                wrong[name] = value, other
    assert not wrong


CAUSAL = np.tril(np.ones((4, 4), bool))
LOWEST = np.finfo(np.float32).min
ADDED = np.where(CAUSAL, 0, LOWEST).astype(np.float32)

UNUSUAL = {
    "mask closed over": lambda x: jax.nn.softmax(x @ x.T + jnp.array(ADDED)),
    "mask of infinities": lambda x: jax.nn.softmax(x @ x.T + jnp.where(CAUSAL, 0.0, -jnp.inf)),
    "mask computed": lambda x: jax.nn.softmax(x @ x.T + (1 - jnp.array(CAUSAL, x.dtype)) * -1e38),
    "mask chosen": lambda x: jax.nn.softmax(jnp.where(CAUSAL, x @ x.T, jnp.array(ADDED))),
    "all masked": lambda x: jax.nn.softmax(jnp.where(~CAUSAL & CAUSAL, x, LOWEST)),
    "empty": lambda x: (x[:0].sum() + x[0, 0], x[:, :0] @ x[:0], jnp.sort(x[:0]), x[:0].prod(), jax.nn.softmax(x[:0])),
    "scan of no steps": lambda x: jax.lax.scan(lambda c, row: (c * row, c), x[0], x[:0]),
    "functions of infinity": lambda x: (
        jnp.tanh(x / 0),
        jax.nn.sigmoid(x / 0),
        jnp.exp(-jnp.abs(x) / 0),
        jnp.minimum(x / 0, 3),
    ),
    "infinities among others": lambda x: jnp.exp(jnp.where(x > 0.5, jnp.inf, x)),
    "not a number": lambda x: (jnp.where(x > 0, x, jnp.nan) + 1, jnp.maximum(jnp.where(x > 0, x, jnp.nan), 0.5)),
    "zero": lambda x: (
        x / jnp.where(x > 0, x, 0),
        (0 * x) ** -2,
        jax.lax.rsqrt(0 * x),
        jnp.log(0 * x),
        (0 * x) ** 0.5,
        0 * x + 1e-30 * x,
    ),
    "integers and masks": lambda x: (x * jnp.arange(4), (x > 0).astype(x.dtype) - x, (100 * x).astype(int), x.astype(bool)),
    "arguments": lambda x: (jnp.argmax(x, 1), jnp.argmin(x), jax.lax.sort((x[0], x[1], jnp.arange(4)), num_keys=2)),
    "one number and many": lambda x: x[0, 0] * x + x[1, 1] - x[0, 0] / x,
    "entries far apart": lambda x: (x * jnp.array([1e-10, 1e10, 1, 1]) * x[::-1] * jnp.array([1e10, 1e-10, 1, 1])) ** 3,
    "complex": lambda x: jnp.abs(jax.lax.complex(x, x.T)),
}


@pytest.fixture(scope="module")
def unusual():
    x = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)

    def everything(x):
        return {name: function(x) for name, function in UNUSUAL.items()}

    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        return [jax.jit(f)(x) for f in (bench.unbounded(everything), everything)]


@pytest.mark.parametrize("name", UNUSUAL)
def test_the_unusual_is_what_it_is_in_plain_floats(name, unusual):
    found, expected = (jax.tree.leaves(part[name], is_leaf=lambda n: isinstance(n, bench.Extended)) for part in unusual)
    for one, other in zip(found, expected, strict=True):
        one = one.to_float() if isinstance(one, bench.Extended) else one
        assert one.dtype == other.dtype
        size = np.max(np.abs(other), where=np.isfinite(other), initial=0)
        np.testing.assert_allclose(one, other, rtol=0, atol=FLOAT32 * size)
