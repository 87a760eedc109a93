import numpy as np
import pytest

from analysis.numbers.depth_scales import best_threshold, depth_scales, describe_thresholds
from analysis.rows.select import Facet
from bench import theory
from tests.analysis.conftest import make_trained

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


def test_the_threshold_separates_what_can_be_separated():
    ratio = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, np.inf, 0.1])
    found = best_threshold(ratio, ratio < 3)
    assert 2 < found.multiple < 4
    assert (found.right, found.paper) == (1.0, (1.0 + 3 / 4) / 2)
    noisy = best_threshold(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, False]))
    assert noisy.right == 0.75
    assert np.isnan(best_threshold(ratio, ratio < 0)).all()
    assert best_threshold(ratio, ratio < np.inf).multiple > 16  # one is not trained


def test_networks_at_the_edge_and_at_scale_0_do_not_hide_the_limit():
    found = best_threshold(np.array([0.0, 0.0, 2.0, 3.0]), np.array([True, True, False, False]))
    assert 0 < found.multiple < 2
    assert found.right == 1
    assert np.isnan(best_threshold(np.array([0.0, np.inf]), np.array([True, False]))).all()
    assert np.isnan(best_threshold(np.array([1.0, 2.0]), np.array([False, True]))).all()  # worse than chance either way


def test_the_limit_that_is_in_the_data_is_found():
    scales = np.linspace(0.4, 0.98, 13)
    xi = dict(zip(scales, -1 / np.log(scales**2), strict=True))
    cells = make_trained(
        (2, 4, 8, 16, 32, 64),
        scales,
        steps_to_target=lambda rows: np.where(rows["depth"] < 4.5 * rows["scale"].map(xi), 50, np.inf),
        initializers=("gaussian", "lsuv"),
    )
    (line,) = describe_thresholds(cells)  # lsuv has no theory
    assert line.startswith("gaussian, tanh: the target is reached up to L = 4")
    assert "right for 100%" in line
    assert "6 ξ_c, here right for " in line
    (line,) = describe_thresholds(make_trained((2, 8), scales))
    assert "no limit of depth" in line


def test_undefined_networks_and_scale_0_do_not_count():
    cells = make_trained((2, 8, 64), (0.0, 0.5, 1.0), steps_to_target=lambda rows: rows["seed"])
    cells.loc[(cells["depth"] == 64) & (cells["scale"] > 0), "steps_to_target"] = np.nan
    cells.loc[cells["scale"] == 0, "steps_to_target"] = np.inf
    (line,) = describe_thresholds(cells)
    assert "no limit of depth" in line
