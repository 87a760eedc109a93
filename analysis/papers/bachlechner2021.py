"""Bachlechner et al. 2021: ReZero, branches that begin at zero behind a gate that learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SECONDARY, SEEN, Claim, Estimate, Frames, Range
from analysis.papers.deep_training import HE, fails, learns, learns_as_fast, trained
from analysis.papers.estimates import share
from analysis.papers.learning import times_against_depth
from analysis.papers.measures import lines, of, slope
from analysis.papers.panels import name_panels, panels
from analysis.papers.paper import Paper, sweep

REZERO, PLAIN = "residual2:init=rezero", "plain"
NAMES = {REZERO: "ReZero", PLAIN: "fully connected"}
DEPTHS, DEEP = (8, 64), 64


def runs(size: str) -> Mapping[str, Any]:
    """Gradients at initialization, and training of both networks."""
    gradients = sweep(**HE, architectures=tuple(NAMES), depths=(2, 16, 128, 512), widths=32, seeds=8)
    return {"depth": gradients, "train": trained(size, tuple(NAMES), DEPTHS)}


def closed(frames: Frames) -> Estimate:
    """The share of ReZero's blocks of which the weights' gradient is exactly zero."""
    rows = of(frames["depth.layers"], architecture=REZERO)
    gradients = rows.loc[rows["layer"] < rows["depth"], "log10_grad"]
    return share(int(np.isneginf(gradients).sum()), len(gradients))


def plot_bachlechner2021(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Figs. 1 and 4: what passes through the network against depth, and learning time."""
    first = of(frames["depth.layers"], layer=1)
    with panels(2, axes, width=5.2) as (gradients, learning):
        lines(gradients, first, "depth", "log10_delta", NAMES)
        gradients.set(xscale="log", xlabel="depth L", ylabel=r"$\log_{10}\,\Vert\partial y/\partial h_1\Vert$")
        times_against_depth(learning, frames["train"], NAMES)
        name_panels((gradients, learning), ("what passes, at initialization", "learning time"))
        return gradients.figure


PAPER = Paper(
    name="bachlechner2021",
    authors="Bachlechner, Majumder, Mao, Cottrell & McAuley",
    year=2021,
    title="ReZero is All You Need: Fast Convergence at Large Depth",
    arxiv="2003.04887",
    runs=runs,
    plot=plot_bachlechner2021,
    claims=(
        Claim(
            name="isometry",
            sentence="ReZero's network begins as the identity: all singular values of its Jacobian are 1",
            where="sec. 3",
            published="0",
            sure=SEEN,
            quantity="decades of ‖∂y/∂h₁‖ a block",
            measure=slope("depth.layers", "log10_delta", architecture=REZERO, layer=1),
            accepts=Range(-1e-6, 1e-6),
            theory=lambda: 0.0,
        ),
        Claim(
            name="gated",
            sentence="Weights of branches have no gradient until the gate has moved",
            where="sec. 3.1",
            published="exactly 0",
            sure=SEEN,
            quantity="share of blocks whose weights' gradient is exactly 0",
            measure=closed,
            accepts=Range(0.98, 1.0),
            theory=lambda: 1.0,
        ),
        learns(
            REZERO,
            DEEP,
            name="trains deep",
            sentence="Deep fully connected networks learn with it",
            where="Fig. 4, sec. 4 (10,000 layers)",
            published="they learn",
            sure=SECONDARY,
            because="a budget of some hundred steps",
        ),
        learns_as_fast(
            REZERO,
            DEPTHS,
            name="depth costs little",
            sentence="… and depth costs little: 8 times the layers take less than 4 times the steps",
            where="Fig. 4",
            published="7 to 15 epochs at 32 to 10,000 layers (recalled): twice the epochs",
            sure=SECONDARY,
        ),
        fails(
            PLAIN,
            DEPTHS,
            name="plain does not",
            sentence="Without ReZero fully connected networks of that depth do not",
            where="Fig. 4, Table 1",
            published="they do not",
            sure=SECONDARY,
            because="He's weights carry gradients through that many layers",
        ),
    ),
)
