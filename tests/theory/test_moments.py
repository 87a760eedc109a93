"""Gaussian averages: against adaptive quadrature, closed forms, and each other."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erf
from scipy.stats import multivariate_normal

from bench.theory.moments import moments, tabulated
from bench.theory.nonlinearities import NONLINEARITIES, nonlinearity
from bench.theory.pairs import STEP, _quadrature, pair
from bench.theory.series import series

QUADRATURE = 1e-10  # relative, against adaptive quadrature
VARIANCES = [1e-6, 1e-2, 0.7, 5.0, 300.0]


def adaptive(function, phi, variance):
    """E function(z, ẑ), z ~ N(0, variance), by scipy's adaptive rule on pieces between kinks and features."""
    root = np.sqrt(variance)
    features = [s * x for s in (-1, 1) for x in (0.01, 0.1, 0.5, 1.5, 4, 10, *(np.array([0.1, 1, 10, 30]) / root))]
    cuts = sorted({-38.0, 0.0, 38.0, *(x for x in [*features, *(np.array(phi.kinks) / root)] if abs(x) < 38)})
    if phi.name == "sine":
        cuts = sorted({*cuts, *np.arange(-38, 38, 2 / root if root > 1 else 2.0)})

    def integrand(x):
        return float(function(np.array(root * x), x)) * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)

    pieces = (quad(integrand, a, b, epsabs=1e-300, epsrel=1e-12, limit=200)[0] for a, b in pairwise(cuts))
    return sum(pieces)


@pytest.mark.filterwarnings("ignore::scipy.integrate.IntegrationWarning")  # of pieces that underflow
@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("name", NONLINEARITIES)
def test_moments_equal_adaptive_quadrature(name, variance):
    phi = NONLINEARITIES[name]
    found = moments(phi, np.log(variance))

    def he2(x):
        return x * x - 1

    value = adaptive(lambda z, _: phi.function(z) ** 2, phi, variance)
    slope = adaptive(lambda z, _: phi.slope(z) ** 2, phi, variance)
    expected = {
        "log_value": np.log(value),
        "log_slope": np.log(slope),
        "value2": adaptive(lambda z, x: phi.function(z) ** 2 * he2(x), phi, variance) / value,
        "slope4": adaptive(lambda z, x: phi.slope(z) ** 2 * (x**4 - 6 * x**2 + 3), phi, variance) / slope,
        "value_kurtosis": adaptive(lambda z, _: phi.function(z) ** 4, phi, variance) / value**2,
        "coupling": adaptive(lambda z, _: (phi.function(z) * phi.slope(z)) ** 2, phi, variance) / value / slope,
        "fourth2": adaptive(lambda z, x: phi.function(z) ** 4 * he2(x), phi, variance) / value**2,
        "coupling2": adaptive(lambda z, x: (phi.function(z) * phi.slope(z)) ** 2 * he2(x), phi, variance) / value / slope,
    }
    for field, number in expected.items():
        np.testing.assert_allclose(getattr(found, field), number, rtol=QUADRATURE, atol=QUADRATURE, err_msg=field)


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_hermite_moments_are_derivatives_with_respect_to_the_variance(name):
    phi, log_q, step = NONLINEARITIES[name], np.linspace(-6, 6, 9), 1e-3
    below, here, above = (moments(phi, log_q + shift) for shift in (-step, 0.0, step))
    for log, second, fourth in (("log_value", "value2", "value4"), ("log_slope", "slope2", "slope4")):
        low, mid, high = (getattr(found, log) for found in (below, here, above))
        first = getattr(here, second) / 2
        np.testing.assert_allclose((high - low) / (2 * step), first, atol=1e-5)
        curvature = getattr(here, fourth) / 4 + first - first**2
        np.testing.assert_allclose((high - 2 * mid + low) / step**2, curvature, atol=1e-4)


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_slopes_are_derivatives(name):
    phi, step = NONLINEARITIES[name], 1e-6
    z = np.array([-30.0, -3.1, -0.9, -0.2, 0.2, 0.9, 3.1, 30.0])
    np.testing.assert_allclose((phi.function(z + step) - phi.function(z - step)) / (2 * step), phi.slope(z), atol=1e-8)


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_a_table_is_its_moments(name):
    phi = NONLINEARITIES[name]
    log_q = np.random.default_rng(0).uniform(-69, 35, 64)  # beyond e^35 the sine's and hard tanh's ratios are all noise
    for field, table, direct in zip(moments(phi, log_q)._fields, tabulated(phi)(log_q), moments(phi, log_q), strict=True):
        np.testing.assert_allclose(table, direct, rtol=1e-8, atol=1e-8, err_msg=field)


