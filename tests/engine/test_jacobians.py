"""Singular values of J against closed forms, theory, NumPy on a float64 jax.jacobian, and mpmath where float64 ends."""

from functools import cache

import jax
import mpmath
import numpy as np
import pytest

from bench.engine.jacobians import isometry
from bench.networks.activations import ACTIVATIONS
from bench.networks.seeds import place, seed_mesh
from bench.networks.segments import LAYERS, Segment
from bench.theory import jacobian_spectrum
from tests.engine.plain import jacobian
from tests.tolerance import EXACT, STANDARD_ERRORS

FLOAT64 = {"rtol": 1e-9, "atol": 1e-9}  # a few layers of small matrices
KINDS = ("relu", "tanh", "gelu", "softplus")  # of each kind; that all have their values and slopes is of test_gradients
CONDITION = 1e-6  # absolute, of log10 σ_max / σ_min in float64


@cache
def drawn(kind, seeds, hidden, width, key=0):
    """Weights [seeds, hidden, n, n] and inputs [seeds, n] of norm √n."""
    rng = np.random.default_rng(key)
    weights = rng.normal(size=(seeds, hidden, width, width)) / np.sqrt(width)
    if kind == "orthogonal":
        q, r = np.linalg.qr(weights)
        weights = q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]
    inputs = rng.normal(size=(seeds, width))
    return weights, inputs * np.sqrt(width) / np.linalg.norm(inputs, axis=-1, keepdims=True)


def segments_of(mesh, weights, biases=None, dtype="float32"):
    """Index → Segment of weights [seeds, hidden, n, n] and biases [seeds, hidden, n]; zeros after the last layer."""
    seeds, hidden, width, _ = weights.shape
    biases = np.zeros((seeds, hidden, width)) if biases is None else biases

    def segment(index):
        window = slice(index * LAYERS, (index + 1) * LAYERS)
        missing = LAYERS - weights[:, window].shape[1]
        parts = (
            np.pad(part[:, window], ((0, 0), (0, missing), *[(0, 0)] * (part.ndim - 2))).swapaxes(0, 1).astype(dtype)
            for part in (weights, biases)
        )
        matrices, shifts = parts
        return place(mesh, Segment(matrices, np.zeros((LAYERS, seeds), dtype), shifts), 1)

    return segment


def measured(name, weights, inputs, *, biases=None, scales=(1.0,), depth=None, condition_depth=None, dtype="float32"):
    """Isometry of drawn networks; all of their layers unless ``depth`` is given, biases as they are."""
    depth = weights.shape[1] + 1 if depth is None else depth
    with jax.enable_x64(dtype == "float64"):
        mesh = seed_mesh(len(weights))
        return isometry(
            segments_of(mesh, weights, biases, dtype),
            place(mesh, inputs.astype(dtype), 0),
            mesh=mesh,
            activation=ACTIVATIONS[name],
            scales=np.array(scales),
            bias_stds=np.full(len(scales), 0.0 if biases is None else 1.0),
            depth=depth,
            condition_depth=min(depth, 64) if condition_depth is None else condition_depth,
        )


def reference(phi, weights, inputs, biases, scale):
    """(log10 mean λ², relative variance, ratio, log10 condition) from jax.jacobian in float64 and NumPy's SVD."""
    networks = zip(scale * weights, biases, inputs, strict=True)
    values = np.array([np.linalg.svd(jacobian(phi, *network))[1] for network in networks])
    squares = values**2
    mean = squares.mean(axis=-1)
    condition = np.log10(values[:, 0] / values[:, -1])
    return np.log10(mean), squares.var(axis=-1) / mean**2, values[:, 0] / np.sqrt(mean), condition


@pytest.mark.parametrize(
    ("name", "depth"),
    [(name, LAYERS + 2) for name in KINDS if name != "relu"] + [("tanh", depth) for depth in (2, 3, LAYERS + 1)],
)
def test_equals_the_svd_of_a_float64_jacobian(name, depth):
    weights, inputs = drawn("orthogonal", 2, LAYERS + 4, 8)
    biases = 0.1 * np.random.default_rng(5).normal(size=weights.shape[:3])
    scales = np.linspace(0.7, 1.3, 33 if name == "tanh" else 4)  # two tiles, or the rows of tests/engine/test_angles.py
    found = measured(name, weights, inputs, biases=biases, scales=scales, depth=depth, dtype="float64")
    for lane in (0, len(scales) // 2, -1):
        part = slice(0, depth - 1)
        exact = reference(ACTIVATIONS[name].function, weights[:, part], inputs, biases[:, part], scales[lane])
        for value, expected in zip(found[:3], exact[:3], strict=True):
            np.testing.assert_allclose(value[lane], expected, **FLOAT64)
        reliable = exact[3] < 8  # beyond, NumPy's smallest singular value is rounding
        np.testing.assert_allclose(found.log10_condition[lane][reliable], exact[3][reliable], rtol=0, atol=CONDITION)
    assert all(part.shape == (len(scales), 2) and part.dtype == float for part in found)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [0.25, 1.0, 4.0])
