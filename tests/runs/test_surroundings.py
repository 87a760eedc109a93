"""What a process is started with changes no row."""

import json
import os
import subprocess
import sys

import jax.numpy as jnp
import pandas as pd
import threadpoolctl

from bench.arithmetic.numerics import settled

FIELDS = {"initializers": ["gaussian", "orthogonal"], "activations": ["tanh"], "depths": [2, 9], "widths": [5], "seeds": 2}
TRAINED = {"task": "teacher:inputs=6,examples=40,outputs=3", "depths": [2], "widths": [4], "scales": [1.0], "steps": 5}
SCRIPT = """\
import bench, json, numpy as np, sys
fields, trained, results = *map(json.loads, sys.argv[1:3]), sys.argv[3]
bench.run(bench.Sweep(**fields), results=results, progress=False)
bench.train(bench.Training(**trained), results=results, progress=False)
norms = bench.gradient_norms(np.full((3, 4, 4), 0.3), "tanh", x=np.arange(1, 5) / 7, readout=np.full(4, 0.2))
print(norms.log10_grad.tobytes().hex())
"""
HOSTILE = {
    "JAX_THREEFRY_PARTITIONABLE": "0",
    "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
    "JAX_ENABLE_X64": "1",
    "JAX_DEFAULT_PRNG_IMPL": "rbg",
    "JAX_DISABLE_JIT": "1",
}


def test_jax_s_variables_change_no_row(tmp_path):
    rows, norms = [], []
    for name, environment in (("plain", {}), ("hostile", HOSTILE)):
        command = [sys.executable, "-c", SCRIPT, json.dumps(FIELDS), json.dumps(TRAINED), str(tmp_path / name)]
        kept = {key: value for key, value in os.environ.items() if not key.startswith("JAX_")}
        done = subprocess.run(command, env=kept | environment, check=True, capture_output=True, text=True)
        norms.append(done.stdout)
        tables = sorted((tmp_path / name).glob("*/*/*.parquet"))
        rows.append([pd.read_parquet(table) for table in tables])
    assert norms[0] == norms[1]
    assert len(rows[0]) == len(rows[1]) == 6
    for plain, hostile in zip(*rows, strict=True):
        pd.testing.assert_frame_equal(plain, hostile, check_exact=True)


def test_what_is_settled_is_settled_back():
    before = jnp.zeros(1).dtype, threadpoolctl.threadpool_info()
    with settled("float64"):
        assert jnp.zeros(1).dtype == "float64"
        assert {each["num_threads"] for each in threadpoolctl.threadpool_info() if each["user_api"] == "blas"} == {1}
    assert (jnp.zeros(1).dtype, threadpoolctl.threadpool_info()) == before
