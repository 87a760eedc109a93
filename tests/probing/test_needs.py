"""What does not fit into memory is refused before anything runs, by an estimate that is near to what the compiler says."""

import jax
import jax.numpy as jnp
import pytest

import bench
from bench.probing import needs
from bench.probing.model import trace
from bench.settings.errors import SweepError
from tests.probing.test_probe import X, stacked, stacked_params

ROWS = 4096  # so that signals are larger than weights


def test_the_estimate_is_within_a_factor_of_3_of_what_the_compiler_says():
    model = trace(stacked, stacked_params(1.0), jnp.ones((ROWS, X.shape[1])))

    def gradient(arrays):
        return bench.unbounded(jax.value_and_grad(model.loss), nonlinear="evaluate")(
            arrays, model.data, model.program.consts
        )

    found = jax.jit(gradient).lower(model.parameters.arrays).compile().memory_analysis()
    measured = found.temp_size_in_bytes + found.argument_size_in_bytes + found.output_size_in_bytes
    assert 1 / 3 < needs.needed_bytes(model.program, len(model.parameters.arrays)) / measured < 3


def test_a_model_that_does_not_fit_is_one_line(monkeypatch):
    def never(*_):
        raise AssertionError("it ran")

    monkeypatch.setattr(needs, "device_bytes", lambda: 1e3)
    monkeypatch.setattr(bench.probing.model.Model, "gradients", never)
    words = "^params: got '728 floats', expected what fits into 1 kB of memory; .* takes about"
    with pytest.raises(SweepError, match=words):
        bench.probe(stacked, stacked_params(1.0), X)
