"""Rows that Ray's workers measure are those of this process to the bit, whoever is killed meanwhile."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import pandas as pd
import pytest

import bench
import bench.sweeps.plan
from bench.runs.executors.ray_tasks import RayTasks
from bench.runs.overview import overview
from bench.settings.errors import ChunkError
from tests.tolerance import own_programs

ray = pytest.importorskip("ray", reason="needs Ray: pip install 'depthscale[ray]'")
pytestmark = pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")  # Ray starts its processes so, beside JAX's threads

WIDTH = 4
SEEDS = 3  # of a chunk
FIELDS = {"activations": ["tanh"], "depths": [2, 9, 40], "scales": [0.5, 1.5], "widths": [WIDTH], "seeds": 6 * SEEDS}
TRAINED = {"task": "teacher:inputs=6,examples=40,outputs=3", "depths": [2], "widths": [WIDTH], "scales": [1.0], "steps": 5}
PATIENCE = 240.0  # seconds: a machine may have much else to do
DRIVER = """\
import sys
import bench, bench.sweeps.plan
from bench.runs.executors.ray_tasks import RayTasks
from tests.runs.test_ray import FIELDS, SEEDS
bench.sweeps.plan.MOST_SEEDS = SEEDS
bench.run(bench.Sweep(**FIELDS), results=sys.argv[1], progress=False, executor=RayTasks(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two workers, with a folder of compiled programs of their own: they are killed."""
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", own_programs(tmp_path_factory.mktemp("ray")))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patched.setenv("RAY_worker_niceness", "0")  # other tests would leave them no time
        patched.setenv("RAY_AUTH_TOKEN", "of-the-tests-alone" * 4)  # else it makes one in the user's home
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False, logging_level="ERROR")
        yield ray.get_runtime_context().gcs_address
        ray.shutdown()
    jax.config.update("jax_compilation_cache_dir", before)


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bench.sweeps.plan, "MOST_SEEDS", SEEDS)
        return bench.run(bench.Sweep(**FIELDS), results=tmp_path_factory.mktemp("local"), progress=False)


def bytes_of(run) -> dict:
    return {path.relative_to(run.path).as_posix(): path.read_bytes() for path in run.path.rglob("*.parquet")}


def wait_for(condition, what: str):
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.01)
    return found


@pytest.mark.usefixtures("cluster")
def test_a_worker_is_killed_in_the_middle_of_a_chunk_and_a_function_fails(local, tmp_path, monkeypatch):
    """A function that no other process can import, which waits where it is first called to be killed, and then fails."""
    monkeypatch.setattr(bench.sweeps.plan, "MOST_SEEDS", SEEDS)
    driver, marker = os.getpid(), str(tmp_path / "victim")

    def moody(z):
        if os.getpid() != driver and z.shape[-1] == WIDTH:  # not where it is looked at before it is used
            if not os.path.exists(marker):
                Path(f"{marker}.new").write_text(str(os.getpid()))
                os.rename(f"{marker}.new", marker)
                time.sleep(PATIENCE)
            raise ValueError("not today")
        return jnp.sin(z)

    def kill():
        victim = wait_for(lambda: os.path.exists(marker) and int(Path(marker).read_text()), "no worker called it")
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    sweep = bench.Sweep(**FIELDS | {"activations": [moody, "tanh"]})
    with pytest.raises(ChunkError, match=r"6 of 12 chunks failed \(chunk-00000: .*ValueError: not today\)"):
        bench.run(sweep, results=tmp_path, name="mine", progress=False, executor="ray")
    killer.join()
    run = bench.open(tmp_path / "mine")
    assert overview(run.path).done == 6
    (worker,) = run.manifest["workers"]
    assert run.manifest["executor"] == "ray"
    assert worker["device"] == run.manifest["device"] == {"platform": "cpu", "kind": "cpu", "count": 1}
    for table in ("cells", "layers"):
        columns = ["activation", "seed", "depth", "scale", *(["layer"] if table == "layers" else [])]
        rows = (getattr(each, table).sort_values(columns, ignore_index=True) for each in (local, run))
        pd.testing.assert_frame_equal(*rows, check_exact=True)


@pytest.mark.thorough
def test_a_driver_is_killed_and_started_again(cluster, local, tmp_path, monkeypatch):
    results = tmp_path / "results"
    command = [sys.executable, "-c", DRIVER, str(results), cluster]
    environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": own_programs(tmp_path)}
    cells = results / "sweep" / "cells"
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as driver:
        try:
            wait_for(lambda: len(list(cells.glob("*.parquet"))) >= 2 or driver.poll() is not None, "it wrote nothing")
        finally:
            driver.kill()
    assert 2 <= len(list(cells.glob("*.parquet"))) < len(list((local.path / "cells").iterdir()))
    monkeypatch.setattr(bench.sweeps.plan, "MOST_SEEDS", SEEDS)
    again = bench.run(bench.Sweep(**FIELDS), results=results, progress=False, executor="ray")
    assert bytes_of(again) == bytes_of(local)
    assert len(again.manifest["resumed"]) == 1


@pytest.mark.usefixtures("cluster")
def test_workers_on_cpus_refuse_other_products_before_the_run_is_begun():
    with pytest.raises(bench.SweepError, match=r"^precision: got 'tf32', expected full"), RayTasks().ready("tf32"):
        pass


@pytest.mark.usefixtures("cluster")
def test_trainings_are_the_same_too(tmp_path):
    here, there = (
        bench.train(bench.Training(**TRAINED), results=tmp_path, name=name, progress=False, executor=name)
        for name in ("local", "ray")
    )
    assert bytes_of(here) == bytes_of(there)
