"""Zhang, Botev & Martens 2022: tailored activation transformation, deep rectifier networks without shortcuts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SEEN, Claim, Frames, Range
from analysis.papers.measures import of, slope, then, value
from analysis.papers.panels import line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep
from bench.theory import gradient_correlation

DEPTH, WIDTH, AIM = 50, 128, 0.9
TAILORED, SMOOTH = f"tat:depth={DEPTH},of=leaky_relu", f"tat:depth={DEPTH},of=tanh"
KINDS = {
    "relu": ("ReLU, He", "relu", math.sqrt(2)),
    "leaky": ("tailored leaky ReLU", TAILORED, 1.0),
    "tanh": ("tailored tanh", SMOOTH, 1.0),
}


def runs(size: str) -> Mapping[str, Any]:
    """Two inputs through networks of three activations, with orthogonal weights."""
    seeds = {"smoke": 4, "quick": 32, "full": 400}[size]
    kind: dict[str, Any] = {
        "initializers": "orthogonal",
        "widths": WIDTH,
        "seeds": seeds,
        "correlations": (-0.5, 0.0, 0.5, 0.9),
    }
    return {
        name: sweep(**kind, activations=activation, scales=scale, depths=(10, 20, 30, 40, DEPTH), layers=False)
        for name, (_, activation, scale) in KINDS.items()
    }


def grown(table: str) -> Any:
    """The factor of ‖∂y/∂W₁‖² over the whole network."""
    return then(slope(table, "log10_grad_first"), lambda each: 10 ** (2 * DEPTH * each))


def plot_zhang2022(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Fig. 1: cosine of two inputs against depth; the map of the whole network; and gradients."""
    with panels(3, axes) as (depth, whole, gradients):
        for place, (table, (label, *_)) in enumerate(KINDS.items()):
            rows = frames[f"{table}.pairs"]
            line_over_seeds(depth, of(rows, correlation=0.0), "depth", "cosine_last", place, label=label)
            line_over_seeds(whole, of(rows, depth=DEPTH), "correlation", "cosine_last", place, label=label)
            line_over_seeds(gradients, frames[table], "depth", "log10_grad_first", place, label=label)
        whole.plot([-0.5, 1], [-0.5, 1], color="0.5", linewidth=0.6)
        depth.set(xlabel="depth L", ylabel="cosine of two orthogonal inputs")
        whole.set(xlabel="cosine of two inputs", ylabel=f"after {DEPTH - 1} layers")
        gradients.set(xlabel="depth L", ylabel=r"$\log_{10}\,\Vert\partial y/\partial W_1\Vert$")
        name_panels((depth, whole, gradients), ("orthogonal inputs", "the network's C map", "gradients"))
        for ax in (depth, gradients):
            ax.get_legend().remove()
        return depth.figure


PAPER = Paper(
    name="zhang2022",
    authors="Zhang, Botev & Martens",
    year=2022,
    title="Deep Learning without Shortcuts: Shaping the Kernel with Tailored Rectifiers",
    arxiv="2203.08120",
    runs=runs,
    plot=plot_zhang2022,
    claims=(
        Claim(
            name="ReLU degenerates",
            sentence="The C map of deep ReLU networks is nearly 1 everywhere",
            where="Fig. 1",
            published="1",
            sure=SEEN,
            quantity=f"cosine of two orthogonal inputs after {DEPTH - 1} layers",
            measure=value("relu.pairs", "cosine_last", depth=DEPTH, correlation=0.0),
            accepts=Range(0.95, 1.0),
            theory=lambda: float(gradient_correlation("relu", math.sqrt(2), 0.0, DEPTH, 0.0).forward[-1]),
        ),
        Claim(
            name="C(0) = 0.9",
            sentence="A leaky ReLU of the right slope takes orthogonal inputs to a cosine of 0.9",
            where="sec. 3.1, η = 0.9",
            published="0.9",
            sure=SEEN,
            quantity=f"cosine of two orthogonal inputs after {DEPTH - 1} layers",
            measure=value("leaky.pairs", "cosine_last", depth=DEPTH, correlation=0.0),
            accepts=Range(0.85, 0.95),
            theory=lambda: AIM,
        ),
        Claim(
            name="leaky gradient",
            sentence="… and keeps gradients at any depth: C′(1) = 1",
            where="sec. 3.1",
            published="1",
            sure=SEEN,
            quantity=f"factor of ‖∂y/∂W₁‖² over {DEPTH} layers",
            measure=grown("leaky"),
            accepts=Range(0.67, 1.5),
            theory=lambda: 1.0,
            because="typical networks of finite width lie below the mean square, by O(L/n)",
        ),
        Claim(
            name="smooth gradient",
            sentence="So do smooth activations with C′(1) = 1 and C″(1) = 0.3 of the whole network",
            where="sec. 3.2, τ = 0.3",
            published="1",
            sure=SEEN,
            quantity=f"factor of ‖∂y/∂W₁‖² over {DEPTH} layers, tanh",
            measure=grown("tanh"),
            accepts=Range(0.67, 1.5),
            theory=lambda: 1.0,
            because="typical networks of finite width lie below the mean square, by O(L/n)",
        ),
        Claim(
            name="ImageNet",
            sentence="ResNets without shortcuts come within 2 % of the validation accuracy of those that have them",
            where="abstract, Table 1",
            published="2 %",
            sure=SEEN,
            because="it needs ImageNet",
        ),
    ),
)
