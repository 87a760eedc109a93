"""Wang et al. 2022: DeepNorm, post-LN transformers whose update does not grow with depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SEEN, Claim, Frames, Range
from analysis.papers.measures import lines, of, slope, then
from analysis.papers.panels import name_panels, panels
from analysis.papers.paper import Paper, sweep

POST, DEEPNORM = "transformer:norm=post", "transformer:branch=deepnorm,norm=post"
NAMES = {POST: "post-LN", DEEPNORM: "DeepNorm"}
WIDTH, LENGTH, DEPTHS = 32, 4, (3, 7, 13, 25)
DEEPEST = DEPTHS[-1]


def runs(size: str) -> Mapping[str, Any]:
    """Both transformers, Xavier's variance, at several depths."""
    seeds = {"smoke": 4, "quick": 16, "full": 64}[size]
    kind: dict[str, Any] = {"architectures": tuple(NAMES), "activations": "relu", "initializers": "gaussian", "scales": 1.0}
    return {"depth": sweep(**kind, depths=DEPTHS, widths=WIDTH, length=LENGTH, seeds=seeds)}


def update(architecture: str) -> Any:
    """The power of the number of blocks of ‖∂y/∂W‖² over all weights: by how much one step of SGD changes y."""

    def blocks(frames: Frames) -> Frames:
        return {"depth": frames["depth"].assign(blocks=frames["depth"]["depth"] - 1)}

    power = slope("depth", "log10_grad_global", "blocks", log_x=True, architecture=architecture)
    return then(lambda frames: power(blocks(frames)), lambda each: 2 * each)


def plot_wang2022(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Fig. 4: the size of one update against depth; and gradients block by block."""
    cells, layers = frames["depth"], frames["depth.layers"]
    with panels(2, axes, width=5.2) as (updates, along):
        cells = cells.assign(blocks=cells["depth"] - 1, update=2 * cells["log10_grad_global"])
        lines(updates, cells, "blocks", "update", NAMES)
        deepest = of(layers, depth=DEEPEST)
        lines(along, deepest.loc[deepest["layer"] < DEEPEST], "layer", "log10_grad", NAMES)
        counts = sorted(set(cells["blocks"]))
        updates.set(xscale="log", xlabel="blocks N", ylabel=r"$\log_{10}$ change of $y$ / learning rate")
        along.set(xlabel="block l", ylabel=r"$\log_{10}\,\Vert\partial y/\partial W_l\Vert$")
        updates.set_xticks(counts, [str(count) for count in counts])
        updates.minorticks_off()
        name_panels((updates, along), ("Fig. 4: size of one update", f"gradients, {DEEPEST - 1} blocks"))
        along.get_legend().remove()  # it has the left panel's lines
        return updates.figure


PAPER = Paper(
    name="wang2022",
    authors="Wang, Ma, Dong, Huang, Zhang & Wei",
    year=2022,
    title="DeepNet: Scaling Transformers to 1,000 Layers",
    arxiv="2203.00555",
    runs=runs,
    plot=plot_wang2022,
    claims=(
        Claim(
            name="DeepNorm's update",
            sentence="With DeepNorm one update changes the output by an amount that does not depend on depth",
            where="Thm. 4.2, sec. 4.3",
            published="0",
            sure=SEEN,
            quantity="power of N of the first-order change of y by a step of SGD",
            measure=update(DEEPNORM),
            accepts=Range(-0.2, 0.2),
            theory=lambda: 0.0,
        ),
        Claim(
            name="post-LN's update",
            sentence="With post-LN it grows with depth: that, and not the gradient, is why it is unstable",
            where="sec. 3, Figs. 3 and 4",
            published="grows; N in theory",
            sure=SEEN,
            quantity="power of N of the first-order change of y by a step of SGD",
            measure=update(POST),
            accepts=Range(0.7, np.inf),
            theory=lambda: 1.0,
        ),
        Claim(
            name="DeepNorm's gradient",
            sentence="Its gradients have about one size in all layers",
            where="sec. 3",
            published="1; no number",
            sure=SEEN,
            quantity=f"decades of ‖∂y/∂W_l‖ a block, {DEEPEST - 1} blocks",
            measure=slope("depth.layers", "log10_grad", "layer", architecture=DEEPNORM, depth=DEEPEST, most=DEEPEST - 1),
            accepts=Range(-0.01, 0.01),
            theory=lambda: 0.0,
        ),
        Claim(
            name="1,000 layers",
            sentence="A DeepNorm transformer of 1,000 layers is trained, and beats the best one of 48 by 5 BLEU",
            where="abstract, Table 2",
            published="5 BLEU",
            sure=SEEN,
            because="it needs a corpus of 100 languages, and weeks",
        ),
    ),
)
