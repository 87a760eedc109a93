"""Any function in floats without an end, against plain float64 where that holds the answer, and against laws where not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bench

POINTS = jax.random.normal(jax.random.key(0), (4, 8))
OTHERS = jax.random.normal(jax.random.key(1), (1, 4, 2, 4))

FUNCTIONS = {
    "softmax": jax.nn.softmax,
    "logsumexp": lambda x: jax.nn.logsumexp(x, -1),
    "masked attention": lambda x: jax.nn.dot_product_attention(x.reshape(1, 4, 2, 4), OTHERS, 2.0 * OTHERS, is_causal=True),
    "cumulative product": lambda x: jnp.cumprod(x, -1),
    "product": lambda x: jnp.prod(x, -1),
    "sort": lambda x: jnp.sort(x, -1) * jnp.arange(8.0)[None, :],
    "top k": lambda x: jax.lax.top_k(x, 3)[0],
    "max pooling": lambda x: jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (2, 2), (2, 2), "VALID"),
    "branch": lambda x: jax.lax.cond(x.sum() > 0, jnp.sin, jnp.tanh, x),
    "segments": lambda x: jax.ops.segment_sum(x, jnp.array([0, 1, 0, 2]), 3),
    "power": lambda x: jnp.abs(x) ** 1.7,
    "fft": lambda x: jnp.abs(jnp.fft.rfft(x)),
    "cholesky": lambda x: jnp.linalg.cholesky(x @ x.T + jnp.eye(4)),
    "gather": lambda x: x[jnp.array([1, 2, 2]), :3],
    "gelu": jax.nn.gelu,
    "log sigmoid": jax.nn.log_sigmoid,
    "rational": lambda x: x**5 / (1 + x**2),
}


def largest_error(found: bench.Extended, expected: jax.Array) -> float:
    expected = np.asarray(expected, np.float64)
    return float(np.max(np.abs(np.asarray(found.to_float(), np.float64) - expected)) / np.max(np.abs(expected)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_is_plain_floats_where_they_hold(name):
    def value_and_gradient(x):
        return FUNCTIONS[name](x), jax.grad(lambda x: jnp.square(FUNCTIONS[name](x)).sum())(x)

    # jitted: one program, where eager evaluation compiles one for each operation
    found, expected = (jax.jit(program)(POINTS) for program in (bench.unbounded(value_and_gradient), value_and_gradient))
    for one, other in zip(found, expected, strict=True):
        assert largest_error(one, other) < 1e-6


@pytest.mark.parametrize("scale", [0.01, 1.5])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_deep_network_has_the_norms_of_the_engine(activation, scale):
    phi = {"relu": jax.nn.relu, "tanh": jnp.tanh}[activation]
    weights, x = jax.random.normal(jax.random.key(2), (100, 16, 16)) / 4, POINTS[:2].reshape(16)
    readout = jnp.ones(16) / 4

    def output(weights):
        h, _ = jax.lax.scan(lambda h, W: (phi(scale * (W @ h)), None), x, weights)
        return h @ readout

    found = jax.jit(bench.unbounded(jax.grad(output), strict=True))(weights)
    layers = [*range(0, 96, 8), 99]
    norms = [found[layer].log10_norm() for layer in layers]
    expected = bench.gradient_norms(weights, activation, x=x, readout=readout, scales=[scale]).log10_grad[0, 0, layers]
    assert min(norms) < -150 or scale > 1  # far below the smallest float32, 10^-45
    np.testing.assert_allclose(norms, expected + np.log10(scale), rtol=0, atol=1e-4)


def test_it_is_jitted_and_vmapped_as_any_function():
    gradient = bench.unbounded(jax.grad(lambda x: jnp.prod(jnp.tanh(x)) ** 40))
    alone = [gradient(row) for row in POINTS]
    found = jax.jit(jax.vmap(gradient))(POINTS)
    for i, expected in enumerate(alone):
        np.testing.assert_allclose(found[i].log10_abs(), expected.log10_abs(), rtol=1e-5)
    assert min(expected.log10_norm() for expected in alone) < -45


def test_zeros_infinities_and_numbers_of_one_entry_say_what_they_are():
    found = bench.unbounded(lambda x: (x[0] ** 2000, 0 * x, x / 0))(jnp.array([0.125, -2.0]))
    assert repr(found[0]) == f"Extended(float32[], {10 ** (-6000 * np.log10(2) % 1):.6g}e-1807)"
    assert found[1].log10_norm() == -np.inf
    assert np.isposinf(found[2].log10_abs()).all()


def test_an_unknown_primitive_is_named():
    with pytest.raises(NotImplementedError, match="igamma_grad_a: no rule"):
        bench.unbounded(lambda x: jax.lax.igamma_grad_a(x, x), strict=True)(jnp.ones(3))


def test_layers_that_differ_only_in_the_function_that_they_call_are_not_the_same_piece():
    def times(factor):
        call = lambda x: np.asarray(factor * x, np.float32)  # noqa: E731
        return jax.jit(lambda x: jax.pure_callback(call, jax.ShapeDtypeStruct((8,), jnp.float32), x))

    layers = [times(factor) for factor in range(1, 7)]

    def network(x):
        for layer in layers:
            x = layer(x)
        return x

    with pytest.warns(RuntimeWarning, match="pure_callback: computed in plain floats"):
        assert largest_error(bench.unbounded(network)(POINTS[0]), network(POINTS[0])) < 1e-6


def test_float16_has_its_own_digits_and_its_dtype():
    """Held in float32, every result is that of NumPy, an operation at a time, and 10^-40 is still there."""
    x, y = np.asarray(POINTS, np.float16), np.asarray(POINTS[::-1] + 3, np.float16)
    found, tiny = bench.unbounded(lambda x, y: ((x * y + x) / y - y, x**8 * x**8 * np.float16(1e-7)))(x, y / 4)
    y = y / 4
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found.to_float(), (x * y + x) / y - y)
    exact = 16 * np.log10(np.abs(x.astype(np.float64))) + np.log10(float(np.float16(1e-7)))
    np.testing.assert_allclose(tiny.log10_abs(), exact, rtol=0, atol=0.02)


def test_arguments_may_be_of_any_size_from_one_call_to_the_next():
    """A program that is compiled for ordinary numbers holds for zeros, tiny and huge ones: w · x is linear in w."""
    product = bench.unbounded(lambda w, x: jnp.tanh(x) @ w)
    first = product(POINTS.T, POINTS)
    for power in (-100, 90, -20):
        found = product(POINTS.T * np.float32(2.0**power), POINTS)
        np.testing.assert_array_equal(found.mantissa, first.mantissa)
        assert found.exponent.item() == first.exponent.item() + power
    assert np.isneginf(product(0 * POINTS.T, POINTS).log10_norm())
    assert np.isnan(np.asarray(product(np.nan * POINTS.T, POINTS).mantissa)).all()


@pytest.mark.parametrize("number", [1.5, np.float32(1.5), np.float32(1e30), np.array(1.5, np.float32)])
def test_numbers_are_arguments_whoever_made_them(number):
    assert bench.unbounded(lambda x: x * x)(number).log10_abs() == pytest.approx(2 * np.log10(float(number)), abs=1e-6)
