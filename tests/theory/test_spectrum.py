"""Spectra of Jacobians against products of random matrices drawn by NumPy, without the engine."""

import numpy as np
import pytest

from bench import theory


def moments(width: int, depth: int, draw, networks: int) -> tuple[np.ndarray, np.ndarray]:
    """For each network: mean of λ² and of λ⁴ over the singular values of a product of depth - 1 drawn factors."""
    found = []
    for _ in range(networks):
        product = np.eye(width)
        for _ in range(depth - 1):
            product = draw() @ product
        square = product @ product.T
        found.append((np.trace(square) / width, np.sum(square**2) / width))
    return tuple(np.transpose(found))


def test_linear_gaussian_networks_follow_their_exact_recursion():
    generator, width, depth = np.random.default_rng(0), 8, 6
    first, second = moments(width, depth, lambda: generator.standard_normal((width, width)) / np.sqrt(width), 20_000)
    expected = theory.jacobian_spectrum("linear", "gaussian", depth, width=width)
    assert first.mean() == pytest.approx(expected.mean, abs=4 * first.std() / np.sqrt(len(first)))
    assert second.mean() == pytest.approx(expected.variance + expected.mean**2, abs=4 * second.std() / np.sqrt(len(second)))
    assert expected.variance > theory.jacobian_spectrum("linear", "gaussian", depth).variance  # 1/n matters


@pytest.mark.parametrize(
    ("activation", "orthogonal", "relative"), [("linear", False, 5), ("relu", False, 10), ("relu", True, 5)]
)
def test_variances_grow_linearly_with_depth(activation, orthogonal, relative):
    """5 layers: 1 a layer for linear Gaussian, 2 for ReLU Gaussian, 1 for ReLU orthogonal (Pennington et al. 2017)."""
    generator, width = np.random.default_rng(1), 200
    initializer = "orthogonal" if orthogonal else "gaussian"
    scale = np.sqrt(2) if activation == "relu" else 1.0
    expected = theory.jacobian_spectrum(activation, initializer, 6, scale=scale)
    assert expected.mean == pytest.approx(1)
    assert expected.relative == pytest.approx(relative)

    def draw():
        matrix = generator.standard_normal((width, width)) / np.sqrt(width)
        if orthogonal:
            matrix = np.linalg.qr(matrix)[0]
        active = generator.random(width) < 0.5 if activation == "relu" else np.ones(width)
        return scale * active[:, None] * matrix

    first, second = moments(width, 6, draw, 12)
    assert second.mean() / first.mean() ** 2 - 1 == pytest.approx(relative, rel=0.1)


def test_orthogonal_linear_networks_are_isometries_at_any_scale():
    found = theory.jacobian_spectrum("linear", "orthogonal", 852, scale=0.25)
    assert found.log10_mean == pytest.approx(2 * 851 * np.log10(0.25))
    assert found.relative == 0
    assert (
        theory.jacobian_spectrum("tanh", "critical_orthogonal", 100).relative
        < theory.jacobian_spectrum("tanh", "critical", 100).relative
    )
    assert np.isnan(theory.jacobian_spectrum("tanh", "lsuv", 10)).all()
    assert np.isnan(theory.jacobian_spectrum("tanh", "identity", 10)).all()
