"""How near mean field theory is to other architectures: ``python -m tests.perf.block_coverage`` (``make coverage``).

Three minutes on 2 idle cores, most of it compiling. Measured means over seeds of log10 ‖∂y/∂W_1‖ less theory's, in decades.
Theory is lowered by ln(10) s², s the measured spread, which is how far the mean of a normal logarithm is below the logarithm
of a mean of squares (:func:`analysis.numbers.agreement.agreement`); the last column is of the largest depth without that.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from tabulate import tabulate

import bench
from analysis.numbers.agreement import PASSES, agreement
from bench.theory import predict

ARCHITECTURES = (
    *("residual", "residual:alpha=1/sqrt(L)", "residual2:alpha=1/sqrt(L)", "highway", "normed", "normed:after=true"),
    *("pre_layernorm", "post_layernorm", "batchnorm", "batchnorm:skip=true", "conv", "conv:padding=zero"),
    *("transformer", "transformer:norm=post"),
)
DEPTHS = (2, 8, 32, 100)
SIZES = {"batch": 4, "length": 4}
FIELDS = {"initializers": ["gaussian"], "activations": ["relu"], "scales": [1.41421356], "widths": [64], "seeds": 32}


def table(cells: pd.DataFrame) -> str:
    """As Markdown: a row for each architecture, a column for each depth, and how many of its cells are near."""
    lines = []
    for architecture, rows in agreement(cells, **SIZES).groupby("architecture", sort=False):
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
    sweep = bench.Sweep(architectures=ARCHITECTURES, depths=DEPTHS, layers=False, **SIZES, **FIELDS)
    with tempfile.TemporaryDirectory() as folder:
        cells = pd.read_parquet(Path(bench.run(sweep, results=folder, progress=False)) / "cells")
    print(f"Other architectures, beside mean field\n\n{table(cells)}")


if __name__ == "__main__":
    main()
