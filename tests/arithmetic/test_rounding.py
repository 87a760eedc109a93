"""Rounded numbers are those of real conversions, and rounded programs those of programs in the short format."""

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from bench.arithmetic.formats import FORMATS, round_to

REAL = [name for name in FORMATS if name not in ("float32", "tf32")]


def numbers() -> np.ndarray:
    """Of all magnitudes, on ties, at the ends of formats and beyond them; normal in float32, since CPUs flush the rest."""
    random = np.random.default_rng(0)
    of_all_sizes = random.standard_normal(20_000) * 2.0 ** random.uniform(-40, 40, 20_000)
    ends = [
        float(getattr(ml_dtypes.finfo(name), end))
        for name in REAL
        for end in ("max", "smallest_normal", "smallest_subnormal")
    ]
    near = np.array([end * factor for end in ends for factor in (0.25, 0.5, 0.75, 1, 1.03125, 1.0625, 1.125, 1.5, 2)])
    ties = np.arange(2**12) / 2.0**6
    with np.errstate(over="ignore"):
        found = np.concatenate([of_all_sizes, near, -near, ties, [0.0, -0.0, np.inf, -np.inf, np.nan]]).astype(np.float32)
    return found[~(np.abs(found) < np.finfo(np.float32).tiny) | (found == 0)]


@pytest.mark.parametrize("name", REAL)
def test_numbers_are_those_of_a_real_conversion(name):
    given = numbers()
    with np.errstate(all="ignore"):
        expected = given.astype(name).astype(np.float32)
    got = np.asarray(round_to(jnp.asarray(given), FORMATS[name]))
    if name == "float4_e2m1fn":  # it has no infinity and no NaN
        given, expected, got = (each[np.isfinite(given)] for each in (given, expected, got))
    np.testing.assert_array_equal(got, expected)
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(got)[number], np.signbit(expected)[number])
