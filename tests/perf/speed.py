"""``make bench``: depthscale beside what a user would have written, on one grid, in one run.

Each contender runs in a process of its own: ``cold`` is from the start of the process to the first result, imports and
compilation included, with no compilation cache; ``warm`` is the median of repeated runs after that; ``peak`` is the
process's largest resident size. What the contenders are:

    depthscale   bench.run of the grid, rows written to disk
    jax.grad     as one writes it first: for every depth, a jit(vmap(vmap(jax.grad))) over seeds and scales
    jax shared   as one improves it: weights drawn once for all depths and scales, which then share matrix products
                 (both at widths above 64 on one of the seeds, the time of the others extrapolated)
    torch        autograd, network after network; extrapolated from a sample of networks by layers × networks (needs torch)
    floor        what no method avoids: drawing the weights once, and the bare products of the forward and backward pass
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial

import numpy as np

REPEATS = {"depthscale": 7, "jax.grad": 1, "jax shared": 1, "torch": 1, "floor": 7}
ONE_SEED = ("jax.grad", "jax shared")
BATCH_BYTES = 2**32  # of weight gradients at a time in jax.grad
TORCH_SAMPLE = 8  # every so many depths, at one scale and one seed


def grid(width: int, deepest: int = 852, scales: int = 32, seeds: int = 4, depths: int = 32) -> dict:
    """The benchmark's sweep: tanh, log-spaced depths, evenly spaced scales."""
    return {
        "depths": np.unique(np.rint(np.geomspace(2, deepest, depths)).astype(int)).tolist(),
        "scales": np.linspace(0.5, 2.0, scales).tolist(),
        "widths": [width],
        "seeds": seeds,
        "layers": False,
    }


def depthscale(sweep: dict) -> Callable[[], object]:
    """The command line's own path: one device for each core, rows on disk."""
    import bench
    from bench.cli.surroundings import configure_jax

    configure_jax(compilation_cache=False)
    folder = tempfile.mkdtemp()
    names = iter(range(10**6))
    return lambda: bench.run(bench.Sweep(**sweep), results=folder, name=f"run-{next(names)}", progress=False)


