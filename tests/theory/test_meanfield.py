"""Fixed points, critical points and trajectories, each found a second way."""

import numpy as np
import pytest
from scipy.optimize import brentq

from bench import theory
from bench.theory.meanfield import log_length_map
from bench.theory.moments import moments
from bench.theory.nonlinearities import NONLINEARITIES
from bench.theory.pairs import pair

GRID = [(0.8, 0.0), (1.2, 0.0), (1.2, 0.3), (1.6, 0.0), (1.6, 0.1), (3.0, 0.2)]  # (σ_w, σ_b)


@pytest.mark.parametrize(("weight_std", "bias_std"), GRID)
@pytest.mark.parametrize("name", NONLINEARITIES)
def test_a_fixed_point_is_where_iteration_ends(name, weight_std, bias_std):
    found, phi = theory.fixed_point(name, weight_std, bias_std), NONLINEARITIES[name]
    slow = min(found.xi_q, 200.0) if np.isfinite(found.q) else 10.0  # where lengths explode, they do so at once
    lengths = theory.trajectory(name, weight_std, bias_std, int(20 * slow) + 100).log_q
    if found.q == 0:
        assert lengths[-1] < -20
    elif found.q == np.inf:
        assert lengths[-1] > 20
    else:
        np.testing.assert_allclose(lengths[-1], np.log(found.q), atol=1e-8)
        chi = weight_std**2 * np.exp(moments(phi, np.log(found.q)).log_slope)
        assert found.chi1 == pytest.approx(chi, rel=1e-9)


@pytest.mark.parametrize(("name", "weight_std", "bias_std"), [("tanh", 1.5, 0.2), ("selu", 0.9, 0.1), ("erf", 2.0, 0.0)])
def test_depth_scales_are_those_of_the_iterated_maps(name, weight_std, bias_std):
    """Distances to the fixed point shrink by e^(-1/ξ) a layer, measured on the maps themselves."""
    found, phi = theory.fixed_point(name, weight_std, bias_std), NONLINEARITIES[name]
    log_q = np.log(found.q)
    step = 1e-5
    slope = (
        log_length_map(phi, log_q + step, weight_std, bias_std) - log_length_map(phi, log_q - step, weight_std, bias_std)
    ) / (2 * step)
    assert found.xi_q == pytest.approx(-1 / np.log(float(slope)), rel=1e-6)

    def correlation_map(c):
        return (weight_std**2 * pair(phi, found.q, 1 - c).value + bias_std**2) / found.q

    if found.chi1 > 1:
        root = brentq(lambda c: correlation_map(c) - c, -0.01, 0.999, xtol=1e-13)
        assert found.c == pytest.approx(root, abs=1e-9)
        slope = (correlation_map(found.c + step) - correlation_map(found.c - step)) / (2 * step)
        assert found.xi_c == pytest.approx(-1 / np.log(slope), rel=1e-6)
    assert found.xi_grad == pytest.approx(1 / abs(np.log(found.chi1)))


def test_scales_of_no_use_are_infinite_or_nan_and_never_raise():
    relu, linear = theory.fixed_point("relu", np.sqrt(2), 0.0), theory.fixed_point("linear", 1.0, 0.0)
    assert (relu.q, relu.chi1, relu.xi_grad) == (pytest.approx(2), 1.0, np.inf)
    assert (linear.q, linear.xi_q) == (1.0, np.inf)
    assert np.isnan(linear.c)
    assert theory.fixed_point("relu", 1.6, 0.1).q == np.inf
    assert theory.fixed_point("tanh", 0.0, 0.3).q == pytest.approx(0.09)
    assert np.isnan(theory.fixed_point("tanh", 1e61, 0.0)).all()
    for name in NONLINEARITIES:
        for weight_std in (0.0, 1e-12, 1.0, 50.0, 1e12):
            for bias_std in (0.0, 1e-9, 1e6):
                found = theory.fixed_point(name, weight_std, bias_std)
                assert found.q >= 0, (name, weight_std, bias_std)
                assert found.chi1 >= 0


@pytest.mark.parametrize("name", NONLINEARITIES)
@pytest.mark.parametrize("bias_std", [None, 0.0, 0.1])
def test_a_critical_point_is_a_fixed_point_that_keeps_gradients(name, bias_std):
    found, phi = theory.critical(name, bias_std), NONLINEARITIES[name]
    if np.isnan(found.weight_std):
        assert np.isnan(found.q)
        assert "no" in found.note or "without end" in found.note
        return
    log_q = np.log(found.q) if found.q else -60.0
    chi = 2 * np.log(found.weight_std) + moments(phi, log_q).log_slope
    assert chi == pytest.approx(0, abs=1e-9)
    assert log_length_map(phi, log_q, found.weight_std, found.bias_std) - log_q == pytest.approx(0, abs=1e-9)
    if bias_std is not None:
        assert found.bias_std == bias_std


