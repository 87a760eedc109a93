"""How good ``--dry-run`` is: its time, memory and disk beside what small runs take. ``python -m tests.perf.plan [NAME …]``.

Each run is in a process of its own, without a compilation cache. Columns: seconds expected and measured with programs
compiled (the shorter of two runs), seconds that the first run took more, and those expected for compiling; MB expected
and measured of memory at the peak, beyond what the process held when its programs were compiled; MB expected and
measured on disk; the padding. Ratios are expected / measured.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.runs.peaks import peak_of

SCALES = [0.5 + 0.05 * step for step in range(31)]
BLOCKS = {"activations": "relu", "initializers": "he_gaussian", "seeds": 2}
SWEEPS: dict[str, dict[str, Any]] = {
    "default": {},
    "deep": {"depths": [2, 50, 200, 852], "scales": SCALES},
    "many depths": {"depths": range(2, 302, 10), "scales": SCALES, "layers": False},
    "many seeds": {"depths": [2, 50, 100], "scales": [1.0, 1.5], "seeds": 256, "layers": False},
    "layers": {"depths": range(2, 202, 20), "scales": SCALES, "seeds": 16, "widths": 16},
    "wide": {"widths": 256, "depths": [2, 20, 60, 100], "scales": SCALES, "seeds": 2, "layers": False},
    "orthogonal": {"initializers": "orthogonal", "widths": 128, "depths": [2, 20, 100], "scales": SCALES, "layers": False},
    "lsuv": {"initializers": "lsuv", "depths": [2, 20, 200], "scales": SCALES, "layers": False},
    "float64": {"dtype": "float64", "depths": [2, 50, 200], "scales": SCALES, "layers": False},
    "two inputs": {"depths": [2, 20, 100], "scales": SCALES, "correlations": [0, 0.9], "layers": False},
    "residual": {**BLOCKS, "architectures": "residual", "depths": [2, 20, 100], "scales": SCALES, "layers": False},
    "lstm": {**BLOCKS, "architectures": "lstm", "depths": [2, 20, 100], "layers": False},
    "batchnorm": {**BLOCKS, "architectures": "batchnorm", "batch": 4, "depths": [2, 20], "scales": SCALES, "layers": False},
    "transformer": {**BLOCKS, "architectures": "transformer", "widths": 16, "length": 4, "depths": [2, 50], "layers": False},
}
TRAININGS: dict[str, dict[str, Any]] = {
    "training": {"depths": [8], "learning_rates": [0.01, 0.1], "seeds": 16},
    "wide training": {"depths": [16], "widths": 128, "learning_rates": [0.1], "seeds": 4, "curves": False},
    "many trained": {"depths": [2], "widths": 16, "scales": [0.5, 1.0], "learning_rates": [0.1, 1.0], "seeds": 256},
    "trained blocks": {"architectures": "pre_layernorm", "activations": "relu", "depths": [8], "seeds": 4},
}


def measure(name: str) -> dict[str, float]:
    """In this process."""
    import bench
    from bench.cli.surroundings import configure_jax

    configure_jax(compilation_cache=False)
    run: Any = bench.run if name in SWEEPS else bench.train
    what: Any = bench.Sweep if name in SWEEPS else bench.Training
    given = {**SWEEPS, **TRAININGS}[name]
    settings, folder, times, peaks = what(**given), tempfile.mkdtemp(), [], []
    estimate = bench.plan(settings)
    if name in SWEEPS:  # the same programs, for little
        few = {"scales": [1.0], "seeds": min(settings.seeds, 16), "depths": [2], "layers": False}
    else:
        few = {"scales": [1.0], "learning_rates": [0.1], "seeds": 1}
    few_times = []
    for number in range(2):
        began = time.perf_counter()
        run(what(**{**given, **few}), results=folder, name=f"few-{number}", progress=False)
        few_times.append(time.perf_counter() - began)
    for number in range(2):
        began = time.perf_counter()
        peak = peak_of(lambda number=number: run(settings, results=folder, name=f"run-{number}", progress=False))
        times.append(time.perf_counter() - began)
        peaks.append(peak / 1e6)
    files = Path(folder, "run-0").rglob("*")
    measured = {
        "time": min(times),
        "compiling": few_times[0] - few_times[1],
        "memory": peaks[0],
        "disk": sum(path.stat().st_size for path in files if path.is_file()) / 1e6,
    }
    expected = {
        "time": estimate.seconds,
        "compiling": estimate.compile_seconds,
        "memory": (estimate.device_bytes + estimate.host_bytes) / 1e6,
        "disk": estimate.disk_bytes / 1e6,
    }
    return {"padding": estimate.padding} | {
        f"{kind} {each}": values[each]
        for kind, values in (("expected", expected), ("measured", measured))
        for each in values
    }


def main() -> None:
    """A line for each run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="runs (default: all)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(measure(arguments.names[0])))
        return
    kinds = ("time", "compiling", "memory", "disk")
    print(
        f"load {os.getloadavg()[0]:.1f}; expected / measured\n{'':15}"
        + "".join(f"{kind:>24}" for kind in kinds)
        + "  padding"
    )
    ratios: dict[str, list[float]] = {kind: [] for kind in kinds}
    for name in arguments.names or (*SWEEPS, *TRAININGS):
        command = [sys.executable, "-m", "tests.perf.plan", name, "--child"]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        line = f"{name:15}"
        for kind in kinds:
            expected, measured = found[f"expected {kind}"], found[f"measured {kind}"]
            ratios[kind].append(expected / measured)
            line += f"{expected:8.3g} /{measured:7.3g} = {expected / measured:4.2f}"
        print(f"{line}{found['padding']:9.3g}", flush=True)
    print("median ratio   " + "".join(f"{statistics.median(values):24.2f}" for values in ratios.values()))
    print("within 2×      " + "".join(f"{sum(0.5 <= r <= 2 for r in v):20}/{len(v):3}" for v in ratios.values()))
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
