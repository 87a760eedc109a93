"""How often theory covers: ``python -m tests.perf.coverage`` (``make coverage``), about 4 minutes on 2 cores.

Theory's 95 % intervals for the mean over 8 networks of log10 ‖∂y/∂W_1‖, against blocks of 8 networks drawn without matrices
(:mod:`bench.theory.sampling`), which are exact in law. Every block is drawn anew for each activation, scale, width and
depth, so all intervals are independent, and the printed ones (Clopper-Pearson) are what they say. At the end the engine
itself, with a key of its own for every law.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binomtest, norm
from tabulate import tabulate

from bench.theory import critical, draw_networks, predict
from bench.theory.nonlinearities import NONLINEARITIES

BLOCK = 8
FACTORS = {"0.8 ×": 0.8, "1 ×": 1.0, "1.25 ×": 1.25}
WIDTHS = (32, 64, 256)
EXACT_BLOCKS = {64: 1000, 256: 400}
ENGINE_BLOCKS = 400
BLOCKS = {20: 24, 60: 16, 200: 8, 852: 4}  # of each cell of the leading order, by depth
WEIGHTS = {"gaussian": "Gaussian", "orthogonal": "orthogonal"}


class Task(NamedTuple):
    """Blocks of networks of one kind."""

    activation: str
    initializer: str
    width: int
    depth: int
    place: str  # in its activation's range of scales
    scale: float
    blocks: int
    key: int
    bias_std: float = 0.0


def places(activation: str) -> dict[str, tuple[float, float]]:
    """Weight scales and biases: around the critical scale without bias, or 1.2; and the critical point with its bias."""
    edge, point = critical(activation, 0.0).weight_std, critical(activation)
    centre = round(edge, 6) if np.isfinite(edge) else 1.2
    found = {place: (round(factor * centre, 6), 0.0) for place, factor in FACTORS.items()}
    return found | ({"critical, with bias": (point.weight_std, point.bias_std)} if point.bias_std > 0 else {})


def exact_tasks() -> Iterator[Task]:
    """Every exact law at both widths, 60 layers deep, at two scales that are no one's critical ones."""
    for key, activation in enumerate(("linear", "relu", "leaky_relu")):
        for other, initializer in enumerate(WEIGHTS):
            if (activation, initializer) == ("linear", "orthogonal"):  # nothing is random
                continue
            for width, blocks in EXACT_BLOCKS.items():
                yield Task(activation, initializer, width, 60, "1.3", 1.3, blocks, 1000 + 10 * key + other)


def leading_tasks() -> Iterator[Task]:
    """Every other activation, at all its places, widths and depths."""
    key = 2000
    for activation, phi in NONLINEARITIES.items():
        if phi.negative_slope is not None:
            continue
        for place, (scale, bias_std) in places(activation).items():
            for initializer in WEIGHTS:
                for width in WIDTHS:
                    for depth, blocks in BLOCKS.items():
                        key += 1
                        count = blocks if width < 256 else blocks // 2
                        yield Task(activation, initializer, width, depth, place, scale, count, key, bias_std)


def measure(task: Task) -> dict[str, Any]:
    """The cell, its law, and the means of its blocks in decades from theory and in standard errors."""
    cell = {name: getattr(task, name) for name in ("activation", "initializer", "width", "depth", "scale", "bias_std")}
    expected = predict(**cell)
    found = cell | {
        "place": task.place,
        "law": expected.law,
        "reason": expected.reason,
        "off": np.array([]),
        "z": np.array([]),
    }
    if expected.law == "none":
        return found
    draws = draw_networks(
        task.activation,
        width=task.width,
        depths=(task.depth,),
        weight_std=task.scale,
        bias_std=task.bias_std,
        samples=task.blocks * BLOCK,
        orthogonal=task.initializer == "orthogonal",
        generator=np.random.default_rng((12, task.width, task.depth, task.key)),
    )
    return found | compared(draws.log10_grad_first[:, 0], *expected.log10_grad_first)


