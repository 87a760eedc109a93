"""Marion et al. 2025: how branches have to shrink with depth for a residual network to have a limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SEEN, Claim, Frames, Range
from analysis.papers.measures import of, slope
from analysis.papers.panels import line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper

BETAS = (0.25, 0.5, 1.0)
INDEPENDENT, SMOOTH = "independent", "smooth"
WIDTH = 32


def computed(size: str) -> Mapping[str, pd.DataFrame]:
    """‖h_L - h_0‖ / ‖h_0‖ of h + L^-β V relu(W h), weights of each block drawn anew, or smoothly along the depth.

    What a sweep's rows do not have is the distance from the input.
    """
    seeds, depths = {"smoke": (4, (10, 40)), "quick": (24, (10, 30, 100, 300, 1000)), "full": (100, (10, 100, 1000, 4000))}[
        size
    ]
    random, rows = np.random.default_rng(0), []
    for depth in depths:
        for kind in (INDEPENDENT, SMOOTH):
            for beta in BETAS:
                h = start = random.standard_normal((seeds, WIDTH, 1))
                bends = random.standard_normal((4, 2, seeds, WIDTH, WIDTH))
                for layer in range(depth):
                    if kind == SMOOTH:  # a random trigonometric polynomial of l/L, of unit variance
                        t = 2 * np.pi * layer / depth
                        angles = np.array([np.cos(t), np.sin(t), np.cos(2 * t), np.sin(2 * t)]) / np.sqrt(2)
                        w, v = np.tensordot(angles, bends, 1)
                    else:
                        w, v = random.standard_normal((2, seeds, WIDTH, WIDTH))
                    h = h + depth**-beta * (v @ np.maximum(w @ h, 0)) * np.sqrt(2) / WIDTH
                moved = np.linalg.norm(h - start, axis=(1, 2)) / np.linalg.norm(start, axis=(1, 2))
                rows += [(kind, beta, depth, seed, each, np.log10(each)) for seed, each in enumerate(moved)]
    columns = ["weights", "beta", "depth", "seed", "moved", "log10_moved"]
    return {"moved": pd.DataFrame(rows, columns=columns).assign(loglog=lambda each: np.log10(np.log1p(each["moved"])))}


def power(kind: str, beta: float, y: str = "log10_moved") -> Any:
    """The power of L of what is measured."""
    return slope("moved", y, log_x=True, weights=kind, beta=beta)


def plot_marion2025(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Figs. 1 and 2: how far a network moves its input, against depth, for each power β."""
    rows = frames["moved"]
    with panels(2, axes, width=5.2) as shown:
        for ax, kind in zip(shown, (INDEPENDENT, SMOOTH), strict=True):
            for place, beta in enumerate(BETAS):
                line_over_seeds(ax, of(rows, weights=kind, beta=beta), "depth", "log10_moved", place, label=f"β = {beta:g}")
            ax.set(xscale="log", xlabel="depth L", ylim=(-2.5, 8))
        shown[0].set_ylabel(r"$\log_{10}\,\Vert h_L - h_0\Vert / \Vert h_0\Vert$")
        name_panels(list(shown), ("independent weights", "smooth along the depth"))
        shown[1].get_legend().remove()
        return shown[0].figure


QUANTITY = "power of L of ‖h_L - h_0‖/‖h_0‖"
PAPER = Paper(
    name="marion2025",
    authors="Marion, Fermanian, Biau & Vert",
    year=2025,
    title="Scaling ResNets in the Large-depth Regime",
    arxiv="2206.06929",
    computed=computed,
    plot=plot_marion2025,
    claims=(
        Claim(
            name="1/√L",
            sentence="With independent weights branches over √L have a limit that is not trivial",
            where="Thm. on β = ½, Fig. 1",
            published="0",
            sure=SEEN,
            quantity=QUANTITY + ", β = ½",
            measure=power(INDEPENDENT, 0.5),
            accepts=Range(-0.05, 0.05),
            theory=lambda: 0.0,
        ),
        Claim(
            name="1/L is trivial",
            sentence="Smaller branches leave the identity",
            where="the same",
            published="½ - β",
            sure=SEEN,
            quantity=QUANTITY + ", β = 1",
            measure=power(INDEPENDENT, 1.0),
            accepts=Range(-0.6, -0.4),
            theory=lambda: -0.5,
        ),
        Claim(
            name="larger explode",
            sentence="Larger ones explode exponentially, in L^(1-2β)",
            where="the same",
            published="1 - 2β",
            sure=SEEN,
            quantity="power of L of ln(1 + ‖h_L - h_0‖/‖h_0‖), β = ¼",
            measure=power(INDEPENDENT, 0.25, "loglog"),
            accepts=Range(0.35, 0.6),
            theory=lambda: 0.5,
            because="1 + … counts at small depths, and typical networks lie below the mean square",
        ),
        Claim(
            name="smooth weights",
            sentence="Where weights are smooth along the depth it is branches over L that have such a limit",
            where="sec. on smooth weights, Fig. 2",
            published="0",
            sure=SEEN,
            quantity=QUANTITY + ", β = 1, smooth weights",
            measure=power(SMOOTH, 1.0),
            accepts=Range(-0.1, 0.1),
            theory=lambda: 0.0,
        ),
    ),
)
