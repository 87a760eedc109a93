"""Two inputs in a sweep: float64 back-propagation of the same networks, theory at great width, and what has no angle."""

import jax
import numpy as np
import pytest

import bench
from bench.engine.angles import partner
from bench.networks.batches import networks_of
from bench.networks.seeds import seed_mesh
from bench.networks.segments import segments_to
from bench.settings.errors import SweepError
from bench.theory import gradient_correlation
from tests.engine.test_entries import FUNCTIONS
from tests.tolerance import run_frame

DEPTHS = (2, 5, 20)


def cosine(first, second):
    return first @ second / np.linalg.norm(first) / np.linalg.norm(second)


def by_hand(name, width, scale, correlation, norm):
    """For each depth cos(z_{L-1}, z'_{L-1}) and cos(δ_1, δ_1') of seed 0 of key 6, layer after layer in float64."""
    with jax.enable_x64(True):
        drawn = networks_of("gaussian", key=6, width=width, seeds=[0], dtype="float64", mesh=seed_mesh(1), keep=False)
        segments = [drawn.segments(name)(index) for index in range(segments_to(max(DEPTHS)))]
        weights = scale * np.concatenate([np.asarray(segment.weights)[:, 0] for segment in segments])
        x, readout = np.asarray(drawn.inputs), np.asarray(drawn.readout)[0]
    phi, slope = FUNCTIONS[name]
    found = []
    for start in (x[0], partner(x, drawn.directions(), correlation)[0]):
        h, z = norm * start, []
        for matrix in weights:
            z.append(matrix @ h)
            h = phi(z[-1])
        gradients = {}
        for depth in DEPTHS:
            delta = readout * slope(z[depth - 2])
            for layer in reversed(range(1, depth - 1)):
                delta = weights[layer].T @ delta * slope(z[layer - 1])
            gradients[depth] = delta
        found.append((z, gradients))
    (z, gradients), (others, other_gradients) = found
    last = [cosine(z[depth - 2], others[depth - 2]) for depth in DEPTHS]
    return np.transpose([last, [cosine(gradients[depth], other_gradients[depth]) for depth in DEPTHS]])


@pytest.mark.parametrize("name", [pytest.param("relu", marks=pytest.mark.thorough), "tanh"])
def test_equals_float64_back_propagation_at_every_depth(tmp_path, name):
    width, scale, norms, correlations = 14, 1.5, (1.0, 3.0), (-0.4, 0.9)
    fields = {"activations": [name], "scales": [0.6, scale], "widths": [width], "depths": DEPTHS, "seeds": 1, "key": 6}
    fields |= {"input_norms": norms, "correlations": correlations, "dtype": "float64", "layers": False}
    rows = run_frame(tmp_path, kind="pairs", **fields)
    assert len(rows) == len(run_frame(tmp_path, **fields)) * len(correlations)
    for norm in norms:
        for correlation in correlations:
            at = rows[(rows.scale == scale) & (rows.input_norm == norm) & (rows.correlation == correlation)]
            assert at.depth.tolist() == list(DEPTHS)
            exact = by_hand(name, width, scale, correlation, norm)
            np.testing.assert_allclose(at[["cosine_last", "cosine_grad_first"]], exact, rtol=0, atol=1e-9)


@pytest.mark.thorough
def test_wide_he_networks_merge_inputs_as_theory_says(tmp_path):
    """Width 512, 4 seeds: a mean within 0.1 of the limit n → ∞, where 1 - c falls as 9π²/(2 l²) and gradients part."""
    depths, correlation = (2, 6, 20), 0.3
    fields = {"initializers": ["he_gaussian"], "activations": ["relu"], "widths": [512], "scales": [1.0], "seeds": 4}
    rows = run_frame(tmp_path, kind="pairs", depths=depths, correlations=[correlation], layers=False, **fields)
    means = rows.groupby("depth")[["cosine_last", "cosine_grad_first"]].mean()
    limits = [gradient_correlation("relu", 2**0.5, 0.0, depth, correlation) for depth in depths]
    np.testing.assert_allclose(means.cosine_last, [limit.forward[-1] for limit in limits], rtol=0, atol=0.1)
    np.testing.assert_allclose(means.cosine_grad_first, [limit.backward[0] for limit in limits], rtol=0, atol=0.1)
    assert means.cosine_last[20] > 0.9 > 0.6 > means.cosine_grad_first[20]


@pytest.mark.thorough
def test_a_zero_vector_and_an_undefined_scheme_have_no_angle(tmp_path):
    fields = {"widths": [8], "depths": [2, 5], "seeds": 2, "correlations": [0.5, 1.0]}
    rows = run_frame(tmp_path, "zero", kind="pairs", activations=["relu", "tanh"], scales=[0.0, 1.0], **fields)
    zero = rows[rows.scale == 0]
    assert zero.cosine_last.isna().all()
    has_gradient = (zero.activation == "tanh") & (zero.depth == 2)  # phi'(0) u, for any input
    assert zero.cosine_grad_first[~has_gradient].isna().all()
    assert (zero.cosine_grad_first[has_gradient] == 1).all()
    assert (rows[(rows.scale == 1) & (rows.correlation == 1)].cosine_last == 1).all()
    undefined = run_frame(tmp_path, "none", kind="pairs", initializers=["critical"], activations=["softplus"], **fields)
    assert undefined[["cosine_last", "cosine_grad_first"]].isna().all(axis=None)


@pytest.mark.parametrize("sign", [-1, pytest.param(1, marks=pytest.mark.thorough)])
def test_a_correlation_next_to_one_is_kept(tmp_path, sign):
    """An orthogonal network keeps it: 1 - 1e-10 is no float32, but the angle between two vectors of float32 is."""
    fields = {"initializers": ["orthogonal"], "activations": ["linear"], "widths": [8], "depths": [2], "seeds": 2}
    rows = run_frame(tmp_path, kind="pairs", scales=[0.6, 1.0], correlations=[sign * (1 - 1e-10)], **fields)
    assert (rows.correlation == sign * (1 - 1e-10)).all()
    np.testing.assert_allclose(1 - sign * rows.cosine_last, 1e-10, rtol=0.05)
    with pytest.raises(SweepError, match=r"^correlations: got -?0.9999.*, expected .* 1e-12 .* dtype float64"):
        bench.Sweep(correlations=[sign * (1 - 1e-13)])
    assert bench.Sweep(correlations=[sign * (1 - 1e-13)], dtype="float64")


def test_one_neuron_has_no_angles_but_two():
    assert bench.Sweep(widths=(1,), correlations=(1.0, -1.0)).correlations == (-1.0, 1.0)
    with pytest.raises(SweepError, match=r"^correlations: got 0.5, expected -1 or 1 where a width is 1"):
        bench.Sweep(widths=(1, 4), correlations=(0.5,))
