"""What a process is started with changes no row."""

import os
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import threadpoolctl

import bench
from bench.arithmetic.numerics import settled

FIELDS = {"initializers": ["gaussian", "orthogonal"], "activations": ["tanh"], "depths": [2, 9], "widths": [4], "seeds": 2}
TRAINED = {"task": "teacher:inputs=6,examples=40,outputs=3", "depths": [2], "widths": [4], "scales": [1.0], "steps": 5}
SCRIPT = """\
import sys
from tests.runs.test_surroundings import measured
print(measured(sys.argv[1]))
"""
HOSTILE = {
    "JAX_THREEFRY_PARTITIONABLE": "0",
    "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
    "JAX_ENABLE_X64": "1",
    "JAX_DEFAULT_PRNG_IMPL": "rbg",
    "JAX_DISABLE_JIT": "1",
}


def measured(results):
    """Rows are written there; returns the bits of norms."""
    bench.run(bench.Sweep(**FIELDS), results=results, progress=False)
    bench.train(bench.Training(**TRAINED), results=results, progress=False)
    norms = bench.gradient_norms(np.full((3, 4, 4), 0.3), "tanh", x=np.arange(1, 5) / 7, readout=np.full(4, 0.2))
    return norms.log10_grad.tobytes().hex()


@pytest.mark.thorough
def test_jax_s_variables_change_no_row(tmp_path):
    """Compiled programs are shared: one that a variable had changed would be another program, and not be found."""
    plain = measured(tmp_path / "plain")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "hostile")]
    hostile = subprocess.run(command, env=os.environ | HOSTILE, check=True, capture_output=True, text=True).stdout
    assert hostile.strip() == plain
    folders = tmp_path / "plain", tmp_path / "hostile"
    rows = [[pd.read_parquet(table) for table in sorted(folder.glob("*/*/*.parquet"))] for folder in folders]
    assert len(rows[0]) == len(rows[1]) == 6
    for one, other in zip(*rows, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_what_is_settled_is_settled_back():
    before = jnp.zeros(1).dtype, threadpoolctl.threadpool_info()
    with settled("float64"):
        assert jnp.zeros(1).dtype == "float64"
        assert {each["num_threads"] for each in threadpoolctl.threadpool_info() if each["user_api"] == "blas"} == {1}
    assert (jnp.zeros(1).dtype, threadpoolctl.threadpool_info()) == before
