"""A process that measures chunks for another one: what it is sent, how it prepares itself, and what it sends back."""

from __future__ import annotations

import os
import pickle
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
from tqdm import tqdm

from bench.arithmetic.numerics import settled
from bench.networks.activations import ACTIVATIONS
from bench.networks.initializers import INITIALIZERS
from bench.runs import provenance
from bench.runs.executors.executor import Work
from bench.runs.executors.local import alone
from bench.runs.executors.versions import identity
from bench.runs.job import Job, Outcome, failed
from bench.runs.tables import as_table
from bench.settings.registry import Registry

REGISTRIES: Mapping[str, Registry[Any]] = MappingProxyType({"initializers": INITIALIZERS, "activations": ACTIVATIONS})
CONFIGURED = (  # of JAX: where compiled programs are kept, and how they are compiled
    *("jax_enable_compilation_cache", "jax_compilation_cache_dir", "jax_disable_most_optimizations"),
    *("jax_persistent_cache_min_compile_time_secs", "jax_persistent_cache_min_entry_size_bytes"),
)
MOST = 1e300  # work, for a bar that nobody sees
VARIABLES = ("XLA_FLAGS",)  # of the environment, that bits depend on


class Order(NamedTuple):
    """What a worker is sent once, for all chunks of a run."""

    path: Sequence[str]  # where modules are looked for, a user's own too
    environment: Mapping[str, str]
    configuration: Mapping[str, Any]
    devices: int  # that it makes of a CPU
    ours: Mapping[str, str | None]  # what bits depend on, as it is where the order comes from
    content: bytes  # a Content, read once the worker is prepared


class Content(NamedTuple):
    """What of the order needs modules of the project and of the user."""

    given: Mapping[str, Mapping[str, Any]]  # callables that cannot be imported, by what they are called
    recipe: Callable[[], Job[Any]]
    dtype: str


def order_for(work: Work, dumps: Callable[[Any], bytes], devices: int) -> bytes:
    """The order for a run; ``dumps`` pickles callables by value where they cannot be imported."""
    names = {field: work.fields.get(field, ()) for field in REGISTRIES}
    given = {field: REGISTRIES[field].unnamed(names[field]) for field in REGISTRIES}
    assert work.job.recipe is not None, "a job that other processes can make again"
    order = Order(
        path=[os.path.abspath(each) for each in sys.path],
        environment={name: os.environ[name] for name in VARIABLES if name in os.environ},
        configuration={name: jax.config.values[name] for name in CONFIGURED},
        devices=devices,
        ours=identity(),
        content=dumps(Content(given, work.job.recipe, work.dtype)),
    )
    return pickle.dumps(order)


def measured(sent: bytes, chunk: Any) -> Outcome:
    """A chunk's outcome, in a process that does nothing else; who it is, and no rows, where it is another version."""
    order = _prepared(sent)
    who: dict[str, Any] = {"host": socket.gethostname(), "process": os.getpid(), "versions": dict(identity())}
    if who["versions"] != order.ours:
        return Outcome(None, worker=who)
    try:
        job, dtype = _job(order.content)
    except Exception as error:  # a user's module that is not there
        return failed(error)._replace(cause=None, worker=who)
    with settled(dtype), tqdm(total=MOST, disable=True) as bar:
        outcome = alone(job, chunk, bar)
        who["device"] = provenance.device()
    tables = None if outcome.tables is None else {name: as_table(table) for name, table in outcome.tables.items()}
    return Outcome(tables, outcome.error, worker=who)


@cache
def _prepared(sent: bytes) -> Order:
    """The order, once the process is as it asks."""
    order: Order = pickle.loads(sent)  # noqa: S301  (from the process that this one works for)
    sys.path.extend(each for each in order.path if each not in sys.path)
    os.environ.update(order.environment)
    for name, value in order.configuration.items():
        jax.config.update(name, value)
    if (folder := jax.config.values["jax_compilation_cache_dir"]) and not _can_be_made(folder):
        jax.config.update("jax_enable_compilation_cache", False)
    if "host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
        with suppress(RuntimeError):  # JAX has started, for an earlier run
            jax.config.update("jax_num_cpu_devices", order.devices)
    return order


@cache
def _job(content: bytes) -> tuple[Job[Any], str]:
    given, recipe, dtype = pickle.loads(content)  # noqa: S301
    for field, callables in given.items():
        for name, value in callables.items():
            if (here := REGISTRIES[field].name(value)) != name:
                raise ValueError(f"{name} is called {here} by a worker")
    with settled(dtype):
        return recipe(), dtype


def _can_be_made(folder: str) -> bool:
    with suppress(OSError):
        Path(folder).mkdir(parents=True, exist_ok=True)
        return os.access(folder, os.W_OK)
    return "://" in folder