def compared(values: np.ndarray, mean: float, std: float) -> dict[str, np.ndarray]:
    """Of the means of blocks; a block with a dead network is none."""
    off = values.reshape(-1, BLOCK).mean(axis=1) - mean
    off = off[np.isfinite(off)]
    return {"off": off, "z": off / (std / np.sqrt(BLOCK))}


def engine_rows() -> Iterator[dict[str, Any]]:
    """The engine's own networks, a key for each law."""
    import bench

    for key, (activation, initializer) in enumerate([("relu", "gaussian"), ("relu", "orthogonal"), ("tanh", "gaussian")]):
        fields = {
            "activations": [activation],
            "initializers": [initializer],
            "depths": [30],
            "scales": [1.3],
            "widths": [32],
        }
        sweep = bench.Sweep(**fields, seeds=ENGINE_BLOCKS * BLOCK, key=100 + key, layers=False)
        with tempfile.TemporaryDirectory() as folder:
            run = bench.run(sweep, results=folder, progress=False)
            cells = pd.read_parquet(run / "cells").sort_values("seed")
        expected = predict(activation=activation, initializer=initializer, width=32, depth=30, scale=1.3)
        found = {"law": expected.law, "activation": activation, "initializer": initializer, "width": 32, "depth": 30}
        yield found | compared(cells["log10_grad_first"].to_numpy(), *expected.log10_grad_first)


def table(rows: pd.DataFrame, by: list[str]) -> str:
    """As Markdown: how many intervals cover, with the 95 % interval of that share; rms z; the mean residual in decades."""
    lines = []
    for key, group in rows.groupby(by, sort=False):
        z, off = np.concatenate(group["z"].tolist()), np.concatenate(group["off"].tolist())
        if not len(z):
            continue
        covered = int((np.abs(z) < norm.ppf(0.975)).sum())
        low, high = binomtest(covered, len(z)).proportion_ci()
        numbers = {
            "intervals": len(z),
            "cover": f"{covered / len(z):.1%} ({low:.1%} to {high:.1%})",
            "rms z": f"{np.sqrt((z**2).mean()):.2f}",
            "mean residual, decades": f"{off.mean():+.3f} ± {off.std() / np.sqrt(len(off)):.3f}",
        }
        lines.append(dict(zip(by, key, strict=True)) | numbers)
    return tabulate(lines, headers="keys", tablefmt="github", disable_numparse=True)


def refused(rows: pd.DataFrame) -> str:
    """Where there is no law, in how many cells, and why."""
    lines = []
    for (activation, place), cells in rows.groupby(["activation", "place"], sort=False):
        none = cells[cells["law"] == "none"]
        for reason, group in none.groupby(none["reason"].str.split(" from depth").str[0]):
            lines.append(f"* {activation}, {place}: {reason} ({len(group)} of {len(cells)} cells)")
    return "\n".join(lines)


def main() -> None:
    """Draw, count and print."""
    tasks = sorted([*exact_tasks(), *leading_tasks()], key=lambda task: -task.width * task.depth * task.blocks)
    with ProcessPoolExecutor(2) as pool:
        rows = pd.DataFrame(pool.map(measure, tasks))
    rows["weights"] = rows["initializer"].map(WEIGHTS)
    exact, leading = rows[rows["law"] == "exact"], rows[rows["law"] == "leading order"]
    print("Exact laws\n")
    print(table(exact.sort_values(["activation", "weights", "width"]), ["activation", "weights", "width"]), end="\n\n")
    leading = leading.sort_values(["width", "depth", "weights"])
    print("Leading order, by depth\n")
    print(table(leading, ["weights", "width", "depth"]), end="\n\n")
    print(table(leading.assign(law="leading order"), ["law"]), end="\n\n")
    print("Leading order, by activation\n")
    print(table(leading.sort_values(["activation", "place"]), ["activation", "place"]), end="\n\n")
    print(f"No law\n\n{refused(rows.sort_values(['activation', 'place']))}\n")
    engine = pd.DataFrame(engine_rows())
    print("The engine\n")
    print(
        table(engine.assign(weights=engine["initializer"].map(WEIGHTS)), ["law", "activation", "weights", "width", "depth"])
    )


if __name__ == "__main__":
    main()
