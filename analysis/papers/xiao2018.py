"""Xiao, Bahri, Sohl-Dickstein, Schoenholz & Pennington 2018: delta-orthogonal convolutions at any depth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import RECALLED, SEEN, Claim, Estimate, Frames, Range
from analysis.papers.estimates import exactly, mean_over_seeds, quotient, variance_over_seeds, wide
from analysis.papers.panels import line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep
from bench.theory import fixed_point

WEIGHTS, BIAS = 1.05, 2.01e-5  # σ_w² and σ_b² of the paper's deepest networks
NAMES = {"delta_orthogonal": "delta-orthogonal", "gaussian": "Gaussian"}
SHALLOW, DEEP = 50, 1000


def _std(variance: float) -> float:
    return float(f"{math.sqrt(variance):.12g}")


def runs(size: str) -> Mapping[str, Any]:
    """Convolutions on a ring of 8 positions."""
    seeds, deep = {"smoke": (2, SHALLOW), "quick": (12, DEEP), "full": (24, 10_000)}[size]
    kind: dict[str, Any] = {"architectures": "conv", "widths": 16, "length": 8, "layers": False}
    critical = {"scales": _std(WEIGHTS), "bias_stds": _std(BIAS)}
    depths = sorted({10, 20, SHALLOW, 200, deep}) if deep > SHALLOW else [10, SHALLOW]
    tanh = sweep(**kind, **critical, initializers=tuple(NAMES), activations="tanh", depths=depths, seeds=seeds)
    linear = sweep(**kind, initializers="delta_orthogonal", activations="linear", scales=1.0, depths=depths, seeds=2)
    return {"tanh": tanh, "linear": linear}


def computed(_: str) -> Mapping[str, pd.DataFrame]:
    """χ₁ at the paper's variances."""
    point = fixed_point("tanh", weight_std=math.sqrt(WEIGHTS), bias_std=math.sqrt(BIAS))
    return {"point": pd.DataFrame({"chi1": [point.chi1], "q": [point.q]})}


def _decades(rows: pd.DataFrame) -> np.ndarray:
    """[seeds]: of ‖∂y/∂W_1‖ from the second depth, or the first of two, to the last."""
    table = wide(rows, "log10_grad_first", "depth")
    start = SHALLOW if max(table) > SHALLOW else min(table)
    return (table[max(table)] - table[start]).to_numpy(float)


def linear_decades(frames: Frames) -> Estimate:
    """Of linear networks: the largest of all seeds."""
    values = _decades(frames["linear"])
    return exactly(float(values[np.argmax(np.abs(values))]))


def tanh_decades(initializer: str) -> Any:
    """Of tanh networks at the paper's variances."""

    def measured(frames: Frames) -> Estimate:
        rows = frames["tanh"]
        return mean_over_seeds(_decades(rows.loc[rows["initializer"] == initializer]))

    return measured


def spread(frames: Frames) -> Estimate:
    """Variance over seeds of these decades, Gaussian kernels over delta-orthogonal ones."""
    rows = frames["tanh"]
    values = [_decades(rows.loc[rows["initializer"] == name]) for name in ("gaussian", "delta_orthogonal")]
    return quotient(*map(variance_over_seeds, values))


def plot_xiao2018(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Gradients of convolutions against depth, which the paper's trained curves at 10,000 layers rest on."""
    rows = frames["tanh"]
    with panels(1, axes, width=3.5) as (ax,):
        for place, (initializer, name) in enumerate(NAMES.items()):
            of_kind = rows.loc[rows["initializer"] == initializer]
            line_over_seeds(ax, of_kind, "depth", "log10_grad_first", place, label=f"tanh, {name}")
        line_over_seeds(ax, frames["linear"], "depth", "log10_grad_first", 2, label="linear, delta-orthogonal")
        ax.set(xscale="log", xlabel="depth L", ylabel=r"$\log_{10}\,\Vert\partial y/\partial W_1\Vert$")
        name_panels([ax], [rf"convolutions, $\sigma_w^2$ = {WEIGHTS:g}, $\sigma_b^2$ = {BIAS * 1e5:g}·10$^{{-5}}$"])
        return ax.figure


PAPER = Paper(
    name="xiao2018",
    authors="Xiao, Bahri, Sohl-Dickstein, Schoenholz & Pennington",
    year=2018,
    title="Dynamical Isometry and a Mean Field Theory of CNNs",
    arxiv="1806.05393",
    runs=runs,
    computed=computed,
    plot=plot_xiao2018,
    claims=(
        Claim(
            name="isometry",
            sentence="Delta-orthogonal kernels keep all lengths exactly, at any depth",
            where="sec. 2.4, Algorithm 1",
            published="isometry",
            sure=SEEN,
            quantity=f"largest decades of ‖∂y/∂W₁‖ between {SHALLOW} and {DEEP} layers, linear",
            measure=linear_decades,
            accepts=Range(-0.001, 0.001),
            theory=lambda: 0.0,
        ),
        Claim(
            name="critical point",
            sentence="(σ_w², σ_b²) = (1.05, 2.01·10⁻⁵) is critical for tanh",
            where="sec. 3",
            published="χ₁ = 1",
            sure=RECALLED,
            quantity="χ₁ - 1, of theory",
            measure=lambda frames: exactly(frames["point"]["chi1"].iloc[0] - 1),
            accepts=Range(-1e-4, 1e-4),
        ),
        Claim(
            name="tanh keeps gradients",
            sentence="There gradients of tanh convolutions reach the first of a thousand layers",
            where="Fig. 1",
            published="trains at 10,000 layers",
            sure=RECALLED,
            quantity=f"decades of ‖∂y/∂W₁‖ between {SHALLOW} and {DEEP} layers",
            measure=tanh_decades("delta_orthogonal"),
            accepts=Range(-1.0, 1.0),
            theory=lambda: 0.0,
            because="with 16 channels on 8 positions a typical network leaves the mean field's line",
        ),
        Claim(
            name="gaussian spread",
            sentence="Gaussian kernels have no isometry: their gradients vary more from network to network",
            where="sec. 2.3",
            published="no isometry",
            sure=SEEN,
            quantity="variance over networks of the decades, Gaussian over delta-orthogonal",
            measure=spread,
            accepts=Range(2.0, math.inf),
        ),
        Claim(
            name="training",
            sentence="Networks of 10,000 layers are trained",
            where="Fig. 1",
            published="82 % on CIFAR-10",
            sure=RECALLED,
            because="10,000 layers on CIFAR-10 are hours of an accelerator",
        ),
    ),
)
