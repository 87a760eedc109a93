"""How programs are compiled that are called a few times."""

import jax
import jax.numpy as jnp
import numpy as np

from bench.arithmetic.compiling import compiled, has_loop, option, options_for


def test_a_loop_is_found_wherever_it_is():
    def scanned(x):
        return jax.lax.scan(lambda h, _: (jnp.tanh(h), None), x, None, length=3)[0]

    for function, loops in ((jnp.tanh, False), (scanned, True), (jax.jit(lambda x: scanned(x) + 1), True)):
        equations = jax.make_jaxpr(function)(jnp.ones(3)).jaxpr.eqns
        assert has_loop(equations) == loops
        np.testing.assert_allclose(compiled(function, equations)(jnp.ones(3)), function(jnp.ones(3)), rtol=1e-6)


def test_what_a_compiler_does_not_know_is_not_asked_of_it():
    assert option("xla_backend_optimization_level", "1") == {"xla_backend_optimization_level": "1"}
    assert option("xla_cpu_writes_poetry", "true") == {}


def test_only_cpus_are_asked_for_less_and_for_no_more_than_they_know():
    unsure: dict[str, str | bool] = {"xla_cpu_use_fusion_emitters": False, "xla_cpu_writes_poetry": True}
    assert options_for("cpu", level=2, **unsure) == {"xla_backend_optimization_level": 2} | option(
        *next(iter(unsure.items()))
    )
    assert options_for("gpu", level=2, **unsure) == {}
