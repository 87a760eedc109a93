"""Parts of one array, and sums of these, share its exponent: nothing is measured between them, and nothing is lost."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bench.arithmetic.number import Extended
from bench.arithmetic.unbounded import unbounded

X = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)
TINY_PARTS = X * np.float32(2.0) ** np.array([0, -60, -120])[:, None]
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
    return str(jax.make_jaxpr(unbounded(function))(x)).count("name=exponent_of_largest")


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