def test_linear_orthogonal_has_one_singular_value_at_any_depth(scale, dtype):
    """All λ = scale^(L-1), 10^±512 at depth 852: errors of an orthogonal matrix's rounding add up, 1e-6 a layer at most."""
    depth = 852
    weights, inputs = drawn("orthogonal", 2, depth - 1, 8)
    found = measured("linear", weights, inputs, scales=[scale], dtype=dtype)
    error = depth * EXACT[dtype]
    np.testing.assert_allclose(found.log10_mean, 2 * (depth - 1) * np.log10(scale), rtol=0, atol=error)
    np.testing.assert_allclose(found.relative_variance, 0, atol=error)
    np.testing.assert_allclose(found.ratio, 1, atol=error)
    np.testing.assert_allclose(found.log10_condition, 0, atol=64 * EXACT[dtype])


def test_linear_gaussian_moments_are_the_exact_ones_of_the_width():
    """E mean λ² = 1 and E mean λ⁴ = 1 + ``relative``, which counts the spread between networks as variance."""
    width, depth, seeds = 8, 5, 2000
    found = measured("linear", *drawn("gaussian", seeds, depth - 1, width))
    exact = jacobian_spectrum("linear", "gaussian", depth, width=width)
    mean = 10 ** found.log10_mean[0]
    fourth = (found.relative_variance[0] + 1) * mean**2
    for sample, expected in ((mean, exact.mean), (fourth, exact.variance + exact.mean**2)):
        assert abs(sample.mean() - expected) <= STANDARD_ERRORS * sample.std() / np.sqrt(seeds)
        assert sample.std() / np.sqrt(seeds) < 0.1 * expected


@pytest.mark.parametrize(("name", "scale"), [("relu", 2**0.5), ("tanh", 1.3)])
@pytest.mark.parametrize("kind", ["gaussian", "orthogonal"])
def test_wide_networks_follow_the_limit_of_infinite_width(kind, name, scale):
    """Means over seeds within 4 √(L / (n · seeds)) = 0.20."""
    width, depth, seeds = 192, 8, 16
    found = measured(name, *drawn(kind, seeds, depth - 1, width), scales=[scale], condition_depth=2)
    limit = jacobian_spectrum(name, kind, depth, scale=scale)
    tolerance = 4 * np.sqrt(depth / (width * seeds))
    np.testing.assert_allclose((10**found.log10_mean).mean(), limit.mean, rtol=tolerance)
    np.testing.assert_allclose(found.relative_variance.mean(), limit.relative, rtol=tolerance)


def test_float32_products_keep_their_digits_at_any_depth():
    """Against float64 on the same weights: 1e-6 a layer in log10, and the same shape of the largest singular values."""
    weights, inputs = drawn("gaussian", 2, 851, 8)
    weights = weights.astype("float32").astype(float)
    single, double = (
        measured("linear", weights, inputs, scales=[0.25, 1.0, 3.0], dtype=dtype) for dtype in ("float32", "float64")
    )
    np.testing.assert_allclose(single.log10_mean, double.log10_mean, rtol=0, atol=851 * EXACT["float32"])
    np.testing.assert_allclose(single.relative_variance, double.relative_variance, rtol=1e-4)
    np.testing.assert_allclose(single.ratio, double.ratio, rtol=1e-4)
    np.testing.assert_allclose(single.log10_condition, double.log10_condition, rtol=0, atol=CONDITION)
    assert double.log10_mean.min() < -1000
    assert double.log10_condition.min() > 30


