"""Linear networks with orthogonal draws have closed forms at every layer, depth and scale (contract of the network)."""

import numpy as np
import pandas as pd
import pytest

from tests.tolerance import RELATIVE, run_frame

DEPTHS, SCALES, WIDTH = (2, 3, 152, 852, 2000), (0.03, 0.5, 1.5, 17.0), 4


@pytest.mark.parametrize("initializer", [pytest.param("identity", marks=pytest.mark.thorough), "orthogonal"])
def test_every_layer_follows_the_closed_form(tmp_path, initializer):
    fields = {"initializers": [initializer], "activations": ["linear"], "depths": DEPTHS, "scales": SCALES}
    layers = run_frame(tmp_path, kind="layers", widths=[WIDTH], seeds=2, **fields)
    log_scale, log_radius = np.log10(layers.scale), np.log10(WIDTH) / 2
    last = layers.layer == layers.depth

    def assert_close(measured: pd.Series, expected: pd.Series) -> None:
        error = np.abs(measured - expected) / np.maximum(np.abs(expected), 1)
        assert error.max() < RELATIVE[initializer]

    assert len(layers) == sum(DEPTHS) * len(SCALES) * 2
    grad = (layers.depth - 2 + last) * log_scale + log_radius
    assert_close(layers.log10_grad, grad)
    assert_close(layers.log10_delta, (layers.depth - 1 - layers.layer) * log_scale.where(~last, 0))
    hidden = layers[~last]
    assert_close(hidden.log10_activation, hidden.layer * log_scale[~last] + log_radius)

    cells = pd.read_parquet(tmp_path / "run" / "cells")
    log_scale = np.log10(cells.scale)
    assert_close(cells.log10_grad_first, (cells.depth - 2) * log_scale + log_radius)
    assert_close(cells.log10_grad_last, (cells.depth - 2) * log_scale + log_radius)
    # L - 1 hidden layers with the same norm, and the readout's, which is scale times theirs
    everything = (cells.depth - 2) * log_scale + log_radius + np.log10(cells.depth - 1 + cells.scale**2) / 2
    assert_close(cells.log10_grad_global, everything)
    per_seed = cells.groupby("seed").apply(lambda rows: rows.log10_output - (rows.depth - 1) * np.log10(rows.scale))
    if initializer == "identity":  # y = scale^(L-1) u·x: the same offset in every cell of a seed
        offsets = per_seed.groupby("seed").agg(lambda values: values.max() - values.min())
        assert (offsets < 1e-5 * np.abs(cells.log10_output).max()).all()


def test_a_scale_of_zero_gives_exact_zeros_and_depth_two_its_readout(tmp_path):
    cells = run_frame(tmp_path, activations=["linear", "tanh"], depths=[2, 5], scales=[0.0], seeds=1)
    first = cells.pivot_table(index="activation", columns="depth", values="log10_grad_first")
    assert np.isneginf(cells.log10_output).all()
    # depth 2: ∂y/∂W_1 = u xᵀ, whatever W_1 is; deeper, it passes through a zero matrix
    np.testing.assert_allclose(first[2], np.log10(64) / 2, rtol=1e-6)
    assert np.isneginf(cells.log10_grad_first[cells.depth == 5]).all()
