"""Parts of one array, and sums of these, share its exponent: nothing is measured between them, and nothing is lost."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bench.arithmetic.number import Extended
from bench.arithmetic.unbounded import unbounded

X = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)
TINY_PARTS = X * np.float32(2.0) ** np.array([0, -60, -120])[:, None]
COUNTS = range(900, 1000, 7)
LINEAR = {
    "the mean is subtracted": lambda x: x - jnp.mean(x, axis=-1, keepdims=True),
    "neighbours on a ring": lambda x: jnp.roll(x, 1, axis=-1) + 2 * x - jnp.roll(x, -1, axis=-1),
    "halves": lambda x: jnp.concatenate([x[:, 4:] - x[:, :4], x[:, ::2] + x[:, 1::2]], axis=-1),
    "parts": lambda x: x[:, :2] + x[:, 2:4] - sum(jnp.split(x, 4, axis=-1)[1:], jnp.split(x, 4, axis=-1)[0]),
    "padded": lambda x: jnp.pad(x[:, 2:5], [(0, 0), (3, 2)]) + x,
    "tiny rows alone": lambda x: x[2:] - x[2:, :1],
    "a sum of sums": lambda x: (x.sum(axis=0, keepdims=True) - x).sum(axis=-1),
}


def measurements(function, x):
    found = str(jax.make_jaxpr(unbounded(function))(x)).count("name=_measured")
    assert found  # the result is
    return found


@pytest.mark.parametrize("name", LINEAR)
def test_nothing_is_measured_between_parts_of_an_array(name):
    assert measurements(LINEAR[name], X) <= measurements(lambda x: x + 0 * x[:1, :1], X) + 1


@pytest.mark.parametrize("power", [0, 3000, -3000])
@pytest.mark.parametrize("x", [X, TINY_PARTS], ids=["alike", "parts that are tiny"])
@pytest.mark.parametrize("name", LINEAR)
def test_what_it_is_does_not_depend_on_its_size(name, x, power):
    """2^power x against float64 of x, to the rounding of what the function reads."""
    found = jax.jit(unbounded(LINEAR[name]))(Extended(x, np.full((1, 1), power, np.int32)))
    read = x[2:] if name == "tiny rows alone" else x
    expected = LINEAR[name](x.astype(float))
    exact = np.asarray(found.mantissa, float) * 2.0 ** np.maximum(np.asarray(found.exponent, float) - power, -1000)
    rounded = 8 * np.finfo(np.float32).eps * np.max(np.abs(read))
    np.testing.assert_allclose(exact, expected, rtol=0, atol=rounded)


def normalized(x):
    """Of the first three, which are far smaller than the rest."""
    part = x[:3]
    centred = part - jnp.mean(part)
    return centred / jnp.sqrt(jnp.mean(centred * centred))


@pytest.mark.parametrize(("dtype", "small", "large"), [("float32", 1e-12, 1e10), ("float64", 1e-100, 1e100)])
@pytest.mark.parametrize("where", [lambda f: f, lambda f: lambda x: jax.lax.scan(lambda *_: (f(x), None), f(x), None, 2)[0]])
def test_tiny_parts_are_measured_before_they_are_multiplied(dtype, small, large, where):
    with jax.enable_x64(True):
        x = jnp.array([small, 2 * small, 4 * small, large], dtype)
        found = unbounded(where(normalized))(x).to_float()
        np.testing.assert_allclose(found, normalized(np.array([1.0, 2.0, 4.0])), rtol=1e-5)


def test_many_entries_may_be_added_to_one():
    def turn(x, count):
        y = jnp.broadcast_to(x[0], (count,))
        return y.at[jnp.zeros(count, int)].add(y)

    def run(x):
        for count in COUNTS:
            x = turn(x, count)
        return x

    found = unbounded(run)(jnp.ones(3, jnp.float32)).log10_abs()[0]
    np.testing.assert_allclose(found, np.sum(np.log10(1.0 + np.array(COUNTS))), rtol=1e-6)


def test_entries_of_ordinary_arguments_keep_their_squares():
    """Within 2^126 of the largest."""
    x = jnp.array([1e-6, 1e-20], jnp.float32)
    np.testing.assert_allclose(unbounded(jnp.square)(x).log10_abs(), [-12, -40], atol=1e-6)
