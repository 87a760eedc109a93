"""Saturated networks, where few neurons have a slope: sums of slopes, predictions and draws, each against the other."""

import numpy as np
import pytest
from scipy.stats import binomtest

from bench import theory
from bench.theory.moments import tabulated
from bench.theory.nonlinearities import NONLINEARITIES
from bench.theory.slope_sums import slope_sums

SAMPLES = 1500


@pytest.mark.parametrize("width", [2, 16, 100])
@pytest.mark.parametrize("name", ["tanh", "erf", "sigmoid", "hard_tanh", "sine", "elu"])
def test_a_sum_of_slopes_has_its_law_at_any_length(name, width):
    """Means of drawn sums within 4.5 standard errors, their spread within a tenth; without matrices or layers."""
    phi, generator = NONLINEARITIES[name], np.random.default_rng(width)
    for variance in (0.01, 3.0, 100.0, 1e6 if name in ("tanh", "erf", "sigmoid", "sine") else 100.0):
        z, v = generator.standard_normal((2, 8000, width))
        drawn = np.logaddexp.reduce(2 * phi.log_slope(np.sqrt(variance) * z) + np.log(v**2), axis=1)
        alive = np.isfinite(drawn)
        law = slope_sums(phi, width)(np.log(variance))
        if phi.tail is not None and law.flat > 1e-6:  # the law is of the other networks
            continue
        assert binomtest(int((~alive).sum()), len(drawn), float(law.flat)).pvalue > 1e-5
        values = drawn[alive] - np.log(width) - tabulated(phi)(np.log(variance)).log_slope
        assert abs(values.mean() - law.mean) < 4.5 * np.sqrt(law.variance / len(values)) + 0.005 * abs(law.mean)
        assert values.std() == pytest.approx(np.sqrt(law.variance), rel=0.1)


@pytest.mark.parametrize("orthogonal", [False, True], ids=["gaussian", "orthogonal"])
@pytest.mark.parametrize("scale", [3.0, 30.0, 300.0])
@pytest.mark.parametrize("activation", ["tanh", "erf", "sigmoid", "hard_tanh"])
def test_saturated_networks_are_predicted(activation, scale, orthogonal):
    """Width 16, 10 layers: bias below a third of the error of 8 seeds, spreads within an eighth, and how many live."""
    fields = {"width": 16, "bias_std": 0.0, "input_norm": 1.0}
    draws = theory.draw_networks(
        activation,
        **fields,
        depths=(2, 10),
        weight_std=scale,
        samples=SAMPLES,
        orthogonal=orthogonal,
        generator=np.random.default_rng(5),
    ).log10_grad_first
    expected = theory.predict(
        initializer="orthogonal" if orthogonal else "gaussian", activation=activation, depth=10, scale=scale, **fields
    )
    assert (expected.law, expected.reason) == ("leading order", "")
    alive = np.isfinite(draws).all(axis=1)
    assert alive.mean() == pytest.approx(expected.alive, abs=0.03)
    if expected.alive < 0.1:
        return
    living, slopes = draws[alive, 1], (draws[alive, 1] - draws[alive, 0]) / 8
    for values, (mean, std) in ((living, expected.log10_grad_first), (slopes, expected.log10_grad_slope)):
        assert abs(values.mean() - mean) < std * (0.33 / np.sqrt(8) + 4 / np.sqrt(len(values)))
        assert values.std() == pytest.approx(std, rel=0.12)


@pytest.mark.parametrize("depth", [2, 6])
def test_long_inputs_saturate_the_first_layer_only(depth):
    fields = {"width": 16, "input_norm": 100.0}
    drawn = theory.draw_networks(
        "tanh", **fields, depths=(depth,), weight_std=1.0, samples=SAMPLES, generator=np.random.default_rng(1)
    ).log10_grad_first
    mean, std = theory.predict(initializer="gaussian", activation="tanh", depth=depth, scale=1.0, **fields).log10_grad_first
    assert abs(drawn.mean() - mean) < std * (0.33 / np.sqrt(8) + 4 / np.sqrt(SAMPLES))
    assert drawn.std() == pytest.approx(std, rel=0.1)


@pytest.mark.parametrize("scale", [1e3, 1e30, 1e150])
def test_gradients_of_saturated_networks_are_small_and_never_zero(scale):
    """1000 draws, as many as before had a zero; ln φ′ of tanh is -2|z|, so gradients' logarithms grow as the scale."""
    drawn = theory.draw_networks(
        "tanh", width=16, depths=(2, 5), weight_std=scale, samples=1000, generator=np.random.default_rng(2)
    ).log10_grad_first
    assert np.isfinite(drawn).all()
    assert (drawn[:, 1] / scale).mean() == pytest.approx(-0.25, abs=0.05)


def test_what_is_not_followed_says_so():
    cell = {"initializer": "gaussian", "width": 16, "depth": 10, "scale": 1.0}
    for reason, fields in {
        "saturated: pre-activations are beyond 2981 in layer 1,": {"activation": "tanh", "scale": 1e5},
        "saturated: pre-activations are beyond 2981 in layer 3,": {"activation": "tanh", "scale": 5e3, "input_norm": 1e-4},
        "depth 20000: without a closed form": {"activation": "tanh", "depth": 20000},
        "in 0.96 of networks a layer lies on": {"activation": "elu", "scale": 3.0, "width": 8, "depth": 852},
    }.items():
        found = theory.predict(**cell | fields)
        assert found.law == "none"
        assert found.reason.startswith(reason)
        assert np.isnan(found.log10_grad_first).all()
