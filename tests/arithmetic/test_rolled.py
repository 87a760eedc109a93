"""Loops that a program unrolls, as scans: the same numbers, and what is no such loop stays as it is."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import jaxpr_as_fun

import bench
from bench.arithmetic.rolled import rolled

DRAW = np.random.default_rng(0)
DEPTH = 12


def weights(*shape, scale=0.4, depth=DEPTH):
    return [jnp.asarray(scale * DRAW.normal(size=shape), jnp.float32) for _ in range(depth)]


X = weights(3, 4, scale=1, depth=1)[0]
SQUARE, GAINS = weights(4, 4), weights(1, 4)


def chain(params, x):
    for w in params:
        x = jnp.tanh(x @ w)
    return x.sum()


def residual(params, x):
    x = x @ params["in"]
    for w, gain in zip(params["w"], params["gain"], strict=True):
        x = x + gain * jax.nn.relu(x - x.mean(-1, keepdims=True)) @ w
    return (x @ params["in"] ** 2).mean()


def recurrent(params, x):
    state = jnp.zeros_like(x)
    for bias in params["bias"]:
        state = jax.nn.sigmoid(state @ params["w"] + x) * jnp.tanh(state + bias)
    return (state**2).sum()


def every_state(params, x):
    loss = 0.0
    for w in params:
        x = jnp.sin(x @ w)
        loss = loss + (x**2).sum()
    return loss


NETWORKS = {
    "chain": (chain, SQUARE),
    "residual": (residual, {"in": SQUARE[0], "w": SQUARE, "gain": GAINS}),
    "recurrent": (recurrent, {"w": SQUARE[0], "bias": GAINS}),
    "every state": (every_state, SQUARE),
}


def gradient_program(loss, params, x):
    return jax.make_jaxpr(jax.grad(loss, (0, 1)))(params, x), jax.tree.leaves((params, x))


def scans(program):
    return sum(equation.primitive.name == "scan" for equation in program.program.jaxpr.eqns)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_rolled_program_computes_the_same(name):
    loss, params = NETWORKS[name]
    program, arguments = gradient_program(loss, params, X)
    scanned = rolled(program)
    assert scans(scanned) == 2
    assert len(scanned.program.jaxpr.eqns) < len(program.jaxpr.eqns) / 3
    found = scanned.results(jaxpr_as_fun(scanned.program)(*arguments), scanned.rows())
    for one, other in zip(found, jaxpr_as_fun(program)(*arguments), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def transposes(jaxpr):
    return sum(e.primitive.name == "transpose" for e in jaxpr.eqns)


def test_gradients_of_all_layers_are_multiplied_out_as_they_are_read():
    """Bᵀ A for JAX's (Aᵀ B)ᵀ: a transpose would be a copy of all."""
    program, _ = gradient_program(chain, SQUARE, X)
    assert transposes(program.jaxpr) == DEPTH
    assert transposes(rolled(program).program.jaxpr) == 0


def kernels(depth):
    """How many different ones a jitted gradient is compiled to."""
    gradient = jax.jit(bench.unbounded(jax.grad(chain)))
    text = gradient.lower(weights(4, 4, depth=depth), X).compile().as_text()
    found = re.findall(r"^%\S*fused_computation\S* .*?^}", text or "", re.MULTILINE | re.DOTALL)
    return len({re.sub(r"(metadata|frontend_attributes)=\{[^}]*\}|\.[0-9]+|\.clone", "", kernel) for kernel in found})


def test_within_a_compiled_program_rows_of_results_are_no_kernels_of_their_own():
    assert 0 < kernels(3 * DEPTH) <= kernels(DEPTH)


def test_gradients_of_layers_are_mapped_as_others_are():
    gradient, few = bench.unbounded(jax.grad(chain)), jnp.stack([X, 2 * X])
    for batched in (jax.vmap(gradient, (None, 0)), jax.jit(jax.vmap(gradient, (None, 0)))):
        for i, x in enumerate(few):
            found, expected = batched(SQUARE, few)[5][i].to_float(), jax.grad(chain)(SQUARE, x)[5]
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def two_steps_back(params, x):
    before = x
    for w in params:
        before, x = x, jnp.tanh(before @ w)
    return x.sum() + before.sum()


