"""The same cell has the same bits alone, in a larger sweep, in other chunks, and on several devices."""

import json
import os
import subprocess
import sys

import jax
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bench
import bench.sweeps.plan
from tests.tolerance import run_frame

pytestmark = pytest.mark.optimized
CELL = ["initializer", "activation", "width", "bias_std", "input_norm", "depth", "scale", "seed"]
LARGE = {
    "initializers": ["gaussian", "orthogonal", "he_gaussian", "lsuv"],  # two of one family, and one normalized on data
    "activations": ["tanh"],
    "depths": [2, 5, 17, 18, 40, 120],
    "scales": [0.3, 0.7, 1.0, 1.3, 2.5],  # ordered, critical and chaotic
    "widths": [20],
    "bias_stds": [0.0, 0.2],
    "input_norms": [1.0, 30.0],
    "correlations": [0.5],
    "seeds": 5,
}


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    return {kind: run_frame(folder, kind=kind, **LARGE) for kind in ("cells", "layers", "pairs")}


def assert_contained(part: pd.DataFrame, whole: pd.DataFrame) -> None:
    keys = [*CELL, *(name for name in ("layer", "correlation") if name in part)]
    found = part[keys].merge(whole, on=keys, how="left", validate="one_to_one")
    pd.testing.assert_frame_equal(part.reset_index(drop=True), found[part.columns.tolist()], check_exact=True)


def test_a_cell_alone_has_the_bits_it_has_in_company(tmp_path, large):
    for number, (depth, scale, bias_std) in enumerate([(120, 2.5, 0.0), (17, 1.0, 0.2)]):
        one = {"initializers": LARGE["initializers"][1 + number :], "depths": [depth]}
        fields = LARGE | one | {"scales": [scale], "bias_stds": [bias_std], "input_norms": [30.0**number], "seeds": 1}
        assert_contained(run_frame(tmp_path, f"cells-{number}", **fields), large["cells"])
        assert_contained(run_frame(tmp_path, f"layers-{number}", kind="layers", **fields), large["layers"])
        assert_contained(run_frame(tmp_path, f"layers-{number}", kind="pairs", **fields), large["pairs"])


@pytest.mark.thorough
def test_other_chunks_give_the_same_bits(tmp_path, large, monkeypatch):
    sweep = bench.Sweep(**LARGE)
    assert bench.sweeps.plan.keeps_weights(sweep, 20, seeds=1)
    monkeypatch.setattr(bench.sweeps.plan, "CHUNK_BYTES", 2**16)  # one seed and one tile at a time, weights drawn twice
    assert len(bench.sweeps.plan.plan(sweep)) == 4 * 5
    assert not bench.sweeps.plan.keeps_weights(sweep, 20, seeds=1)
    assert_contained(run_frame(tmp_path, **LARGE), large["cells"])


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(LARGE["depths"]), min_size=1, unique=True), st.integers(1, 5))
def test_depths_share_their_prefix(tmp_path_factory, large, depths, seeds):
    fields = LARGE | {"depths": depths, "seeds": seeds, "initializers": ["gaussian"]}
    layers = run_frame(tmp_path_factory.mktemp("prefix"), kind="layers", **fields)
    assert_contained(layers, large["layers"])
    # and inside one sweep: h_l of a shallow network is h_l of every deeper one
    hidden = layers[layers.layer < layers.depth]
    norms = hidden.groupby([*[key for key in CELL if key != "depth"], "layer"]).log10_activation
    assert (norms.min() == norms.max()).all()


@pytest.mark.thorough
def test_four_devices_give_the_rows_of_one(tmp_path, large):
    """In a process of its own, since JAX fixes its devices when it starts; 5 seeds do not divide by 4."""
    script = (
        "import bench, json, sys; bench.run(bench.Sweep(**json.loads(sys.argv[1])), results=sys.argv[2], progress=False)"
    )
    flags = {"JAX_NUM_CPU_DEVICES": "4"}
    command = [sys.executable, "-c", script, json.dumps(LARGE | {"initializers": ["he_gaussian", "lsuv"]}), str(tmp_path)]
    subprocess.run(command, env=os.environ | flags, check=True)
    manifest = json.loads((tmp_path / "sweep" / "manifest.json").read_text())
    assert manifest["device"]["count"] == 4
    for kind, whole in large.items():
        assert_contained(pd.read_parquet(tmp_path / "sweep" / kind), whole)


def test_seeds_scales_and_widths_draw_as_the_contract_says(large):
    cells = large["cells"]
    at = cells[(cells.initializer == "gaussian") & (cells.bias_std == 0) & (cells.depth == 40) & (cells.input_norm == 1)]
    first = at.pivot_table(index="seed", columns="scale", values="log10_grad_first")
    assert first.nunique().eq(5).all()  # seeds are different networks
    assert first.corr().loc[0.3, 0.7] > 0.9  # scales share their draw


@pytest.mark.thorough
def test_a_sweep_compiles_as_often_as_it_should_and_no_more(tmp_path):
    """Five programs: a segment's draw, forward and backward, and two for the entries of W_1's gradient.

    Depths, scales, keys and losses are data to them, and activations and families to all but one.
    """
    programs = ("draw", "forward", "backward", "without_first", "spread")
    compiled = []

    def listen(event, _duration, **details):
        if event == "/jax/core/compile/backend_compile_duration":
            compiled.append(details.get("fun_name"))

    jax.clear_caches()
    jax.monitoring.register_event_duration_secs_listener(listen)

    def count(name: str, **fields) -> int:
        compiled.clear()
        bench.run(bench.Sweep(widths=[6], seeds=2, **fields), results=tmp_path, name=name, progress=False)
        return sum(any(name in program for name in programs) for program in map(str, compiled))

    try:
        assert count("first", depths=[2, 50], scales=[1.0]) == 5
        assert count("other-numbers", depths=[3, 4, 5, 300], scales=[0.2, 0.4, 2.0], key=7, loss="mse") == 0
        assert count("more-lanes", depths=range(2, 20), scales=[s / 10 for s in range(40)]) == 0
        assert count("other-activation", activations=["relu"]) == 1
        assert count("other-of-the-family", initializers=["he_gaussian", "critical"]) == 0
        assert count("other-family", initializers=["he_uniform"]) == 1
    finally:
        jax.monitoring.clear_event_listeners()
