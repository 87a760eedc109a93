"""Cosines of two inputs' pre-activations and gradients: exact laws, theory at width 1024, and float64 jax.grad."""

import jax
import numpy as np
import pytest

from bench.engine.angles import angles, partner
from bench.networks.activations import ACTIVATIONS
from bench.networks.seeds import place, seed_mesh
from bench.networks.segments import LAYERS
from bench.theory import gradient_correlation
from tests.engine.plain import plain
from tests.engine.test_jacobians import KINDS, drawn, segments_of

FLOAT32 = {"rtol": 0, "atol": 2e-6}  # of a cosine, a few layers of rounding


def measured(name, weights, inputs, correlation, *, biases=None, scales=(1.0,), bias_stds=None, depth=None, dtype="float32"):
    """Angles of drawn networks, with readouts and partners of the inputs from a fixed key; and those two."""
    rng = np.random.default_rng(99)
    readout, directions = rng.normal(size=(2, *inputs.shape))
    others = partner(inputs, directions, correlation)
    with jax.enable_x64(dtype == "float64"):
        mesh = seed_mesh(len(weights))
        found = angles(
            segments_of(mesh, weights, biases, dtype),
            *(place(mesh, part.astype(dtype), 0) for part in (inputs, others, readout)),
            mesh=mesh,
            activation=ACTIVATIONS[name],
            scales=np.array(scales),
            bias_stds=np.zeros(len(scales)) if bias_stds is None else np.array(bias_stds),
            depth=weights.shape[1] + 1 if depth is None else depth,
        )
    return found, others, readout


@pytest.mark.parametrize("correlation", [-1.0, -0.3, 0.0, 0.999, 1.0])
def test_a_partner_is_as_long_and_at_the_angle(correlation):
    _, inputs = drawn("gaussian", 3, 1, 7)
    other = partner(inputs, np.random.default_rng(1).normal(size=inputs.shape), correlation)
    np.testing.assert_allclose(np.sum(other * inputs, axis=-1), 7 * correlation, atol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(other, axis=-1), np.sqrt(7))
    if correlation == 1:
        np.testing.assert_array_equal(other, inputs)


@pytest.mark.parametrize("name", ["linear", "tanh", "relu", "gelu"])
def test_equal_inputs_stay_equal(name):
    """Exactly, at 10^-400 and 10^+400, and NaN only where the gradient is zero."""
    weights, inputs = drawn("gaussian", 2, 400, 16)
    found, _, _ = measured(name, np.abs(weights), np.abs(inputs), 1.0, scales=[0.02, 1.0, 30.0])
    np.testing.assert_array_equal(found.forward, 1.0)
    np.testing.assert_array_equal(found.backward[:2], 1.0)
    assert found.backward.shape == (3, 2, 400)


@pytest.mark.parametrize("scale", [0.25, 1.0, 4.0])
def test_linear_networks_keep_angles(scale):
    """Orthogonal weights keep that of the inputs, to 1e-7 a layer; gradients do not depend on the input at all."""
    weights, inputs = drawn("orthogonal", 2, 851, 16)
    found, _, _ = measured("linear", weights, inputs, 0.6, scales=[scale])
    np.testing.assert_allclose(found.forward, 0.6, rtol=0, atol=851 * 1e-7)
    np.testing.assert_array_equal(found.backward, 1.0)


@pytest.mark.parametrize(
    ("name", "depth"), [(name, LAYERS + 2) for name in KINDS] + [("tanh", depth) for depth in (2, LAYERS + 1, 21)]
)
def test_equals_float64_jax_grad(name, depth):
    weights, inputs = drawn("gaussian", 2, 20, 8)
    biases = np.random.default_rng(5).normal(size=weights.shape[:3])
    scales, bias_stds = [0.6, 1.2], [0.3, 0.1]
    found, others, readout = measured(
        name, weights, inputs, 0.7, biases=biases, scales=scales, bias_stds=bias_stds, depth=depth, dtype="float64"
    )

    def cosine(a, b):
        with np.errstate(invalid="ignore"):
            return np.sum(a * b, axis=-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))

    part = slice(0, depth - 1)
    for lane, (scale, std) in enumerate(zip(scales, bias_stds, strict=True)):
        for seed in range(2):
            one, other = (
                plain(
                    ACTIVATIONS[name].function,
                    scale * weights[seed, part],
                    std * biases[seed, part],
                    x[seed],
                    readout[seed],
                )
                for x in (inputs, others)
            )
            np.testing.assert_allclose(found.forward[lane, seed], cosine(one.z, other.z), rtol=0, atol=1e-9)
            np.testing.assert_allclose(found.backward[lane, seed], cosine(one.delta, other.delta), rtol=0, atol=1e-9)


@pytest.mark.parametrize("correlation", [0.9, 0.2])
@pytest.mark.parametrize(("name", "lanes"), [("relu", [(2**0.5, 0.0), (2.0, 0.3)]), ("tanh", [(1.5, 0.0), (2.5, 0.2)])])
def test_wide_networks_follow_theory(name, lanes, correlation):
    """Width 512, 4 seeds: one network is within 0.15 of the limit or so, hence their mean within 0.1 at every layer."""
    width, depth, seeds = 512, 12, 4
    weights, inputs = drawn("gaussian", seeds, depth - 1, width, key=1)
    biases = np.random.default_rng(5).normal(size=weights.shape[:3])
    scales, bias_stds = zip(*lanes, strict=True)
    found, _, _ = measured(name, weights, inputs, correlation, biases=biases, scales=scales, bias_stds=bias_stds)
    for lane, (scale, bias_std) in enumerate(lanes):
        limit = gradient_correlation(name, scale, bias_std, depth, correlation)
        np.testing.assert_allclose(found.forward[lane].mean(axis=0), limit.forward, rtol=0, atol=0.1)
        np.testing.assert_allclose(found.backward[lane].mean(axis=0), limit.backward, rtol=0, atol=0.1)
        assert np.ptp(limit.forward) + np.ptp(limit.backward) > 0.5


def test_float32_equals_float64_where_rounding_does_not_grow():
    weights, inputs = drawn("gaussian", 2, 30, 16)
    single, double = (measured("tanh", weights, inputs, 0.5, scales=[0.5, 1.0], dtype=d)[0] for d in ("float32", "float64"))
    np.testing.assert_allclose(single.forward, double.forward, **FLOAT32)
    np.testing.assert_allclose(single.backward, double.backward, **FLOAT32)


def test_a_dead_layer_has_no_angle():
    weights, inputs = drawn("gaussian", 2, 4, 16)
    weights = weights.copy()
    weights[1, 2] = -np.abs(weights[1, 2])
    found, _, _ = measured("relu", weights, inputs, 0.5)
    assert np.isfinite(found.forward[0, 0]).all()
    assert np.isfinite(found.backward[0, 0]).all()
    np.testing.assert_array_equal(np.isnan(found.forward[0, 1]), [False, False, False, True])
    assert np.isnan(found.backward[0, 1]).all()
