"""Backward passes that a program brings with it: one that is not linear in its cotangent is refused by name."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bench
from bench.settings.errors import SweepError

X = jnp.linspace(-1.0, 2.0, 8)
NONLINEAR = {
    "clips, far out": lambda _, g: jnp.clip(g, -1e3, 1e3),
    "lets positive ones through": lambda _, g: jnp.maximum(g, 0),  # scales, but not by -1
    "keeps the largest": lambda _, g: jnp.where(jnp.abs(g) >= jnp.max(jnp.abs(g)), g, 0),  # scales, and does not add
}
LINEAR = {
    "straight through": lambda _, g: g,
    "masked, in bfloat16": lambda x, g: jnp.where(x > 0, g.astype(jnp.bfloat16).astype(g.dtype), 0),
}


def loss_with(backward):
    @jax.custom_vjp
    def own(x, times):
        return jnp.round(x) * jnp.asarray(times, x.dtype)

    own.defvjp(lambda x, times: (own(x, times), x), lambda x, g: (backward(x, g), None))

    def loss(x):
        h, _ = jax.lax.scan(lambda h, _: (own(jnp.tanh(h), 2), None), x, None, length=2)  # the line
        return jnp.sum(h)

    return loss


@pytest.mark.parametrize("name", NONLINEAR)
def test_what_is_not_linear_is_refused_with_its_name_and_line(name):
    loss = loss_with(NONLINEAR[name])
    line = loss.__code__.co_firstlineno + 1
    with pytest.raises(SweepError, match=rf"nonlinear: got 'own at .*test_pullbacks.py:{line}:.*expected a custom_vjp"):
        bench.unbounded(jax.grad(loss))(X)
    with pytest.raises(SweepError, match="nonlinear: got 'own at "):
        bench.probe(loss, X)


def test_it_is_evaluated_as_it_stands_when_asked_for():
    loss = loss_with(NONLINEAR["clips, far out"])
    found = jax.jit(bench.unbounded(jax.jit(jax.grad(loss)), nonlinear="evaluate"))(X)
    np.testing.assert_allclose(found.to_float(), jax.jit(jax.grad(loss))(X), rtol=1e-6)
    assert jax.jit(bench.unbounded(loss))(X).to_float() == pytest.approx(
        jax.jit(loss)(X)
    )  # forward alone, it is like any other
    with pytest.raises(SweepError, match="nonlinear: got 'ignore', expected one of refuse, evaluate"):
        bench.unbounded(loss, nonlinear="ignore")


@pytest.mark.parametrize("name", LINEAR)
def test_what_is_linear_passes_in_a_jitted_function_too(name):
    loss = loss_with(LINEAR[name])
    found = jax.jit(bench.unbounded(jax.value_and_grad(loss)))(X)[1]
    np.testing.assert_allclose(found.to_float(), jax.grad(loss)(X), rtol=1e-2)
