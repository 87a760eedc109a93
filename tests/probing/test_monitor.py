"""Norms of gradients in an optax chain."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

import bench


def test_it_keeps_norms_whose_squares_no_float_holds_and_changes_nothing():
    gradients = {
        "small": jnp.full((4,), 1e-30),
        "large": jnp.full((4,), 1e30),
        "zero": jnp.zeros(3),
        "half": jnp.ones(4, jnp.float16),
    }
    optimizer = optax.chain(bench.gradient_monitor(), optax.scale(-1.0))
    state = optimizer.init(gradients)
    assert all(np.isnan(norm) for norm in jax.tree.leaves(state[0].log10_norms))
    updates, state = jax.jit(optimizer.update)(gradients, state)
    found = state[0].log10_norms
    expected = {"small": -30 + np.log10(2), "large": 30 + np.log10(2), "zero": -np.inf, "half": np.log10(2)}
    for name, norm in expected.items():
        np.testing.assert_allclose(found[name], norm, rtol=0, atol=1e-4)
        np.testing.assert_array_equal(updates[name], -gradients[name])
