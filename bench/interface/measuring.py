"""Start runs and open them: ``bench.run``, ``bench.train`` and ``bench.open``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.interface.planning import memory_of
from bench.interface.run import Run, manifest_of
from bench.precision.precision import Precision
from bench.runs.executors.executor import Executor, executor_of
from bench.settings.errors import SweepError
from bench.settings.suggestions import nearest
from bench.sweeps.presets import PRESETS
from bench.sweeps.sweep import Sweep
from bench.training.presets import TRAININGS
from bench.training.training import Training


def run(
    sweep: Sweep | Precision | str,
    *,
    results: str | os.PathLike[str] = "results",
    name: str | None = None,
    progress: bool = True,
    overwrite: bool = False,
    max_memory: int | str | None = None,
    executor: str | Executor = "local",
) -> Run:
    """Measure what is missing of a sweep in the folder ``results/name``, and return the run.

    sweep: a :class:`bench.Sweep`, a :class:`bench.Precision` (the same networks in number formats too), or the name of a
    preset (``bench.PRESETS``); name: the preset's by default, else ``sweep`` or ``precision``; progress: a bar on standard
    error; overwrite: remove that run first, whatever it measured; max_memory: what it may take, in bytes or as ``"4GB"``, by
    default what there is; a run that would take more is refused (:func:`bench.plan` tells beforehand); executor: what
    measures, ``local`` (this process), ``ray`` or ``slurm``, or one of ``bench.runs.executors`` with its own settings: the
    rows are the same to the bit.

    Started again after a kill, it finishes the rest, with the same rows to the bit. Where a scheme is undefined, as at a
    critical point that does not exist, rows are NaN and one line on standard error says why. Raises :class:`bench.RunError`
    (a ValueError) before anything is written for a name or folder that cannot be used, or that holds another sweep, and
    :class:`bench.SweepError` (one too) for a preset that there is none of.
    """
    from bench.precision import runner as in_formats  # JAX takes a while
    from bench.sweeps import runner

    how: dict[str, Any] = {"progress": progress, "overwrite": overwrite, "max_memory": memory_of(max_memory)}
    how["executor"] = executor_of(executor)
    if isinstance(sweep, Precision):
        where = {"results": results, "name": "precision" if name is None else name}
        return Run(in_formats.run(sweep, **where, **how))
    settings, named = settings_of(sweep, Sweep, PRESETS, "sweep")
    where = {"results": results, "name": named if name is None else name}
    return Run(runner.run(settings, **where, **how))


def train(
    training: Training | str,
    *,
    results: str | os.PathLike[str] = "results",
    name: str | None = None,
    progress: bool = True,
    overwrite: bool = False,
    max_memory: int | str | None = None,
    executor: str | Executor = "local",
) -> Run:
    """Train what is missing of a training in the folder ``results/name``, and return the run.

    training: a :class:`bench.Training`, or the name of a preset (``bench.TRAININGS``); name: the preset's by default, else
    ``training``; other arguments and errors are those of :func:`bench.run`. Raises :class:`bench.SweepError` for a task that
    cannot be loaded too.
    """
    from bench.training import runner

    settings, named = settings_of(training, Training, TRAININGS, "training")
    where = {"results": results, "name": named if name is None else name}
    how: dict[str, Any] = {"progress": progress, "overwrite": overwrite, "max_memory": memory_of(max_memory)}
    how["executor"] = executor_of(executor)
    return Run(runner.train(settings, **where, **how))


def open(path: str | os.PathLike[str]) -> Run:  # noqa: A001  (it is bench.open)
    """The run in a folder, finished or not. Raises :class:`bench.RunError` (a ValueError) for a folder that is no run."""
    manifest_of(Path(path))
    return Run(path)


def settings_of(given: Any, kind: type, presets: Mapping[str, Any], word: str) -> tuple[Any, str]:
    """The settings that were asked for, and what their run is called. Raises SweepError."""
    if isinstance(given, kind):
        return given, word
    if isinstance(given, str) and given in presets:
        return getattr(presets[given], word), given
    hint = nearest(given, presets) if isinstance(given, str) else ""
    raise SweepError(word, given, f"a bench.{kind.__name__}, or the name of a preset: {', '.join(presets)}{hint}")
