"""Part of ``make bench``: gradients in floats without an end beside plain ``jax.jit(jax.grad)``, on five models, in one run.

Each contender runs in a process of its own: ``cold`` is the CPU time from the first call to its result, compilation included
and imports not; ``run`` the shortest wall time of repeated calls after that; ``peak`` what the process's largest resident
size has grown by since the parameters were drawn. CPU time for what is long, since others may share the machine; the least
of --best-of processes, in turn with the other contender's, where they do.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

REPEATS = 10


def models() -> dict[str, Callable[[], tuple[Callable, Any, Any]]]:
    """A loss, its parameters and its input, by the name of the model."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    generator = np.random.default_rng(0)

    def draw(*shape: int, scale: float = 1.0) -> Any:
        return jnp.asarray(scale * generator.normal(size=shape), jnp.float32)

    def transformer(blocks: int = 12, width: int = 128, tokens: int = 64, heads: int = 4):
        def norm(x, p):
            return (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5) * p["gain"] + p["bias"]

        def loss(params, x):
            for p in params:
                y = norm(x, p)
                q, k, v = ((y @ p[name]).reshape(tokens, heads, width // heads) for name in "qkv")
                a = jax.nn.softmax(jnp.einsum("thd,shd->hts", q, k) / (width // heads) ** 0.5, axis=-1)
                x = x + jnp.einsum("hts,shd->thd", a, v).reshape(tokens, width) @ p["o"]
                x = x + jax.nn.gelu(norm(x, p) @ p["in"]) @ p["out"]
            return (x**2).mean()

        def block():
            square = {name: draw(width, width, scale=width**-0.5) for name in "qkvo"}
            wide = {
                "in": draw(width, 4 * width, scale=width**-0.5),
                "out": draw(4 * width, width, scale=(4 * width) ** -0.5),
            }
            return square | wide | {"gain": jnp.ones(width), "bias": jnp.zeros(width)}

        return loss, [block() for _ in range(blocks)], draw(tokens, width)

    def residual(blocks: int = 8, channels: int = 16, batch: int = 8, size: int = 16):
        def norm(x):
            return (x - x.mean((0, 1, 2))) / jnp.sqrt(x.var((0, 1, 2)) + 1e-5)

        def convolve(x, w):
            return jax.lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))

        def loss(params, x):
            for a, b in params:
                x = x + convolve(jax.nn.relu(norm(convolve(jax.nn.relu(norm(x)), a))), b)
            return (x.mean((1, 2)) ** 2).sum()

        def kernel():
            return draw(3, 3, channels, channels, scale=channels**-0.5 / 3)

        return loss, [(kernel(), kernel()) for _ in range(blocks)], draw(batch, size, size, channels)

    def lstm(steps: int = 256, width: int = 64, batch: int = 8):
        def loss(params, x):
            def cell(state, x):
                h, c = state
                i, f, o, g = jnp.split(jnp.concatenate([h, x], -1) @ params["W"] + params["b"], 4, -1)
                c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
                return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

            zero = jnp.zeros((batch, width))
            return (jax.lax.scan(cell, (zero, zero), x)[0][0] ** 2).sum()

        return (
            loss,
            {"W": draw(2 * width, 4 * width, scale=width**-0.5), "b": jnp.zeros(4 * width)},
            draw(steps, batch, width),
        )

    def unrolled(layers: int, width: int = 64, batch: int = 8):
        def loss(params, x):
            for w in params:
                x = jnp.tanh(x @ w)
            return x.sum()

        return loss, [draw(width, width, scale=width**-0.5) for _ in range(layers)], jnp.ones((batch, width))

    return {
        "12-block transformer": transformer,
        "8-block convolutional": residual,
        "256-step LSTM": lstm,
        "100 layers unrolled": lambda: unrolled(100),
        "200 layers unrolled": lambda: unrolled(200),
    }


def measured(model: str, contender: str) -> dict[str, float]:
    """Cold CPU seconds, warm seconds and MiB of one contender, in this process."""
    import jax

    import bench

    loss, params, x = models()[model]()
    gradient = bench.unbounded(jax.grad(loss)) if contender == "unbounded" else jax.jit(jax.grad(loss))
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    jax.block_until_ready(gradient(params, x))
    cold, runs = time.process_time() - began, []
    for _ in range(REPEATS):
        began = time.perf_counter()
        jax.block_until_ready(gradient(params, x))
        runs.append(time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"cold": cold, "run": min(runs), "peak": peak / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", help="names of models (default: all)")
    parser.add_argument("--best-of", type=int, default=1, help="processes a contender (default: 1)")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if unknown := set(arguments.models) - set(models()):
        parser.error(f"argument models: {unknown.pop()!r}, must be some of {', '.join(map(repr, models()))}")
    if arguments.one:
        print(json.dumps(measured(*arguments.models, arguments.one)))
        return
    print(f"{'model':24}{'cold, of plain':>21}{'run':>22}{'peak':>23}")
    for model in arguments.models or models():
        runs = [[_apart(model, contender) for contender in ("unbounded", "plain")] for _ in range(arguments.best_of)]
        ours, plain = ({of: min(row[of] for row in rows) for of, *_ in COLUMNS} for rows in zip(*runs, strict=True))
        texts = [f"{ours[of] / plain[of]:11.1f}×{plain[of] * by:7.4g} {unit}" for of, by, unit in COLUMNS]
        print(f"{model:24}" + "".join(texts), flush=True)


def _apart(model: str, contender: str) -> dict[str, float]:
    """What one contender measures in a process of its own."""
    command = [sys.executable, "-m", "tests.perf.unbounded", model, "--one", contender]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


COLUMNS = [("cold", 1, "s"), ("run", 1000, "ms"), ("peak", 1, "MiB")]

if __name__ == "__main__":
    main()
