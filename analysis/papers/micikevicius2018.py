"""Micikevicius et al. 2018: gradients that float16 loses, and the scale of the loss that keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SECONDARY, Claim, Estimate, Frames, Range
from analysis.papers.estimates import mean_over_seeds
from analysis.papers.panels import line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, precision

SCALES = {"plain": 1.0, "eight": 8.0, "large": 2.0**15}  # of the loss
LOST = 0.31  # of all values of the paper's detector; 67 % are zero in float32 too


def runs(size: str) -> Mapping[str, Any]:
    """ReLU networks whose gradients shrink by √2 a layer, computed in float16 at three scales of the loss.

    Their activations shrink so too, and beyond 40 layers are below what float16 holds: no scale of a loss helps that.
    """
    depths, seeds = {"smoke": ((20, 40), 2), "quick": (range(22, 41, 2), 12), "full": (range(22, 41), 48)}[size]
    kind: dict[str, Any] = {"initializers": "gaussian", "activations": "relu", "scales": 1.0, "depths": depths, "widths": 32}
    return {name: precision(**kind, seeds=seeds, formats="float16", loss_scale=scale) for name, scale in SCALES.items()}


def shares(frames: Frames, name: str) -> pd.DataFrame:
    """[seeds, depths]: the share of the first gradient's entries that float16 makes zero, and exact arithmetic does not."""
    rows = frames[f"{name}.formats"]
    return rows.pivot_table(index="seed", columns="depth", values="share_zero_first")


def _where_lost(frames: Frames) -> Any:
    """The depth whose mean share is nearest to that of the paper's detector."""
    return (shares(frames, "plain").mean() - LOST).abs().idxmin()


def kept_by(name: str) -> Any:
    """Of what is lost without a scale at that depth, the share that is lost with it."""

    def measured(frames: Frames) -> Estimate:
        depth = _where_lost(frames)
        without = shares(frames, "plain")[depth].mean()
        return mean_over_seeds(shares(frames, name)[depth] / without)

    return measured


def plot_micikevicius2018(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Fig. 3's question, of a network of ours: the share of gradients that are zero in float16, against depth."""
    with panels(1, axes, width=3.5) as (ax,):
        for place, (name, scale) in enumerate(SCALES.items()):
            rows = frames[f"{name}.formats"]
            label = f"loss × {scale:,.0f}"
            line_over_seeds(ax, rows, "depth", "share_zero_first", place, label=label)
        ax.axhline(LOST, color="0.4", linewidth=0.8, linestyle=":", label="31 %, the paper's detector")
        ax.set(
            xlabel="depth L, ReLU, variance 1/n",
            ylabel=r"zeros among entries of $\partial y/\partial W_1$",
            ylim=(-0.02, 1.02),
        )
        ax.set_xticks(range(20, 41, 5))
        name_panels([ax], ["float16"])
        return ax.figure


PAPER = Paper(
    name="micikevicius2018",
    authors="Micikevicius, Narang, Alben, Diamos, Elsen, Garcia, Ginsburg, Houston, Kuchaiev, Venkatesh & Wu",
    year=2018,
    title="Mixed Precision Training",
    arxiv="1710.03740",
    runs=runs,
    plot=plot_micikevicius2018,
    claims=(
        Claim(
            name="31 percent",
            sentence="31 % of the gradients of a detector (Multibox SSD) are zero in float16",
            where="of Fig. 3, in NVIDIA's guide to mixed precision",
            published="31 %",
            sure=SECONDARY,
            because="it needs their network and images; below, a network of ours at the depth that loses about as much",
        ),
        Claim(
            name="times eight",
            sentence="A loss times 8 is enough to match the accuracy of float32",
            where="sec. 3.2",
            published="8 suffices",
            sure=SECONDARY,
            because="it speaks of accuracy after training; what that scale keeps of a network of ours is drawn",
        ),
        Claim(
            name="large scale",
            sentence="A scale of 32,768 keeps all but 0.1 % of what is lost",
            where="of Fig. 3, in NVIDIA's guide to mixed precision",
            published="all but 0.1 %",
            sure=SECONDARY,
            quantity="share of what was lost that still is, entries of ∂y/∂W₁ of a ReLU network",
            measure=kept_by("large"),
            accepts=Range(0.0, 0.01),
            because="gradients of random networks spread over more decades",
        ),
    ),
)
