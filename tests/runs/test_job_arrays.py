"""Chunks as jobs that submitit submits, with its executors for machines without Slurm."""

import os

import pytest

from bench.cli.main import main
from bench.runs.executors import executor, job_arrays, versions, worker
from bench.runs.executors.executor import Work, executor_of
from bench.runs.overview import overview
from bench.settings.errors import ChunkError, SweepError
from tests.runs.stand_in import chunks, filled, job, killing, partly, same, waits_and_fails

pytest.importorskip("submitit", reason="needs submitit: pip install 'depthscale[slurm]'")
# submitit leaves the logs of its debug executor open, and the processes of its local one to themselves
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_jobs_measure_what_this_process_does(tmp_path):
    here = filled(tmp_path, "here")
    there = filled(tmp_path, "there", executor=executor_of("slurm", cluster="debug", jobs=2))
    assert same(here, there)
    assert sorted(path.name for path in there.iterdir()) == ["cells", "layers", "manifest.json"]


def test_a_chunk_that_fails_in_a_job_stops_no_other(tmp_path):
    with pytest.raises(ChunkError, match=r"1 of 6 chunks failed \(chunk-00003: ValueError: number 3\)"):
        filled(tmp_path, fails=lambda chunk: chunk.index == 3, executor=executor_of("slurm", cluster="debug", jobs=4))
    assert overview(tmp_path / "mine").done == 5


@pytest.mark.thorough
def test_a_job_is_killed_in_the_middle_of_a_chunk(tmp_path):
    marker = tmp_path / "victim"
    with killing(marker) as killed, pytest.raises(ChunkError, match=r"1 of 6 chunks failed \(chunk-00002: ValueError"):
        filled(tmp_path, fails=waits_and_fails(marker), executor=executor_of("slurm", cluster="local", jobs=2))
    assert killed[0] != os.getpid()
    again = filled(tmp_path, executor=executor_of("slurm", cluster="local", jobs=2))
    assert same(filled(tmp_path, "here"), again)
    assert sorted(path.name for path in again.iterdir()) == ["cells", "layers", "manifest.json"]


def test_what_a_killed_driver_leaves_is_removed(tmp_path):
    left = partly(tmp_path, "mine", {0})
    (left / ".writing-jobs-abc").mkdir()
    (left / ".writing-jobs-abc" / "order").write_bytes(b"")
    filled(tmp_path)
    assert sorted(path.name for path in left.iterdir()) == ["cells", "layers", "manifest.json"]


def test_a_worker_of_another_version_measures_nothing_and_is_refused_with_both(tmp_path):
    import cloudpickle

    work = Work(job(), chunks(1), "float32", {}, tmp_path, None)
    sent = worker.order_for(work, cloudpickle.dumps, 1)
    outcome = worker.measured(sent, chunks(1)[0])
    assert outcome.tables is not None
    versions.check_worker(versions.identity(), outcome.worker)
    for name in ("jax", "depthscale", "files of depthscale"):
        ours = dict(versions.identity()) | {name: "0.0.1"}
        other = worker.pickle.dumps(worker.pickle.loads(sent)._replace(ours=ours))
        refused = worker.measured(other, chunks(1)[0])
        assert refused.tables is None
        theirs = versions.identity()[name]
        with pytest.raises(versions.RunError, match=rf"a worker on .* has {name} {theirs}, and this process 0\.0\.1"):
            versions.check_worker(ours, refused.worker)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--executor", "slrm"], "--executor: got 'slrm', expected one of local, ray, slurm; did you mean"),
        (["--executor", "slurm"], "--slurm: "),
        (["--executor", "slurm", "--slurm", "fun=3"], "--slurm: got 'fun=3', expected one of account, "),
        (["--executor", "slurm", "--slurm", "cpu_per_task=3"], "; did you mean cpus_per_task?"),
        (["--executor", "slurm", "--slurm", "timeout_min=1.5"], "--slurm: got 'timeout_min=1.5', expected a whole number"),
        (["--executor", "slurm", "--slurm", "mem_gb=much"], "--slurm: got 'mem_gb=much', expected a number"),
        (["--executor", "slurm", "--slurm", "timeout_min=true"], "'timeout_min=True', expected a whole number ≥ 1"),
        (["--executor", "slurm", "--slurm", "cpus_per_task=0"], "'cpus_per_task=0', expected a whole number ≥ 1"),
        (["--executor", "slurm", "--slurm", "mem_gb=inf"], "'mem_gb=inf', expected a number above 0"),
        (["--executor", "slurm", "--slurm", "slurm_jobs=3"], "got 'slurm_jobs=3', expected one of account, "),
        (["--executor", "slurm", "--slurm", "cluster=debug", "jobs=0"], "jobs=0"),
        (["--executor", "slurm", "--slurm", "partition"], "KEY=VALUE"),
        (["--slurm", "partition=gpu"], "it beside --executor slurm"),
        (["--ray-address", "auto"], "it beside --executor ray"),
        (["--executor", "ray", "--ray-address", "127.0.0.1:1"], "a cluster of Ray"),
        (["--executor", "ray", "--ray-address", "somewhere"], "got 'somewhere', expected a cluster of Ray"),
    ],
)
def test_executors_that_cannot_be_are_one_line_and_cost_no_run(tmp_path, capsys, words, said):
    command = ["sweep", "--depths", "2", "--scales", "1", "--seeds", "1", "--widths", "4", "--results", str(tmp_path)]
    assert main([*command, *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not list(tmp_path.iterdir())


def test_amounts_are_numbers_as_they_are_written():
    named = job_arrays._named({"mem_gb": "1e3", "gpus_per_node": 0, "partition": "1e3"})
    assert named == {"mem_gb": 1000.0, "gpus_per_node": 0, "slurm_partition": "1e3"}


@pytest.mark.parametrize("cluster", ["debug", "local"])
def test_jobs_on_cpus_refuse_other_products_before_the_old_run_is_removed(tmp_path, capsys, cluster):
    shard = filled(tmp_path) / "cells" / "chunk-00000.parquet"
    words = ["--precision", "tf32", "--executor", "slurm", "--slurm", f"cluster={cluster}", "--overwrite"]
    assert main(["sweep", "--run", "mine", "--results", str(tmp_path), *words]) == 2
    assert "--precision: got 'tf32', expected full" in capsys.readouterr().err
    assert shard.exists()


@pytest.mark.parametrize(("name", "package"), [("ray", "ray"), ("slurm", "submitit")])
def test_what_is_not_installed_comes_with_its_install_line(monkeypatch, name, package):
    monkeypatch.setattr(executor, "find_spec", lambda found: None if found == package else ...)
    with pytest.raises(SweepError, match=rf"{package} to be installed for it: pip install 'depthscale\[{name}\]'"):
        executor_of(name)
