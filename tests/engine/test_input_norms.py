"""Inputs of other lengths: a shift where phi is homogeneous, float64 back-propagation where it is not."""

import numpy as np
import pytest

import bench
from tests.engine.test_entries import first_layer
from tests.tolerance import EXACT, run_frame

DEPTHS, NORMS = (2, 5, 40), (1e-30, 0.1, 1.0, 10.0)


def test_homogeneous_networks_grow_with_their_input(tmp_path):
    """log10 ‖∂y/∂W_l‖, log10 ‖h_l‖ and the entries by the norm's; δ_l and relative gradients not at all."""
    fields = {"activations": ["linear", "relu"], "depths": DEPTHS, "scales": [0.9, 1.4], "widths": [24], "seeds": 2}
    for kind, shifted, equal in [
        ("layers", ["log10_grad", "log10_activation"], ["log10_delta", "log10_relative", "log10_weight"]),
        ("cells", ["log10_grad_first", "log10_entry_median", "log10_entry_largest"], ["log10_relative_last"]),
    ]:
        rows = run_frame(tmp_path, kind=kind, input_norms=NORMS, **fields)
        keys = [name for name in ("initializer", "activation", "scale", "seed", "depth", "layer") if name in rows]
        at_one = rows[rows.input_norm == 1].set_index(keys)
        for norm in NORMS:
            others = rows[rows.input_norm == norm].set_index(keys).loc[at_one.index]
            tolerance = {"rtol": 0, "atol": 40 * EXACT["float32"]}
            np.testing.assert_allclose(others[shifted], at_one[shifted] + np.log10(norm), **tolerance)
            np.testing.assert_allclose(others[equal], at_one[equal], **tolerance)


@pytest.mark.parametrize("scale", [0.7, 1.5])
def test_saturating_networks_equal_float64_back_propagation(tmp_path, scale):
    cells = run_frame(
        tmp_path, depths=DEPTHS, scales=[scale], widths=[16], input_norms=[0.1, 10.0], seeds=1, key=4, dtype="float64"
    )
    for norm in (0.1, 10.0):
        deltas, x = first_layer("tanh", 4, 16, scale, DEPTHS, "float64", norm=norm)
        exact = [np.log10(np.linalg.norm(deltas[depth]) * np.linalg.norm(x)) for depth in DEPTHS]
        np.testing.assert_allclose(cells[cells.input_norm == norm].log10_grad_first, exact, rtol=0, atol=1e-9)


def test_gelu_depends_on_the_length_and_a_norm_of_one_changes_no_bit(tmp_path):
    """GELU without biases loses gradients at σ_w = 1.45 from inputs of norm √n, and keeps them from ten times as much."""
    fields = {"activations": ["gelu"], "scales": [1.45], "widths": [64], "depths": [2, 200], "seeds": 8, "layers": False}
    plain = run_frame(tmp_path, "plain", **fields)
    both = run_frame(tmp_path, "both", input_norms=[1.0, 10.0], **fields)
    assert (plain.input_norm == 1).all()
    np.testing.assert_array_equal(plain, both[both.input_norm == 1])
    change = both.pivot_table(index=["input_norm", "seed"], columns="depth", values="log10_grad_first").diff(axis=1)[200]
    assert change.loc[1.0].mean() < change.loc[10.0].mean() - 3


def test_norms_are_settled_and_counted():
    sweep = bench.Sweep(input_norms=(10, 1, 1.0))
    assert sweep.input_norms == (1.0, 10.0)
    assert sweep.cells == 2 * bench.Sweep().cells
