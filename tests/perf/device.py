"""``make bench-device``: what to measure first on an accelerator, in one command. It runs on CPUs too: ``--widths 16 64``.

Products: multiply-adds a second, twice (TFLOP/s), of one large product, of bare products in the engine's shapes, and of the
engine's backward pass; their ratios say what is lost to shapes, and what to all that is no product. Draws: nanoseconds for a
Gaussian number by threefry2x32, which all draws use, and for one of an orthogonal matrix, and how many multiply-adds one
takes. Moving: seconds to call a program that does nothing, and GB/s to and from the device. Grids: calls of programs and
padded arithmetic, as counted by the plan for this device, and with --as for another. Sweeps: the same grid by depthscale,
its rows written, and by a jit(vmap(jax.grad)) for each depth, compiled and run, and run again.
"""

from __future__ import annotations

import argparse
import time
from typing import Any
from unittest.mock import patch

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import bench
from bench.networks.draws import segment_program
from bench.networks.initializers import INITIALIZERS
from bench.networks.seeds import place
from bench.networks.segments import LAYERS
from bench.runs.speed import all_devices, backward_pass, bare_product, shortest
from bench.sweeps import cost
from tests.perf.speed import depthscale, grid, jax_grad

DTYPE = "float32"
MANY = [0.5 + 0.05 * step for step in range(31)]
GRIDS: dict[str, dict[str, Any]] = {
    "41 scales, 32 depths, 8 seeds": {"scales": np.linspace(0.5, 2.5, 41), "depths": np.geomspace(2, 852, 32).astype(int)},
    "31 scales, 30 depths, 1 seed": {"scales": MANY, "depths": range(2, 62, 2), "seeds": 1},
    "32 scales, 32 depths, 64 seeds": {"scales": [*MANY, 3.0], "depths": range(2, 66, 2), "seeds": 64},
    "2 scales, 3 depths, 1000 seeds": {"scales": [1.0, 1.5], "depths": [2, 50, 100], "seeds": 1000},
    "1 scale, 1 depth, 1 seed": {"scales": [1.0], "depths": [100], "seeds": 1},
    "12 initializers, 12 depths, 32 seeds": {
        "initializers": list(INITIALIZERS)[:12],
        "scales": [1.0],
        "seeds": 32,
        "depths": np.unique(np.geomspace(2, 852, 12).astype(int)),
    },
}


def products(width: int, large: int) -> None:
    """A line."""
    matrix = jnp.ones((large, large), DTYPE)
    program = jax.jit(lambda a: jnp.matmul(a, a, precision=lax.Precision.HIGHEST))
    peak = 2e-12 * large**3 / shortest(lambda: program(matrix)) * len(jax.local_devices())
    bare = 2e-12 / bare_product(width, DTYPE)
    entry, _ = backward_pass(width, DTYPE)
    engine = 2e-12 * width / entry
    print(f"{width:6}{peak:12.3g}{bare:12.3g}{engine:12.3g}{bare / peak:10.0%}{engine / peak:10.0%}", flush=True)


def draws(width: int) -> None:
    """A line."""
    mesh, size = all_devices(width)
    keys = place(mesh, np.zeros((size, 2), np.uint32), 0)
    found = []
    for name in ("gaussian", "orthogonal"):
        program = segment_program(mesh, INITIALIZERS[name].family, width, DTYPE, biased=False)
        found.append(shortest(lambda program=program: program(keys, np.int32(1))) / (size * LAYERS * width**2))
    product = bare_product(width, DTYPE)
    print(f"{width:6}{''.join(f'{1e9 * each:11.3g} ns{each / product:8.0f} ×' for each in found)}", flush=True)


def moving(megabytes: int = 64) -> None:
    """A line for each."""
    nothing, device = jax.jit(lambda x: x), jax.local_devices()[0]
    small, large = jax.device_put(np.zeros(8, DTYPE), device), np.ones(megabytes * 2**18, DTYPE)
    print(f"a call                {1e6 * shortest(lambda: nothing(small)):9.3g} µs")
    print(f"a transfer of 32 bytes{1e6 * shortest(lambda: jax.device_get(jax.device_put(small, device) + 0)):9.3g} µs")
    there = jax.device_put(large, device)
    print(f"to the device         {large.nbytes / 1e9 / shortest(lambda: jax.device_put(large, device)):9.3g} GB/s")
    print(f"and back              {large.nbytes / 1e9 / shortest(lambda: np.array(there + 0)):9.3g} GB/s", flush=True)


def grids(width: int, platform: str) -> None:
    """A line for each grid: what its plan counts on such a device."""

    class Device:
        def __init__(self) -> None:
            self.platform = platform

    with patch.object(jax, "local_devices", lambda: [Device()]):
        for name, settings in GRIDS.items():
            work, _ = cost.work_of(bench.Sweep(**({"widths": width, "seeds": 8, "layers": False} | settings)))
            useful, padded = work.useful, work.padded
            print(f"{name:38}{useful:12.3g}{padded / useful:10.3g} ×{work.calls:12,.0f}", flush=True)


def sweeps(width: int) -> None:
    """A line: the grid by depthscale and by jax.grad."""
    sweep, found = grid(width, deepest=64, depths=8), []
    for contender in (depthscale, jax_grad):
        run = contender(sweep)
        for _ in range(2):
            began = time.perf_counter()
            run()
            found.append(time.perf_counter() - began)
    multiply_adds, _ = cost.work_of(bench.Sweep(**sweep))
    rate = 2e-12 * multiply_adds.padded / found[1]
    ratio = found[3] / found[1]
    print(f"{width:6}{''.join(f'{each:10.3g} s' for each in found)}{ratio:8.3g} ×{rate:12.3g} TFLOP/s", flush=True)


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--widths", nargs="+", type=int, default=[64, 256, 1024, 4096])
    parser.add_argument("--large", type=int, default=8192, help="of the one large product")
    parser.add_argument("--as", dest="platform", help="count grids as such a device would see them: gpu")
    parser.add_argument("--largest-sweep", type=int, default=256, help="widest network that is swept and drawn orthogonal")
    arguments = parser.parse_args()
    devices = jax.local_devices()
    platform = arguments.platform or devices[0].platform
    print(f"{len(devices)} × {devices[0].device_kind} ({devices[0].platform}), jax {jax.__version__}\n")
    print(f"{'width':>6}{'large':>12}{'bare':>12}{'engine':>12}   TFLOP/s, float32, and shares of the large product's")
    for width in arguments.widths:
        products(width, arguments.large)
    print(f"\n{'width':>6}{'Gaussian':>14}{'':10}{'orthogonal':>14}   a number, and in multiply-adds of bare products")
    swept = [width for width in arguments.widths if width <= arguments.largest_sweep]
    for width in swept:
        draws(width)
    print()
    moving()
    print(f"\n{f'grids at width 64 on one {platform}':38}{'useful':>12}{'padding':>12}{'calls':>12}")
    grids(64, platform)
    print(f"\n{'width':>6}{'ours, cold':>12}{'warm':>12}{'jax.grad':>12}{'warm':>12}{'ratio':>10}")
    for width in swept:
        sweeps(width)


if __name__ == "__main__":
    main()
