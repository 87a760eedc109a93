"""Callables have names: the same in every process, one for equal ones, another for different ones."""

import functools
import subprocess
import sys
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.nn import initializers as jax_initializers

import bench
from bench.networks.activations import ACTIVATIONS
from bench.settings.callables import importable_name, name_of
from bench.settings.registry import Registry
from bench.theory.nonlinearities import nonlinearity

FACTOR = 2.0
SCRIPT = """
import functools, jax, jax.numpy as jnp, numpy as np
from bench.settings.callables import name_of
table = np.arange(3.0)
def uses(z): return jnp.tanh(z) * table[2] if "a" in {"a", "b", "c"} else z
print(name_of(uses), name_of(lambda z: z**2), name_of(jax.nn.initializers.he_normal()))
print(name_of(functools.partial(jax.nn.gelu, approximate=True)), name_of(jax.jit(uses)))
"""


class Gain:
    def __init__(self, gain):
        self.gain = gain

    def __call__(self, z):
        return jnp.tanh(self.gain * z)

    def method(self, z):
        return self.gain * z


def times(factor):
    return lambda z: factor * z


def module_level(z):
    return FACTOR * jnp.tanh(z)


def test_names_are_the_same_in_every_process():
    lines = [
        subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True).stdout for _ in range(2)
    ]
    assert lines[0] == lines[1]
    assert [name.rpartition("-")[0] for name in lines[0].split()] == [
        "uses",
        "lambda",
        "variance_scaling.init",
        "gelu",
        "uses",
    ]


@pytest.mark.parametrize(
    "make",
    [
        lambda value: times(value),
        lambda value: functools.partial(jnp.multiply, value),
        lambda value: Gain(value),
        lambda value: Gain(value).method,
        lambda value: lambda z, factor=value: factor * z,
        lambda value: jax.jit(times(value)),
        lambda value: times(np.full(3, value)),
        lambda value: times(jnp.full(3, value)),
        lambda value: times({"a": [value, None]}),
        lambda value: times(np.array([value, "a"], object)),
        lambda value: times((value, np.dtype("float32"), jnp.float32, {1.0, value})),
        lambda value: jax_initializers.normal(value),
        lambda value: bench.Activation("mine", "its own", times(value)),
    ],
)
def test_equal_callables_have_equal_names_and_others_others(make):
    assert name_of(make(2.0)) == name_of(make(2.0))
    assert name_of(make(2.0)) != name_of(make(3.0))


def test_code_and_globals_count():
    assert name_of(lambda z: z + 1) == name_of(lambda z: z + 1)
    assert name_of(lambda z: z + 1) != name_of(lambda z: z + 2)
    before = name_of(lambda z: FACTOR * z)
    globals()["FACTOR"] = 3.0
    try:
        assert name_of(lambda z: FACTOR * z) != before
    finally:
        globals()["FACTOR"] = 2.0


def test_a_function_that_calls_itself_has_a_name():
    def outer(z):
        return outer(z)

    assert name_of(outer) == name_of(outer)


def test_what_can_be_imported_is_called_so_and_by_its_public_module():
    assert importable_name(jax.nn.gelu) == "jax.nn:gelu"
    assert importable_name(jax.scipy.special.ndtr) == "jax.scipy.special:ndtr"
    assert importable_name(module_level) == f"{__name__}:module_level"
    assert importable_name(jax_initializers.he_normal()) is None
    assert importable_name(lambda z: z) is None


def test_a_name_stands_for_its_callable_in_the_registry_and_in_theory():
    name = ACTIVATIONS.name(times(2.0))
    assert ACTIVATIONS[name](3.0) == 6.0
    assert ACTIVATIONS.name(times(2.0)) == name
    assert nonlinearity(name).function(np.array([3.0])) == 6.0
    assert name not in ACTIVATIONS  # which lists the suite's own
    assert ACTIVATIONS.name(jnp.tanh) == "tanh"
    assert ACTIVATIONS.name(ACTIVATIONS["gelu"]) == "gelu"


def test_two_callables_never_share_a_name(monkeypatch):
    registry = Registry("thing", {}, wrap=lambda _name, made: made)
    monkeypatch.setattr("bench.settings.registry.name_of", lambda _function: "same")
    registry.name(times(2.0))
    with pytest.raises(ValueError, match="same is another one's"):
        registry.name(times(3.0))


def test_a_name_of_another_process_asks_for_its_callable():
    with pytest.raises(
        bench.SweepError, match=r"^activations: got 'lambda-0123abcd', expected .*give the activation itself"
    ):
        bench.Sweep.from_dict({"activations": ["lambda-0123abcd"]})


def test_what_no_name_can_be_made_for_is_refused():
    lock = threading.Lock()
    with pytest.raises(bench.SweepError, match=r"^activations: got '.*lambda', .*put it into a module"):
        bench.Sweep(activations=lambda z: z + lock.locked())
    key = jax.random.key(0)
    with pytest.raises(bench.SweepError, match=r"^activations: got '.*lambda', expected a callable without PRNGKeyArray"):
        bench.Sweep(activations=lambda z: z + jax.random.normal(key))


@pytest.mark.parametrize("factory", [jax_initializers.he_normal, jax_initializers.normal, jax_initializers.uniform])
def test_a_factory_is_named_as_one(factory):
    name = factory.__name__
    with pytest.raises(bench.SweepError, match=rf"^initializers: got '{name}', .*{name} is a factory; call it: {name}\(\)"):
        bench.Sweep(initializers=factory)
    with pytest.raises(bench.SweepError, match=r"variance_scaling is a factory; call it: variance_scaling\(…\)"):
        bench.Sweep(initializers=jax_initializers.variance_scaling)


def test_registries_say_what_they_hold():
    assert "tanh" in ACTIVATIONS
    assert "tahn" not in ACTIVATIONS
    assert len(ACTIVATIONS) == len(list(ACTIVATIONS)) == len(ACTIVATIONS.keys())
    shown = repr(bench.INITIALIZERS)
    assert shown.startswith(f"{len(bench.INITIALIZERS)} initializers, by name:")
    for name, entry in bench.INITIALIZERS.items():
        assert name in shown
        assert entry.summary in shown
    assert "<code>he_normal</code>" in bench.INITIALIZERS._repr_html_()
