"""What a run will cost, before it is begun: ``bench.plan``."""

from __future__ import annotations

from typing import Any

from bench.precision.precision import Precision
from bench.runs.contents import Contents
from bench.runs.estimate import Estimate
from bench.settings.errors import SweepError
from bench.settings.suggestions import nearest
from bench.settings.units import bytes_in
from bench.sweeps.presets import PRESETS
from bench.sweeps.sweep import Sweep
from bench.training.presets import TRAININGS
from bench.training.training import Training


def plan(what: Sweep | Training | str, *, max_memory: int | str | None = None) -> Estimate:
    """What a sweep or a training will cost on this machine: cells, arithmetic, time, memory and disk. Nothing is written.

    what: a :class:`bench.Sweep`, a :class:`bench.Training`, or the name of a preset of one (of a sweep, where both have it);
    max_memory: what it may take, in bytes or as ``"4GB"``; by default, what there is. How fast the device is is measured the
    first time, which takes about two seconds, and kept in the cache folder. Raises :class:`bench.SweepError` where the run
    would not fit, as running it does.
    """
    if isinstance(what, str):
        what = _preset(what)
    if isinstance(what, Precision) or not isinstance(what, (Sweep, Training)):
        raise SweepError("what", what, "a bench.Sweep, a bench.Training, or the name of a preset")
    room = memory_of(max_memory)
    if isinstance(what, Sweep):
        from bench.sweeps.cost import plan_of  # JAX takes a while
        from bench.sweeps.runner import check

        check(what, room)
        return plan_of(what)
    from bench.training.cost import plan_of as plan_of_training
    from bench.training.runner import check as check_training

    check_training(what, room)
    return plan_of_training(what)


def contents_of(what: Sweep | Training) -> Contents[Any]:
    """What the folder of a run of it holds. Raises SweepError for a task that cannot be loaded."""
    if isinstance(what, Sweep):
        from bench.sweeps import runner

        return runner.contents_of(what)
    from bench.training import runner as runner_of_training

    return runner_of_training.contents_of(what)


def memory_of(given: Any) -> int | None:
    """So many bytes, of a number or words; None for as much as there is. Raises SweepError."""
    if given is None:
        return None
    if (found := bytes_in(given)) is None:
        raise SweepError("max_memory", given, "an amount of memory above 0: 4GB, 500MB, or a number of bytes")
    return found


def _preset(name: str) -> Sweep | Training:
    if name in PRESETS:
        return PRESETS[name].sweep
    if name in TRAININGS:
        return TRAININGS[name].training
    known = [*PRESETS, *(each for each in TRAININGS if each not in PRESETS)]
    raise SweepError("what", name, f"the name of a preset: {', '.join(known)}{nearest(name, known)}")
