"""How theory stands to other architectures: ``python -m tests.perf.block_coverage`` (``make coverage``).

Six minutes of processor time, most of it compiling. First, how often 95 % intervals of the laws across seeds hold the
engine's means over 8 seeds, of the first gradient and of its slope from depth 2, a key for each law; then how near mean
field is to architectures that have none: measured means over seeds of log10 ‖∂y/∂W_1‖ less theory's, in decades.
Theory is lowered by ln(10) s², s the measured spread, which is how far the mean of a normal logarithm is below the logarithm
of a mean of squares (:func:`analysis.numbers.agreement.agreement`); the last column is of the largest depth without that.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from tabulate import tabulate

import bench
from analysis.numbers.agreement import PASSES, agreement
from bench.theory import Spread, predict

ARCHITECTURES = (
    *("residual", "residual:alpha=1/sqrt(L)", "highway", "normed", "normed:after=true"),
    *("pre_layernorm", "post_layernorm", "batchnorm", "batchnorm:skip=true", "conv", "conv:padding=zero"),
    *("transformer", "transformer:norm=post"),
)
DEPTHS = (2, 8, 32, 100)
SIZES: Any = {"batch": 4, "length": 4}
FIELDS: Any = {"initializers": ["gaussian"], "activations": ["relu"], "scales": [1.41421356], "widths": [64], "seeds": 32}


WEIGHTS = {"gaussian": "Gaussian", "orthogonal": "orthogonal", "delta_orthogonal": "delta-orthogonal"}
RANDOM = (  # architectures, activation, initializers
    (("residual", "residual:alpha=1/sqrt(L)"), "linear", ("gaussian", "orthogonal")),
    (("residual2", "residual2:alpha=1/sqrt(L)"), "relu", ("gaussian", "orthogonal")),
    (("residual2",), "leaky_relu", ("gaussian",)),
    (("normed:norm=rms", "normed:after=true,norm=rms"), "relu", ("gaussian", "orthogonal")),
    (("normed",), "linear", ("gaussian", "orthogonal")),
    (("post_layernorm:norm=rms",), "linear", ("gaussian",)),
    (("conv",), "relu", ("delta_orthogonal",)),
)
BLOCKS, BLOCK, SCALE, DEEP = 400, 8, 1.3, 30  # of networks of width 32


def covered() -> Iterator[dict[str, Any]]:
    """A row for each law across seeds, and one for all."""
    cases = [(name, phi, init) for names, phi, inits in RANDOM for name in names for init in inits]
    every = []
    for key, (architecture, activation, initializer) in enumerate(cases):
        sweep = bench.Sweep(
            architectures=(architecture,),
            initializers=(initializer,),
            activations=(activation,),
            depths=(2, DEEP),
            scales=(SCALE,),
            widths=(32,),
            seeds=BLOCKS * BLOCK,
            key=300 + key,
            length=4 if architecture == "conv" else 1,
            layers=False,
        )
        ends: Any = _cells(sweep).pivot_table(index="seed", columns="depth", values="log10_grad_first", dropna=False)
        scheme = {"architecture": architecture, "activation": activation, "initializer": initializer}
        law = predict(**scheme, width=32, depth=DEEP, scale=SCALE)
        slopes = (ends[DEEP] - ends[2]) / (DEEP - 2)
        every.append([_standardized(ends[DEEP], law.log10_grad_first), _standardized(slopes, law.log10_grad_slope)])
        yield _row(f"`{architecture}`", activation, WEIGHTS[initializer], every[-1])
    yield _row("all", "", "", [np.concatenate(each) for each in zip(*every, strict=True)])


def _standardized(values: pd.Series, law: Spread) -> np.ndarray:
    """Means of blocks from theory, in standard errors."""
    return (values.to_numpy().reshape(-1, BLOCK).mean(axis=1) - law.mean) / (law.std / np.sqrt(BLOCK))


def _row(architecture: str, activation: str, weights: str, both: list[np.ndarray]) -> dict[str, str]:
    found = {"architecture": architecture, "activation": activation, "weights": weights}
    for name, z in zip(("gradient", "slope"), both, strict=True):
        held = int((np.abs(z) <= PASSES).sum())
        low, high = binomtest(held, len(z)).proportion_ci()
        found[f"{name}: cover"] = f"{held / len(z):.1%} ({low:.1%} to {high:.1%})"
        found[f"{name}: rms z"] = f"{np.sqrt((z**2).mean()):.2f}"
    return found


def _cells(sweep: bench.Sweep) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        return pd.read_parquet(Path(bench.run(sweep, results=folder, progress=False)) / "cells")


def table(cells: Any) -> str:
    """As Markdown: a row for each architecture, a column for each depth, and how many of its cells are near."""
    lines = []
    agreed: Any = agreement(cells, **SIZES)
    for architecture, rows in agreed.groupby("architecture", sort=False):
        near = f"{int((np.abs(rows['z']) <= PASSES).sum())} of {int(rows['z'].notna().sum())}"
        deepest = rows[rows["predicted"].notna()].iloc[-1]
        scheme = {name: deepest[name] for name in ("architecture", "initializer", "activation", "width", "depth", "scale")}
        raw = deepest["mean"] - predict(**scheme, **SIZES).log10_grad_first.mean
        known = [f"{row['mean'] - row['predicted']:+.2f} ± {row['error']:.2f}" for _, row in rows.iterrows()]
        shown = {f"L = {depth}": text if "nan" not in text else "no law" for depth, text in zip(DEPTHS, known, strict=True)}
        lines.append({"architecture": f"`{architecture}`", **shown, "near": near, "not lowered": f"{raw:+.2f}"})
    return tabulate(lines, headers="keys", tablefmt="github", disable_numparse=True)


def main() -> None:
    """Measure and print."""
    print("Other architectures, laws across seeds\n")
    print(tabulate(list(covered()), headers="keys", tablefmt="github", disable_numparse=True), end="\n\n")
    sweep = bench.Sweep(architectures=ARCHITECTURES, depths=DEPTHS, layers=False, **SIZES, **FIELDS)
    print(f"Other architectures, beside mean field\n\n{table(_cells(sweep))}")


if __name__ == "__main__":
    main()
