"""Kim et al. 2025: a normalization before and after each branch (peri-LN)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import RECALLED, SECONDARY, Claim, Estimate, Frames, Range
from analysis.papers.estimates import mean_over_seeds
from analysis.papers.measures import of, then
from analysis.papers.panels import THEORY, line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep

PRE, PERI = "pre_layernorm", "pre_layernorm:peri=true"
NAMES = {PRE: "pre-LN", PERI: "peri-LN"}
SCALES = (1.0, 4.0)
WIDTH, DEEPEST = 64, 65
BLOCKS = DEEPEST - 1


def runs(size: str) -> Mapping[str, Any]:
    """Both networks, with weights as they begin and four times as large, as a trained one's may be."""
    seeds = {"smoke": 4, "quick": 24, "full": 100}[size]
    kind: dict[str, Any] = {"activations": "relu", "initializers": "he_gaussian", "scales": SCALES, "seeds": seeds}
    return {"deep": sweep(**kind, architectures=tuple(NAMES), depths=DEEPEST, widths=WIDTH)}


def _last(frames: Frames, column: str, **columns: Any) -> np.ndarray:
    rows = of(frames["deep.layers"], **columns)
    return rows.set_index("seed")[column].sort_index().to_numpy(float)


def by_weights(architecture: str, column: str, layer: int) -> Any:
    """How many times larger a square is with the larger weights."""

    def measured(frames: Frames) -> Estimate:
        small, large = (_last(frames, column, architecture=architecture, scale=scale, layer=layer) for scale in SCALES)
        return mean_over_seeds(2 * (large - small))

    return then(measured, lambda decades: 10.0**decades)


def peri_slope(frames: Frames) -> Estimate:
    """(V_l - V_0)/l at the last block, with the larger weights."""
    square = 10 ** (2 * _last(frames, "log10_activation", architecture=PERI, scale=SCALES[1], layer=BLOCKS)) / WIDTH
    return mean_over_seeds((square - 1) / BLOCKS)


def plot_kim2025(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Fig. 3: variance of the stream block by block, with small and large weights; and the gradients of weights."""
    rows = frames["deep.layers"]
    rows = rows.loc[rows["layer"] <= BLOCKS].assign(variance=lambda each: 2 * each["log10_activation"] - np.log10(WIDTH))
    with panels(2, axes, width=5.6) as (variance, gradients):
        kinds = [(name, scale) for name in NAMES for scale in SCALES]
        for place, (name, scale) in enumerate(kinds):
            of_kind, label = of(rows, architecture=name, scale=scale), f"{NAMES[name]}, weights × {scale:g}"
            line_over_seeds(variance, of_kind, "layer", "variance", place, label=label, marker=None)
            line_over_seeds(gradients, of_kind, "layer", "log10_grad", place, label=label, marker=None)
        block = np.arange(1, DEEPEST)
        variance.plot(block, np.log10(1 + block), **THEORY)
        variance.set(xlabel="block l", ylabel=r"$\log_{10}$ variance of the stream")
        gradients.set(xlabel="block l", ylabel=r"$\log_{10}\,\Vert\partial y/\partial W_l\Vert$")
        name_panels((variance, gradients), ("variance, and 1 + l", "gradients of weights"))
        gradients.get_legend().remove()
        return variance.figure


PAPER = Paper(
    name="kim2025",
    authors="Kim, Lee, Park, Oh, Kim, Yoo, Shin, Han, Shin & Yoo",
    year=2025,
    title="Peri-LN: Revisiting Normalization Layer in the Transformer Architecture",
    arxiv="2502.02732",
    runs=runs,
    plot=plot_kim2025,
    claims=(
        Claim(
            name="peri-LN is linear",
            sentence="With peri-LN the stream's variance grows linearly, by the branch's own variance of 1 a block",
            where="eq. 8",
            published="V_0 + l",
            sure=SECONDARY,
            quantity=f"(V_l - V_0)/l after {BLOCKS} blocks, weights × {SCALES[1]:g}",
            measure=peri_slope,
            accepts=Range(0.8, 1.2),
            theory=lambda: 1.0,
        ),
        Claim(
            name="peri-LN is robust",
            sentence="It does so at any scale of the weights",
            where="eq. 8, sec. 3",
            published="1",
            sure=SECONDARY,
            quantity=f"variance with weights × {SCALES[1]:g} over that with weights × 1",
            measure=by_weights(PERI, "log10_activation", BLOCKS),
            accepts=Range(0.9, 1.1),
            theory=lambda: 1.0,
        ),
        Claim(
            name="pre-LN is not",
            sentence="With pre-LN the variance follows the weights, so that large activations grow as training goes on",
            where="eq. 4",
            published="σ² a block: 16",
            sure=SECONDARY,
            quantity=f"variance with weights × {SCALES[1]:g} over that with weights × 1",
            measure=by_weights(PRE, "log10_activation", BLOCKS),
            accepts=Range(13.0, 19.0),
            theory=lambda: (1 + SCALES[1] ** 2 * BLOCKS) / (1 + BLOCKS),
        ),
        Claim(
            name="peri-LN damps",
            sentence="With peri-LN gradients fall as weights grow (so do pre-LN's here, whose stream grows)",
            where="Prop. on gradients",
            published="1/‖W‖",
            sure=RECALLED,
            quantity=f"squared gradient of block {BLOCKS} with weights × {SCALES[1]:g} over × 1",
            measure=by_weights(PERI, "log10_grad", BLOCKS),
            accepts=Range(0.9 / 16, 1.1 / 16),
            theory=lambda: 1 / 16,
        ),
        Claim(
            name="pre-LN in training",
            sentence="Pre-LN's variance grows exponentially along the depth as training goes on",
            where="sec. 3, eq. 4",
            published="exponentially, in training",
            sure=SECONDARY,
            because="it is of weights that training has made large, and no run here keeps a trained network's stream",
        ),
    ),
)
