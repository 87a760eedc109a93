"""How often theory covers measurement: ``python -m tests.perf.coverage`` (``make coverage``), about 4 minutes.

For every activation, below, at and above its critical scale, and depths to 200: seeds in blocks of 8, each block's mean of
log10 ‖∂y/∂W_1‖ against theory's 95 % interval for the mean of 8. Blocks are independent; scales of one block, and piecewise
linear activations on one draw, are not. At width 1024 Gaussian weights only.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from tabulate import tabulate

import bench
from bench.cli.surroundings import configure_jax
from bench.theory import critical, predict

BLOCK = 8
DEPTHS = (2, 20, 60, 200)
FACTORS = {"below": 0.8, "at": 1.0, "above": 1.25}
SEEDS = {64: 128, 256: 32, 1024: 8}
CELL = ["initializer", "activation", "width", "bias_std", "depth", "scale"]


def scales() -> dict[str, dict[str, float]]:
    """For each activation: below, at and above its critical weight scale without bias, or 1.2 where there is none."""
    found = {}
    for name in bench.ACTIVATIONS:
        point = critical(name, 0.0).weight_std
        centre = round(point, 6) if np.isfinite(point) else 1.2
        found[name] = {where: round(factor * centre, 6) for where, factor in FACTORS.items()}
    return found


def blocks(cells: pd.DataFrame, wanted: dict[str, dict[str, float]]) -> Iterator[dict[str, Any]]:
    """A row for each block of seeds of each wanted cell: residual, z, law."""
    groups: Any = cells.groupby(CELL, sort=False)
    for cell, seeds in groups:
        named = dict(zip(CELL, cell, strict=True))
        where = next((w for w, scale in wanted[named["activation"]].items() if np.isclose(scale, named["scale"])), None)
        if where is None or named["depth"] == 2:
            continue
        expected = predict(**named)
        mean, std = expected.log10_grad_first
        means = seeds.sort_values("seed").log10_grad_first.to_numpy().reshape(-1, BLOCK).mean(axis=1)
        for value in means:
            z = (value - mean) / (std / np.sqrt(BLOCK)) if std else np.nan
            yield named | {"where": where, "law": expected.law, "residual": value - mean, "z": z, "std": std}


def measure(width: int, initializers: tuple[str, ...], wanted: dict[str, dict[str, float]]) -> pd.DataFrame:
    """All blocks at one width."""
    every = sorted({scale for places in wanted.values() for scale in places.values()})
    sweep = bench.Sweep(
        initializers=initializers,
        activations=tuple(wanted),
        depths=DEPTHS,
        scales=tuple(every),
        widths=(width,),
        seeds=SEEDS[width],
        layers=False,
    )
    with tempfile.TemporaryDirectory() as folder:
        cells = pd.read_parquet(bench.run(sweep, results=folder) / "cells")
    return pd.DataFrame(blocks(cells, wanted))


def summary(rows: pd.DataFrame, by: list[str]) -> str:
    """Coverage with its 95 % binomial interval, the root mean square of z, and the mean residual with its standard error."""
    lines = []
    for key, group in rows[rows.z.notna()].groupby(by, sort=False):
        covered, count = int((group.z.abs() < 1.959964).sum()), len(group)
        low, high = binomtest(covered, count).proportion_ci()
        error = group["std"].mean() / np.sqrt(BLOCK * count)
        lines.append(
            dict(zip(by, key, strict=True))
            | {
                "intervals": count,
                "cover": f"{covered / count:.1%}",
                "95 %": f"{low:.1%} … {high:.1%}",
                "rms z": f"{np.sqrt((group.z**2).mean()):.2f}",
                "mean residual": f"{group.residual.mean():+.4f} ± {error:.4f}",
            }
        )
    return tabulate(lines, headers="keys")


def main() -> None:
    """Measure and print."""
    configure_jax(compilation_cache=True)
    wanted = scales()
    rows = pd.concat(
        [measure(width, ("gaussian",) if width > 256 else ("gaussian", "orthogonal"), wanted) for width in SEEDS]
    )
    none = rows[rows.law == "none"].groupby(["width", "initializer", "activation", "where", "depth"]).size()
    rows = rows[rows.law != "none"]
    print(summary(rows, ["law", "initializer", "width"]), end="\n\n")
    print(summary(rows, ["law", "initializer", "width", "depth"]), end="\n\n")
    print(summary(rows[rows.width == 256], ["initializer", "activation", "where"]), end="\n\n")
    print("no theory: " + "; ".join(f"{a} {i} {w} critical, width {n}, depth {d}" for n, i, a, w, d in none.index))


if __name__ == "__main__":
    main()
