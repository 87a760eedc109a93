"""How programs are compiled that are called a few times."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bench.arithmetic.compiling import FEW, changes_many, compiled, option, options_for

LONG = jnp.ones((2 * FEW // 8, 8))


def scan(turn, x, **options):
    return jax.lax.scan(lambda h, _: (turn(h), None), x, None, length=3, **options)[0]


@pytest.mark.parametrize(
    ("function", "many"),
    [
        (jnp.tanh, False),
        (lambda x: scan(jnp.tanh, x), True),
        (lambda x: scan(jnp.tanh, x[:4]), False),
        (lambda x: scan(lambda h: jnp.tanh(h @ jnp.ones((8, 8))), x), False),
        (lambda x: scan(lambda h: h + jnp.tanh(h @ jnp.ones((8, 8))), x), True),
        (lambda x: jax.lax.fori_loop(0, x.shape[0], lambda i, h: jax.nn.relu(h) * x[i, 0], x), True),
        (lambda x: jax.lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1], s[2]), (0, x, x[:4]))[1:], False),
        (lambda x: jax.lax.scan(lambda h, x: (h * 2, jnp.sin(x)), 1.0, jnp.stack([x, x])), False),
        (lambda x: jax.jit(lambda x: scan(jnp.sin, x))(x) + 1, True),
        (lambda x: scan(lambda h: scan(jnp.sin, h), x), True),
    ],
    ids=[
        "no loop",
        "entries",
        "few",
        "products",
        "sums",
        "fori",
        "unchanged",
        "stacked",
        "within a program",
        "within a loop",
    ],
)
def test_a_loop_that_changes_large_arrays_in_place_is_found_wherever_it_is(function, many):
    equations = jax.make_jaxpr(function)(LONG).jaxpr.eqns
    assert changes_many(equations) == many
    for one, other in zip(*map(jax.tree.leaves, (compiled(function, equations)(LONG), function(LONG))), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_what_a_compiler_does_not_know_is_not_asked_of_it():
    assert option("xla_backend_optimization_level", "1") == {"xla_backend_optimization_level": "1"}
    assert option("xla_cpu_writes_poetry", "true") == {}


def test_only_cpus_are_asked_for_less_and_for_no_more_than_they_know():
    unsure: dict[str, str | bool] = {"xla_cpu_use_fusion_emitters": False, "xla_cpu_writes_poetry": True}
    assert options_for("cpu", level=2, **unsure) == {"xla_backend_optimization_level": 2} | option(
        *next(iter(unsure.items()))
    )
    assert options_for("gpu", level=2, **unsure) == {}
