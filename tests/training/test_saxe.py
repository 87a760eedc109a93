"""Deep linear networks learn as Saxe et al. 2014 (arXiv 1312.6120) derive it, and on their own data by their own convention.

With N weight matrices, whitened inputs, and ½ ‖y - target‖² averaged over examples, gradient flow from aligned and balanced
weights, W_l = a R_l R_{l-1}ᵀ with orthogonal R, keeps every mode by itself: a' = a^{N-1} (s - a^N), so that u = a^N obeys
τ u' = N u^{2-2/N} (s - u), with time in steps and τ = 1 / learning rate. For N = 2 it is solved by
u(t) = s e^{2st/τ} / (e^{2st/τ} - 1 + s/u₀).
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from bench.networks.activations import ACTIVATIONS
from bench.training.loop import Kind, State, train_step
from bench.training.network import Parameters
from bench.training.optimizers import Rates, parse_optimizer
from bench.training.tasks import load_task

MODES = np.array([2.0, 1.0])
SIZE = 5
START = 0.02  # u₀
END = 4.0  # of time, in units of τ: learning is over by then


def orthogonal(random: np.random.Generator, size: int) -> np.ndarray:
    return np.linalg.qr(random.standard_normal((size, size)))[0]


def learned(matrices: int, rate: float) -> np.ndarray:
    """[steps + 1, modes]: u along the singular vectors of the task, from an aligned and balanced start, in float64."""
    task = load_task(f"saxe:values=2/1,inputs={SIZE},outputs={SIZE}")
    left, singular, right = np.linalg.svd(task.y_train.T @ task.x_train / len(task.x_train))
    np.testing.assert_allclose(singular, [*MODES, 0, 0, 0], atol=1e-12)
    random = np.random.default_rng(0)
    turns = [right.T, *(orthogonal(random, SIZE) for _ in range(matrices - 1)), left]
    each = START ** (1 / matrices)
    weights = [each * turns[layer + 1] @ turns[layer].T for layer in range(matrices)]
    steps = round(END / rate)
    with jax.enable_x64(True):
        kind = Kind(ACTIVATIONS["linear"], "mse", parse_optimizer("sgd"), clipped=False, whole=True)
        hidden = jnp.array(weights[1:-1]).reshape(-1, SIZE, SIZE)
        parameters = Parameters(jnp.array(weights[0]), None, hidden, None, jnp.array(weights[-1]))
        rates = Rates(jnp.asarray(rate), jnp.asarray(rate))
        state = State(parameters, kind.optimizer.init(rates, parameters), jnp.ones((), bool))
        x, targets = jnp.array(task.x_train), jnp.array(task.y_train)

        def modes(parameters: Parameters) -> jax.Array:
            product = parameters.input
            for layer in parameters.hidden:
                product = layer @ product
            return jnp.diag(left.T @ parameters.readout @ product @ right.T)[: len(MODES)]

        def step(state: State, _) -> tuple[State, jax.Array]:
            state, _ = train_step(state, x, targets, rates, jnp.zeros(()), kind)
            return state, modes(state.parameters)

        _, found = jax.jit(lambda state: jax.lax.scan(step, state, None, length=steps))(state)
        return np.concatenate([np.full((1, len(MODES)), START), np.asarray(found)])


def flow(matrices: int, times: np.ndarray) -> np.ndarray:
    """[times, modes]: the solution of τ u' = N u^{2-2/N} (s - u) at t / τ = times."""
    if matrices == 2:
        grown = np.exp(2 * MODES * times[:, None])
        return MODES * grown / (grown - 1 + MODES / START)
    solution = solve_ivp(
        lambda _, u: matrices * u ** (2 - 2 / matrices) * (MODES - u),
        (0, times[-1]),
        np.full(len(MODES), START),
        t_eval=times,
        rtol=1e-10,
        atol=1e-12,
    )
    return solution.y.T


@pytest.mark.parametrize("matrices", [2, 3, 5])
def test_modes_are_learned_as_the_closed_form_says_to_first_order_in_the_learning_rate(matrices):
    errors = []
    for rate in (0.02, 0.01, 0.005):
        found = learned(matrices, rate)
        errors.append(np.abs(found - flow(matrices, rate * np.arange(len(found)))).max())
    assert errors[0] < 0.1 * MODES.max()
    ratios = np.array(errors[:-1]) / errors[1:]
    np.testing.assert_allclose(ratios, 2, rtol=0.1)  # Euler's method: the error halves with its step
    assert (np.abs(found[-1] - MODES) < 0.06).all()  # and the modes have been learned


def test_the_ordinary_differential_equation_has_the_closed_form_for_two_matrices():
    times = np.linspace(0, END, 50)
    exact = flow(2, times)
    numeric = solve_ivp(lambda _, u: 2 * u * (MODES - u), (0, END), exact[0], t_eval=times, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(numeric.y.T, exact, atol=1e-8)
