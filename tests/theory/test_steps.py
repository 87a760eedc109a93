"""What a skip does to a length, against quadrature and where its series begins."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from bench.theory import steps


@pytest.mark.parametrize("dimension", [1, 2, 8, 128])
def test_a_step_is_continuous_where_its_series_begins(dimension):
    edge = math.log(steps.SMALL / dimension)
    series, sums = (steps.gaussian_step(dimension, edge + by) for by in (-1e-9, 1e-9))
    np.testing.assert_allclose(series, sums, rtol=1e-4, atol=1e-11)


@pytest.mark.parametrize(("width", "strength"), [(1, 0.5), (2, 1.0), (3, 1.001), (8, 0.3), (8, 3.0), (64, 1.0)])
def test_an_orthogonal_step_is_that_of_a_uniform_direction(width, strength):
    """Against adaptive quadrature over the angle; of width 1 over two signs."""
    found = steps.orthogonal_step(width, math.log(strength))
    if width == 1:
        values = 2 * np.log([1 + strength, 1 - strength])
        assert found == (pytest.approx(values.mean()), pytest.approx(values.var()))
        return

    def mean(function):
        def weighted(angle):
            return function(math.log(1 + strength**2 + 2 * strength * math.cos(angle))) * math.sin(angle) ** (width - 2)

        whole = quad(lambda angle: math.sin(angle) ** (width - 2), 0, math.pi)[0]
        return quad(weighted, 0, math.pi, limit=400)[0] / whole

    first = mean(lambda value: value)
    assert found.mean == pytest.approx(first, abs=1e-8)
    assert found.variance == pytest.approx(mean(lambda value: (value - first) ** 2), rel=1e-6)
