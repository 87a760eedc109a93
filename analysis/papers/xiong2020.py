"""Xiong et al. 2020: where a transformer normalizes, and its gradients when training begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import RECALLED, SEEN, Claim, Estimate, Frames, Range
from analysis.papers.estimates import mean_over_seeds
from analysis.papers.measures import change, lines, of, slope
from analysis.papers.panels import line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep
from bench.theory import block_trajectory

PRE, POST = "transformer:norm=pre", "transformer:norm=post"
NAMES = {PRE: "pre-LN", POST: "post-LN"}
WIDTH, LENGTH = 32, 4
DEPTHS, LEAST = (3, 7, 13, 25), 7  # Fig. 3 has 6 to 14 layers
DEEPEST = DEPTHS[-1]


def runs(size: str) -> Mapping[str, Any]:
    """Both networks, Xavier's variance, at several depths."""
    seeds = {"smoke": 4, "quick": 16, "full": 64}[size]
    kind: dict[str, Any] = {"architectures": (PRE, POST), "activations": "relu", "initializers": "gaussian", "scales": 1.0}
    return {"depth": sweep(**kind, depths=DEPTHS, widths=WIDTH, length=LENGTH, seeds=seeds)}


def stream(frames: Frames) -> Estimate:
    """(E‖x_l‖²/d - 1)/l at the last block of the deepest pre-LN network."""
    rows = of(frames["depth.layers"], architecture=PRE, depth=DEEPEST, layer=DEEPEST - 1)
    square = 10 ** (2 * rows["log10_activation"].to_numpy(float)) / (WIDTH * LENGTH)
    return mean_over_seeds((square - 1) / (DEEPEST - 1))


def _law(architecture: str, depth: int) -> Any:
    return block_trajectory(architecture, "relu", 1.0, depth, WIDTH, length=LENGTH)


def theory_slope(architecture: str) -> Any:
    """Of the last block's gradient against log10 of the depth."""

    def predicted() -> float:
        depths = [each for each in DEPTHS if each >= LEAST]
        return float(np.polyfit(np.log10(depths), [_law(architecture, each).log10_grad[-1] for each in depths], 1)[0])

    return predicted


def plot_xiong2020(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Fig. 3: the last block's gradient against depth, gradients block by block; and Lemma 2: ‖x_l‖²."""
    cells, layers = frames["depth"], frames["depth.layers"]
    with panels(3, axes) as (last, along, square):
        deepest = of(layers, depth=DEEPEST)
        deepest = deepest.loc[deepest["layer"] < DEEPEST]
        lines(last, cells, "depth", "log10_grad_last", NAMES)
        lines(along, deepest, "layer", "log10_grad", NAMES)
        rows = of(deepest, architecture=PRE)
        rows = rows.assign(square=10 ** (2 * rows["log10_activation"]) / (WIDTH * LENGTH))
        line_over_seeds(square, rows, "layer", "square", label="pre-LN")
        block = np.arange(DEEPEST)
        for share in (0.5, 1.5):
            square.plot(block, 1 + share * block, color="0.4", linewidth=0.8, linestyle=(0, (4, 1.5)))
        square.set(xlabel="block l", ylabel=r"$\Vert x_l\Vert^2 / d$, bounds dashed")
        last.set(xlabel="depth L", ylabel=r"$\log_{10}\,\Vert\partial y/\partial W\Vert$, last block")
        along.set(xlabel="block l", ylabel=r"$\log_{10}\,\Vert\partial y/\partial W_l\Vert$")
        name_panels((last, along, square), ("Fig. 3 a, b: last block", f"Fig. 3 c, d: {DEEPEST - 1} blocks", "Lemma 2"))
        along.get_legend().remove()
        return last.figure


PAPER = Paper(
    name="xiong2020",
    authors="Xiong, Yang, He, Zheng, Zheng, Xing, Zhang, Lan, Wang & Liu",
    year=2020,
    title="On Layer Normalization in the Transformer Architecture",
    arxiv="2002.04745",
    runs=runs,
    plot=plot_xiong2020,
    claims=(
        Claim(
            name="post-LN's last",
            sentence="With post-LN the last layer's gradient does not depend on depth",
            where="Thm. 1, Fig. 3",
            published="L^0 (about 1.6 at each of 6 to 14 layers)",
            sure=SEEN,
            quantity="power of L of the last block's gradient",
            measure=slope("depth", "log10_grad_last", log_x=True, least=LEAST, architecture=POST),
            accepts=Range(-0.1, 0.1),
            theory=theory_slope(POST),
        ),
        Claim(
            name="pre-LN's last",
            sentence="With pre-LN it falls as 1/√L",
            where="Thm. 1, Fig. 3",
            published="L^(-1/2)",
            sure=SEEN,
            quantity="power of L of the last block's gradient",
            measure=slope("depth", "log10_grad_last", log_x=True, least=LEAST, architecture=PRE),
            accepts=Range(-0.6, -0.4),
            theory=theory_slope(PRE),
        ),
        Claim(
            name="pre-LN's stream",
            sentence="With pre-LN E‖x_l‖² lies between (1 + l/2) d and (1 + 3l/2) d",
            where="Lemma 2",
            published="½ to 3/2",
            sure=SEEN,
            quantity=f"(‖x_l‖²/d - 1)/l after {DEEPEST - 1} blocks",
            measure=stream,
            accepts=Range(0.5, 1.5),
            theory=lambda: (10 ** (2 * _law(PRE, DEEPEST).log10_activation[-1]) / (WIDTH * LENGTH) - 1) / (DEEPEST - 1),
        ),
        Claim(
            name="post-LN's first",
            sentence="With post-LN gradients grow with the index of the layer",
            where="sec. 3.3, Fig. 3 c",
            published="smaller in lower layers; no number",
            sure=RECALLED,
            quantity=f"decades from block 1 up to block {DEEPEST - 1}",
            measure=change("depth.layers", "log10_grad", "layer", (1, DEEPEST - 1), architecture=POST, depth=DEEPEST),
            accepts=Range(0.3, np.inf),
            theory=lambda: float(np.diff(_law(POST, DEEPEST).log10_grad[[0, -1]])[0]),
            because="the branch gives the cotangent what the normalization takes; 2^(-1/2) a sum counts the skip alone",
        ),
    ),
)
