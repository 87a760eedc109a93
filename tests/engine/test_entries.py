"""The spread of the entries of ∂loss/∂W_1: NumPy's quantiles of exact outer products in float64, and a real cast."""

import jax
import ml_dtypes
import numpy as np
import pytest

from bench.engine.entries import REACH, SHARES, STEPS, input_counts, spread_program
from bench.networks.batches import networks_of
from bench.networks.seeds import seed_mesh
from bench.networks.segments import segments_to
from tests.tolerance import run_frame

GRID = np.log10(2) / STEPS  # decades: an entry is moved by at most as much, and so is a quantile
COLUMNS = ["log10_entry_tenth", "log10_entry_median", "log10_entry_largest"]


def spread(delta, x):
    """What is measured of one δ [width] and x [width]: log10 of two quantiles and the largest, in units of ‖δ‖ ‖x‖."""
    mesh = seed_mesh(1)
    found = spread_program(mesh)(delta[None, None, None], input_counts(mesh, x[None]))
    return np.log10(2) * np.asarray(found, float)[:, 0, 0, 0]


def exact(delta, x):
    """The same of all products in float64."""
    products = np.abs(np.multiply.outer(delta.astype(float), x.astype(float)))
    products = products[products > 0] / np.linalg.norm(delta.astype(float)) / np.linalg.norm(x.astype(float))
    return np.log10([*np.quantile(products, SHARES, method="inverted_cdf"), products.max()])


@pytest.mark.parametrize("width", [1, 2, 7, 65])
@pytest.mark.parametrize("off", [0.0, 0.5])
@pytest.mark.parametrize("decades", [0.3, 6.0])
def test_quantiles_are_those_of_all_products(width, off, decades):
    """Entries over up to 20 decades, half of them exactly zero; at width 1 there is one."""
    rng = np.random.default_rng(width)
    delta, x = (rng.normal(size=width) * 10 ** (each * rng.normal(size=width)) for each in (decades / 2, decades / 6))
    delta[1:] *= rng.random(width - 1) >= off
    delta, x = (part.astype(np.float32) / np.float32(np.linalg.norm(part)) for part in (delta, x))
    assert np.abs(x).min() > 2.0 ** (-REACH / STEPS)
    np.testing.assert_allclose(spread(delta, x), exact(delta, x), rtol=0, atol=1.01 * GRID + 1e-6)


def test_zeros_of_the_input_are_left_out_too():
    delta, x = np.array([1.0, 1e-3, 0.0, 1e-6], np.float32), np.array([0.0, 2.0, 0.0, 0.02], np.float32)
    np.testing.assert_allclose(spread(delta, x), exact(delta, x), rtol=0, atol=GRID + 1e-6)


# phi and its derivative, which 1 - tanh² would lose where it is below 10^-16
FUNCTIONS = {
    "linear": (lambda z: z, np.ones_like),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    "tanh": (np.tanh, lambda z: np.cosh(z) ** -2.0),
}


def first_layer(name, key, width, scale, depths, dtype="float32", norm=1.0):
    """Depth → δ_1 of a sweep's network of seed 0, by back-propagation in float64; and its x, ``norm`` times as long."""
    with jax.enable_x64(dtype == "float64"):
        drawn = networks_of("gaussian", key=key, width=width, seeds=[0], dtype=dtype, mesh=seed_mesh(1), keep=False)
        segments = [drawn.segments(name)(index) for index in range(segments_to(max(depths)))]
        weights = scale * np.concatenate([np.asarray(segment.weights, float)[:, 0] for segment in segments])
        x, readout = (np.asarray(part, float)[0] for part in (drawn.inputs, drawn.readout))
    x = norm * x
    phi, slope = FUNCTIONS[name]
    h, slopes = x, []
    for matrix in weights:
        slopes.append(slope(matrix @ h))
        h = phi(matrix @ h)
    found = {}
    for depth in depths:
        found[depth] = readout * slopes[depth - 2]
        for layer in reversed(range(1, depth - 1)):
            found[depth] = weights[layer].T @ found[depth] * slopes[layer - 1]
    return found, x


@pytest.mark.parametrize(
    ("name", "width", "depth", "scale", "dtype"),
    [
        ("relu", 24, 30, 1.4, "float32"),  # half of the units are off, and so half of the entries exact zeros
        ("linear", 1, 5, 0.5, "float32"),
        ("tanh", 24, 2, 8.0, "float32"),  # saturated: slopes over 20 decades
        ("tanh", 16, 3, 25.0, "float64"),  # over 80
    ],
)
def test_a_sweep_has_the_quantiles_of_float64_outer_products(tmp_path, name, width, depth, scale, dtype):
    fields = {"activations": [name], "widths": [width], "depths": [2, depth], "scales": [scale], "dtype": dtype, "key": 5}
    cells = run_frame(tmp_path, seeds=1, layers=False, **fields)
    (found,) = cells.loc[cells.depth == depth, [*COLUMNS, "log10_grad_first"]].to_numpy()
    deltas, x = first_layer(name, 5, width, scale, [depth], dtype)
    delta = deltas[depth]
    norm = np.log10(np.linalg.norm(delta)) + np.log10(np.linalg.norm(x))
    assert name != "relu" or 0.2 < np.mean(delta == 0) < 0.8
    np.testing.assert_allclose(found[:3], exact(delta, x) + norm, rtol=0, atol=GRID + 1e-4)
    np.testing.assert_allclose(found[3], norm, rtol=0, atol=1e-4)


def test_no_gradient_has_no_entries_and_depth_two_its_readouts(tmp_path):
    """At scale 0 ∂y/∂W_1 is zero, or, at depth 2, u xᵀ whatever W_1 is."""
    cells = run_frame(tmp_path, activations=["linear"], depths=[2, 5], scales=[0.0, 1.0], widths=[16], seeds=2)
    cells = cells.set_index(["depth", "scale"]).sort_index()
    assert np.isneginf(cells.loc[(5, 0.0), COLUMNS]).all(axis=None)
    np.testing.assert_array_equal(cells.loc[(2, 0.0), COLUMNS], cells.loc[(2, 1.0), COLUMNS])
    assert np.isfinite(cells.loc[(2, 0.0), COLUMNS]).all(axis=None)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_of_the_entries_of_a_real_cast_are_zero_at_the_depth_of_the_median(tmp_path, dtype):
    """Linear networks at scale ½, whose entries lose 0.3 decades a layer, cast entry by entry, at every seventh depth."""
    width, scale = 16, 0.5
    depths = range(2, 180, 7) if dtype == "bfloat16" else range(2, 60, 3)
    cells = run_frame(tmp_path, activations=["linear"], depths=depths, scales=[scale], widths=[width], seeds=1, key=2)
    half = np.log10(float(ml_dtypes.finfo(dtype).smallest_subnormal)) - np.log10(2)

    deltas, x = first_layer("linear", 2, width, scale, depths)
    products = [np.multiply.outer(deltas[depth], x) for depth in depths]
    shares = np.array([np.mean(product.astype(dtype) == 0) for product in products])
    assert shares[0] == 0
    assert shares[-1] == 1
    cast = np.interp(0.5, shares, depths)
    measured = np.interp(-half, -cells.log10_entry_median, cells.depth)
    assert abs(measured - cast) < 0.1 * cast
    assert abs(np.interp(-half, -cells.log10_grad_first, cells.depth) - cast) > 2  # the norm's depth is another
