"""What theory is asked for is checked at its door, in words, and what it answers comes without a warning."""

import warnings

import numpy as np
import pytest

from bench import theory

CELL = {"initializer": "gaussian", "activation": "tanh", "width": 16, "depth": 10, "scale": 1.0}
DRAW = {"activation": "tanh", "width": 4, "depths": (2, 5), "weight_std": 1.0, "samples": 2}
LAW = {"width": 4, "depth": 5, "weight_std": 1.0, "negative_slope": 0.0, "orthogonal": False}
MODES = {"values": [1.0], "start": 0.1, "matrices": 2, "times": np.array([0.0, 1.0])}
CALLS = {
    theory.predict: CELL | {"bias_std": 0.0, "input_norm": 1.0, "loss": "output"},
    theory.draw_networks: DRAW | {"bias_std": 0.0, "input_norm": 1.0, "generator": np.random.default_rng(0)},
    theory.gradient_law: LAW,
    theory.slope_law: LAW,
    theory.relative_law: {"width": 4, "orthogonal": True},
    theory.fixed_point: {"activation": "relu", "weight_std": 1.0, "bias_std": 0.0},
    theory.trajectory: {"activation": "relu", "weight_std": 1.0, "bias_std": 0.0, "layers": 3},
    theory.critical: {"activation": "relu", "bias_std": 0.0},
    theory.gradient_correlation: {"activation": "relu", "weight_std": 1.0, "bias_std": 0.0, "depth": 5, "correlation": 0.5},
    theory.block_trajectory: {"architecture": "residual", "activation": "relu", "weight_std": 1.0, "depth": 4, "width": 8}
    | {"batch": 1, "length": 1, "input_norm": 1.0, "correlation": 0.5},
    theory.jacobian_spectrum: {"activation": "relu", "initializer": "gaussian", "depth": 5, "scale": 1.0, "bias_std": 0.0}
    | {"width": 4},
    theory.learned_modes: MODES,
    theory.aligned_loss: MODES,
}
WRONG = {
    "width": [0, -3, 2.5, np.nan, "16", True, [16]],
    "depth": [1, 0, 2.5, np.inf],
    "batch": [0, 1.5],
    "length": [0, 1.5],
    "layers": [0, 1.5],
    "samples": [0, 0.5],
    "matrices": [1],
    "depths": [(), (2, 1), 5, (2.5,)],
    "scale": [-1.0, np.nan, np.inf, [1.0, 2.0]],
    "initializer": [None, 3],
    "activation": [None, 3, np.tanh],
    "generator": [None, 0],
    "loss": ["foo", None],
    "weight_std": [-1.0, np.nan, np.inf, None, "1"],
    "bias_std": [-0.1, np.nan],
    "input_norm": [0, -1.0, np.nan],
    "correlation": [1.1, -2, np.nan],
    "start": [-1.0],
    "values": [[], [-1.0]],
    "times": [[-1.0], [np.nan]],
}


@pytest.mark.parametrize("function", CALLS, ids=lambda function: function.__name__)
def test_an_argument_that_cannot_be_is_named(function):
    fields = CALLS[function]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        function(**fields)
        for name in fields.keys() & WRONG.keys():
            for value in WRONG[name]:
                if value is None and function is theory.critical:
                    continue
                with pytest.raises(ValueError, match=rf"^{name}: got .*, expected ") as told:
                    function(**fields | {name: value})
                assert repr(value) in str(told.value)


def test_nothing_is_drawn_of_weights_that_are_zero():
    with pytest.raises(ValueError, match=r"weight_std: got 0\.0, expected a finite number > 0"):
        theory.draw_networks(**DRAW | {"weight_std": 0.0}, generator=np.random.default_rng(0))


def test_names_that_are_nearly_known_are_guessed():
    with pytest.raises(ValueError, match=r"activation: got 'tahn'.*did you mean tanh"):
        theory.fixed_point("tahn", 1.0, 0.0)
    with pytest.raises(ValueError, match=r"initializer: got 'gausian'.*did you mean gaussian"):
        theory.jacobian_spectrum("tanh", "gausian", 10)
    found = theory.predict(**CELL | {"initializer": "gausian"})
    assert found.reason == "initializer gausian: no law of its weights is known; did you mean gaussian?"


@pytest.mark.parametrize("activation", ["tanh", "softplus", "gelu", "linear", "hard_tanh"])
def test_nothing_warns_at_the_ends_of_the_float_range(activation):
    generator = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for weight_std in (1e-300, 1e300):
            theory.fixed_point(activation, weight_std, 0.0)
            theory.gradient_correlation(activation, weight_std, 0.0, 4, -1.0)
            drawn = theory.draw_networks(**DRAW | {"activation": activation, "weight_std": weight_std}, generator=generator)
            assert not np.isnan(drawn.log10_grad_first).any()
        assert theory.jacobian_spectrum(activation, "gaussian", 5, scale=0.0, width=4).mean == 0


def test_whole_numbers_may_be_floats():
    assert theory.predict(**CELL | {"width": 16.0, "depth": 10.0}) == theory.predict(**CELL)
    drawn = [
        theory.draw_networks(**DRAW | kinds, generator=np.random.default_rng(0))
        for kinds in ({}, {"width": 4.0, "samples": 2.0, "depths": (2.0, 5.0)})
    ]
    np.testing.assert_array_equal(*(draws.log10_grad_first for draws in drawn))


@pytest.mark.parametrize("wrong", [{"seeds": 0}, {"seeds": -3}, {"seeds": 4, "confidence": 1.5}])
def test_an_interval_is_of_seeds(wrong):
    with pytest.raises(ValueError, match=r"^(seeds|confidence): got .*, expected "):
        theory.predict(**CELL).log10_grad_first.interval(**wrong)


def test_functions_without_a_slope_have_no_law_and_a_reason():
    import jax.numpy as jnp

    for flat in (lambda z: 0 * z, jnp.sign):
        found = theory.predict(**CELL | {"activation": flat})
        assert found.law == "none"
        assert "is flat" in found.reason