@pytest.mark.parametrize(("scale", "ill"), [(1.0, 25), (4.0, 80), (20.0, 800)])
def test_the_condition_number_beyond_float64(scale, ill):
    """Depth 40, where σ_max / σ_min is 10^25 and more: mpmath multiplies J and takes its SVD with 1200 digits."""
    weights, inputs = drawn("gaussian", 1, 39, 6, key=3)
    found = measured("tanh", weights, inputs, scales=[scale], dtype="float64")
    with mpmath.workdps(1200):
        h, jacobian = mpmath.matrix(inputs[0].tolist()), mpmath.eye(6)
        for matrix in weights[0]:
            tangent = scale * mpmath.matrix(matrix.tolist())
            z = tangent * h
            h = z.apply(mpmath.tanh)
            jacobian = mpmath.diag([mpmath.sech(v) ** 2 for v in z]) * tangent * jacobian
        values = mpmath.svd_r(jacobian, compute_uv=False)
        condition = float(mpmath.log10(values[0] / values[5]))
        mean = sum(value**2 for value in values) / 6
        log10_mean, ratio = float(mpmath.log10(mean)), float(values[0] / mpmath.sqrt(mean))
    assert abs(found.log10_condition.item() - condition) < CONDITION
    assert abs(found.log10_mean.item() - log10_mean) < CONDITION
    assert abs(found.ratio.item() - ratio) < CONDITION
    assert condition > ill


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-11)])
@pytest.mark.parametrize("scale", [3.0, 1000.0])
def test_saturated_slopes_below_every_float_count(scale, dtype, tolerance):
    """At n = 2, σ_max / σ_min = σ_max² / |det J|, and log |det J| is a sum, of tanh' = 4 e^(-2|z|) / (1 + e^(-2|z|))²."""
    weights, inputs = drawn("gaussian", 3, 11, 2, key=1)
    found = measured("tanh", weights, inputs, scales=[scale], dtype=dtype)
    h, log_determinant = inputs, 22 * np.log(scale) + np.log(np.abs(np.linalg.det(weights))).sum(axis=1)
    for layer in range(11):
        z = scale * np.einsum("sij,sj->si", weights[:, layer], h)
        h = np.tanh(z)
        log_determinant += (np.log(4) - 2 * np.abs(z) - 2 * np.log1p(np.exp(-2 * np.abs(z)))).sum(axis=1)
    law = found.log10_mean[0] + 2 * np.log10(found.ratio[0]) - log_determinant / np.log(10)
    np.testing.assert_allclose(found.log10_condition[0], law, rtol=tolerance, atol=tolerance)
    assert law.max() > 0.5 * scale


def test_exact_zeros():
    """A dead unit makes J singular, a dead layer or scale 0 makes it zero; no other lane or seed is touched."""
    weights, inputs = drawn("gaussian", 2, 3, 8)
    found = measured("relu", weights, inputs, scales=[0.0, 1.0])
    assert np.isfinite(found.log10_mean[1]).all()
    assert np.isfinite(found.ratio[1]).all()
    assert (found.log10_condition == np.inf).all()
    for zero in (found, measured("relu", -np.abs(weights), np.abs(inputs))):
        assert (zero.log10_mean[0] == -np.inf).all()
        assert np.isnan(zero.ratio[0]).all()
        assert np.isnan(zero.relative_variance[0]).all()
        assert (zero.log10_condition[0] == np.inf).all()
    rank_1 = weights.copy()
    rank_1[1, 1] = np.outer(np.arange(8), np.ones(8))
    singular = measured("tanh", rank_1, inputs, scales=[1.0])
    np.testing.assert_array_equal(np.isinf(singular.log10_condition), [[False, True]])
    assert np.isfinite(singular.log10_mean).all()


@pytest.mark.parametrize("name", ["linear", "tanh"])
def test_width_1(name):
    weights, inputs = drawn("gaussian", 3, 1, 1)
    found = measured(name, weights, inputs, scales=[0.5, 2.0], depth=2)
    z = np.array([[0.5], [2.0]]) * (weights[:, 0, :, 0] * inputs)[:, 0]
    slope = 1 - np.tanh(z) ** 2 if name == "tanh" else np.ones_like(z)
    exact = 2 * np.log10(np.abs(slope * z / inputs[:, 0]))
    np.testing.assert_allclose(found.log10_mean, exact, rtol=0, atol=1e-6)
    for value, expected in zip(found[1:], (0.0, 1.0, 0.0), strict=True):
        np.testing.assert_allclose(value, expected, rtol=0, atol=1e-6)


def test_the_condition_depth_is_its_own():
    """Moments of depth 40 and the condition number of depth 18, each as if it were measured alone."""
    weights, inputs = drawn("gaussian", 2, 39, 8)
    both = measured("tanh", weights, inputs, depth=40, condition_depth=18)
    deep, shallow = (measured("tanh", weights, inputs, depth=depth) for depth in (40, 18))
    for value, expected in zip(both, (*deep[:3], shallow.log10_condition), strict=True):
        np.testing.assert_array_equal(value, expected)
    assert not np.allclose(deep.log10_condition, shallow.log10_condition)
    early = measured("tanh", weights, inputs, depth=18, condition_depth=40)
    np.testing.assert_array_equal(early.log10_mean, shallow.log10_mean)
    np.testing.assert_array_equal(early.log10_condition, deep.log10_condition)
