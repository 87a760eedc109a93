"""Tallec & Ollivier 2018: forget gates' biases set how long a recurrent network remembers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SECONDARY, SEEN, Claim, Estimate, Frames, Range
from analysis.papers.estimates import mean_over_seeds
from analysis.papers.measures import factor, lines, of, slope, then
from analysis.papers.panels import THEORY, name_panels, panels
from analysis.papers.paper import Paper, sweep

LONGEST = 100
ZERO, ONE, CHRONO = "lstm:forget_bias=0", "lstm:forget_bias=1", f"lstm:chrono={LONGEST}"
NAMES = {ZERO: "forget bias 0", ONE: "forget bias 1", CHRONO: f"chrono, T = {LONGEST}"}
WIDTH, DEEPEST = 32, LONGEST + 1
SCALE = 0.25  # small matrices: gates are at their biases, and the path through the cells is alone


def runs(size: str) -> Mapping[str, Any]:
    """LSTMs of three forget biases, as they are drawn and nearly without recurrent weights."""
    seeds = {"smoke": 4, "quick": 16, "full": 64}[size]
    kind: dict[str, Any] = {
        "initializers": "gaussian",
        "activations": "tanh",
        "depths": DEEPEST,
        "widths": WIDTH,
        "seeds": seeds,
    }
    return {"time": sweep(**kind, architectures=tuple(NAMES), scales=(SCALE, 1.0))}


def kept(frames: Frames, name: str, ends: tuple[int, int]) -> np.ndarray:
    """[seeds]: decades that the part of the gradient by one step has lost from the second step back to the first."""
    rows = of(frames["time.layers"], architecture=name, scale=SCALE)
    at = [of(rows, layer=DEEPEST - 1 - ago).set_index("seed")["log10_grad"].sort_index().to_numpy(float) for ago in ends]
    return at[1] - at[0]


def rate(name: str) -> Any:
    """The factor of the gradient a step back in time, 10 to 40 steps back."""
    ends: dict[str, Any] = {"least": DEEPEST - 41, "most": DEEPEST - 11}
    along = slope("time.layers", "log10_grad", "layer", architecture=name, scale=SCALE, **ends)
    return factor(then(along, lambda each: -each))


def chrono_power(frames: Frames) -> Estimate:
    """The power of the number of steps back that the gradient of chrono networks falls with, from 10 to 80."""
    return mean_over_seeds(kept(frames, CHRONO, (10, 80)) / math.log10(8))


def chrono_gains(frames: Frames) -> Estimate:
    """Decades of the gradient 80 steps back, over that 10 back, that chrono keeps and a bias of 1 loses."""
    return mean_over_seeds(kept(frames, CHRONO, (10, 80)) - kept(frames, ONE, (10, 80)))


def plot_tallec2018(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Each step's part of the gradient against how long ago it was, for three forget biases."""
    rows = frames["time.layers"]
    rows = rows.loc[rows["layer"] < DEEPEST].assign(ago=lambda each: DEEPEST - 1 - each["layer"])
    with panels(2, axes, width=5.6) as (cells, whole):
        for ax, scale in ((cells, SCALE), (whole, 1.0)):
            lines(ax, of(rows, scale=scale), "ago", "log10_grad", NAMES)
            for line in ax.lines:
                line.set_marker("")
            ax.set(xlabel="steps back in time")
        ago = np.arange(DEEPEST - 1)
        for name, bias in ((ZERO, 0.0), (ONE, 1.0)):
            middle = of(rows, architecture=name, scale=SCALE).groupby("ago")["log10_grad"].median()
            cells.plot(ago, middle.loc[10] - (ago - 10) * math.log10(1 + math.exp(-bias)), **THEORY)
        cells.set(ylim=(-40, 2), ylabel=r"$\log_{10}$ part of the gradient")
        name_panels((cells, whole), (r"gates at their biases (dashed: $\sigma(b)^t$)", "matrices as drawn"))
        whole.get_legend().remove()
        return cells.figure


PAPER = Paper(
    name="tallec2018",
    authors="Tallec & Ollivier",
    year=2018,
    title="Can recurrent neural networks warp time?",
    arxiv="1804.11188",
    runs=runs,
    plot=plot_tallec2018,
    claims=(
        Claim(
            name="bias 0 forgets",
            sentence="A forget gate at bias b forgets as σ(b)^t: at 0 half in each step",
            where="sec. 2; Jozefowicz et al. 2015, sec. 2.2",
            published="0.5",
            sure=SECONDARY,
            quantity="factor of the gradient a step back in time, matrices × ¼",
            measure=rate(ZERO),
            accepts=Range(0.48, 0.58),
            theory=lambda: 0.5,
            because="the path through h adds to the one through the cells",
        ),
        Claim(
            name="bias 1 forgets later",
            sentence="At a bias of 1, as Jozefowicz et al. 2015 recommend, a quarter",
            where="sec. 2; Jozefowicz et al. 2015, sec. 2.2",
            published=f"{1 / (1 + math.exp(-1)):.3f}",
            sure=SECONDARY,
            quantity="factor of the gradient a step back in time, matrices × ¼",
            measure=rate(ONE),
            accepts=Range(0.71, 0.8),
            theory=lambda: 1 / (1 + math.exp(-1)),
            because="the path through h adds to the one through the cells",
        ),
        Claim(
            name="chrono is no exponential",
            sentence="With biases ln of times from 1 to T it falls as a power of time up to T, not exponentially",
            where="sec. 3, eq. 16",
            published="a power; no number",
            sure=SEEN,
            quantity="power of the number of steps back, 10 to 80, matrices × ¼",
            measure=chrono_power,
            accepts=Range(-1.5, 0.0),
            because="a power of about -1 until T, beyond which the longest time ends it",
        ),
        Claim(
            name="chrono remembers",
            sentence="… and beats a constant bias where dependencies are long",
            where="Figs. 2 to 4",
            published="solves copying at T = 500, where a constant bias does not",
            sure=SEEN,
            quantity="decades kept from 10 to 80 steps back, more than at bias 1",
            measure=chrono_gains,
            accepts=Range(3.0, np.inf),
            theory=lambda: 70 * math.log10(1 + math.exp(-1)) - math.log10(8),
        ),
    ),
)
