"""Hayou et al. 2021: residual networks without normalization, stable with branches over √L."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SEEN, Claim, Frames, Range
from analysis.papers.measures import change, lines, of, slope, then, value
from analysis.papers.panels import THEORY, name_panels, panels
from analysis.papers.paper import Paper, sweep
from bench.theory import block_trajectory

PLAIN, STABLE = "residual2", "residual2:alpha=1/sqrt(L)"
NAMES = {PLAIN: "branches as they are", STABLE: "branches / √L"}
SCALE = 2**0.25  # of two matrices and a ReLU between them: the branch keeps the mean square
WIDTH, DEPTHS = 64, (3, 9, 27, 81)
DEEPEST = DEPTHS[-1]


def runs(size: str) -> Mapping[str, Any]:
    """Sums of ReLU branches, with and without the factor, that see two inputs."""
    seeds = {"smoke": 4, "quick": 64, "full": 200}[size]
    kind: dict[str, Any] = {"architectures": tuple(NAMES), "activations": "relu", "initializers": "gaussian"}
    return {"depth": sweep(**kind, scales=SCALE, depths=DEPTHS, widths=WIDTH, batch=2, seeds=seeds)}


def squared(decades: np.ndarray) -> np.ndarray:
    """From decades of a norm to its square."""
    return 10 ** (2 * decades)


def _alike(architecture: str) -> Any:
    def predicted() -> float:
        found = block_trajectory(architecture, "relu", SCALE, DEEPEST, WIDTH, batch=2)
        return float(found.cosine[-1]) if found else math.nan

    return predicted


def plot_hayou2021(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Figs. 1 and 2: gradients block by block and against depth, and the cosine of two inputs."""
    cells, layers = frames["depth"], frames["depth.layers"]
    with panels(3, axes) as (along, gradients, alike):
        deepest = of(layers, depth=DEEPEST)
        deepest = deepest.loc[deepest["layer"] < DEEPEST]
        lines(along, deepest, "layer", "log10_delta", NAMES)
        for line in along.lines:
            line.set_marker("")
        lines(gradients, of(layers, layer=1), "depth", "log10_delta", NAMES)
        lines(alike, cells, "depth", "cosine", NAMES)
        depth = np.array(DEPTHS, float)
        gradients.plot(depth, (depth - 2) * math.log10(2) / 2, **THEORY)
        gradients.axhline(math.log10(math.e) / 2, **THEORY)
        label = r"$\log_{10}\,\Vert\partial y/\partial h_"
        along.set(xlabel="block l", ylabel=label + r"l\Vert$")
        gradients.set(xlabel="depth L", ylabel=label + r"1\Vert$")
        alike.set(xlabel="depth L", ylabel="cosine of two inputs")
        name_panels(
            (along, gradients, alike),
            (f"{DEEPEST - 1} blocks", r"against depth: $2^{L/2}$, $\sqrt{e}$", "what inputs become"),
        )
        alike.get_legend().remove()
        return along.figure


FINITE = "typical networks of finite width lie below the mean square that theory speaks of, by O(L/n)"
PAPER = Paper(
    name="hayou2021",
    authors="Hayou, Clerico, He, Deligiannidis, Doucet & Rousseau",
    year=2021,
    title="Stable ResNet",
    arxiv="2010.12859",
    runs=runs,
    plot=plot_hayou2021,
    claims=(
        Claim(
            name="explodes",
            sentence="Without scaling gradients of residual ReLU networks explode exponentially with depth",
            where="Prop. 1",
            published="(1 + α²)^L, here 2 a block",
            sure=SEEN,
            quantity="factor of ‖∂y/∂h₁‖² a block",
            measure=then(slope("depth.layers", "log10_delta", architecture=PLAIN, layer=1), squared),
            accepts=Range(1.9, 2.1),
            theory=lambda: 2.0,
            because=FINITE,
        ),
        Claim(
            name="stable gradient",
            sentence="With branches over √L they are bounded at any depth, by e",
            where="Prop. 2",
            published="(1 + 1/L)^L → e",
            sure=SEEN,
            quantity=f"‖∂y/∂h₁‖² after {DEEPEST - 2} blocks",
            measure=then(value("depth.layers", "log10_delta", architecture=STABLE, layer=1, depth=DEEPEST), squared),
            accepts=Range(2.3, 3.0),
            theory=lambda: (1 + 1 / DEEPEST) ** (DEEPEST - 2),
            because=FINITE,
        ),
        Claim(
            name="stable signal",
            sentence="… and so are activations",
            where="Prop. 2",
            published="(1 + 1/L)^L → e",
            sure=SEEN,
            quantity=f"‖h_l‖² of block {DEEPEST - 1} over that of block 1",
            measure=then(
                change("depth.layers", "log10_activation", "layer", (1, DEEPEST - 1), architecture=STABLE, depth=DEEPEST),
                squared,
            ),
            accepts=Range(2.3, 3.0),
            theory=lambda: (1 + 1 / DEEPEST) ** (DEEPEST - 2),
            because=FINITE,
        ),
        Claim(
            name="kernel degenerates",
            sentence="Without scaling all inputs become alike, so that the kernel is trivial",
            where="sec. 3, after Prop. 1",
            published="1",
            sure=SEEN,
            quantity=f"cosine of two orthogonal inputs after {DEEPEST - 1} blocks",
            measure=value("depth", "cosine", architecture=PLAIN, depth=DEEPEST),
            accepts=Range(0.9, 1.0),
            theory=_alike(PLAIN),
        ),
        Claim(
            name="kernel stays",
            sentence="With it the kernel keeps them apart",
            where="Thm. 2",
            published="below 1",
            sure=SEEN,
            quantity=f"cosine of two orthogonal inputs after {DEEPEST - 1} blocks",
            measure=value("depth", "cosine", architecture=STABLE, depth=DEEPEST),
            accepts=Range(-0.5, 0.6),
            theory=_alike(STABLE),
        ),
    ),
)
