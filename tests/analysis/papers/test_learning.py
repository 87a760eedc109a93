"""Who learns is counted at a learning rate that other seeds have chosen."""

import numpy as np
import pytest

from analysis.papers.claim import DIFFERS, REPRODUCED, Claim, verdict
from analysis.papers.estimates import median_over_seeds, share
from analysis.papers.learning import FEW, MOST, at_others_best, growth, learn
from tests.analysis.papers.rows import learned

RATES = [0.1, 0.2]


def lucky(rows):
    """Even seeds learn at the first rate alone, odd ones at the second alone."""
    return np.where((rows["seed"] % 2 == 0) == (rows["learning_rate"] == RATES[0]), 5.0, np.inf)


def test_no_seed_chooses_the_rate_that_it_is_judged_at():
    frame = learned(lucky, learning_rate=RATES, depth=[4], seeds=8)
    rows = at_others_best(frame)
    assert sorted(rows["seed"]) == list(range(8))
    assert set(rows.loc[rows["seed"] % 2 == 0, "learning_rate"]) == {RATES[1]}
    assert learn("plain", 4)({"train": frame}).value == 0


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ([2, 2, 2, 2, 2, 2, 2, 2, 2, np.nan], (2, 2, 2)),  # one seed that learns at neither depth decides nothing
        ([2, 2, 2, 2, 2, 3], (2, 2, 3)),
        ([2, 2, 2, 2, 2, np.nan], (2, -np.inf, np.inf)),  # all six are needed
        ([2, 2, 2, 2, 2, np.inf], (2, 2, np.inf)),
        ([2, 2, 2, 2, 2], (2, -np.inf, np.inf)),
        (8 * [np.nan], (np.nan, -np.inf, np.inf)),
    ],
)
def test_how_much_longer_the_deeper_network_learns(ratios, expected):
    def steps(rows):
        long = np.array(ratios)[rows["seed"]]
        return np.where(rows["depth"] == 8, np.nan_to_num(long, nan=np.inf, posinf=np.inf), np.where(long > 0, 1.0, np.inf))

    frames = {"train": learned(steps, depth=[4, 8], seeds=len(ratios), noise=0.0)}
    assert growth("plain", (4, 8))(frames) == pytest.approx(expected, nan_ok=True)


def test_the_interval_of_a_median_holds_it_as_often_as_it_says():
    drawn = np.random.default_rng(0).standard_normal((400, 8))
    held = [found.low <= 0 <= found.high for found in map(median_over_seeds, drawn)]
    assert np.mean(held) > 0.95  # 99.2 % of all such samples


def test_a_rate_that_suits_all_seeds_is_found_for_each_depth_and_column():
    def steps(rows):
        suits = rows["learning_rate"] == np.where(rows["depth"] == 4, *RATES)
        return np.where(suits & (rows["initializer"] == "a"), rows["depth"], np.inf)

    frames = {"train": learned(steps, learning_rate=RATES, depth=[4, 8], initializer=["a", "b"], seeds=8)}
    assert learn("plain", 8, initializer="a")(frames).value == 1
    assert learn("plain", 8, initializer="b")(frames).value == 0
    assert growth("plain", (4, 8), initializer="a")(frames).value == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize(("count", "accepts"), [(16, MOST), (15, MOST), (0, FEW), (1, FEW)])
def test_one_network_of_sixteen_does_not_change_a_verdict(count, accepts):
    words = {"name": "a", "sentence": "b", "where": "c", "published": "1", "measure": lambda _: share(count, 16)}
    assert verdict(Claim(**words, accepts=accepts), share(count, 16)) == REPRODUCED
    assert verdict(Claim(**words, accepts=accepts), share(16 - count, 16)) == DIFFERS
