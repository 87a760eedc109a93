"""What a scheme's cells say of each seed, also where a number is a logarithm of 0."""

import numpy as np

from bench.comparison.compare import compare
from tests.tolerance import run_frame


def test_weights_of_scale_0_have_no_imbalance_in_their_own_units(tmp_path):
    """h + tanh(0 h): the gradients are there, and 0 in units of the weights, in every block."""
    fields = {"architectures": ["residual"], "initializers": ["gaussian"], "widths": 4, "depths": [2, 3], "seeds": 2}
    (row,) = compare(run_frame(tmp_path, **fields, scales=[0.0], layers=False)).to_dict("records")
    assert np.isfinite(row["slope"])
    assert row["dead"] == 0
    assert np.isnan(row["relative_imbalance"])
