"""Chen, Pennington & Schoenholz 2018: mean field theory of recurrent networks, as if every step had weights of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import RECALLED, Claim, Estimate, Frames, Range
from analysis.papers.estimates import mean_of_positive
from analysis.papers.panels import QUALITATIVE, THEORY, line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep

WIDTH, START, SHORT, LONG = 64, 3, 17, 33  # after 2 √n steps and 4 √n
TIED = {"rnn:inputs=0": "one W for all steps", "plain": "a W for each step"}


def runs(size: str) -> Mapping[str, Any]:
    """Linear networks at σ_w = 1, tied and untied."""
    seeds = {"smoke": 20, "quick": 150, "full": 2000}[size]
    kind: dict[str, Any] = {"activations": "linear", "scales": 1.0, "widths": WIDTH, "layers": False, "seeds": seeds}
    return {"steps": sweep(**kind, architectures=tuple(TIED), depths=(START, 9, SHORT, LONG))}


def decades(architecture: str, steps: int) -> Any:
    """Decades of the root mean square of the first step's gradient, over networks, from 3 steps to so many."""

    def measured(frames: Frames) -> Estimate:
        rows = frames["steps"]
        rows = rows.loc[rows["architecture"] == architecture]
        first, last = (10 ** (2 * rows.loc[rows["depth"] == each, "log10_grad_first"]) for each in (START, steps))
        return Estimate(*(0.5 * np.log10(mean_of_positive(last / first.mean()))))

    return measured


def plot_chen2018(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Gradients over time of linear networks at criticality, beside the mean field's line, which is flat."""
    rows = frames["steps"]
    with panels(1, axes, width=3.5) as (ax,):
        for place, (architecture, name) in enumerate(TIED.items()):
            of_kind = rows.loc[rows["architecture"] == architecture]
            line_over_seeds(ax, of_kind, "depth", "log10_grad_first", place, label=name)
            mean = 0.5 * np.log10((10 ** (2 * of_kind["log10_grad_first"])).groupby(of_kind["depth"]).mean())
            words = {"label": "root mean squares"} if place == 0 else {}
            ax.plot(mean.index, mean, color=QUALITATIVE[place], linewidth=0.8, linestyle=":", **words)
        ax.axhline(math.log10(WIDTH) / 2, label="mean field", **THEORY)
        ax.axvline(2 * math.sqrt(WIDTH), ymax=0.55, color="0.6", linewidth=0.6, label=r"$2\sqrt{n}$ steps")
        ax.set(xlabel="steps T", ylabel=r"$\log_{10}\,\Vert\partial y/\partial W\Vert$, step 1", ylim=(0, 3.2))
        name_panels([ax], [f"linear, n = {WIDTH}; medians over networks"])
        return ax.figure


PAPER = Paper(
    name="chen2018",
    authors="Chen, Pennington & Schoenholz",
    year=2018,
    title="Dynamical Isometry and a Mean Field Theory of RNNs",
    arxiv="1806.05394",
    runs=runs,
    plot=plot_chen2018,
    claims=(
        Claim(
            name="untied, short",
            sentence="Recurrent networks are as if every step had weights of its own: over 2 √n steps",
            where="sec. 3, the theory's assumption",
            published="0 decades, linear at σ_w = 1",
            sure=RECALLED,
            quantity=f"decades of the root mean square of step 1's gradient, {START} to {SHORT} steps",
            measure=decades("rnn:inputs=0", SHORT),
            accepts=Range(-0.25, 0.25),
            theory=lambda: 0.0,
        ),
        Claim(
            name="untied, long",
            sentence="… and over 4 √n steps",
            where="sec. 3, the theory's assumption",
            published="0 decades, linear at σ_w = 1",
            sure=RECALLED,
            quantity=f"decades of the root mean square of step 1's gradient, {START} to {LONG} steps",
            measure=decades("rnn:inputs=0", LONG),
            accepts=Range(-0.25, 0.25),
            theory=lambda: 0.0,
            because="the theory is of n → ∞ first: W W W … of one W knows its own eigenvectors from 2 √n steps on",
        ),
        Claim(
            name="gating",
            sentence="A minimal gated network keeps signals over a far wider range of initializations",
            where="Figs. 2, 4",
            published="wider",
            sure=RECALLED,
            because="the suite's gated cells are others (highway, gru, lstm)",
        ),
    ),
)
