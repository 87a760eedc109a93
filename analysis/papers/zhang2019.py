"""Zhang, Dauphin & Ma 2019: Fixup, residual networks without normalization whose last matrices begin at zero."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SECONDARY, SEEN, Claim, Frames, Range
from analysis.papers.deep_training import HE, fails, learns_as_fast, trained
from analysis.papers.learning import times_against_depth
from analysis.papers.measures import lines, of, slope, then
from analysis.papers.panels import THEORY, name_panels, panels
from analysis.papers.paper import Paper, sweep

FIXUP, STANDARD = "residual2:init=fixup", "residual2"
NAMES = {FIXUP: "Fixup", STANDARD: "standard"}
DEPTHS, DEEP = (8, 64), 64
SWEPT = (4, 16, 64, 256)


def runs(size: str) -> Mapping[str, Any]:
    """Gradients at initialization, and training of both."""
    gradients = sweep(**HE, architectures=tuple(NAMES), depths=SWEPT, widths=32, seeds=16)
    return {"depth": gradients, "train": trained(size, tuple(NAMES), DEPTHS)}


def plot_zhang2019(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Gradients at initialization against depth, and Fig. 3: learning with depth."""
    with panels(2, axes, width=5.2) as (gradients, learning):
        lines(gradients, frames["depth"], "depth", "log10_grad_last", NAMES)
        depth = np.array(SWEPT[:3], float)
        middle = of(frames["depth"], architecture=STANDARD).groupby("depth")["log10_grad_last"].median()
        gradients.plot(depth, middle.loc[SWEPT[0]] + (depth - SWEPT[0]) * math.log10(3) / 2, label=r"$3^{L/2}$", **THEORY)
        gradients.set(xscale="log", xlabel="depth L", ylabel=r"$\log_{10}\,\Vert\partial y/\partial W\Vert$, last block")
        times_against_depth(learning, frames["train"], NAMES)
        name_panels((gradients, learning), ("at initialization", "learning time"))
        return gradients.figure


PAPER = Paper(
    name="zhang2019",
    authors="Zhang, Dauphin & Ma",
    year=2019,
    title="Fixup Initialization: Residual Learning Without Normalization",
    arxiv="1901.09321",
    runs=runs,
    plot=plot_zhang2019,
    claims=(
        Claim(
            name="standard explodes",
            sentence="With standard initialization gradients of residual networks grow exponentially with depth",
            where="sec. 2, Thm. 1",
            published="exponentially; 1 + 2 for branches of two He matrices",
            sure=SECONDARY,
            quantity="factor of the last block's squared gradient a block",
            measure=then(slope("depth", "log10_grad_last", architecture=STANDARD), lambda each: 10 ** (2 * each)),
            accepts=Range(2.0, 3.3),
            theory=lambda: 3.0,
            because="typical networks of finite width lie below the mean square that theory speaks of",
        ),
        Claim(
            name="Fixup's gradient",
            sentence="With Fixup one step changes a network of any depth equally: gradients of L blocks are as L^(-1/2)",
            where="sec. 3, Thm. 2",
            published="L^(-1/(2m - 2)) is the scale of W₁, which W₂'s gradient has",
            sure=SECONDARY,
            quantity="power of L of the last block's gradient",
            measure=slope("depth", "log10_grad_last", log_x=True, architecture=FIXUP),
            accepts=Range(-0.6, -0.4),
            theory=lambda: -0.5,
        ),
        Claim(
            name="identity",
            sentence="Its network begins as the identity",
            where="sec. 3",
            published="0",
            sure=SEEN,
            quantity="decades of ‖∂y/∂h₁‖ a block",
            measure=slope("depth.layers", "log10_delta", architecture=FIXUP, layer=1),
            accepts=Range(-1e-6, 1e-6),
            theory=lambda: 0.0,
        ),
        learns_as_fast(
            FIXUP,
            DEPTHS,
            name="trains deep",
            sentence="Networks of any depth learn with it, unnormalized: 8 times the layers in less than 4 times the steps",
            where="Fig. 3 (10,000 layers, first epoch)",
            published="they learn, by their accuracy after one epoch",
            sure=SECONDARY,
        ),
        fails(
            STANDARD,
            DEPTHS,
            name="standard does not",
            sentence="With standard initialization deep ones do not",
            where="Fig. 3",
            published="they fail",
            sure=SECONDARY,
        ),
    ),
)
