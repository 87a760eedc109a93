"""A cell's row says of its network what the rows of its layers say."""

import numpy as np

from tests.tolerance import run_frame

CELL = ["initializer", "activation", "width", "bias_std", "depth", "scale", "seed"]


def test_cells_are_what_their_layers_are(tmp_path):
    fields = {"initializers": ["gaussian", "lsuv"], "activations": ["tanh"], "depths": [2, 5, 20], "bias_stds": [0.0, 0.3]}
    cells, layers = (run_frame(tmp_path, kind=kind, scales=[0.5, 2.0], widths=[4], **fields) for kind in ("cells", "layers"))
    cells = cells.set_index(CELL)
    by_cell = layers[layers.layer < layers.depth].set_index("layer").groupby(CELL, sort=False)
    extremes = by_cell.log10_grad.agg(["first", "last", "min", "max"])
    names = ["log10_grad_first", "log10_grad_last", "log10_grad_least", "log10_grad_largest"]
    np.testing.assert_array_equal(cells[names], extremes)
    assert (cells.log10_grad_least < cells.log10_grad_first).any()
    assert (cells.log10_grad_largest > cells.log10_grad_last).any()
    np.testing.assert_array_equal(
        cells[["log10_relative_first", "log10_relative_last"]], by_cell.log10_relative.agg(["first", "last"])
    )
    first = by_cell.first()
    np.testing.assert_array_equal(cells.log10_grad_per_weight_first, first.log10_grad - first.log10_weight)
    readouts = layers[layers.layer == layers.depth]
    np.testing.assert_allclose(readouts.log10_weight, 0, atol=1e-6)
