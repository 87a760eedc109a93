"""Random networks against exact finite-width laws, over many seeds with fixed keys."""

import numpy as np
import pytest
from scipy.stats import binomtest

from bench import theory
from tests.tolerance import assert_follows, run_frame

SEEDS = 1024
CASES = [(1, 12), (2, 12), (8, 20), (64, 20)]  # (width, depth): shallow enough that many narrow ReLU networks live


@pytest.mark.parametrize(("width", "depth"), CASES)
def test_gaussian_linear_follows_its_exact_law(tmp_path, width, depth):
    cells = run_frame(
        tmp_path, activations=["linear"], depths=[2, depth], scales=[0.9], widths=[width], seeds=SEEDS, layers=False
    )
    law = theory.gaussian_linear(width, depth, 0.9)
    assert_follows(cells.log10_grad_first[cells.depth == depth].to_numpy(), law.mean, law.variance)
    np.testing.assert_allclose(cells.log10_grad_first[cells.depth == 2], np.log10(width) / 2, atol=1e-6)


@pytest.mark.parametrize(("width", "depth"), CASES)
def test_he_relu_follows_its_exact_law(tmp_path, width, depth):
    shallow = 4 if width < 8 else depth
    fields = {"initializers": ["he_gaussian"], "activations": ["relu"], "depths": [shallow], "scales": [1.0]}
    cells = run_frame(tmp_path, widths=[width], seeds=2 * SEEDS, key=1, layers=False, **fields)
    law = theory.gaussian_relu(width, shallow, np.sqrt(2))
    values = cells.log10_grad_first.to_numpy()
    alive = np.isfinite(values)
    assert binomtest(int(alive.sum()), len(values), law.alive).pvalue > 1e-4
    assert np.isneginf(values[~alive]).all()
    assert np.isneginf(cells.log10_output[~alive]).all()
    assert_follows(values[alive], law.mean, law.variance)


def test_gaussian_at_root_two_is_he_gaussian(tmp_path):
    fields = {"activations": ["relu"], "depths": [30], "seeds": 2, "layers": False}
    he = run_frame(tmp_path, "he", initializers=["he_gaussian"], scales=[1.0], **fields)
    gaussian = run_frame(tmp_path, "gaussian", scales=[np.sqrt(2)], **fields)
    np.testing.assert_allclose(he.log10_grad_first, gaussian.log10_grad_first, atol=1e-4)
