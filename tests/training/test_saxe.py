"""Deep linear networks learn as Saxe et al. 2014 (arXiv 1312.6120) derive it, and on their own data by their own convention.

With N weight matrices, whitened inputs, and ½ ‖y - target‖² averaged over examples, gradient flow from aligned and balanced
weights, W_l = a R_l R_{l-1}ᵀ with orthogonal R, keeps every mode by itself: a' = a^{N-1} (s - a^N), so that u = a^N obeys
τ u' = N u^{2-2/N} (s - u), with time in steps and τ = 1 / learning rate. For N = 2 it is solved by
u(t) = s e^{2st/τ} / (e^{2st/τ} - 1 + s/u₀). ``bench train --task saxe:aligned=true`` trains that case.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import bench
from bench.cli.main import main
from bench.networks.activations import ACTIVATIONS
from bench.theory import learned_modes
from bench.training.loop import Kind, State, train_step
from bench.training.network import Parameters, PlainNetwork
from bench.training.optimizers import Rates, parse_optimizer
from bench.training.tasks import load_task

MODES = np.array([2.0, 1.0])
SIZE = 5
START = 0.02  # u₀
END = 4.0  # of time, in units of τ: learning is over by then


def orthogonal(random: np.random.Generator, size: int) -> np.ndarray:
    return np.linalg.qr(random.standard_normal((size, size)))[0]


RATES = (0.02, 0.01, 0.005)


@jax.jit
def trained(state: State, rates: Rates, x: jax.Array, targets: jax.Array, left: jax.Array, right: jax.Array) -> jax.Array:
    """[steps, modes], for as many steps as the lowest rate needs."""
    kind = Kind(PlainNetwork(ACTIVATIONS["linear"]), "mse", parse_optimizer("sgd"), clipped=False, whole=True)

    def modes(parameters: Parameters) -> jax.Array:
        product = parameters.input
        for layer in parameters.hidden:
            product = layer @ product
        return jnp.diag(left.T @ parameters.readout @ product @ right.T)[: len(MODES)]

    def step(state: State, _) -> tuple[State, jax.Array]:
        state, _ = train_step(state, x, targets, rates, jnp.zeros(()), kind)
        return state, modes(state.parameters)

    return jax.lax.scan(step, state, None, length=round(END / min(RATES)))[1]


def learned(matrices: int, rate: float) -> np.ndarray:
    """[steps + 1, modes]: u along the singular vectors of the task, from an aligned and balanced start, in float64."""
    task = load_task(f"saxe:values=2/1,inputs={SIZE},outputs={SIZE}")
    left, singular, right = np.linalg.svd(task.y_train.T @ task.x_train / len(task.x_train))
    np.testing.assert_allclose(singular, [*MODES, 0, 0, 0], atol=1e-12)
    random = np.random.default_rng(0)
    turns = [right.T, *(orthogonal(random, SIZE) for _ in range(matrices - 1)), left]
    each = START ** (1 / matrices)
    weights = [each * turns[layer + 1] @ turns[layer].T for layer in range(matrices)]
    parameters = Parameters(weights[0], None, np.reshape(weights[1:-1], (-1, SIZE, SIZE)), None, weights[-1])
    rates = Rates(np.array(rate), np.array(rate))
    with jax.enable_x64(True):
        state = State(parameters, parse_optimizer("sgd").init(rates, parameters), np.ones((), bool))
        found = trained(state, rates, task.x_train, task.y_train, left, right)
        return np.concatenate([np.full((1, len(MODES)), START), np.asarray(found)[: round(END / rate)]])


def law(matrices: int, times: np.ndarray) -> np.ndarray:
    """[times, modes]"""
    return learned_modes(MODES, start=START, matrices=matrices, times=times)


@pytest.mark.parametrize("matrices", [2, 3, 5])
def test_modes_are_learned_as_the_closed_form_says_to_first_order_in_the_learning_rate(matrices):
    errors = []
    for rate in RATES:
        found = learned(matrices, rate)
        errors.append(np.abs(found - law(matrices, rate * np.arange(len(found)))).max())
    assert errors[0] < 0.1 * MODES.max()
    ratios = np.array(errors[:-1]) / errors[1:]
    np.testing.assert_allclose(ratios, 2, rtol=0.1)  # Euler's method: the error halves with its step
    assert (np.abs(found[-1] - MODES) < 0.06).all()  # and the modes have been learned


ALIGNED = {
    "task": "saxe:aligned=true,inputs=4,outputs=3,values=2/1.5/0.5",
    "activations": ["linear"],
    "widths": [6],
    "loss": "mse",
    "target": "loss=0.05",
    "batch": 4,
}


@pytest.mark.parametrize(
    ("initializer", "depths"), [("orthogonal", [7]), pytest.param("identity", [2, 7], marks=pytest.mark.thorough)]
)
def test_a_training_from_aligned_weights_is_the_recursion_of_its_modes(tmp_path, initializer, depths):
    """Gradient descent itself, a ← a + rate a^(N-1) (s - a^N) for every mode: exact but for rounding, at any rate."""
    training = bench.Training(
        **ALIGNED, initializers=[initializer], depths=depths, scales=[0.5, 0.9], learning_rates=[0.05], steps=100, seeds=2
    )
    curves = pd.read_parquet(bench.train(training, results=tmp_path, progress=False) / "curves")
    values = np.array([2.0, 1.5, 0.5])
    for (depth, scale), rows in curves.groupby(["depth", "scale"]):
        a, losses = np.full(3, scale), []
        for _ in range(100):
            losses.append(np.sum((values - a**depth) ** 2) / 2)
            a = a + 0.05 * a ** (depth - 1) * (values - a**depth)
        expected = np.array(losses)[rows.step]
        np.testing.assert_allclose(rows.loss, expected, atol=2e-5 * losses[0])
        assert losses[-1] < 0.9 * losses[0]


@pytest.mark.thorough
def test_the_command_line_trains_the_aligned_case_and_refuses_what_has_no_modes_of_its_own(tmp_path, capsys):
    words = [
        "train",
        "--task",
        "saxe:aligned=true,inputs=4,outputs=4,values=2/1",
        "--activations",
        "linear",
        "--depths",
        "3",
    ]
    words += ["--scales", "0.7", "--widths", "5", "--loss", "mse", "--target", "loss=0.1", "--steps", "4", "--quiet"]
    words += ["--results", str(tmp_path), "--learning-rates", "0.1"]
    assert main([*words, "--initializers", "orthogonal"]) == 0
    assert "saxe:aligned=true,inputs=4" in pd.read_parquet(tmp_path / "training" / "cells").task[0]
    capsys.readouterr()
    for change, named in (
        (
            ["--initializers", "gaussian", "--batch", "2"],
            "--initializers: got ('gaussian',), expected orthogonal or identity, and batch 4 or more (all examples): saxe",
        ),
        (["--initializers", "identity", "--widths", "3"], "--widths: got (3,), expected 4 or more"),
        (["--initializers", "identity", "--activations", "tanh"], "--activations: got ('tanh',), expected linear"),
        (["--initializers", "identity", "--batch", "2"], "--batch: got 2, expected 4 or more"),
        (["--initializers", "identity", "--bias-stds", "1"], "--bias-stds: got (1.0,), expected 0"),
    ):
        assert main([*words, "--run", "other", *change]) == 2
        assert named in capsys.readouterr().err
        assert not (tmp_path / "other").exists()
