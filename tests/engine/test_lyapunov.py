"""Lyapunov exponents against their exact law for Gaussian weights, NumPy's QR in float64, and isometries."""

import re

import jax
import numpy as np
import pytest
from scipy.special import digamma, polygamma

from bench.arithmetic.extended import Split
from bench.engine.lyapunov import lyapunov_exponents, stretch_program
from bench.networks.activations import ACTIVATIONS
from bench.networks.seeds import place, seed_mesh
from bench.networks.segments import LAYERS, Segment
from tests.engine.test_jacobians import drawn, segments_of
from tests.tolerance import EXACT, STANDARD_ERRORS


def exponents(name, weights, inputs, *, scales=(1.0,), depth=None, count=None, dtype="float32"):
    """Those of drawn networks; of all their layers unless ``depth`` is given."""
    with jax.enable_x64(dtype == "float64"):
        mesh = seed_mesh(len(weights))
        return lyapunov_exponents(
            segments_of(mesh, weights, None, dtype),
            place(mesh, inputs.astype(dtype), 0),
            mesh=mesh,
            activation=ACTIVATIONS[name],
            scales=np.array(scales),
            bias_stds=np.zeros(len(scales)),
            depth=weights.shape[1] + 1 if depth is None else depth,
            count=weights.shape[2] if count is None else count,
        )


@pytest.mark.parametrize("scale", [0.25, 4.0])
def test_an_isometry_has_one_exponent_at_any_depth(scale):
    """All are log10 of the scale, in networks that shrink or grow lengths by 10^512."""
    found = exponents("linear", *drawn("orthogonal", 2, 851, 8), scales=[scale])
    np.testing.assert_allclose(found, np.log10(scale), rtol=0, atol=EXACT["float32"])


@pytest.mark.thorough
def test_gaussian_layers_follow_newmans_law():
    """λ_i = Σ log10 χ_{n-i+1} / √n: mean ½ (ψ((n-i+1)/2) + ln (2/n)), variance ¼ ψ'((n-i+1)/2) / (L-1), independent."""
    width, hidden, seeds = 6, 40, 500
    found = exponents("linear", *drawn("gaussian", seeds, hidden, width))[0] * np.log(10)
    freedom = width - np.arange(width)
    mean = (digamma(freedom / 2) + np.log(2 / width)) / 2
    variance = polygamma(1, freedom / 2) / 4 / hidden
    assert (np.abs(found.mean(axis=0) - mean) < STANDARD_ERRORS * np.sqrt(variance / seeds)).all()
    np.testing.assert_allclose(found.var(axis=0, ddof=1), variance, rtol=STANDARD_ERRORS * np.sqrt(2 / seeds))
    together = np.corrcoef(found.T) - np.eye(width)
    assert np.abs(together).max() < STANDARD_ERRORS * 1.2 / np.sqrt(seeds)


@pytest.mark.parametrize("name", ["tanh", *(pytest.param(n, marks=pytest.mark.thorough) for n in ("relu", "gelu"))])
def test_frames_are_those_of_numpy_in_float64(name):
    """J applied to the same frame: the sum of the first i exponents is log10 of the volume that J gives its i columns."""
    weights, inputs = drawn("gaussian", 1, 20, 24)
    count, depth, scale = 2, 18, 1.4
    found = exponents(name, weights, inputs, scales=[scale], depth=depth, count=count, dtype="float64")[0, 0]
    frame = np.linalg.qr(np.random.default_rng(0).normal(size=(24, count)))[0]
    with jax.enable_x64(True):
        phi = jax.jit(jax.vmap(jax.value_and_grad(ACTIVATIONS[name].function)))
        h = inputs[0]
        for matrix in scale * weights[0, : depth - 1]:
            h, slope = (np.asarray(part) for part in phi(matrix @ h))
            frame = slope[:, None] * (matrix @ frame)
    volumes = [np.linalg.slogdet(frame[:, :size].T @ frame[:, :size])[1] / 2 / np.log(10) for size in (1, 2)]
    np.testing.assert_allclose(np.cumsum(found) * (depth - 1), volumes, rtol=1e-7)


def test_what_is_lost_is_lost():
    """A unit that is off everywhere, a scale of 0, and a rank that is too low: -inf, and no neighbour is touched."""
    weights, inputs = drawn("gaussian", 2, 3, 8)
    found = exponents("linear", weights, inputs, scales=[0.0, 1.0])
    assert (found[0] == -np.inf).all()
    assert np.isfinite(found[1]).all()
    off = exponents("relu", weights, inputs)[0]
    ranks = np.isfinite(off).sum(axis=1)
    assert (ranks < 8).all()
    weights[1, 1] = np.outer(np.arange(8), np.ones(8))
    low = exponents("linear", weights, inputs)[0]
    assert np.isfinite(low[0]).all()
    assert np.isfinite(low[1]).sum() == 1


@pytest.mark.parametrize("name", ["linear", "tanh"])
def test_width_1_has_the_one_exponent_of_its_slopes(name):
    weights, inputs = drawn("gaussian", 3, 1, 1)
    found = exponents(name, weights, inputs, scales=[0.5, 2.0])
    z = np.array([[0.5], [2.0]]) * (weights[:, 0, :, 0] * inputs)[:, 0]
    slope = 1 - np.tanh(z) ** 2 if name == "tanh" else np.ones_like(z)
    np.testing.assert_allclose(found[..., 0], np.log10(np.abs(slope * z / inputs[:, 0])), rtol=0, atol=1e-6)


def test_lapack_gets_one_matrix_at_a_time():
    """Of several it waits, in jaxlib 0.10, for threads of XLA's own pool, and two devices waited for one another forever."""
    mesh = seed_mesh(2)
    seeds, lanes, width, count = 2 * mesh.size, 3, 8, 2

    def numbers(*shape):
        return jax.ShapeDtypeStruct(shape, np.float32)

    segment = Segment(numbers(LAYERS, seeds, width, width), numbers(LAYERS, seeds), numbers(LAYERS, seeds, width))
    slopes = Split(numbers(LAYERS, seeds, lanes, width), numbers(LAYERS, seeds, lanes, width))
    program = jax.make_jaxpr(stretch_program(mesh))(segment, slopes, numbers(seeds, lanes, width, count), np.int32(1))
    assert re.findall(r"(f32\[[\d,]+\]) \w+:f32\[[\d,]+\] = qr\[", str(program)) == [f"f32[{width},{count}]"]
