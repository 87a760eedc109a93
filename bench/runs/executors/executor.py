"""What an executor is given, and how one is found by its name."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Protocol

from bench.runs.job import Job, Outcome
from bench.settings.errors import SweepError
from bench.settings.suggestions import nearest
from bench.terminal.progress import Bar

HOMES = MappingProxyType(  # name → module and class, what it needs, and the extra that brings it
    {
        "local": ("local:Local", "", ""),
        "ray": ("ray_tasks:RayTasks", "ray", "ray"),
        "slurm": ("job_arrays:JobArrays", "submitit", "slurm"),
    }
)


class Work(NamedTuple):
    """What is to be measured."""

    job: Job[Any]
    chunks: Sequence[Any]
    dtype: str
    fields: Mapping[str, Any]  # of the run, as its manifest has them
    folder: Path
    bar: Bar


class Executor(Protocol):
    """Something that measures chunks, here or elsewhere."""

    name: ClassVar[str]  # as it is asked for

    def ready(self, precision: str) -> AbstractContextManager[object]:
        """What measures, held for as long as a run takes.

        Raises SweepError where there is none, or none that multiplies so, before the run is begun.
        """
        ...

    def outcomes(self, work: Work) -> Generator[tuple[Any, Outcome], None, None]:
        """Every chunk and its outcome, in any order; one that fails stops no other."""
        ...


def executor_of(given: str | Executor, **options: Any) -> Executor:
    """The executor of that name, with those options. Raises SweepError: for another name, and for what is not installed."""
    if not isinstance(given, str):
        return given
    if given not in HOMES:
        raise SweepError("executor", given, f"one of {', '.join(HOMES)}{nearest(given, HOMES)}")
    home, package, extra = HOMES[given]
    if package and find_spec(package) is None:
        raise SweepError("executor", given, f"{package} to be installed for it: pip install 'depthscale[{extra}]'")
    module, _, kind = home.partition(":")
    return getattr(import_module(f"bench.runs.executors.{module}"), kind)(**options)
