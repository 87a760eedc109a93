import numpy as np
import pytest

from analysis.numbers.depth_rules import balanced_accuracy, best_threshold, compare_rules, describe_rules
from tests.analysis.conftest import make_trained

HOW = {"target": "accuracy=0.9", "steps": 200}
DEPTHS, SCALES = np.array([2, 4, 8, 16, 32, 64, 128]), np.linspace(0.4, 0.98, 13)
XI = -1 / np.log(SCALES**2)


def settings(limit):
    """units, scales, trained of a grid where L < limit(ξ) is trained."""
    layers, scales = (values.ravel() for values in np.meshgrid(DEPTHS.astype(float), SCALES))
    xi = -1 / np.log(scales**2)
    return {" ξ_c": layers / xi, "/|ln χ₁|": layers / xi, "": layers}, scales, layers < limit(xi)


def test_balanced_accuracy_counts_both_kinds_alike():
    trained = np.array([True, True, True, True, False])
    assert balanced_accuracy(trained, trained) == 1
    assert balanced_accuracy(np.ones(5, bool), trained) == 0.5
    assert balanced_accuracy(np.array([True, False, False, False, False]), trained) == (1 / 4 + 1) / 2
    assert balanced_accuracy(np.array([True, False]), np.array([True, True])) == 0.5  # of the only kind
    np.testing.assert_array_equal(balanced_accuracy(np.stack([trained, ~trained]), np.stack([trained, trained])), [1, 0])


def test_the_threshold_separates_what_can_be_separated():
    ratio = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, np.inf, 0.1])
    assert 2 < best_threshold(ratio, ratio < 3) < 4
    assert best_threshold(ratio, ratio < np.inf) > 16  # one is not trained
    assert 0 < best_threshold(np.array([0.0, 0.0, 2.0, 3.0]), np.array([True, True, False, False])) < 2
    assert np.isnan(best_threshold(np.array([0.0, np.inf]), np.array([True, False])))


@pytest.mark.parametrize(
    ("limit", "best", "other"),
    [(lambda xi: 4.5 * xi, 0, -1), (lambda xi: 20 + 0 * xi, -1, 0)],
    ids=["a depth scale", "a constant"],
)
def test_the_rule_that_made_the_data_is_right_on_scales_it_has_not_seen_and_the_other_is_not(limit, best, other):
    found = compare_rules(*settings(limit))
    assert found is not None
    assert found.rules[best].fitted == 1
    assert found.rules[best].right > 0.97
    assert found.rules[other].right < 0.9
    assert (found.lead > 0) == (best == 0)
    assert found.lead_low * found.lead_high > 0  # shown
    assert [rule.unit for rule in found.rules] == [" ξ_c", " ξ_c", "/|ln χ₁|", ""]
    assert found.rules[1].threshold == 6
    assert all(rule.low <= rule.right <= rule.high for rule in found.rules)


def test_a_setting_is_never_scored_by_a_threshold_that_has_seen_its_scale():
    """Two scales with limits of their own: the one's threshold is wrong for the other, and fitted to both no worse."""
    scales = np.repeat([0.5, 0.9], 4)
    layers = np.tile([2.0, 4.0, 8.0, 16.0], 2)
    trained = layers < np.where(scales == 0.5, 3, 12)
    found = compare_rules({"": layers}, scales, trained)
    assert found is not None
    np.testing.assert_array_equal(found.rules[0].predicted, layers < np.where(scales == 0.5, 12, 3))
    assert found.rules[0].right < found.rules[0].fitted


def test_fitting_to_what_is_scored_flatters_where_there_is_nothing_to_find():
    """Trained by chance, whatever depth and scale: seen settings say more than chance, unseen ones do not."""
    units, scales, _ = settings(lambda xi: xi)
    found = [compare_rules(units, scales, np.random.default_rng(seed).random(len(scales)) < 0.5) for seed in range(8)]
    fitted, right = np.transpose([(each.rules[0].fitted, each.rules[0].right) for each in found if each is not None])
    assert fitted.min() > 0.5
    assert right.mean() < 0.5 + 2 * right.std()
    assert (fitted > right).all()


def test_the_limit_that_is_in_the_data_is_printed_beside_the_rule_that_knows_no_theory():
    xi = dict(zip(SCALES, XI, strict=True))
    cells = make_trained(
        (2, 4, 8, 16, 32, 64),
        SCALES,
        steps_to_target=lambda rows: np.where(rows["depth"] < 4.5 * rows["scale"].map(xi), 50, np.inf),
        initializers=("gaussian", "lsuv"),
    )
    lines = describe_rules(cells, **HOW)  # lsuv has no theory
    assert lines[0].startswith("gaussian, tanh: ")
    assert "of 78 settings are trained within 200 steps" in lines[0]
    assert lines[1].startswith("  L < 4")
    assert "100.0%" in lines[1]
    assert lines[2].startswith("  L < 6 ξ_c, as Schoenholz et al. 2017")
    assert "/|ln χ₁|: " in lines[3]
    assert ", which knows no theory: " in lines[4]
    assert lines[5].endswith(": better")
    assert len(lines) == 7
    (line,) = describe_rules(make_trained((2, 8), SCALES), **HOW)
    assert "no limit of depth" in line


def test_undefined_networks_and_scale_0_do_not_count():
    cells = make_trained((2, 8, 64), (0.0, 0.5, 1.0), steps_to_target=lambda rows: rows["seed"])
    cells.loc[(cells["depth"] == 64) & (cells["scale"] > 0), "steps_to_target"] = np.nan
    cells.loc[cells["scale"] == 0, "steps_to_target"] = np.inf
    (line,) = describe_rules(cells, **HOW)
    assert "no limit of depth" in line


def test_whose_the_limit_is_is_said_from_what_was_gained_at_the_end():
    cells = make_trained((2, 8, 64), SCALES, (0.1,), steps_to_target=lambda rows: 10.0 * rows["depth"])
    lines = describe_rules(cells, **HOW)
    assert "older than the column late_accuracy_gain" in lines[-1]
    gain = np.where(cells["seed"] == 0, 0.2, np.where(cells["seed"] == 1, 0.009, np.nan))
    lines = describe_rules(cells.assign(late_accuracy_gain=gain), **HOW)
    assert "of 39 networks that missed the target, 13 (33%) still gained 1.5% of accuracy or more" in lines[-1]
    assert "from L = 64 to 64: their limit is the budget's" in lines[-1]
    lines = describe_rules(cells.assign(late_accuracy_gain=0.0), **HOW)
    assert lines[-1].endswith("0 (0%) still gained 1.5% of accuracy or more in the last tenth of the 200 steps")
    lines = describe_rules(cells.assign(late_accuracy_gain=0.2), target="loss=0.1", steps=200)
    assert "accuracy or more" not in "".join(lines)


def test_where_theory_has_no_finite_depth_scale_no_multiple_of_it_is_a_rule():
    rows = make_trained((4, 64), (0.8, 1.5), steps_to_target=lambda rows: 100.0 * rows["depth"], activations=("linear",))
    (line,) = describe_rules(rows, target="loss=0.1", steps=1000)
    assert line == "gaussian, linear: theory has no finite ξ_c here, of which the limit of depth could be a multiple"
