"""Usable depths of curves whose crossings are known."""

import numpy as np
import pytest

from bench.comparison.usable import FORMATS, depth_near_start, depth_of_most, depths_of_formats, depths_of_norms

DEPTHS = np.array([2.0, 100.0, 500.0, 852.0])
INF, NAN = np.inf, np.nan


def lines(*slopes: float, start: float = 0.0) -> np.ndarray:
    return start + np.array(slopes)[:, None] * (DEPTHS - 2)


def test_nine_networks_of_ten_reach_the_depth():
    assert depth_of_most(np.arange(1.0, 11.0)) == 2
    assert depth_of_most(np.arange(1.0, 33.0)) == 4
    assert depth_of_most(np.array([5.0, 1.0, 3.0])) == 1
    assert depth_of_most(np.array([5.0, NAN, 3.0])) == 3
    assert np.isnan(depth_of_most(np.array([NAN])))
    for seeds in (1, 7, 10, 29, 64):
        depths = np.random.default_rng(seeds).integers(0, 50, seeds).astype(float)
        reached = depth_of_most(depths)
        assert (depths >= reached).mean() >= 0.9
        assert not reached < depths.max() or (depths > reached).mean() < 0.9


def test_the_worst_layer_counts_in_both_directions():
    still = lines(0.0)
    assert depth_near_start(DEPTHS, still, still) == INF
    assert depth_near_start(DEPTHS, lines(-0.01), still) == 302
    assert depth_near_start(DEPTHS, still, lines(0.1)) == 32
    assert depth_near_start(DEPTHS, lines(-0.01), lines(0.1)) == 32
    assert depth_near_start(DEPTHS, lines(-0.01, start=40.0), lines(0.0, start=40.0)) == 302


def test_a_dead_network_ends_at_the_last_depth_where_it_lives():
    curves = lines(*[0.0] * 10)
    curves[:2, 2:] = -INF
    assert depth_near_start(DEPTHS, curves, curves) == 100
    assert depth_near_start(DEPTHS, curves[1:], curves[1:]) == 100
    assert depth_near_start(DEPTHS, curves[2:], curves[2:]) == INF
    curves[:2] = -INF
    assert depth_near_start(DEPTHS, curves, curves) == 0
    assert depths_of_norms(DEPTHS, curves)["depth_float16"] == 0
    assert np.isnan(depth_near_start(DEPTHS, curves * NAN, curves * NAN))


@pytest.mark.parametrize(("name", "bits"), [("float32", 149), ("bfloat16", 133), ("float16", 24)])
def test_a_format_ends_where_half_of_the_entries_are_below_half_its_smallest_number(name, bits):
    found = depths_of_formats(DEPTHS, lines(-0.1), lines(-0.1, start=2.0))
    assert found[f"depth_{name}"] == np.floor(2 + (bits + 1) * np.log10(2) / 0.1)


def test_a_format_ends_where_the_largest_entry_overflows():
    found = depths_of_formats(DEPTHS, lines(0.01), lines(0.01, start=2.0))
    assert found["depth_float16"] == np.floor(2 + (np.log10(65504) - 2) / 0.01)
    assert found["depth_float32"] == INF


def test_norms_end_with_the_normal_numbers():
    found = depths_of_norms(DEPTHS, lines(-0.01, start=1.0))
    assert found["depth_float16"] == np.floor(2 + (1 + 14 * np.log10(2)) / 0.01)
    assert found["depth_float32"] == found["depth_bfloat16"] == INF
    assert set(depths_of_norms(DEPTHS, lines(0.0))) == {f"depth_{name}" for name in FORMATS}
    assert depths_of_norms(DEPTHS, lines(0.0, start=50.0))["depth_float32"] == 0
