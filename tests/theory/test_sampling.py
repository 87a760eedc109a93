"""Networks without matrices, against matrices: the same law, and no end to depth and scale."""

import numpy as np
import pytest
from scipy.stats import ks_2samp, ortho_group

from bench import theory
from bench.theory.nonlinearities import NONLINEARITIES
from bench.theory.sampling import draw_networks
from tests.tolerance import assert_follows

SAMPLES = 3000
WIDTH, DEPTHS, WEIGHT_STD = 6, (2, 3, 6), 1.4


def multiplied(phi, orthogonal, bias_std, generator):
    """log10 of ‖∂y/∂W_1‖, |y| at DEPTHS and of ‖W_1‖, from matrices."""
    size = (SAMPLES, max(DEPTHS) - 1, WIDTH, WIDTH)
    if orthogonal:
        weights = ortho_group.rvs(WIDTH, size=SAMPLES * size[1], random_state=generator).reshape(size)
    else:
        weights = generator.standard_normal(size) / np.sqrt(WIDTH)
    weights = WEIGHT_STD * weights
    bias = bias_std * generator.standard_normal(size[:-1])
    x, u = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in generator.standard_normal((2, SAMPLES, WIDTH)))
    h, slopes, outputs = np.sqrt(WIDTH) * x, [], {}
    for layer in range(size[1]):
        z = (weights[:, layer] @ h[..., None])[..., 0] + bias[:, layer]
        h = phi.function(z)
        slopes.append(phi.slope(z))
        outputs[layer + 2] = np.abs((u * h).sum(axis=1))
    grads = []
    for depth in DEPTHS:
        delta = slopes[depth - 2] * u
        for layer in reversed(range(depth - 2)):
            delta = slopes[layer] * (np.swapaxes(weights[:, layer + 1], 1, 2) @ delta[..., None])[..., 0]
        grads.append(np.linalg.norm(delta, axis=1) * np.sqrt(WIDTH))
    numbers = np.stack(grads, axis=1), np.stack([outputs[depth] for depth in DEPTHS], axis=1)
    return theory.Draws(*(np.log10(part) for part in (*numbers, np.linalg.norm(weights[:, 0], axis=(1, 2)))))


@pytest.mark.parametrize("orthogonal", [False, True], ids=["gaussian", "orthogonal"])
@pytest.mark.parametrize(("activation", "bias_std"), [("tanh", 0.0), ("tanh", 0.5), ("gelu", 0.3), ("leaky_relu", 0.0)])
def test_draws_have_the_law_of_matrices(activation, bias_std, orthogonal):
    """Kolmogorov-Smirnov, for each number and for what ties depths, gradients, outputs and weights to each other."""
    generator = np.random.default_rng(7)
    fields = {"width": WIDTH, "depths": DEPTHS, "weight_std": WEIGHT_STD, "samples": SAMPLES, "bias_std": bias_std}
    drawn = draw_networks(activation, **fields, orthogonal=orthogonal, generator=generator)
    matrices = multiplied(NONLINEARITIES[activation], orthogonal, bias_std, generator)
    for name, of in {
        "gradient": lambda d: d.log10_grad_first[:, -1],
        "gradient at depth 3": lambda d: d.log10_grad_first[:, 1],
        "output": lambda d: d.log10_output[:, -1],
        "two depths": lambda d: d.log10_grad_first[:, 2] - d.log10_grad_first[:, 1],
        "far depths": lambda d: d.log10_grad_first[:, 2] + d.log10_grad_first[:, 0],
        "relative": lambda d: d.log10_relative_first[:, -1],
        "relative at depth 2": lambda d: d.log10_relative_first[:, 0],
    }.items():
        assert ks_2samp(of(drawn), of(matrices)).pvalue > 1e-3, name


@pytest.mark.parametrize("orthogonal", [False, True], ids=["gaussian", "orthogonal"])
@pytest.mark.parametrize(("activation", "negative_slope"), [("linear", 1.0), ("relu", 0.0), ("leaky_relu", 0.01)])
def test_draws_have_the_exact_law(activation, negative_slope, orthogonal):
    """Its mean and variance, at depths 2 and 20 and of the slope between them."""
    width, depths, fields = 24, (2, 20), {"negative_slope": negative_slope, "orthogonal": orthogonal}
    generator = np.random.default_rng(3)
    drawn = draw_networks(
        activation, width=width, depths=depths, weight_std=1.3, samples=2000, orthogonal=orthogonal, generator=generator
    )
    grad = drawn.log10_grad_first
    alive = np.isfinite(grad).all(axis=1)
    for column, depth in enumerate(depths):
        law = theory.gradient_law(width, depth, 1.3, **fields)
        assert_follows(grad[alive, column], law.mean, law.variance)
    slope = theory.slope_law(width, depths[1], 1.3, **fields)
    assert_follows((grad[alive, 1] - grad[alive, 0]) / 18, slope.mean, slope.variance)


def draw(activation, **fields):
    chosen = {"width": 16, "depths": (2, 600), "weight_std": 1.0, "samples": 8} | fields
    return draw_networks(activation, **chosen, generator=np.random.default_rng(0))


@pytest.mark.parametrize("weight_std", [1e-40, 1e40])
def test_any_depth_and_scale(weight_std):
    """Homogeneous activations multiply by σ in every layer; GELU is z/2 at short lengths, ReLU at long ones."""
    decades = np.log10(weight_std)
    for like, activation in {"leaky_relu": "leaky_relu", "gelu": "linear" if decades < 0 else "relu"}.items():
        at_one, at_scale = draw(activation, width=64), draw(like, width=64, weight_std=weight_std)
        halved = np.log10(0.5) if like == "gelu" and decades < 0 else 0.0
        layers = np.array([1, 599])
        expected = at_one.log10_grad_first + (layers - 1) * decades + layers * halved
        np.testing.assert_allclose(at_scale.log10_grad_first, expected, rtol=1e-9)
        np.testing.assert_allclose(at_scale.log10_output, at_one.log10_output + layers * (decades + halved), rtol=1e-9)


def test_a_longer_input_is_a_larger_gradient():
    longer = draw("relu", input_norm=100.0)
    np.testing.assert_allclose(longer.log10_grad_first, draw("relu").log10_grad_first + 2, rtol=1e-9)
    assert not np.allclose(draw("gelu", input_norm=100.0).log10_grad_first, draw("gelu").log10_grad_first + 2, atol=0.1)


def test_a_network_of_one_neuron_and_more_depths_than_neurons():
    one = draw("linear", width=1, depths=(2, 3, 7), weight_std=0.5, orthogonal=True)
    np.testing.assert_allclose(one.log10_grad_first, np.tile(np.array([0, 1, 5]) * np.log10(0.5), (8, 1)))
    np.testing.assert_allclose(one.log10_relative_first, 0, atol=1e-12)
    two = draw("linear", width=2, depths=(2, 3, 4, 5, 6), orthogonal=True)
    np.testing.assert_allclose(two.log10_grad_first, np.log10(2) / 2, atol=1e-9)
