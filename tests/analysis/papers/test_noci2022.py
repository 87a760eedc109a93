"""Gradients of uniform attention, written out, are those of JAX; queries of identical positions have none."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from analysis.papers.noci2022 import uniform_attention

LAYERS, LENGTH, WIDTH = 2, 3, 4


def drawn():
    random = np.random.default_rng(0)
    keys, mixes = random.standard_normal((2, LAYERS, WIDTH, WIDTH))
    return random.standard_normal((LENGTH, WIDTH)), keys, mixes, random.standard_normal(WIDTH)


@pytest.mark.parametrize("normalized", [False, True])
def test_gradients_are_those_of_jax(normalized):
    x, keys, mixes, readout = (jnp.asarray(each, jnp.float32) for each in drawn())

    def output(queries, mixes):
        h = x
        for query, key, mix in zip(queries, keys, mixes, strict=True):
            h = h + jax.nn.softmax(h @ query @ (h @ key).T / WIDTH**0.5) @ h @ mix
            h = jax.nn.standardize(h, epsilon=0) if normalized else h
        return h[-1] @ readout

    gradients = jax.grad(output, (0, 1))(jnp.zeros_like(mixes), mixes)
    found = uniform_attention(*drawn(), normalized=normalized)
    for place, gradient in enumerate(gradients, 1):
        expected = np.log10([np.linalg.norm(each) for each in gradient])
        np.testing.assert_allclose([row[place] for row in found], expected, atol=1e-4)


def test_queries_have_no_gradient_where_positions_are_the_same():
    x, keys, mixes, readout = drawn()
    x = x[:1] + 1e-9 * x
    found = uniform_attention(x, keys, mixes, readout, normalized=True)
    assert all(query < value - 14 for _, query, value in found)
