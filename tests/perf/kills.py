"""Kill drivers and workers at random moments and compare what is there at the end: ``--executor ray --times 50``.

The run measures nothing (:mod:`tests.runs.stand_in`), a chunk in 30 ms, so that kills fall into bookkeeping more often than
in a run that computes. A driver that is killed is started again; a worker that is killed is the executor's to replace.
"""

import argparse
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from bench.runs.executors.executor import executor_of
from bench.runs.overview import verified
from tests.runs.stand_in import SECONDS, filled, same, slow

CHUNKS = 60
PATIENCE = 120.0  # seconds, for a driver whose worker was killed


def drive(results: str, name: str, options: dict) -> None:
    """The run, or the rest of it, in a process of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # jobs are told by their parents that they were killed
    filled(Path(results), name, fails=slow, executor=executor_of(name, **options), count=CHUNKS)


def workers_of(driver: int, executor: str) -> list[psutil.Process]:
    """The processes that measure for a driver."""
    if executor == "ray":
        return [process for process in psutil.process_iter() if "ray::measured" in " ".join(_words(process))]
    return [child for child in psutil.Process(driver).children(recursive=True) if "submitit.core._submit" in _words(child)]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def killed(executor: str, options: dict, times: int, results: Path) -> Counter:
    """What was killed how often, and how many runs were made of it, each compared."""
    processes, moments, counts = multiprocessing.get_context("forkserver"), random.Random(0), Counter()
    processes.set_forkserver_preload([__name__])
    whole = filled(results, "whole", count=CHUNKS)
    while counts["drivers"] + counts["workers"] < times or counts["under way"]:
        driver = processes.Process(target=drive, args=(str(results), executor, options))
        driver.start()
        counts["under way"] = 1
        hit = counts["drivers"] + counts["workers"] < times and _hit(driver, results / executor, executor, moments)
        if hit == "drivers":
            driver.kill()
        driver.join(PATIENCE)
        counts[hit or "left alone"] += 1
        print(", ".join(f"{count} {what}" for what, count in counts.items()), file=sys.stderr, flush=True)
        if driver.exitcode == 0:
            assert same(whole, results / executor)
            assert verified(results / executor)[1] == []
            counts["under way"] = 0
            counts["runs"] += 1
            shutil.rmtree(results / executor)
    return counts


def _hit(driver, folder: Path, executor: str, moments: random.Random) -> str:
    """Waits for a random moment; kills a worker, or says that it is the driver's turn; nothing where the run was faster."""
    there, end = len(list(folder.glob("cells/*.parquet"))), time.monotonic() + PATIENCE
    wanted = there + moments.randrange(CHUNKS // 4)  # beyond the last one, the driver is left to finish
    while driver.is_alive() and len(list(folder.glob("cells/*.parquet"))) < wanted and time.monotonic() < end:
        time.sleep(0.002)
    time.sleep(moments.uniform(0, 2 * SECONDS))
    if not driver.is_alive():
        return ""
    workers = [] if executor == "local" or moments.random() < 0.5 else workers_of(driver.pid, executor)
    if not workers:
        return "drivers"
    moments.choice(workers).kill()
    return "workers"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executor", choices=["local", "ray", "slurm"], default="local")
    parser.add_argument("--times", type=int, default=50)
    arguments = parser.parse_args()
    options: dict = {"cluster": "local", "jobs": 2} if arguments.executor == "slurm" else {}
    if arguments.executor == "ray":
        import ray

        os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112  (it is Ray that calls it so)
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        options["address"] = ray.get_runtime_context().gcs_address
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as results:
        counts = killed(arguments.executor, options, arguments.times, Path(results))
    print(
        f"{arguments.executor}: {counts['drivers']} drivers and {counts['workers']} workers killed, "
        f"{counts['runs']} runs finished, each with the bytes of one that nobody killed; {time.monotonic() - began:.0f} s"
    )


if __name__ == "__main__":
    main()