def jax_grad(sweep: dict) -> Callable[[], object]:
    """What a JAX user writes first: a network as a function of (key, scale), jit(vmap(jax.grad)) for every depth."""
    import jax
    import jax.numpy as jnp

    (width,) = sweep["widths"]

    def output(weights, x, readout):
        return readout @ jax.lax.scan(lambda h, w: (jnp.tanh(w @ h), None), x, weights)[0]

    def norms(depth, key, scale):
        keys = jax.random.split(key, 3)
        weights = scale * jax.random.normal(keys[0], (depth - 1, width, width)) / np.sqrt(width)
        x, readout = (jax.random.normal(key, (width,)) for key in keys[1:])
        return jnp.linalg.norm(jax.grad(output)(weights, x, readout), axis=(1, 2))

    def measure():
        keys = jax.random.split(jax.random.key(0), sweep["seeds"])
        # all networks of a depth at once where their gradients fit, else as many as do
        fitting = max(1, BATCH_BYTES // (4 * max(sweep["depths"]) * width**2 * len(keys)))
        scales = np.array_split(np.float32(sweep["scales"]), -(-len(sweep["scales"]) // fitting))
        results = []
        for depth in sweep["depths"]:
            if depth not in programs:
                programs[depth] = jax.jit(jax.vmap(jax.vmap(partial(norms, depth), (None, 0)), (0, None)))
            results += [np.asarray(programs[depth](keys, block)) for block in scales]
        return results

    programs: dict[int, Callable] = {}
    return measure


def jax_shared(sweep: dict) -> Callable[[], object]:
    """What a careful JAX user arrives at: one draw for all depths and scales, the scale applied to W h, not to W."""
    import jax
    import jax.numpy as jnp

    (width,), deepest = sweep["widths"], max(sweep["depths"])
    scales = jnp.array(sweep["scales"])

    def output(weights, scale, x, readout):
        return readout @ jax.lax.scan(lambda h, w: (jnp.tanh(scale * (w @ h)), None), x, weights)[0]

    def norms(weights, scale, x, readout):
        return jnp.linalg.norm(jax.grad(output)(weights, scale, x, readout), axis=(1, 2))

    over_scales = jax.vmap(norms, in_axes=(None, 0, None, None))
    by_seed = jax.jit(lambda *arrays: jax.lax.map(lambda args: over_scales(args[0], scales, *args[1:]), arrays))

    def measure():
        keys = jax.random.split(jax.random.key(0), 3)
        weights = jax.random.normal(keys[0], (sweep["seeds"], deepest - 1, width, width)) / np.sqrt(width)
        x, readout = (jax.random.normal(key, (sweep["seeds"], width)) for key in keys[1:])
        return [np.asarray(by_seed(weights[:, : depth - 1], x, readout)) for depth in sweep["depths"]]

    return measure


def torch(sweep: dict) -> Callable[[], float]:
    """A loop over networks with autograd; returns the seconds for the whole grid, extrapolated from the sample."""
    import torch

    (width,), sample = sweep["widths"], sweep["depths"][::-1][::TORCH_SAMPLE]

    def measure():
        start = time.perf_counter()
        for depth in sample:
            weights = [torch.randn(width, width) / width**0.5 for _ in range(depth - 1)]
            for weight in weights:
                weight.requires_grad_()
            h = torch.randn(width)
            for weight in weights:
                h = torch.tanh(weight @ h)
            (torch.randn(width) @ h).backward()
            [float(weight.grad.norm()) for weight in weights]
        networks = len(sweep["scales"]) * sweep["seeds"]
        return (time.perf_counter() - start) * networks * sum(sweep["depths"]) / sum(sample)

    return measure


def floor(sweep: dict) -> Callable[[], object]:
    """Draw each weight once; multiply it with every lane that needs it, forward and backward, in the fewest products."""
    import jax

    from bench.cli.surroundings import configure_jax

    configure_jax(compilation_cache=False)
    from jax import lax

    from bench.networks.draws import draw_networks, segment_program
    from bench.networks.initializers import INITIALIZERS
    from bench.networks.seeds import over_seeds, place, seed_mesh
    from bench.networks.segments import LAYERS, segments_to

    (width,), depths, lanes, seeds = sweep["widths"], sweep["depths"], len(sweep["scales"]), sweep["seeds"]
    mesh = seed_mesh(seeds)
    draw = segment_program(mesh, INITIALIZERS["gaussian"].family, width, "float32", biased=False)
    count = segments_to(max(depths))

    @partial(over_seeds, mesh=mesh, in_axes=(1, 0), out_axes=0)
    def products(weights, rows):
        def layer(rows, w):
            return lax.dot_general(rows, w, (((1,), (0,)), ((), ())), precision=lax.Precision.HIGHEST), None

        return lax.scan(layer, rows, weights)[0]

    keys = place(mesh, draw_networks(0, width, range(seeds), "float32").keys, 0)
    # the layers of a segment with the same number of active depths form one product shape
    active = [[sum(depth - 1 > i * LAYERS + layer for depth in depths) for layer in range(LAYERS)] for i in range(count)]
    rows = {
        number: place(mesh, np.random.default_rng(0).normal(size=(seeds, number * lanes, width)).astype(np.float32), 0)
        for number in {1} | {number for segment in active for number in segment if number}
    }

    def measure():
        results = []
        for index, numbers in enumerate(active):
            weights = draw(keys, np.int32(1 + index * LAYERS)).weights
            results.append(products(weights, rows[1]))
            for number in sorted(set(numbers) - {0}):
                share = slice(numbers.index(number), LAYERS - numbers[::-1].index(number))
                results.append(products(weights if share == slice(0, LAYERS) else weights[share], rows[number]))
        return jax.block_until_ready(results)

    return measure


def run_child(contender: str, sweep: dict, started: float) -> None:
    """In the contender's process: one cold run, then the warm ones; one line of JSON."""
    make = {"depthscale": depthscale, "jax.grad": jax_grad, "jax shared": jax_shared, "torch": torch, "floor": floor}[
        contender
    ]
    # too slow to wait for: one seed, the others by extrapolation
    times = sweep["seeds"] if contender in ONE_SEED and sweep["widths"][0] > 64 else 1
    sweep = sweep | {"seeds": sweep["seeds"] // times}
    try:
        measure = make(sweep)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}))
        return
    result = measure()
    cold = time.time() - started
    seconds = []
    for _ in range(REPEATS[contender]):
        start = time.perf_counter()
        result = measure()
        seconds.append(result if isinstance(result, float) else time.perf_counter() - start)
    warm = statistics.median(seconds) * times
    cold = warm if contender == "torch" else cold + warm * (times - 1) / times
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cold": cold, "warm": warm, "peak": peak}))


def timed(contender: str, sweep: dict) -> dict:
    """The contender's figures, from a fresh process."""
    environment = os.environ | {"JAX_ENABLE_COMPILATION_CACHE": "false"}
    command = [sys.executable, "-m", "tests.perf.speed", "--child", contender, json.dumps(sweep), str(time.time())]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def compare(width: int) -> None:
    """One table: every contender on the grid, and how much slower than depthscale it is."""
    sweep = grid(width)
    cells = len(sweep["depths"]) * len(sweep["scales"]) * sweep["seeds"]
    print(f"\nwidth {width}: tanh, 32 scales × {len(sweep['depths'])} depths to 852 × 4 seeds = {cells} networks")
    print(f"{'':12} {'cold s':>8} {'warm s':>8} {'cold ×':>8} {'warm ×':>8} {'peak MiB':>9}")
    ours: dict = {}
    for contender in REPEATS:
        figures = timed(contender, sweep)
        if "missing" in figures:
            print(f"{contender:12} not measured: {figures['missing']}")
            continue
        ours = ours or figures
        cold, warm = figures["cold"], figures["warm"]
        cold_columns = f"{'':8}" if contender == "floor" else f"{cold:8.2f}"
        cold_ratio = f"{'':8}" if contender == "floor" else f"{cold / ours['cold']:8.1f}"
        print(f"{contender:12} {cold_columns} {warm:8.2f} {cold_ratio} {warm / ours['warm']:8.2f} {figures['peak']:9.0f}")


def growth() -> None:
    """How depthscale's warm time and peak memory grow with depth, scales, seeds and width, around the grid."""
    print("\ngrowth of depthscale's warm time, and of the process's peak in MiB; at width 64 but in the last line")
    axes = {
        "deepest": (213, 426, 852, 1704),
        "scales": (8, 32, 64, 128),
        "seeds": (1, 2, 4, 8, 16),
        "width": (32, 64, 128, 256),
    }
    for axis, values in axes.items():
        found = [timed("depthscale", grid(**({"width": 64} | {axis: value}))) for value in values]
        columns = (f"{value}: {each['warm']:.2f} s {each['peak']:.0f}" for value, each in zip(values, found, strict=True))
        print(f"  {axis:8} " + "   ".join(columns), flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--widths", nargs="+", type=int, default=[64, 256])
    parser.add_argument("--growth", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        contender, sweep, started = arguments.child
        run_child(contender, json.loads(sweep), float(started))
        return
    import jax

    print(f"jax {jax.__version__}, {len(os.sched_getaffinity(0))} cores, {jax.devices()[0].device_kind}")
    for width in arguments.widths:
        compare(width)
    if arguments.growth:
        growth()


if __name__ == "__main__":
    main()
