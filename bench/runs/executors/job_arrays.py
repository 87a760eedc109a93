"""Chunks as arrays of Slurm's jobs, which submitit submits: each measures some, and leaves its rows in the run's folder.

Jobs and the process that submitted them see one file system, as on every Slurm cluster.
"""

from __future__ import annotations

import math
import os
import pickle
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, ClassVar

import cloudpickle

from bench.runs.executors.executor import Work
from bench.runs.files import TEMPORARY, write_whole
from bench.runs.job import Outcome, failed
from bench.runs.manifest import one_line
from bench.settings.errors import SweepError
from bench.settings.suggestions import nearest

PREFIX = f"{TEMPORARY}jobs-"  # of the folder of what jobs are sent and leave; one that a kill leaves is removed
ORDER, DONE = "order", ".done"
TRIES = 3  # of a chunk whose job ends without it
JOBS = 16  # at a time, unless it is said
MINUTES = 60  # of a job, unless it is said
POLL = 0.5  # seconds
TYPES = {int: "a whole number ≥ 1", float: "a number above 0", bool: "true or false", str: "words"}  # of parameters
NOUGHT = "gpus_per_node"  # which alone may be 0
GRACE = 20.0  # seconds in which a file of a job that has ended well appears on other machines


class JobArrays:
    """Slurm, told submitit's parameters, such as ``partition="gpu"``, ``timeout_min=60`` and ``gpus_per_node=1``.

    jobs: into how many the chunks are cut, 16, or elsewhere one for each core; cluster: submitit's executor, ``slurm``, or
    ``local`` and ``debug`` to try it.
    """

    name: ClassVar[str] = "slurm"

    def __init__(self, *, cluster: str = "slurm", jobs: int | None = None, **parameters: Any) -> None:
        if jobs is None:
            jobs = JOBS if cluster == "slurm" else os.cpu_count() or 1
        if type(jobs) is not int or jobs < 1:
            raise SweepError("slurm", f"jobs={jobs}", "a whole number ≥ 1")
        self._cluster, self._jobs, self._parameters = cluster, jobs, parameters
        with tempfile.TemporaryDirectory() as folder:  # what cannot be submitted has cost no run
            self._executor(Path(folder), {})

    def ready(self, precision: str) -> AbstractContextManager[object]:
        """As soon as it is made: jobs are submitted with chunks. What Slurm's own nodes multiply in, only they know."""
        if precision != "full" and self._cluster != "slurm" and not self._parameters.get("gpus_per_node"):
            accepted = f"full: jobs of {self._cluster} without gpus_per_node are on CPUs, which multiply in nothing else"
            raise SweepError("precision", precision, accepted)
        return nullcontext()

    def outcomes(self, work: Work) -> Generator[tuple[Any, Outcome], None, None]:
        """Every chunk and its outcome, as they are measured; jobs that end too early are submitted again."""
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=work.folder)).resolve()
        try:
            yield from self._rounds(work, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)  # jobs that still run stop at their next chunk

    def _rounds(self, work: Work, folder: Path) -> Generator[tuple[Any, Outcome], None, None]:
        from bench.runs.executors import worker  # it needs JAX

        devices = work.job.devices or int(self._parameters.get("cpus_per_task", 1))
        (folder / ORDER).write_bytes(worker.order_for(work, cloudpickle.dumps, devices))
        executor = self._executor(folder, {"cpus_per_task": devices})
        left, ends = {chunk.index: chunk for chunk in work.chunks}, Counter()
        while left:
            batches = _cut(list(left.values()), self._jobs, work.job.work)
            jobs = executor.map_array(measure, [folder] * len(batches), batches)
            try:
                for index, outcome in _collected(folder, list(zip(jobs, batches, strict=True)), left):
                    yield left.pop(index), outcome
            except BaseException:
                for job in jobs:
                    with suppress(Exception):
                        job.cancel()
                raise
            for job, batch in zip(jobs, batches, strict=True):
                chunk = next((chunk for chunk in batch if chunk.index in left), None)
                if chunk is None:
                    continue
                ends[chunk.index] += 1
                if ends[chunk.index] == TRIES:
                    yield left.pop(chunk.index), failed(RuntimeError(f"its job ended {TRIES} times: {_why(job)}"))

    def _executor(self, folder: Path, defaults: Mapping[str, Any]) -> Any:
        import submitit

        named = _named({"name": "depthscale", "timeout_min": MINUTES, **defaults, **self._parameters})
        try:
            executor = submitit.AutoExecutor(folder, cluster=self._cluster)
            executor.update_parameters(**named)
        except (RuntimeError, ValueError, NameError, AssertionError) as error:
            words = {"cluster": self._cluster, **self._parameters}
            text = " ".join(f"{key}={value}" for key, value in words.items())
            raise SweepError("slurm", text, f"what submitit takes ({one_line(error)})") from error
        return executor