def test_known_critical_points():
    """σ_w² = 2 for ReLU (He et al. 2015); tanh at σ_w = 1 (Schoenholz et al. 2017); π/4 for erf, whose slope at 0 is 2/√π.

    SiLU and GELU: Roberts, Yaida & Hanin 2022, section 5.3.4, (C_b, C_W, K*) = (0.55514, 1.98800, 14.32017) and
    (0.17292, 1.98305, 3.56155), to the digits printed there.
    """
    assert theory.critical("relu")[:3] == pytest.approx((np.sqrt(2), 0, 2))
    assert theory.critical("tanh")[:3] == (1, 0, 0)
    assert theory.critical("erf").weight_std ** 2 == pytest.approx(np.pi / 4)
    for name, point in {"silu": (0.55514, 1.98800, 14.32017), "gelu": (0.17292, 1.98305, 3.56155)}.items():
        weight_std, bias_std, length, _ = theory.critical(name)
        np.testing.assert_allclose((bias_std**2, weight_std**2, length), point, atol=1e-5)
        # both susceptibilities are 1: lengths' derivative too
        step = 1e-4
        phi, log_q = NONLINEARITIES[name], np.log(length)
        high, low = (log_length_map(phi, log_q + shift, weight_std, bias_std) for shift in (step, -step))
        assert (high - low) / (2 * step) == pytest.approx(1, abs=1e-7)


def test_where_there_is_no_critical_point():
    assert np.isnan(theory.critical("softplus").weight_std)
    assert theory.critical("sigmoid").weight_std > 10  # only a very wide σ_w
    assert np.isnan(theory.critical("gelu", 0.0).weight_std)
    own = theory.fixed_point("selu", 1.0, 0.0)  # SELU's own fixed point has length 1, and is in the chaotic phase
    assert own.q == pytest.approx(1, abs=1e-6)
    assert own.chi1 == pytest.approx(1.0716, abs=1e-4)
    assert theory.fixed_point("tanh", 1.0, 0.0).xi_grad == np.inf


@pytest.mark.parametrize(("name", "bias_std"), [(name, 0.0) for name in NONLINEARITIES] + [("gelu", 0.3)])
def test_only_chaos_parts_inputs_that_are_alike(name, bias_std):
    """1 - c = 10^-4 of the inputs, followed through up to 60 layers, beside the phase that gradients are said to be in."""
    for weight_std in (0.6, 1.8, 3.0):
        found = theory.fixed_point(name, weight_std, bias_std)
        if abs(np.log(found.chi1)) < 0.05:  # too near the edge for 60 layers
            continue
        called = str(theory.phase(found.q, found.chi1))
        layers = min(60, 15 + int(4 / abs(np.log(found.chi1))))  # in which 10^-4 becomes 50 times as much, or as little
        away = 1 - theory.gradient_correlation(name, weight_std, bias_std, layers, 1 - 1e-4).forward[-1]
        growth = np.diff(theory.trajectory(name, weight_std, bias_std, 60).log_q)[-1]
        assert (called == "chaotic") == (away > 1e-3), (weight_std, found)
        assert (called == "exploding") == (found.chi1 > 1 and growth > 0.01), (weight_std, found)


def test_phases_that_are_known():
    names = {("relu", 1.2): "ordered", ("relu", 2**0.5): "critical", ("relu", 1.5): "exploding", ("gelu", 1.6): "exploding"}
    names |= {("tanh", 0.9): "ordered", ("tanh", 1.5): "chaotic", ("selu", 1.0): "chaotic", ("linear", 1.5): "exploding"}
    for (name, weight_std), expected in names.items():
        found = theory.fixed_point(name, weight_std, 0.0)
        assert theory.phase(found.q, found.chi1) == expected
    assert theory.phase(np.nan, np.nan) == "undefined"


def test_at_criticality_lengths_decay_as_a_power_of_depth():
    """tanh z = z - z³/3: q' = q - 2q², so q_l → 1/(2l); χ_l = 1 - 2q_l, so gradients fall as 1/l in the mean square."""
    path = theory.trajectory("tanh", 1.0, 0.0, 4000)
    layer = np.arange(1, 4001)
    assert np.exp(path.log_q[-1]) * 2 * layer[-1] == pytest.approx(1, abs=0.01)
    assert path.log_chi[-1] * layer[-1] == pytest.approx(-1, abs=0.01)


def test_gradient_correlation_starts_and_ends_where_it_should():
    same = theory.gradient_correlation("tanh", 1.5, 0.1, 30, 1.0)
    np.testing.assert_allclose(same.forward, 1)
    np.testing.assert_allclose(same.backward, 1, atol=1e-9)
    apart = theory.gradient_correlation("tanh", 2.5, 0.1, 150, 0.9)
    assert apart.forward[-1] == pytest.approx(theory.fixed_point("tanh", 2.5, 0.1).c, abs=1e-6)
    assert (np.diff(apart.backward) > 0).all()  # shattered on the way down
    linear = theory.gradient_correlation("linear", 1.0, 0.0, 30, 0.3)
    np.testing.assert_allclose(linear.forward, 0.3)
    np.testing.assert_allclose(linear.backward, 1)


@pytest.mark.parametrize(("activation", "weight_std"), [("tanh", 1.0), ("tanh", 4.0), ("sigmoid", 10.0), ("gelu", 1.2)])
def test_two_inputs_are_followed_through_852_layers_with_little_quadrature(activation, weight_std, monkeypatch):
    """A layer of quadrature takes 30 ms, one of a series 0.1: only a first layer of long inputs is left to quadrature."""
    calls = []
    monkeypatch.setattr("bench.theory.angles.pair", lambda *given: calls.append(given) or pair(*given))
    found = theory.gradient_correlation(activation, weight_std, 0.1, 852, 0.5)
    assert len(calls) <= 2
    assert np.isfinite(found.forward).all()
    lengths = np.exp(theory.trajectory(activation, weight_std, 0.1, 4).log_q)
    third = pair(NONLINEARITIES[activation], lengths[2], 1 - found.forward[2])
    assert found.forward[3] == pytest.approx(1 - weight_std**2 * third.half_square / lengths[3], rel=1e-7)
