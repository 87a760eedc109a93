"""What runs hold at their peak, beside what was expected: ``python -m tests.runs.peaks NAME …``, in MB, on Linux."""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

M_ARENA_MAX = -8  # of glibc's mallopt
SCALES = np.linspace(0.5, 1.5, 32).tolist()
NARROW = {"widths": 16, "scales": SCALES, "seeds": 8}
BLOCKS = {"activations": "relu", "initializers": "he_gaussian", "layers": False}
SWEEPS: dict[str, dict[str, Any]] = {
    "tall": {**NARROW, "depths": [2, 1000], "layers": False},
    "layers": {**NARROW, "depths": [2, 500]},
    "many seeds": {**NARROW, "depths": [2, 17], "scales": [1.0], "seeds": 8000, "layers": False},
    "many lanes": {"widths": 16, "depths": [2, 200], "scales": np.linspace(0.5, 1.5, 2048).tolist(), "seeds": 8},
    "wide": {"widths": 1024, "depths": [2, 33], "scales": [1.0], "seeds": 2, "layers": False},
    "lsuv": {"widths": 256, "depths": [2, 65], "scales": [1.0], "seeds": 4, "initializers": "lsuv", "layers": False},
    "residual": {**BLOCKS, "architectures": "residual", "widths": 128, "depths": [2, 200], "scales": [1.0], "seeds": 8},
}
PLAIN = {"scales": [1.0], "learning_rates": [0.1], "steps": 2, "curves": False}
TRAININGS: dict[str, dict[str, Any]] = {
    "training": {**PLAIN, "widths": 256, "depths": [100], "batch": 64, "seeds": 2},
    "trained long": {**PLAIN, "widths": 16, "depths": [2], "batch": 16, "steps": 2000, "seeds": 256},
    "trained blocks": {**PLAIN, "architectures": "pre_layernorm", "widths": 64, "depths": [65], "batch": 256, "seeds": 8},
}


def one_arena() -> None:
    """Let all threads allocate in one place: the next run would not grow by what their own places keep, up to 40 MB."""
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def peak_of(call: Callable[[], object]) -> float:
    """Bytes that the process grows by at most while that runs."""
    import pyarrow

    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pyarrow.default_memory_pool().release_unused()
    base = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins again
    call()
    return memory("VmHWM") - base


def memory(which: str) -> int:
    """Bytes of this process, as Linux tells: VmRSS now, VmHWM at most."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines())
    return 1024 * int(lines[which].split()[0])


def compare(name: str) -> tuple[float, float]:
    """MB expected and measured, once the programs are compiled."""
    import bench
    from bench.sweeps.needs import room_of
    from bench.training.cost import room_of as room_of_training
    from bench.training.plan import plan as plan_of_training

    results = tempfile.mkdtemp()
    run: Any = bench.run if name in SWEEPS else bench.train
    what: Any = bench.Sweep if name in SWEEPS else bench.Training
    given = {**SWEEPS, **TRAININGS}[name]
    few = {"scales": [1.0], "depths": [2], "layers": False} if name in SWEEPS else {"steps": min(given["steps"], 64)}
    settings, small = what(**given), what(**{**given, **few, "seeds": min(8, given["seeds"])})  # the same programs
    room = room_of(settings, chunks=1) if name in SWEEPS else room_of_training(settings, plan_of_training(settings))
    run(small, results=results, name="few", progress=False)
    measured = peak_of(lambda: run(settings, results=results, name="run", progress=False))
    return (room.device + room.host) / 1e6, measured / 1e6


if __name__ == "__main__":
    one_arena()
    for each in sys.argv[1:] or (*SWEEPS, *TRAININGS):
        expected, found = compare(each)
        print(json.dumps([each, round(expected, 1), round(found, 1), round(expected / found, 2)]), flush=True)