def _named(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as submitit calls them. Raises SweepError for one that there is none of, or that is of another type."""
    import submitit

    shared = submitit.AutoExecutor._typed_parameters()
    theirs, found = {*shared, *submitit.SlurmExecutor._valid_parameters()}, {}
    for key, value in parameters.items():
        if key.removeprefix("slurm_") not in theirs:
            known = sorted({"cluster", "jobs", *theirs})
            raise SweepError("slurm", f"{key}={value}", f"one of {', '.join(known)}{nearest(key, known)}")
        if key in shared:
            found[key] = _checked(key, value, shared[key])
        else:
            found[key if key.startswith("slurm_") else f"slurm_{key}"] = value
    return found


def _checked(key: str, value: Any, kind: type) -> Any:
    """The parameter's value. Raises SweepError for one of another type, or too small a number."""
    if kind is float:
        with suppress(TypeError, ValueError):
            value = value if isinstance(value, bool) else float(value)  # 1e3 is a word on the command line
    if type(value) is not kind or (kind is float and not 0 < value < math.inf) or (kind is int and value < (key != NOUGHT)):
        raise SweepError("slurm", f"{key}={value}", TYPES[kind])
    return value


def measure(folder: Path, chunks: Sequence[Any]) -> int:
    """What a job does: measures its chunks, one after the other, each of which is there as soon as it is done."""
    from bench.runs.executors import worker

    sent, count = (folder / ORDER).read_bytes(), 0
    for count, chunk in enumerate(chunks, start=1):  # noqa: B007  (it is what is returned)
        outcome = pickle.dumps(worker.measured(sent, chunk))
        if not folder.is_dir():  # nobody waits for it any more
            break
        write_whole(folder / f"{chunk.index}{DONE}", lambda path, outcome=outcome: path.write_bytes(outcome))
    return count


def _collected(
    folder: Path, jobs: Sequence[tuple[Any, Sequence[Any]]], left: Mapping[int, Any]
) -> Generator[tuple[int, Outcome], None, None]:
    """What jobs, each with its chunks, leave, until they have all ended."""
    deadline = math.inf
    while left:
        ended = all(job.done() for job, _ in jobs)  # before what they left is looked for
        found = [path for path in folder.glob(f"*{DONE}") if not path.name.startswith(TEMPORARY)]
        for path in found:
            outcome = pickle.loads(path.read_bytes())  # noqa: S301  (of a folder that this process has made)
            path.unlink()
            yield int(path.name.removesuffix(DONE)), outcome
        if ended and not found:
            if not any(_why(job) == "" for job, batch in jobs if any(chunk.index in left for chunk in batch)):
                return
            deadline = min(deadline, time.monotonic() + GRACE)
            if time.monotonic() >= deadline:
                return
        if left and not found:
            time.sleep(POLL)
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and not all(job.done() for job, _ in jobs):
        time.sleep(POLL)  # they write their own end yet


def _why(job: Any) -> str:
    """Why a job that has ended did not end well, in a line; nothing where it did."""
    try:
        error = job.exception()
    except Exception as raised:  # it left no result at all
        error = raised
    return "" if error is None else one_line(error)[-200:]


def _cut(chunks: Sequence[Any], jobs: int, work: Any) -> list[list[Any]]:
    """At most so many parts with about as much work each: neighbours, which share programs, stay together."""
    total, done = sum(map(work, chunks)), 0.0
    parts: list[list[Any]] = [[] for _ in range(min(jobs, len(chunks)))]
    for chunk in chunks:
        parts[min(int(done / total * len(parts)), len(parts) - 1)].append(chunk)
        done += work(chunk)
    return [part for part in parts if part]
