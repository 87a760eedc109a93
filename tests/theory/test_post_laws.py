"""What a block of post_layernorm does to angles."""

import math

import numpy as np
import pytest
from scipy.special import polygamma

from bench.theory import post_laws, steps


@pytest.mark.parametrize("width", [3, 8, 64])
@pytest.mark.parametrize("std", [0.05, 1.0, 5.0])
def test_harmonics_of_degree_two_turn_as_a_square_cosine(width, std):
    step = post_laws._step(width, 2 * math.log(std) - math.log(width))
    assert step.kept[0] == pytest.approx(steps.turned(width, 2 * math.log(std), gaussian=True))
    assert (np.diff(step.kept) <= 0).all()


@pytest.mark.parametrize("width", [3, 8, 64])
def test_blocks_that_turn_nothing_share_all_of_an_angle(width):
    """Var ln Beta((n-1)/2, ½) is the sum of squares over harmonics."""
    whole = float(polygamma(1, (width - 1) / 2) - polygamma(1, width / 2))
    still = post_laws.Step(steps.Moments(0.0, 0.0), np.ones(post_laws.HARMONICS), 1.0, 0.0)
    assert post_laws._shared(width, 1, still, whole) == pytest.approx(whole, rel=1e-12)
    lost = still._replace(kept=np.r_[np.ones(post_laws.HARMONICS - 1), 0.0])
    assert post_laws._shared(width, 1, lost, whole) == pytest.approx(whole, rel=1e-4)
