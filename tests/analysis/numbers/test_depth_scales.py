import numpy as np
import pytest

from analysis.numbers.depth_scales import depth_scales
from analysis.rows.select import Facet
from bench import theory

TANH = Facet("gaussian", "tanh", 32, 0.0, "sgd")


def test_without_bias_an_ordered_tanh_forgets_as_its_scale_says():
    xi_c, xi_grad = depth_scales(TANH, [0.5, 0.9, 1.0])  # type: ignore[misc]
    np.testing.assert_allclose(xi_grad[:2], -1 / np.log([0.25, 0.81]))  # chi_1 = scale² where lengths vanish
    np.testing.assert_allclose(xi_c[:2], xi_grad[:2], rtol=1e-6)
    assert np.isposinf([xi_c[2], xi_grad[2]]).all()


def test_a_scheme_s_own_variance_counts():
    he, gaussian = (depth_scales(TANH._replace(initializer=name), [0.8, 1.3]) for name in ("he_gaussian", "gaussian"))
    expected = [theory.fixed_point("tanh", weight_std=scale * 2**0.5, bias_std=0.0).xi_c for scale in (0.8, 1.3)]
    np.testing.assert_allclose(he[0], expected)
    assert (he[0] != gaussian[0]).all()


@pytest.mark.parametrize(
    "change",
    [{"initializer": "lsuv"}, {"initializer": "identity"}, {"activation": "mine:phi"}, {"initializer": "mine:init"}],
)
def test_where_there_is_no_theory_there_are_no_scales(change):
    assert depth_scales(TANH._replace(**change), [1.0]) is None
