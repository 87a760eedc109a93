"""Relative gradients ‖∂loss/∂W_l‖ ‖W_l‖ / |loss|: free of the weights' scale, an exact law, and float64 jax.grad."""

import jax
import numpy as np
import pytest
from scipy.special import digamma, polygamma

import bench
from bench.networks.activations import ACTIVATIONS
from tests.engine.test_gradients import network, reference
from tests.tolerance import EXACT, FLOAT64_GRAD, assert_follows, run_frame

DEPTH, WIDTH = 852, 16
SCALES = [0.5, 1.0, 1.5]
SCALE_FREE = 1e-10  # decades, of float64 on the host; what passes through float32 has one value for all scales


@pytest.mark.parametrize("name", ["linear", "relu", "leaky_relu"])
def test_without_biases_they_do_not_depend_on_the_scale(name):
    """Euler: ⟨∂y/∂W_l, W_l⟩ = y, at 10^-250 and at 10^+150; so by Cauchy and Schwarz they are never below 1."""
    weights, x, readout, _ = network(width=WIDTH, hidden=DEPTH - 1, seed=1)
    found = bench.gradient_norms(weights * np.sqrt(2), name, x=x, readout=readout, scales=SCALES)
    relative = found.log10_relative[0]
    assert np.isfinite(relative).all()
    assert np.ptp(found.log10_grad[0, :, 0]) > 400
    assert np.ptp(relative, axis=0).max() < SCALE_FREE
    assert relative.min() > -DEPTH * EXACT["float32"]


@pytest.mark.thorough
def test_no_unit_of_48_networks_is_on_at_one_scale_and_off_at_another(tmp_path):
    """With the scale in float32 arithmetic, one ReLU network in 16 of this width differed by up to 0.009 decades."""
    fields = {"activations": ["relu"], "scales": SCALES, "widths": [64], "depths": [DEPTH], "seeds": 48}
    layers = run_frame(tmp_path, kind="layers", **fields)
    relative = layers.pivot(index=["seed", "layer"], columns="scale", values="log10_relative").to_numpy()
    assert relative.shape == (48 * DEPTH, len(SCALES))
    assert np.ptp(relative, axis=1).max() < SCALE_FREE


def test_gaussian_linear_networks_follow_their_exact_law(tmp_path):
    """(|y| / ‖g_l‖‖W_l‖)² is cos² of W_l, isotropic in n² dimensions, with an independent g_l: Beta(½, (n² - 1)/2)."""
    width, depths = 3, (2, 5, 30)
    fields = {"initializers": ["gaussian"], "activations": ["linear"], "scales": [0.7], "widths": [width]}
    layers = run_frame(tmp_path, kind="layers", depths=depths, seeds=1024, key=3, **fields)
    for depth in depths:
        for layer in {1, depth // 2, depth - 1, depth}:
            values = layers[(layers.depth == depth) & (layers.layer == layer)].log10_relative.to_numpy()
            size = width if layer == depth else width**2
            mean = digamma(0.5) - digamma(size / 2)
            assert_follows(-2 * np.log(10) * values, mean, float(polygamma(1, 0.5) - polygamma(1, size / 2)))


@pytest.mark.parametrize(("name", "loss", "bias_std"), [("tanh", "mse", 0.3), ("relu", "output", 0.0), ("gelu", "mse", 0.0)])
def test_equals_float64_jax_grad(name, loss, bias_std):
    weights, x, readout, biases = network(bias_std=bias_std)
    scale, phi = 1.2, ACTIVATIONS[name].function
    found = bench.gradient_norms(
        weights, name, x=x, readout=3 * readout, biases=biases, scales=[scale], loss=loss, dtype="float64"
    )
    with jax.enable_x64(True):
        h = x
        for matrix, bias in zip(weights, biases, strict=True):
            h = phi(scale * matrix @ h + bias)
        y = float(3 * readout @ h)
        grad = reference(phi, loss, scale * weights, biases, x, 3 * readout)
    sizes = np.log10(np.append(scale * np.linalg.norm(weights, axis=(1, 2)), 3))
    value = np.log10(abs(y) if loss == "output" else (y - 1) ** 2 / 2)
    np.testing.assert_allclose(found.log10_weight[0, 0], sizes, rtol=0, atol=FLOAT64_GRAD)
    np.testing.assert_allclose(found.log10_relative[0, 0], grad + sizes - value, rtol=0, atol=FLOAT64_GRAD)


def test_weights_of_any_magnitude_have_their_norm():
    weights, x, readout, _ = network()
    norms = np.log10(np.linalg.norm(weights, axis=(1, 2)))
    for exponent in (-1000, 0, 1000):
        found = bench.gradient_norms(weights * 2.0**exponent, "linear", x=x, readout=readout, scales=[0.5])
        expected = norms + (exponent - 1) * np.log10(2)
        np.testing.assert_allclose(found.log10_weight[0, 0, :-1], expected, rtol=1e-6, atol=1e-6)


def test_a_dead_network_has_no_relative_gradient(tmp_path):
    """0/0, and at scale 0 and depth 2, where a gradient is left, ‖g‖/‖W‖ without end."""
    cells = run_frame(tmp_path, activations=["linear"], depths=[2, 5], scales=[0.0], seeds=1)
    assert cells.log10_relative_first.isna().all()
    assert np.isposinf(cells.log10_grad_per_weight_first[cells.depth == 2]).all()
