"""``make bench``: training on a grid, beside a PyTorch loop over its cells and the bare matrix products.

The grid: 16 scales × 4 learning rates × depth 8, 32 and 64, tanh, width 32, 200 steps of SGD on minibatches of 64 digits.
Each contender runs in a process of its own: ``cold`` is from the start of the process to the end of the first run, imports
and compilation included, with no compilation cache; ``warm`` is the best of repeated runs after that; ``cpu`` is the
processor time of that run, which other work on the machine disturbs less.

    depthscale   bench.train of the grid, rows written to disk
    torch        cell after cell, by torch.nn.functional and torch.optim.SGD, with what our rows hold: loss, accuracy
                 and three gradient norms of every step; extrapolated from a sample of steps of one cell at each depth (needs
                 torch); on one thread, and on as many as torch chooses
    bare torch   the same on one thread, with nothing recorded
    products     the three products of every hidden layer, forward and backward, and nothing else
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np

WIDTH, BATCH, STEPS, DEPTHS, CELLS = 32, 64, 200, (8, 32, 64), 64
CONTENDERS = ("depthscale", "torch", "torch 1 thread", "bare torch", "products")
REPEATS = 3
TORCH_STEPS = 50


def depthscale() -> Callable[[], float]:
    """The command line's own path: one device for each core, rows on disk."""
    import bench
    from bench.cli.surroundings import configure_jax

    configure_jax(compilation_cache=False)
    folder = tempfile.mkdtemp()
    names = iter(range(10**6))
    training = bench.Training(
        depths=DEPTHS,
        scales=np.linspace(0.5, 2.0, 16).tolist(),
        learning_rates=[0.001, 0.01, 0.1, 1.0],
        widths=[WIDTH],
        steps=STEPS,
        batch=BATCH,
    )

    def measure() -> float:
        bench.train(training, results=folder, name=f"run-{next(names)}", progress=False)
        return 1.0

    return measure


def torch_loop(threads: int | None, *, records: bool = True) -> Callable[[], float]:
    """A loop over cells; returns how many times as much the whole grid is as what was run."""
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    x, y = torch.randn(1442, 64), torch.randint(0, 10, (1442,))

    def measure() -> float:
        for depth in DEPTHS:
            shapes = [(WIDTH, 64), *[(WIDTH, WIDTH)] * (depth - 2), (10, WIDTH)]
            weights = [(torch.randn(shape) / shape[1] ** 0.5).requires_grad_() for shape in shapes]
            optimizer = torch.optim.SGD(weights, lr=0.01)
            rows, norms = [], []
            for _ in range(TORCH_STEPS):
                examples = torch.randint(0, 1442, (BATCH,))
                h = x[examples]
                for weight in weights[:-1]:
                    h = torch.tanh(torch.nn.functional.linear(h, weight))
                outputs, labels = torch.nn.functional.linear(h, weights[-1]), y[examples]
                loss = torch.nn.functional.cross_entropy(outputs, labels)
                optimizer.zero_grad()
                loss.backward()
                if records:
                    rows.append((loss.item(), (outputs.argmax(dim=1) == labels).float().mean().item()))
                    norms.append([torch.log10(weights[n].grad.norm()).item() for n in (0, depth // 2, depth - 2)])
                optimizer.step()
        return CELLS * STEPS / TORCH_STEPS

    return measure


def products() -> Callable[[], float]:
    """What no program avoids, in the shapes that one device works on."""
    import jax

    from bench.cli.surroundings import configure_jax

    configure_jax(compilation_cache=False)
    from jax import lax

    from bench.networks.seeds import over_seeds, place, seed_mesh
    from bench.training.network import product

    mesh = seed_mesh(CELLS)

    def train(weights: jax.Array, h: jax.Array) -> jax.Array:
        def forward(h: jax.Array, w: jax.Array) -> tuple[jax.Array, jax.Array]:
            return product(w, h), h

        def backward(cotangent: jax.Array, layer: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            gradient, cotangent = jax.vjp(product, *layer)[1](cotangent)
            return cotangent, gradient

        def step(h: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
            out, kept = lax.scan(forward, h, weights)
            back, gradients = lax.scan(backward, out, (weights, kept), reverse=True)
            return back, gradients[0, 0, 0]

        return lax.scan(step, h, None, length=STEPS)[1]

    program = over_seeds(train, mesh, in_axes=(0, 0), out_axes=0)
    random = np.random.default_rng(0)
    tile = 16 * mesh.size
    h = place(mesh, random.normal(size=(tile, WIDTH, BATCH)).astype(np.float32), 0)
    # orthogonal, so that nothing grows
    q = np.linalg.qr(random.normal(size=(max(DEPTHS) - 2, WIDTH, WIDTH)))[0].astype(np.float32)
    weights = {depth: place(mesh, np.tile(q[: depth - 2], (tile, 1, 1, 1)), 0) for depth in DEPTHS}

    def measure() -> float:
        for depth in DEPTHS:
            jax.block_until_ready([program(weights[depth], h) for _ in range(CELLS // tile)])
        return 1.0

    return measure


def run_child(contender: str, started: float) -> None:
    """In the contender's process: one cold run, then the warm ones; one line of JSON."""
    try:
        measure = {
            "depthscale": depthscale,
            "torch": lambda: torch_loop(None),
            "torch 1 thread": lambda: torch_loop(1),
            "bare torch": lambda: torch_loop(1, records=False),
            "products": products,
        }[contender]()
    except ImportError as error:
        print(json.dumps({"missing": str(error)}))
        return
    measure()
    cold, runs = time.time() - started, []
    for _ in range(REPEATS):
        start, cpu = time.perf_counter(), time.process_time()
        times = measure()
        runs.append((times * (time.perf_counter() - start), times * (time.process_time() - cpu)))
    warm, cpu = min(runs)
    print(json.dumps({"cold": cold, "warm": warm, "cpu": cpu}))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        run_child(arguments.child[0], float(arguments.child[1]))
        return
    flop = 6 * CELLS * STEPS * BATCH * sum(WIDTH * (74 + (depth - 2) * WIDTH) for depth in DEPTHS)
    print(f"training, width {WIDTH}: {CELLS} cells × depth {DEPTHS} × {STEPS} steps, {flop / 1e9:.0f} GFLOP")
    print(f"{'':14} {'cold s':>8} {'warm s':>8} {'cpu s':>8} {'warm ×':>8} {'GFLOP/s':>8}")
    ours: dict[str, float] = {}
    for contender in CONTENDERS:
        environment = os.environ | {"JAX_ENABLE_COMPILATION_CACHE": "false"}
        command = [sys.executable, "-m", "tests.perf.training", "--child", contender, str(time.time())]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        figures = json.loads(done.stdout.splitlines()[-1])
        if "missing" in figures:
            print(f"{contender:14} not measured: {figures['missing']}")
            continue
        ours = ours or figures
        cold = f"{figures['cold']:8.1f}" if contender in ("depthscale", "products") else f"{'':8}"
        warm, cpu = figures["warm"], figures["cpu"]
        print(f"{contender:14} {cold} {warm:8.1f} {cpu:8.1f} {warm / ours['warm']:8.2f} {flop / warm / 1e9:8.1f}")


if __name__ == "__main__":
    main()
