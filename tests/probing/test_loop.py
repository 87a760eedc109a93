"""A probe within a training loop: compiled once, run when it is due, and the same as any other probe."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import bench
from bench.settings.errors import SweepError
from tests.probing.test_probe import X, stacked, stacked_params


def test_a_loop_compiles_once_and_is_told_at_every_third_step():
    compiled = []

    def heard(name, *_, **__):
        if "backend_compile" in name:
            compiled.append(name)

    jax.monitoring.register_event_duration_secs_listener(heard)
    probe = bench.Probe(stacked, every=3, thresholds={"apart": 50})
    params = jax.tree.map(np.asarray, stacked_params(0.5))
    told, counts = [], []
    for step in range(7):
        told.append(probe(step, params, X))
        counts.append(len(compiled))
        params = params | {"a_head": 2 * params["a_head"]}
    assert [report is not None for report in told] == [True, False, False, True, False, False, True]
    assert counts[0] > 0
    assert counts == [counts[0]] * 7
    first, _, _, second, *_ = told
    grown = second.table["log10_grad"][:-1] - first.table["log10_grad"][:-1]
    np.testing.assert_allclose(grown, 3 * np.log10(2), rtol=0, atol=1e-5)
    assert second.loss == pytest.approx(8 * first.loss)
    assert probe(9, params, X[:2]).thresholds.apart == 50  # another shape is another program
    assert len(compiled) > counts[0]
    jax.monitoring.unregister_event_duration_listener(heard)


def test_formats_are_told_of_in_a_loop_as_they_are_without_one_and_are_compiled_once():
    compiled = []

    def heard(name, *_, **__):
        if "backend_compile" in name:
            compiled.append(name)

    probe, params = bench.Probe(stacked, every=2, formats=["float16"]), jax.tree.map(np.asarray, stacked_params(0.5))
    probe(0, params, X)
    jax.monitoring.register_event_duration_secs_listener(heard)
    grown = params | {"a_head": 2 * params["a_head"]}
    report = probe(2, grown, X)
    jax.monitoring.unregister_event_duration_listener(heard)
    assert not compiled
    alone = bench.probe(stacked, grown, X, formats=["float16"])
    pd.testing.assert_frame_equal(report.formats, alone.formats)


def test_every_is_a_whole_number():
    with pytest.raises(SweepError, match="every: got 0, expected "):
        bench.Probe(stacked, every=0)
    with pytest.raises(SweepError, match="loss: got 3, expected a function"):
        bench.Probe(3)(0, jnp.ones(3))
