"""Numbers of theory that papers compute on their own, held against samples and limits."""

import numpy as np
import pytest

from analysis.papers.haninrolnick2018 import step_variance
from analysis.papers.martens2021 import SLOPE, mapped


def test_lengths_vary_from_layer_to_layer_as_samples_do_and_by_5_over_n_in_wide_ones():
    h = np.maximum(np.random.default_rng(0).standard_normal((100_000, 16)), 0)
    square = np.sum(h**2, axis=1)
    assert step_variance(16) == pytest.approx(np.log(square[square > 0]).var(), rel=0.02)
    assert step_variance(4096) * 4096 == pytest.approx(5, rel=0.002)


def test_shaped_networks_keep_0_and_1_and_separate_near_inputs_by_their_slope():
    assert mapped(0.0) == 0
    assert mapped(1.0) == pytest.approx(1)
    assert (1 - mapped(1 - 1e-9)) / 1e-9 == pytest.approx(SLOPE, rel=1e-4)