@pytest.mark.parametrize("variance", VARIANCES)
def test_closed_forms(variance):
    def value_and_slope(name):
        found = moments(NONLINEARITIES[name], np.log(variance))
        return np.exp([found.log_value, found.log_slope])

    closed = {
        "relu": (variance / 2, 1 / 2),
        "leaky_relu": (variance * (1 + 1e-4) / 2, (1 + 1e-4) / 2),
        "erf": (2 / np.pi * np.arcsin(2 * variance / (1 + 2 * variance)), 4 / np.pi / np.sqrt(1 + 4 * variance)),
        "sine": (-np.expm1(-2 * variance) / 2, (1 + np.exp(-2 * variance)) / 2),
    }
    for name, expected in closed.items():
        np.testing.assert_allclose(value_and_slope(name), expected, rtol=1e-12, err_msg=name)
    assert value_and_slope("hard_tanh")[1] == pytest.approx(erf(1 / np.sqrt(2 * variance)), rel=1e-12)


@pytest.mark.parametrize("one_minus_c", [1e-6, 0.1, 0.5, 0.99, 1.4])
@pytest.mark.parametrize("variance", [0.01, 0.8, 4.0])
@pytest.mark.parametrize("name", ["linear", "relu", "leaky_relu", "erf", "sine"])
def test_pairs_in_closed_form_equal_quadrature(name, variance, one_minus_c):
    phi = NONLINEARITIES[name]
    np.testing.assert_allclose(
        pair(phi, variance, one_minus_c), _quadrature(phi, variance, one_minus_c, STEP), rtol=1e-9, atol=1e-15
    )


@pytest.mark.parametrize("one_minus_c", [0.01, 0.5, 1.4])
@pytest.mark.parametrize("variance", [0.1, 0.8, 4.0])
def test_pairs_of_hard_tanh_equal_the_bivariate_normal(variance, one_minus_c):
    phi, c = NONLINEARITIES["hard_tanh"], 1 - one_minus_c
    covariance = variance * np.array([[1, c], [c, 1]])
    inside = multivariate_normal.cdf([1, 1], cov=covariance, lower_limit=[-1, -1], abseps=1e-12, releps=1e-12)
    found = pair(phi, variance, one_minus_c)
    assert found.slope == pytest.approx(inside, rel=1e-10)
    # Price's theorem: d/dc E φφ′ = q E φ′φ′
    step = 1e-5
    around = [pair(phi, variance, one_minus_c + shift).value for shift in (step, -step)]
    assert (around[1] - around[0]) / (2 * step) == pytest.approx(variance * found.slope, rel=1e-7)


@pytest.mark.parametrize(("name", "variance"), [("tanh", 4.0), ("sigmoid", 40.0), ("gelu", 1.0), ("softplus", 0.01)])
def test_pairs_in_series_equal_quadrature(name, variance):
    phi = NONLINEARITIES[name]
    found = series(phi, np.log([variance]))
    assert found.whole.all()
    for one_minus_c in (0.0, 1e-12, 1e-3, 0.6, 1.3, 2.0):
        expected = _quadrature(phi, variance, one_minus_c, STEP)
        np.testing.assert_allclose(found.pair(0, one_minus_c), expected, rtol=1e-7, atol=1e-15)


def test_a_series_knows_where_it_does_not_converge():
    """Kinks, and activations that saturate within a small part of their input."""
    assert not series(NONLINEARITIES["elu"], np.zeros(1)).whole.any()
    assert series(NONLINEARITIES["tanh"], np.log([1.0, 1e4])).whole.tolist() == [True, False]


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_logarithms_of_slopes_are_those_of_slopes_and_go_on_where_these_are_zero(name):
    phi, z = NONLINEARITIES[name], np.linspace(-25, 25, 101)
    with np.errstate(divide="ignore"):
        expected = np.log(np.abs(phi.slope(z)))
    np.testing.assert_allclose(phi.log_slope(z), expected, rtol=1e-9, atol=1e-9)
    if name in ("tanh", "erf", "gelu", "silu", "elu", "sigmoid", "softplus"):
        assert np.isfinite(phi.log_slope(np.array([-1e9, -1e4]))).all()


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_a_pair_of_equals_is_one(name):
    phi, variance = NONLINEARITIES[name], 1.3
    found, one = pair(phi, variance, 0.0), moments(phi, np.log(variance))
    assert found.value == pytest.approx(np.exp(one.log_value), rel=1e-10)
    assert found.slope == pytest.approx(np.exp(one.log_slope), rel=1e-10)
    assert found.half_square == pytest.approx(0, abs=1e-14)
    apart = pair(phi, variance, 0.3)
    assert apart.value + apart.half_square == pytest.approx(np.exp(one.log_value), rel=1e-10)


def test_a_function_of_the_users_own_is_differentiated():
    def twice_tanh(z):
        import jax.numpy as jnp

        return jnp.tanh(z) * 2.0

    own, known = nonlinearity(twice_tanh), NONLINEARITIES["tanh"]
    log_q = np.linspace(-4, 4, 5)
    np.testing.assert_allclose(moments(own, log_q).log_value, moments(known, log_q).log_value + np.log(4), rtol=1e-12)
    np.testing.assert_allclose(moments(own, log_q).slope2, moments(known, log_q).slope2, rtol=1e-10)
