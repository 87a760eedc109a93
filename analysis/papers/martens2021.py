"""Martens et al. 2021: deep kernel shaping, activations whose networks keep angles as well as lengths."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SEEN, Claim, Estimate, Frames, Range
from analysis.papers.estimates import mean_over_seeds
from analysis.papers.measures import of, slope, then, value
from analysis.papers.panels import THEORY, line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep

DEPTH, WIDTH = 50, 128
SHAPED, RELU, SLOPE = f"dks:depth={DEPTH},of=tanh", "relu", 1.5
NAMES = {SHAPED: "tanh, shaped", RELU: "ReLU, He"}
NEAR = 0.99
CORRELATIONS = (-0.5, 0.0, 0.5, 0.9, NEAR)


def runs(size: str) -> Mapping[str, Any]:
    """Two inputs through networks of shaped tanh, and of ReLU with He's weights, both orthogonal."""
    seeds = {"smoke": 4, "quick": 128, "full": 400}[size]
    kind: dict[str, Any] = {"initializers": "orthogonal", "widths": WIDTH, "seeds": seeds, "correlations": CORRELATIONS}
    depths = (10, 20, 30, 40, DEPTH)
    return {
        "shaped": sweep(**kind, activations=SHAPED, depths=depths, scales=1.0, layers=False),
        "relu": sweep(**kind, activations=RELU, depths=depths, scales=math.sqrt(2), layers=False),
    }


def slope_at_one(frames: Frames) -> Estimate:
    """(1 - c_L)/(1 - c) of two near inputs, through all layers."""
    rows = of(frames["shaped.pairs"], depth=DEPTH, correlation=NEAR)
    return mean_over_seeds((1 - rows["cosine_last"].to_numpy(float)) / (1 - NEAR))


def mapped(c: float) -> float:
    """What becomes of a cosine, were every layer's map (1 - a) c + a c³ with the slope 1.5^(1/(L-1)) at 1."""
    layers = DEPTH - 1
    cubic = (SLOPE ** (1 / layers) - 1) / 2  # C(c) = (1 - a) c + a c³, C′(1) = 1 + 2 a
    for _ in range(layers):
        c = (1 - cubic) * c + cubic * c**3
    return c


def plot_martens2021(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Fig. 1 and sec. 8: what a network makes of the cosine of two inputs, and the first gradient against depth."""
    with panels(2, axes, width=5.2) as (alike, gradients):
        for place, (table, activation) in enumerate((("shaped", SHAPED), ("relu", RELU))):
            rows, label = of(frames[f"{table}.pairs"], depth=DEPTH), NAMES[activation]
            line_over_seeds(alike, rows, "correlation", "cosine_last", place, label=label)
            line_over_seeds(gradients, frames[table], "depth", "log10_grad_first", place)
        cosines = np.linspace(-0.5, 1)
        alike.plot(cosines, [mapped(float(each)) for each in cosines], label="shaped, theory", **THEORY)
        alike.set(xlabel="cosine of two inputs", ylabel=f"cosine after {DEPTH - 1} layers")
        gradients.set(xlabel="depth L", ylabel=r"$\log_{10}\,\Vert\partial y/\partial W_1\Vert$")
        name_panels((alike, gradients), ("the network's C map", "gradients"))
        return alike.figure


PAPER = Paper(
    name="martens2021",
    authors="Martens, Ballard, Desjardins, Swirszcz, Dalibard, Sohl-Dickstein & Schoenholz",
    year=2021,
    title="Rapid training of deep neural networks without skip connections or normalization layers using Deep Kernel "
    "Shaping",
    arxiv="2110.01765",
    runs=runs,
    plot=plot_martens2021,
    claims=(
        Claim(
            name="ReLU degenerates",
            sentence="In deep ReLU networks with He's weights all inputs become alike",
            where="sec. 4",
            published="1",
            sure=SEEN,
            quantity=f"cosine of two orthogonal inputs after {DEPTH - 1} layers",
            measure=value("relu.pairs", "cosine_last", depth=DEPTH, correlation=0.0),
            accepts=Range(0.95, 1.0),
        ),
        Claim(
            name="shaped keeps 0",
            sentence="Shaped ones keep orthogonal inputs orthogonal: C(0) = 0",
            where="sec. 5, conditions",
            published="0",
            sure=SEEN,
            quantity=f"cosine of two orthogonal inputs after {DEPTH - 1} layers",
            measure=value("shaped.pairs", "cosine_last", depth=DEPTH, correlation=0.0),
            accepts=Range(-0.1, 0.1),
            theory=lambda: 0.0,
            because="at width 128 each layer adds 1/√n of noise to a cosine",
        ),
        Claim(
            name="slope at 1",
            sentence="They separate near inputs by the factor C′(1) = 1.5 of the whole network, and no more",
            where="sec. 5, ζ = 1.5",
            published="1.5",
            sure=SEEN,
            quantity=f"(1 - cosine) after {DEPTH - 1} layers over that before, cosine {NEAR:g}",
            measure=slope_at_one,
            accepts=Range(1.3, 1.7),
            theory=lambda: (1 - mapped(NEAR)) / (1 - NEAR),
        ),
        Claim(
            name="gradient",
            sentence="… so that the squared gradient grows by no more than that",
            where="sec. 4.2",
            published="1.5 at most",
            sure=SEEN,
            quantity=f"factor of ‖∂y/∂W₁‖² over {DEPTH} layers",
            measure=then(slope("shaped", "log10_grad_first"), lambda each: 10 ** (2 * DEPTH * each)),
            accepts=Range(0.67, 1.8),
            theory=lambda: SLOPE,
        ),
    ),
)
