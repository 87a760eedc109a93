import numpy as np
import pandas as pd
import pytest

from analysis.numbers.best_rate import RATES, at_the_largest, best_rate, network
from tests.analysis.conftest import make_trained


def trained(steps, losses=None, rates=(0.01, 0.03, 0.1), readout=None):
    """One network; steps and losses: [rates][seeds]."""
    steps = np.asarray(steps, float)
    losses = np.full(steps.shape, 0.5) if losses is None else np.asarray(losses, float)
    frame = make_trained(depths=(8,), scales=(1.0,), learning_rates=rates[: len(steps)], seeds=steps.shape[1])
    place = frame["learning_rate"].map(list(rates).index), frame["seed"]
    frame["steps_to_target"], frame["final_train_loss"] = steps[place], losses[place]
    return frame if readout is None else frame.assign(readout_learning_rate=readout(frame["learning_rate"]))


def kept(frame):
    """The one rate that is left, with all its seeds."""
    best = best_rate(frame)
    assert sorted(best["seed"]) == sorted(set(frame["seed"]))
    (rate,) = set(best["learning_rate"])
    return rate


def test_the_median_decides_and_not_the_fastest_seed():
    assert kept(trained([[1, 90, 90], [50, 50, 60], [80, 80, 80]])) == 0.03


def test_a_rate_that_most_seeds_fail_at_loses_to_a_slow_one():
    assert kept(trained([[150, 160, 170], [5, np.inf, np.inf]])) == 0.01
    assert kept(trained([[150, 160, np.inf], [5, np.inf, np.inf]])) == 0.01
    assert kept(trained([[150, np.inf], [199, 199]])) == 0.03  # the median of a number and inf is inf


@pytest.mark.parametrize("steps", [np.inf, 40.0, np.nan])
def test_ties_go_to_the_smaller_final_loss_then_to_the_smaller_rate(steps):
    same = np.full((3, 3), steps)
    assert kept(trained(same, [[2, 2, 2], [1, 1, 9], [1.5, 1.5, 1.5]])) == 0.03
    assert kept(trained(same, [[2, 2, 2], [1, 1, 9], [1, 1, 1]])) == 0.03
    assert kept(trained(same, [[2, 2, 2], [np.nan, 0, 0], [1, 1, 1]])) == 0.1
    assert kept(trained(same, np.full((3, 3), np.nan))) == 0.01


def test_an_undefined_median_comes_after_one_that_is_never_reached():
    assert kept(trained([[np.nan, np.nan], [np.inf, np.inf]])) == 0.03


def test_every_network_has_its_own_rate_as_a_plain_loop_finds_it():
    frame = make_trained(
        initializers=("gaussian", "orthogonal"),
        optimizers=("sgd", "adam"),
        learning_rates=(0.01, 0.03, 0.1),
        steps_to_target=lambda rows: np.random.default_rng(0).integers(1, 300, len(rows)),
    )
    frame["final_train_loss"] = np.random.default_rng(1).random(len(frame))
    best = best_rate(frame)
    chosen = set()
    for _, own in frame.groupby(network(frame)):
        rates = [
            (rows["steps_to_target"].median(), rows["final_train_loss"].median(), rate)
            for rate, rows in own.groupby("learning_rate")
        ]
        *_, rate = min(rates)
        assert set(best.loc[best.index.isin(own.index), "learning_rate"]) == {rate}
        chosen.add(rate)
    assert len(chosen) == 3
    assert len(best) == len(frame) / 3
    pd.testing.assert_frame_equal(best, frame.loc[best.index])
    assert best.index.is_monotonic_increasing


def test_the_readout_has_a_rate_of_its_own():
    frame = pd.concat(
        [
            trained([[60, 60], [70, 70]]),
            trained([[80, 80], [30, 30]], readout=lambda rate: 2 * rate),
        ],
        ignore_index=True,
    )
    assert {tuple(rates) for rates in best_rate(frame)[list(RATES)].to_numpy()} == {(0.03, 0.06)}


def test_a_best_rate_at_the_end_of_the_range_is_known_to_be():
    for steps, expected in (([[9, 9], [5, 5], [7, 7]], False), ([[9, 9], [8, 8], [7, 7]], True), ([[9, 9]], False)):
        frame = trained(steps)
        assert at_the_largest(frame, best_rate(frame)).tolist() == [expected] * 2
