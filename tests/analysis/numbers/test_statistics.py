import math

import ml_dtypes
import numpy as np
import pandas as pd
import pytest

from analysis.numbers.groups import STATISTICS
from analysis.numbers.statistics import number_range, seed_statistic
from tests.analysis.conftest import make_cells

INF = math.inf


def statistic(values, stat):
    frame = pd.DataFrame({"cell": 0, "value": values})
    return float(seed_statistic(frame, "value", stat, by=["cell"]).iloc[0])


@pytest.mark.parametrize("count", [1, 2, 5, 8])
@pytest.mark.parametrize(
    ("stat", "oracle"),
    [
        ("median", np.median),
        ("mean", np.mean),
        ("min", np.min),
        ("max", np.max),
        ("q10", lambda v: np.quantile(v, 0.1)),
        ("q25", lambda v: np.quantile(v, 0.25)),
        ("q75", lambda v: np.quantile(v, 0.75)),
        ("q90", lambda v: np.quantile(v, 0.9)),
    ],
)
def test_finite_values_agree_with_numpy(stat, oracle, count):
    values = np.random.default_rng(count).normal(size=count)
    assert statistic(values, stat) == pytest.approx(oracle(values), rel=1e-12)


def test_standard_deviation_is_the_samples():
    assert statistic([1.0, 2.0, 4.0], "std") == pytest.approx(np.std([1.0, 2.0, 4.0], ddof=1))
    assert math.isnan(statistic([1.0], "std"))


@pytest.mark.parametrize(
    ("values", "stat", "expected"),
    [
        ([-INF, 1, 2], "median", 1),
        ([-INF, -INF, 2], "median", -INF),
        ([-INF, 2], "median", -INF),
        ([-INF, -INF], "median", -INF),
        ([-INF, 1, 2], "mean", -INF),
        ([-INF, 1, 2], "min", -INF),
        ([-INF, 1, 2], "max", 2),
        ([-INF, 1, 2], "q25", -INF),
        ([-INF, 1, 2], "q75", 1.5),
        ([-INF, 1, 2], "std", math.nan),
        ([INF, -INF], "median", math.nan),
    ],
)
def test_exact_zeros_are_data(values, stat, expected):
    assert statistic(values, stat) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("stat", STATISTICS)
def test_one_undefined_seed_makes_the_cell_undefined(stat):
    assert math.isnan(statistic([1.0, math.nan, 2.0], stat))


def test_groups_are_cells_whatever_the_order_of_rows():
    frame = make_cells(seeds=5)
    found = seed_statistic(frame, "log10_grad_first")
    expected = frame.groupby(found.index.names)["log10_grad_first"].median()
    assert list(found.index.names) == ["initializer", "activation", "width", "bias_std", "depth", "scale"]
    pd.testing.assert_series_equal(found, expected)


def test_groups_may_differ_in_size():
    frame = pd.DataFrame({"cell": [1, 0, 1, 1], "value": [3.0, 7.0, 1.0, 2.0]})
    assert seed_statistic(frame, "value", "max", by=["cell"]).tolist() == [7.0, 3.0]
    assert seed_statistic(frame, "value", "mean", by=["cell"]).tolist() == [7.0, 2.0]


@pytest.mark.parametrize(
    ("dtype", "lost", "largest"),
    [
        ("float16", -25, 65504.0),
        ("bfloat16", -134, (2 - 2.0**-7) * 2.0**127),
        ("float32", -150, (2 - 2.0**-23) * 2.0**127),
        ("float64", -1075, (2 - 2.0**-52) * 2.0**1023),
    ],
)
def test_number_ranges_are_those_of_the_formats(dtype, lost, largest):
    """Half the smallest subnormal, 2^lost, which is the first number that is rounded to zero."""
    assert number_range(dtype) == pytest.approx((lost * math.log10(2), math.log10(largest)), rel=1e-14)
    if dtype != "float64":
        cast = np.array([2.0**lost, 2.0**lost * 1.001, largest], ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
        np.testing.assert_array_equal(cast.astype(float), [0, 2.0 ** (lost + 1), largest])


@pytest.mark.parametrize("name", ["float31", "int32"])
def test_number_range_refuses_what_is_no_float(name):
    with pytest.raises(ValueError, match=name):
        number_range(name)
