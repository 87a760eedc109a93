"""What a user names is tried once, and anew where the name stands for something else."""

import sys
import types
from typing import Any

import jax.numpy as jnp
import pytest

from bench.networks.activations import ACTIVATIONS
from bench.networks.architectures.registry import architecture_of
from bench.networks.initializers import INITIALIZERS

MODULE = "named_by_a_test"


def module_of(traces: list) -> types.ModuleType:
    """A module of a user's, whose functions are noted when they are traced."""
    module: Any = types.ModuleType(MODULE)

    def init(_key, shape, dtype):
        traces.append("init")
        return jnp.ones(shape, dtype)

    def phi(z):
        traces.append("phi")
        return jnp.tanh(z)

    def block(h, weights, step):
        traces.append("block")
        return step.phi(weights["W"](h))

    module.init, module.phi, module.block = init, phi, block
    return module


@pytest.mark.parametrize(
    ("look_up", "name", "function"),
    [
        (INITIALIZERS.__getitem__, "init", lambda entry: entry.family.init.function),
        (ACTIVATIONS.__getitem__, "phi", lambda entry: entry.function.function),
        (architecture_of, "block", lambda entry: entry.block),
    ],
)
def test_a_name_is_tried_once_and_again_when_its_module_is_loaded_anew(monkeypatch, look_up, name, function):
    traces: list[str] = []
    first, second = (module_of(traces) for _ in range(2))
    monkeypatch.setitem(sys.modules, MODULE, first)
    found = look_up(f"{MODULE}:{name}")
    tried = len(traces)
    assert tried > 0
    assert look_up(f"{MODULE}:{name}") is found
    assert len(traces) == tried
    monkeypatch.setitem(sys.modules, MODULE, second)
    assert function(found) is getattr(first, name)
    assert function(look_up(f"{MODULE}:{name}")) is getattr(second, name)
