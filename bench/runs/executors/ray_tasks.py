"""Chunks as tasks of Ray: on the cores of this machine, or on those and the GPUs of a cluster.

Rows come back through Ray's object store and are written by the driver, so that no file system is shared.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import warnings
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from bench.runs.executors import worker
from bench.runs.executors.executor import Work
from bench.runs.job import Outcome, failed
from bench.runs.manifest import one_line
from bench.settings.errors import SweepError
from bench.terminal.streams import error_stream

OWN = "local"  # Ray's word for one that is started, and stopped
RETRIES = 3  # of a chunk whose worker died
PATIENCE = 10.0  # seconds, for a cluster to answer
AHEAD = 2  # tasks for each that can run: none waits for the driver, and 100,000 chunks do not crowd the cluster


@dataclass(frozen=True)
class RayTasks:
    """Ray at ``address`` (``auto``, ``HOST:PORT``, ``ray://HOST:PORT``), or started on this machine, for this run."""

    address: str | None = None
    name: ClassVar[str] = "ray"

    def __post_init__(self) -> None:
        """Raises SweepError for an address at which nobody answers: Ray waits for minutes, and tells of it."""
        host, colon, port = (self.address or "").removeprefix("ray://").rpartition(":")
        if colon and port.isdecimal():
            try:
                socket.create_connection((host, int(port)), timeout=PATIENCE).close()
            except OSError as error:
                raise _refused(self.address, error) from error

    def ready(self, precision: str) -> AbstractContextManager[object]:
        """A cluster that was named, connected to; one of the run's own waits until it has to measure, or to tell."""
        return nullcontext() if self._address() == OWN and precision == "full" else self._multiplying(precision)

    def outcomes(self, work: Work) -> Generator[tuple[Any, Outcome], None, None]:
        """Every chunk and its outcome, as they are measured."""
        with self._connected():
            yield from _tasks(work)

    def _address(self) -> str:
        return self.address or os.environ.get("RAY_ADDRESS") or OWN

    @contextmanager
    def _multiplying(self, precision: str) -> Iterator[None]:
        with self._connected():
            if precision != "full" and _wanted(1)[0] == "CPU":
                raise SweepError("precision", precision, "full: Ray's workers have CPUs, which multiply in nothing else")
            yield

    @contextmanager
    def _connected(self) -> Iterator[None]:
        import ray

        if ray.is_initialized():  # by the user, or before
            yield
            return
        self._start()
        try:
            with redirect_stdout(error_stream()):  # where Ray tells of workers that died
                yield
        finally:
            ray.shutdown()

    def _start(self) -> None:
        import ray

        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a run tells nobody that it is there
        logging.getLogger("ray").setLevel(logging.ERROR)  # it tells of tokens that it makes for itself
        address = self._address()
        own = {"num_cpus": _cores(), "include_dashboard": False} if address == OWN else {}
        quiet = {"log_to_driver": False, "configure_logging": False, "logging_level": logging.ERROR}
        try:
            with warnings.catch_warnings(), _signals_kept():  # JAX warns of forks; these processes become Ray's at once
                warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)
                ray.init(address=address, **quiet, **own)
        except Exception as error:  # as many kinds as there are ways of being no cluster
            raise _refused(address, error) from error


def _tasks(work: Work) -> Generator[tuple[Any, Outcome], None, None]:
    import ray
    from ray import cloudpickle
    from ray.exceptions import RayError

    devices = work.job.devices or 1
    order = ray.put(worker.order_for(work, cast(Any, cloudpickle).dumps, devices))
    kind, count = _wanted(devices)
    options: dict[str, Any] = {"resources": {kind: count}} if kind == "TPU" else {f"num_{kind.lower()}s": count}
    # with max_calls=0 a process keeps its compiled programs for the next chunk, one with a GPU too
    task = ray.remote(max_calls=0, max_retries=RETRIES, **options)(worker.measured)
    waiting, running = deque(work.chunks), {}
    while waiting or running:
        while waiting and len(running) < AHEAD * max(1, ray.cluster_resources().get(kind, 0) // count):
            chunk = waiting.popleft()
            running[task.remote(order, chunk)] = chunk
        (done,), _ = ray.wait(list(running), num_returns=1)
        chunk = running.pop(done)
        try:
            outcome = ray.get(done)
        except RayError as error:  # its worker died, again and again
            outcome = failed(getattr(error, "cause", None) or error)
        yield chunk, outcome


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Signals end this process afterwards as they did before: Ray would write where in the machine's code it was."""
    kept = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    if threading.current_thread() is threading.main_thread():
        for each, handler in kept.items():
            signal.signal(each, handler)


def _wanted(devices: int) -> tuple[str, int]:
    """What a task takes: a GPU, or a machine's TPU, where there are any; else a core for each of its devices."""
    import ray

    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if any(node.get("GPU", 0) >= 1 for node in nodes):
        return "GPU", 1
    if chips := [int(node["TPU"]) for node in nodes if node.get("TPU", 0) >= 1]:
        return "TPU", min(chips)  # which one process has whole
    return "CPU", max(1, min(devices, int(max((node.get("CPU", 0) for node in nodes), default=1))))


def _refused(address: str | None, error: Exception) -> SweepError:
    return SweepError("ray_address", address, f"a cluster of Ray ({one_line(error)})")


def _cores() -> int | None:
    """How many this process may use; None where the system does not say, and Ray counts them itself."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
