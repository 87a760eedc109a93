"""Sun et al. 2025: the curse of depth, and LayerNorm divided by the square root of the block's index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import RECALLED, SEEN, Claim, Estimate, Frames, Range
from analysis.papers.estimates import mean_over_seeds
from analysis.papers.measures import change, lines, of, slope, then
from analysis.papers.panels import THEORY, name_panels, panels
from analysis.papers.paper import Paper, sweep

PRE, SCALED = "pre_layernorm", "pre_layernorm:scaling=1/sqrt(l)"
NAMES = {PRE: "pre-LN", SCALED: "LayerNorm scaling"}
WIDTH, DEEPEST, LEAST = 64, 129, 8
BLOCKS = DEEPEST - 1


def runs(size: str) -> Mapping[str, Any]:
    """Both networks at one great depth, block by block; He's weights, so that a branch has variance 1."""
    seeds = {"smoke": 4, "quick": 24, "full": 100}[size]
    kind: dict[str, Any] = {"activations": "relu", "initializers": "he_gaussian", "scales": 1.0, "seeds": seeds}
    return {"deep": sweep(**kind, architectures=tuple(NAMES), depths=DEEPEST, widths=WIDTH)}


def power(architecture: str) -> Any:
    """The power of l of V_l, which is twice that of its root."""
    ends = {"least": LEAST, "most": BLOCKS}
    root = slope("deep.layers", "log10_activation", "layer", log_x=True, architecture=architecture, **ends)
    return then(root, lambda each: 2 * each)


def lower(frames: Frames) -> Estimate:
    """Decades of variance that scaling saves at the last block."""
    ends = [
        of(frames["deep.layers"], architecture=name, layer=BLOCKS).set_index("seed")["log10_activation"].sort_index()
        for name in (PRE, SCALED)
    ]
    return mean_over_seeds(2 * (ends[0] - ends[1]).to_numpy())


def plot_sun2025(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Figs. 1 and 2: variance of the stream and gradients, block by block, with V = 1 + l and 1 + H_l."""
    rows = frames["deep.layers"]
    rows = rows.loc[rows["layer"] <= BLOCKS].assign(variance=lambda each: 2 * each["log10_activation"] - np.log10(WIDTH))
    with panels(2, axes, width=5.2) as (variance, gradients):
        lines(variance, rows, "layer", "variance", NAMES)
        lines(gradients, rows, "layer", "log10_delta", NAMES)
        block = np.arange(1, DEEPEST)
        for law in (1 + block, 1 + np.cumsum(1 / block)):
            variance.plot(block, np.log10(law), **THEORY)
        for ax in (variance, gradients):
            for line in ax.lines:
                line.set_marker("")
            ax.set(xlabel="block l")
        variance.set(xscale="log", ylabel=r"$\log_{10}$ variance of the stream")
        gradients.set(ylabel=r"$\log_{10}\,\Vert\partial y/\partial x_l\Vert$")
        name_panels((variance, gradients), ("variance; dashed: 1 + l, 1 + $H_l$", "gradients"))
        return variance.figure


HARMONIC = float(np.sum(1 / np.arange(1, DEEPEST)))
PAPER = Paper(
    name="sun2025",
    authors="Sun, Song, Li, Yin, Zheng & Liu",
    year=2025,
    title="The Curse of Depth in Large Language Models",
    arxiv="2502.05795",
    runs=runs,
    plot=plot_sun2025,
    claims=(
        Claim(
            name="pre-LN's variance",
            sentence="With pre-LN the stream's variance grows with depth, at least as L",
            where="Lemma on pre-LN, eq. 7",
            published="between Θ(L) and Θ(exp L)",
            sure=SEEN,
            quantity=f"power of l of the variance, blocks {LEAST} to {BLOCKS}, at initialization",
            measure=power(PRE),
            accepts=Range(0.9, np.inf),
            theory=lambda: float(np.log((1 + BLOCKS) / (1 + LEAST)) / np.log(BLOCKS / LEAST)),
        ),
        Claim(
            name="scaling's bounds",
            sentence="With LayerNorm scaling it lies between Θ(L) and Θ(L^(2-ε))",
            where="eq. 14",
            published="1 to 2",
            sure=SEEN,
            quantity=f"power of l of the variance, blocks {LEAST} to {BLOCKS}, at initialization",
            measure=power(SCALED),
            accepts=Range(0.9, 2.0),
            theory=lambda: float(
                np.polyfit(
                    np.log(np.arange(LEAST, DEEPEST)),
                    np.log(1 + np.cumsum(1 / np.arange(1, DEEPEST)))[LEAST - 1 :],
                    1,
                )[0]
            ),
            because="at initialization block l adds 1/l: the variance is 1 + H_l, a logarithm, below the lower bound",
        ),
        Claim(
            name="scaling helps",
            sentence="LayerNorm scaling keeps the variance of deep blocks down",
            where="Fig. 1, sec. 4",
            published="much lower; no number at initialization",
            sure=RECALLED,
            quantity=f"decades of variance less than pre-LN at block {BLOCKS}",
            measure=lower,
            accepts=Range(0.5, np.inf),
            theory=lambda: float(np.log10((1 + BLOCKS) / (1 + HARMONIC))),
        ),
        Claim(
            name="deep blocks act",
            sentence="With it deep blocks contribute more than with pre-LN",
            where="sec. 1, Fig. 2",
            published="more, after training",
            sure=RECALLED,
            because="it is of trained models; at first block l adds the share 1/(l (1 + H_l)), less than pre-LN's 1/(1 + l)",
        ),
        Claim(
            name="gradients of pre-LN",
            sentence="Pre-LN's deep blocks become nearly identities, so that their Jacobians stay bounded",
            where="Thm. on pre-LN, eq. 9",
            published="bounded; no number",
            sure=RECALLED,
            quantity=f"decades of ‖∂y/∂x_l‖ from block {BLOCKS // 2} to {BLOCKS}",
            measure=change("deep.layers", "log10_delta", "layer", (BLOCKS // 2, BLOCKS), architecture=PRE),
            accepts=Range(-0.3, 0.3),
            theory=lambda: float(-np.log10((1 + BLOCKS) / (1 + BLOCKS // 2)) / 2),
        ),
    ),
)
