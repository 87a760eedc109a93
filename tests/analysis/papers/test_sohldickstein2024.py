"""The networks of Sohl-Dickstein 2024 are trained as the paper's are, at rates in the paper's units."""

import jax
import numpy as np
import pytest

import bench
from analysis.papers.sohldickstein2024 import RATE, SETUPS, TARGETS, runs
from bench.networks.seeds import seed_mesh
from bench.training.plan import cells_of, plan
from bench.training.start import starting_state
from bench.training.tasks import load_task

STEPS, WIDTH = 6, 16
PHI = {"tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2), "relu": (lambda z: z * (z > 0), lambda z: 1.0 * (z > 0))}
PHI["linear"] = (lambda z: z, np.ones_like)


def papers_losses(x, y, first, second, rates, activation):
    """Of each step of f(x) = θ₁ · φ(c θ₀ x / √n) / n, c = √2 but for linear units, down the gradient of mean (f - y)²."""
    phi, slope = PHI[activation]
    factor = 1 if activation == "linear" else 2**0.5
    losses = []
    for _ in range(STEPS):
        z = x @ first / WIDTH**0.5
        h = phi(factor * z)
        error = h @ second / WIDTH - y
        losses.append(np.mean(error**2))
        back = 2 * error / len(x)
        into = np.outer(back, second / WIDTH) * slope(factor * z) * factor / WIDTH**0.5
        first, second = first - rates[0] * x.T @ into, second - rates[1] * h.T @ back / WIDTH
    return np.array(losses)


@pytest.mark.parametrize("name", ["tanh", "relu", "linear", "mean"])
def test_losses_are_those_of_the_paper_s_network(name, tmp_path):
    setup, (x, y) = SETUPS[name], (30.0, 20.0)
    fields = runs("smoke")[name].to_dict() | {"learning_rates": x * RATE, "readout_learning_rates": y * RATE}
    if setup.means:
        fields |= {"initializers": "gaussian:mean=2", "learning_rates": y * RATE, "readout_learning_rates": ()}
    training = bench.Training(**fields | {"steps": STEPS, "curves": True})
    task, chunk = load_task(training.task), plan(training)[0]
    cells = cells_of(training, chunk.initializers, chunk.activation, WIDTH, biased=False)
    begun = jax.device_get(starting_state(training, task, chunk, cells, seed_mesh(1)).parameters)
    ours = bench.train(training, results=tmp_path, progress=False).curves.loss.to_numpy()
    first = begun.input[0].T.astype(float) * WIDTH**0.5
    if setup.means:
        assert abs(first.mean() - 2) < 4 / WIDTH
    second = begun.readout[0, 0].astype(float) * WIDTH / TARGETS
    inputs, targets = task.x_train / setup.input_std, task.y_train[:, 0] / TARGETS
    theirs = papers_losses(inputs, targets, first, second, (y if setup.means else x, y), setup.activation)
    assert theirs[-1] < 0.99 * theirs[0]
    np.testing.assert_allclose(ours, TARGETS**2 / 2 * theirs, rtol=1e-4)