def skips(params, x):
    states = [x]
    for w in params:
        states.append(jnp.tanh(states[len(states) // 2] @ w))
    return states[-1].sum()


@pytest.mark.parametrize(
    ("loss", "params"),
    [(chain, SQUARE[:5]), (skips, SQUARE), (two_steps_back, SQUARE), (chain, weights(512, 512, depth=8))],
    ids=["few turns", "states of any age", "states older than a turn", "large arrays"],
)
def test_what_does_not_hang_together_as_a_loop_or_costs_more_to_stack_stays_as_it_is(loss, params):
    program, _ = gradient_program(loss, params, jnp.ones((2, len(params[0])), jnp.float32))
    assert rolled(program).program is program


def chain_by_scan(params, x):
    return jax.lax.scan(lambda x, w: (jnp.tanh(x @ w), None), x, params)[0].sum()


def every_state_by_scan(params, x):
    def turn(carry, w):
        x = jnp.sin(carry[0] @ w)
        return (x, carry[1] + (x**2).sum()), None

    return jax.lax.scan(turn, (x, jnp.zeros(())), params)[0][1]


@pytest.mark.parametrize(
    ("loss", "by_scan", "wrapped"),
    [(every_state, every_state_by_scan, lambda f: f), (chain, chain_by_scan, jax.jit)],
    ids=["of all sizes", "all tiny, jitted"],
)
def test_a_hundred_layers_by_a_loop_are_those_of_a_scan(loss, by_scan, wrapped):
    """Gradients down to 10^-150 and far below; weights of ordinary size, and one that is not among them."""
    gradient, scanned = wrapped(bench.unbounded(jax.grad(loss))), bench.unbounded(jax.grad(by_scan))
    params = weights(4, 4, scale=0.01, depth=100)
    for first in (1.0, 2.0**-70):
        params[0] = first * params[0]
        found, expected = gradient(params, X), scanned(jnp.stack(params), X)
        for layer in (0, 50, 99):
            np.testing.assert_allclose(found[layer].log10_norm(), expected[layer].log10_norm(), atol=1e-4)
        assert found[99].log10_norm() < -150


def test_a_scan_carries_what_is_ordinary_and_what_becomes_tiny():
    """Tanh of ever smaller numbers is what it is of: 0.1^n x, after a start that bends it."""
    found = bench.unbounded(lambda x: jax.lax.scan(lambda h, _: (jnp.tanh(0.1 * h), h), x, length=300))(X)
    exact = np.asarray(X, np.float64)
    for _ in range(20):
        exact = np.tanh(np.float64(np.float32(0.1)) * exact)
    expected = np.log10(np.abs(exact)) + 280 * np.log10(float(np.float32(0.1)))
    np.testing.assert_allclose(found[0].log10_abs(), expected, rtol=0, atol=1e-4)
    np.testing.assert_allclose(found[1][0].to_float(), X)


def test_what_is_tiny_beside_an_infinity_stays_what_it_is():
    found = bench.unbounded(jnp.tanh)(jnp.asarray([1e-30, np.inf, -np.inf], jnp.float32)).to_float()
    np.testing.assert_allclose(found, [1e-30, 1, -1], rtol=1e-6)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_and_a_multiple_of_it_meet_at_any_magnitude(sign):
    """X + x tanh(t) far beyond floats, of which no block of x must decide what is lost: one of its numbers is zero."""
    x, t = jnp.asarray([3.0, 0.0]), jnp.asarray([0.5, 1e-30])
    found = bench.unbounded(lambda x, t: (x / x[0] ** 200 + sign * (x / x[0] ** 200 * jnp.tanh(t))) * x[0] ** 199)(x, t)
    np.testing.assert_allclose(found.to_float(), np.asarray(x) / 3 * (1 + sign * np.tanh(np.asarray(t))), rtol=1e-5)
