"""Schemes with numbers of their own, ``gaussian:mean=…``: what they draw, and that one program draws them all."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bench
from bench import theory
from bench.cli.main import main
from bench.networks import initializers
from bench.networks.initializers import INITIALIZERS
from tests.networks.test_initializers import WIDTH, assert_near, matrices
from tests.tolerance import run_frame

SWEEP: Any = bench.Sweep
TRAINING: Any = bench.Training
MEANS = (-0.4, 0.5, 2.0)


@pytest.mark.parametrize("mean", [-3.0, 0.0, 0.25])
def test_entries_have_that_mean_and_the_variance_of_a_gaussian_s(mean):
    draws = matrices(f"gaussian:mean={mean}") * np.sqrt(WIDTH)
    assert_near(draws.mean(axis=(1, 2)), mean)
    assert_near(np.square(draws - mean).mean(axis=(1, 2)), 1)


def test_a_linear_network_has_the_second_moments_that_the_mean_gives_it(tmp_path):
    """N_l = E ‖h_l‖² and S_l = E (Σ h_l)² from N_0 = S_0 = n: N' = s² (N + m² S), S' = s² (N + n m² S)."""
    fields = {"activations": "linear", "depths": 4, "scales": 0.8, "widths": WIDTH, "seeds": 256}
    names = [f"gaussian:mean={mean}" for mean in MEANS[:2]]
    layers = run_frame(tmp_path, kind="layers", initializers=names, **fields)
    for mean, name in zip(MEANS, names, strict=False):
        square, total = float(WIDTH), float(WIDTH)
        for layer in (1, 2, 3):
            square, total = 0.64 * (square + mean**2 * total), 0.64 * (square + WIDTH * mean**2 * total)
            found = layers[(layers.initializer == name) & (layers.layer == layer)]
            assert len(found) == 256
            assert_near(10 ** (2 * found.log10_activation), square)


def test_with_mean_0_the_draws_are_gaussian_s_own(tmp_path):
    fields: dict[str, Any] = {"depths": 20, "widths": 8, "scales": [0.9, 1.4], "seeds": 2, "activations": "relu"}
    for architecture in ("plain", "residual"):
        fields["architectures"] = architecture
        cells = run_frame(tmp_path, architecture, initializers=["gaussian", "gaussian:mean=1"], **fields)
        spelled = run_frame(tmp_path, f"{architecture}-spelled", initializers="gaussian:mean=0", **fields)
        own, shifted = (cells[cells.initializer == name].log10_grad_first for name in ("gaussian", "gaussian:mean=1"))
        same = spelled[spelled.initializer == "gaussian:mean=0"].log10_grad_first
        np.testing.assert_array_equal(own, same)
        assert not np.isclose(own, shifted).any()


@pytest.fixture
def traced(monkeypatch):
    """The shapes that are asked of the draw, each as often as it is traced."""
    shapes = []

    def counting(key, shape, dtype, mean=0.0):
        shapes.append(shape)
        return original(key, shape, dtype, mean)

    original = initializers.shifted_gaussian
    monkeypatch.setattr(initializers, "shifted_gaussian", counting)
    return shapes


def test_one_program_draws_all_means_of_a_sweep(tmp_path, traced):
    names = [f"gaussian:mean={mean + 0.125}" for mean in MEANS]  # not seen by this process before
    cells = run_frame(tmp_path, initializers=names, depths=2, widths=7, scales=1.0, seeds=2, activations="tanh")
    assert traced == [(7, 7)] * (len(MEANS) + 1)  # each is tried before the run begins
    assert cells.log10_output.nunique() == 2 * len(MEANS)


def test_one_program_draws_all_means_of_a_training(tmp_path, traced):
    names = [f"gaussian:mean={mean + 0.25}" for mean in MEANS]
    fields = {"task": "noise:inputs=5,outputs=1,examples=4", "loss": "mse", "target": "loss=0.1", "depths": 2, "widths": 7}
    folder = bench.train(
        TRAINING(initializers=names, **fields, scales=1.0, steps=2, learning_rates=0.0, batch=4),
        results=tmp_path,
        progress=False,
    )
    assert traced.count((5, 7)) == len(MEANS) + 1
    cells = pd.read_parquet(folder / "cells")
    assert sorted(cells.initializer) == sorted(names)
    assert cells.final_train_loss.nunique() == len(MEANS)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gaussian:mean=much", "gaussian's mean: a number from -1e"),
        ("gaussian:mean=1e9", "gaussian's mean: a number from -1e"),
        ("gaussian:mean=true", "gaussian's mean: a number from -1e"),
        ("gaussian:std=1", "arguments of gaussian: mean"),
        ("gaussian:mean=", "got 'gaussian:mean=', expected NAME or NAME:ARGUMENT=VALUE,ARGUMENT=VALUE$"),
        ("gaussian:mean=1,mean=2", "expected mean once"),
        ("he_normal:mean=1", "expected he_normal alone: it takes no arguments, unlike gaussian"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(name, message, tmp_path, capsys):
    with pytest.raises(bench.SweepError, match=message):
        SWEEP(initializers=name)
    assert main(["sweep", "--initializers", name, "--results", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_number_has_one_name_however_it_is_written():
    assert SWEEP(initializers=["gaussian:mean=3e-1", "gaussian:mean=0.3"]).initializers == ("gaussian:mean=0.3",)
    assert SWEEP(initializers="gaussian:mean=2.0").initializers == ("gaussian:mean=2",)


def test_theory_says_that_it_has_no_law_of_weights_that_are_not_centred():
    found = theory.predict(initializer="gaussian:mean=0.3", activation="tanh", width=32, depth=10, scale=1.0)
    assert found.law == "none"
    assert "no law of its weights" in found.reason


def test_they_are_listed(capsys):
    main(["list"])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.split()[0] == "gaussian:mean=…"]
    assert [line.split(maxsplit=1)[1] for line in lines] == ["N(mean, 1) / √fan_in: weights that are not centred"]
    assert INITIALIZERS["gaussian:mean=1"].summary in lines[0]
