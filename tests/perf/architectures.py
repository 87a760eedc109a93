"""Part of ``make bench``: sweeps of other architectures beside what a JAX user writes, on one grid, in one run.

The grid: 16 scales × 24 log-spaced depths to 256 × 2 seeds, width 64, relu; batchnorm has 4 examples, conv and transformer
4 positions, the others one vector. ``jax.grad``: for each depth a
jit(vmap(vmap(jax.grad))) over seeds and scales of the same blocks, in plain floats (0 or infinite where these end).
``cold``: the CPU time of the first run, compilation included and imports not; ``warm``: the wall time of the best of three
more, and ``CPU`` the least CPU time, which other work on the machine moves less. Each contender has a process of its own.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial

import numpy as np

WIDTH, SEEDS, AGAIN = 64, 2, 3
DEPTHS = np.unique(np.rint(np.geomspace(2, 256, 24)).astype(int)).tolist()
SCALES = np.linspace(0.5, 2.0, 16).tolist()
NAMES = (
    *("residual", "residual:alpha=1/sqrt(L)", "residual2", "normed", "pre_layernorm", "post_layernorm", "highway"),
    *("rnn", "gru", "lstm", "batchnorm", "conv", "transformer"),
)


def examples_of(name: str) -> dict[str, int]:
    """What a block of that name needs."""
    return {"batch": 4 if name == "batchnorm" else 1, "length": {"conv": 4, "transformer": 4}.get(name.partition(":")[0], 1)}


def depthscale(name: str) -> Callable[[], object]:
    """The command line's own path, rows on disk."""
    import bench

    folder, numbers = tempfile.mkdtemp(), itertools.count()
    grid = {"depths": DEPTHS, "scales": SCALES, "widths": WIDTH, "seeds": SEEDS, "activations": "relu", "layers": False}
    sweep = bench.Sweep(architectures=name, **grid, **examples_of(name))
    return lambda: bench.run(sweep, results=folder, name=f"run-{next(numbers)}", progress=False)


def jax_grad(name: str) -> Callable[[], object]:
    """A program for every depth."""
    import jax
    import jax.numpy as jnp

    from bench.networks.architectures.architecture import Step, dense
    from bench.networks.architectures.registry import architecture_of

    architecture = architecture_of(name)
    generator, examples = np.random.default_rng(0), tuple(examples_of(name).values())
    x = jnp.asarray(generator.normal(size=(SEEDS, *examples, WIDTH)), jnp.float32)
    readout = jnp.asarray(generator.normal(size=(SEEDS, WIDTH)) / WIDTH**0.5, jnp.float32)

    def loss(weights, scale, x, readout, inputs, depth):
        def block(state, given):
            drawn, read, layer = given
            products = {key: partial(dense, scale * matrix) for key, matrix in drawn.items()}
            step = Step(layer, jnp.float32(depth), jax.nn.relu, read, architecture.begun(WIDTH))
            return architecture.block(state, products, step), None

        layers = jnp.arange(1, depth, dtype=jnp.float32)
        state, _ = jax.lax.scan(block, architecture.start(x), (weights, inputs, layers))
        return jnp.sum(architecture.read(jax.tree.leaves(state)[0])[0, -1] * readout)

    def norms(weights, scale, x, readout, inputs, depth):
        gradients = jax.grad(loss)(weights, scale, x, readout, inputs, depth)
        return jax.tree.map(lambda g: jnp.sqrt(jnp.sum(g**2, axis=(1, 2))), gradients)

    @partial(jax.jit, static_argnums=5)
    def program(weights, scales, x, readout, inputs, depth):
        over_scales = jax.vmap(partial(norms, depth=depth), in_axes=(None, 0, None, None, None))
        return jax.vmap(over_scales, in_axes=(0, None, 0, 0, 0))(weights, scales, x, readout, inputs)

    def drawn(depth: int):
        shapes = architecture.shapes(WIDTH).items()
        layers = 1 if architecture.shared else depth - 1
        weights = {k: generator.normal(size=(SEEDS, layers, *shape)) / shape[1] ** 0.5 for k, shape in shapes}
        return {
            k: jnp.asarray(np.broadcast_to(w, (SEEDS, depth - 1, *w.shape[2:])), jnp.float32) for k, w in weights.items()
        }

    given = {depth: (drawn(depth), jnp.zeros((SEEDS, depth - 1, *examples, WIDTH))) for depth in DEPTHS}

    def run() -> None:
        for depth, (weights, inputs) in given.items():
            jax.block_until_ready(program(weights, jnp.asarray(SCALES, jnp.float32), x, readout, inputs, depth))

    return run


CONTENDERS = {"depthscale": depthscale, "jax.grad": jax_grad}


def measure(contender: str, name: str) -> dict[str, float]:
    """In this process."""
    run = CONTENDERS[contender](name)
    cpu = time.process_time()
    run()
    cold = time.process_time() - cpu
    warm = []
    for _ in range(AGAIN):
        cpu, wall = time.process_time(), time.perf_counter()
        run()
        warm.append((time.perf_counter() - wall, time.process_time() - cpu))
    return {"cold": cold} | dict(zip(("warm", "CPU"), map(min, zip(*warm, strict=True)), strict=True))


def main() -> None:
    """A line for each architecture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="architectures (default: some)")
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        print(json.dumps(measure(arguments.contender, arguments.names[0])))
        return
    print(f"{'':26} {'cold s':>18} {'warm s':>18} {'warm CPU s':>18}   ratios, plain to ours")
    for name in arguments.names or NAMES:
        found = {}
        for contender in CONTENDERS:
            command = [sys.executable, "-m", "tests.perf.architectures", name, "--contender", contender]
            found[contender] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        ours, plain = found["depthscale"], found["jax.grad"]
        times = " ".join(f"{ours[key]:8.2f} {plain[key]:9.2f}" for key in ours)
        print(f"{name:26} {times}   " + ", ".join(f"{plain[key] / ours[key]:.1f} {key}" for key in ours), flush=True)


if __name__ == "__main__":
    main()
