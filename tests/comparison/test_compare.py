"""Comparisons: statistics on made-up numbers with known answers, then whole tables on networks."""

import numpy as np
import pandas as pd
import pytest

from bench.comparison.compare import CompareError, compare, usable_depths
from bench.comparison.ranking import mean_interval, ranks
from tests.tolerance import run_frame


def test_intervals_cover_as_often_as_they_say():
    """500 samples of 32 normal numbers: 95 % of the intervals hold the mean, a little fewer by this method."""
    generator = np.random.default_rng(0)
    samples = generator.standard_normal((500, 32))
    intervals = [mean_interval(sample, generator, resamples=999) for sample in samples]
    covered = np.mean([low < 0 < high for low, high in intervals])
    assert 0.90 < covered < 0.98


def test_intervals_of_one_seed_and_of_equal_seeds():
    generator = np.random.default_rng(0)
    assert np.isnan(mean_interval(np.array([0.5]), generator)).all()
    assert mean_interval(np.array([0.5, 0.5, np.nan]), generator) == (0.5, 0.5)


def test_ranks_follow_the_distance_from_zero_and_tie_what_cannot_be_told_apart():
    generator = np.random.default_rng(1)
    noise = 0.01 * generator.standard_normal(32)
    noise -= noise.mean()
    slopes = np.stack([0.2 + noise, -0.1 + noise, -0.1 + noise, np.full(32, np.nan), 0.1001 + noise])
    assert ranks(slopes, generator)[:3].tolist() == [4, 1, 1]
    assert np.isnan(ranks(slopes, generator)[3])
    assert ranks(slopes, generator)[4] == 3  # same distance, opposite sign: told apart, seed by seed
    independent = 0.1 + 0.01 * generator.standard_normal((4, 32))
    assert (ranks(independent, generator) == 1).all()
    assert (ranks(independent[:, :1], generator) == 1).all()  # one seed tells nothing


def test_equal_schemes_are_told_apart_in_five_tables_of_a_hundred_at_most():
    """Bonferroni: the chance of any false separation among 6 equal schemes is below 5 %, up to the bootstrap's own error."""
    generator = np.random.default_rng(2)
    false = sum((ranks(generator.standard_normal((6, 32)), generator, resamples=1999) > 1).any() for _ in range(100))
    assert false <= 10


def test_usable_depths_are_where_curves_cross():
    depths = np.array([2.0, 100.0, 500.0, 852.0])
    found = usable_depths(depths, 1 - 0.01 * (depths - 2))
    assert found["depth_1e3"] == 302
    assert found["depth_float16"] == np.floor(2 + (1 - np.log10(2.0**-14)) / 0.01)
    assert found["depth_float32"] == found["depth_bfloat16"] == np.inf
    assert set(usable_depths(depths, np.zeros(4)).values()) == {np.inf}
    assert usable_depths(depths, np.full(4, 50.0))["depth_float32"] == 0
    assert np.isnan(list(usable_depths(depths, np.full(4, np.nan)).values())).all()


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> pd.DataFrame:
    cells = run_frame(
        tmp_path_factory.mktemp("compare"),
        initializers=["gaussian", "lecun_normal", "jax_lecun", "orthogonal", "critical", "identity"],
        activations=["tanh", "relu", "linear", "softplus"],
        depths=[2, 10, 100, 852],
        widths=[32],
        scales=[1.0, 1.02],
        seeds=16,
        layers=False,
    )
    return compare(cells, resamples=4999)


def at(table: pd.DataFrame, initializer: str, activation: str, scale: float = 1.0) -> pd.Series:
    (row,) = (
        row
        for _, row in table.iterrows()
        if (row.initializer, row.activation, row.scale) == (initializer, activation, scale)
    )
    return row


def test_one_scheme_under_two_names_ties_and_two_percent_are_told_apart(table):
    for activation in ("tanh", "relu", "linear"):
        one, other = at(table, "lecun_normal", activation), at(table, "jax_lecun", activation)
        assert one["rank"] == other["rank"]
        assert one.slope == other.slope
        assert at(table, "gaussian", activation)["rank"] != at(table, "gaussian", activation, 1.02)["rank"]
        assert at(table, "critical", activation)["rank"] != at(table, "critical", activation, 1.02)["rank"]


def test_measurements_agree_with_exact_theory(table):
    linear = table[(table.activation == "linear") & (table.law == "exact")]
    assert set(linear.initializer) == {"gaussian", "orthogonal", "critical", "identity"}
    assert (linear.verdict == "agrees").all()
    assert at(table, "orthogonal", "linear").slope == pytest.approx(0, abs=1e-6)
    assert at(table, "identity", "linear", 1.02).slope == pytest.approx(np.log10(1.02), abs=1e-6)
    assert at(table, "identity", "tanh").verdict == "no theory"


def test_what_has_no_critical_point_is_undefined(table):
    row = at(table, "critical", "softplus")
    assert row.verdict == "undefined"
    assert np.isnan(row[["slope", "slope_low", "predicted", "spread", "imbalance", "rank", "depth_1e3"]].astype(float)).all()


def test_the_same_random_state_gives_the_same_table(tmp_path):
    cells = run_frame(tmp_path, depths=[2, 20], scales=[1.0, 1.5], widths=[8], seeds=4, layers=False)
    pd.testing.assert_frame_equal(compare(cells, rng=3), compare(cells, rng=3))
    with pytest.raises(CompareError, match="run: got one of depths 20, expected 2"):
        compare(cells[cells.depth == 20])
