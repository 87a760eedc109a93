"""What is measured of a network held as arrays, as a frame."""

import jax.numpy as jnp
import numpy as np

import bench


def test_a_frame_has_the_rows_that_a_sweep_would_have():
    rng = np.random.default_rng(0)
    weights, x, readout = rng.normal(size=(3, 2, 2)), *rng.normal(size=(2, 2))
    norms = bench.gradient_norms(weights, "tanh", x=x, readout=readout, scales=[0.5, 1.0], depths=[2, 4])
    frame = norms.to_frame()
    values = ["log10_grad", "log10_delta", "log10_activation", "log10_weight", "log10_relative"]
    assert frame.columns.tolist() == ["depth", "scale", "layer", *values]
    assert len(frame) == 2 * (2 + 4)
    assert frame.notna().all(axis=None)
    for row in frame.itertuples():
        place = [2, 4].index(row.depth), [0.5, 1.0].index(row.scale), row.layer - 1
        for name in values:
            assert getattr(row, name) == getattr(norms, name)[place]


def test_what_layers_behind_the_last_compute_is_of_no_account():
    """There exp(exp(…)) leaves the range, and its slopes are infinite."""
    weights = np.ones((8, 2, 2))
    asked = {"activation": jnp.exp, "x": np.ones(2), "readout": np.ones(2), "depths": [2]}
    alone, found = (bench.gradient_norms(of, **asked) for of in (weights[:1], weights))
    np.testing.assert_array_equal(found.log10_grad, alone.log10_grad)
    expected = np.log10([2 * np.exp(2), np.sqrt(2) * np.exp(2)])  # ‖∂y/∂W_1‖ = ‖u exp(2)‖ ‖x‖, ‖∂y/∂u‖ = ‖h_1‖
    np.testing.assert_allclose(found.log10_grad[0, 0], expected, rtol=1e-6)
