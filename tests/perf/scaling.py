"""How much faster two cores measure one sweep than one, side by side: ``python -m tests.perf.scaling``.

Each time is of a process that may use so many cores and no others, one device on each, once programs are compiled;
with ``--one-device`` one device on all, as JAX has it from Python.
Processes take turns, and the shortest run of each counts. ``ratio``: one core's seconds over two cores', at best 2; it
needs an idle machine. ``CPU``: two cores' processor time over one's, at best 1, on any machine: what sharing itself costs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from itertools import product

import numpy as np

REPEATS, TURNS = 3, 2
SWEEPS = {
    "many seeds": {"widths": 64, "seeds": 32},
    "few seeds": {"widths": 64, "seeds": 8},  # as many as one CPU device takes at a time
    "wide": {"widths": 256, "seeds": 8, "depths": [2, 50]},
    "residual": {"architectures": "residual", "widths": 64, "seeds": 4},
}
SHARED = {"depths": [2, 50, 200], "scales": np.linspace(0.5, 2, 32).tolist(), "layers": False}


def measured(name: str, cores: int, *, one_device: bool) -> tuple[float, float]:
    """Seconds, of the clock and of processors, that this process takes with so many cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    import bench
    from bench.cli.surroundings import configure_jax

    if not one_device:
        configure_jax(compilation_cache=False)
    sweep, times = bench.Sweep(**(SHARED | SWEEPS[name])), []
    with tempfile.TemporaryDirectory() as results:
        for number in range(1 + REPEATS):
            began, used = time.perf_counter(), time.process_time()
            bench.run(sweep, results=results, name=f"run-{number}", progress=False)
            times.append((time.perf_counter() - began, time.process_time() - used))
    wall, cpu = zip(*times[1:], strict=True)
    return min(wall), min(cpu)


def main() -> None:
    """A line for each sweep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"{', '.join(SWEEPS)} (default: all)")
    parser.add_argument("--one-device", action="store_true", help="one CPU device on all cores")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(*measured(arguments.names[0], arguments.child, one_device=arguments.one_device))
        return
    print(f"load {os.getloadavg()[0]:.1f}\n{'':12}   1 core   2 cores    ratio      CPU")
    for name in arguments.names or SWEEPS:
        times: dict[int, list[list[float]]] = {1: [], 2: []}
        for _, cores in product(range(TURNS), times):
            command = [sys.executable, "-m", "tests.perf.scaling", name, "--child", str(cores)]
            command += ["--one-device"] * arguments.one_device
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            times[cores].append([float(word) for word in done.stdout.splitlines()[-1].split()])
        (one, one_cpu), (two, two_cpu) = (map(min, zip(*found, strict=True)) for found in times.values())
        print(f"{name:12}{one:7.2f} s{two:8.2f} s{one / two:9.2f}{two_cpu / one_cpu:9.2f}", flush=True)
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
