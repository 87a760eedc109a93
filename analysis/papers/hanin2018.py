"""Hanin 2018: which architectures give rise to exploding and vanishing gradients: those of a large Σ 1/n."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SEEN, Claim, Estimate, Frames, Range
from analysis.papers.estimates import quotient, variance_over_seeds
from analysis.papers.panels import THEORY, look, name_panels, panels
from analysis.papers.paper import Paper

SHAPES = {  # widths of hidden layers
    "equal, 16 layers": (40,) * 16,
    "equal, 40 layers": (40,) * 40,
    "10 and 70, 40 layers": (10, 70) * 20,
    "one layer of 2, 16 layers": (40,) * 15 + (2,),
    "wide, 40 layers": (100,) * 40,
}


def beta(shape: Sequence[int]) -> float:
    """Σ 1/n over the hidden layers."""
    return sum(1 / width for width in shape)


def computed(size: str) -> Mapping[str, pd.DataFrame]:
    """Ln ‖h_L‖² of He-ReLU networks of widths that differ, which those of a sweep do not.

    Given h, W h of Gaussian W is ‖h‖ √(2/n) times a standard normal vector: no matrix is drawn.
    """
    seeds, random, frames = 100 if size == "smoke" else 4000, np.random.default_rng(0), []
    for name, shape in SHAPES.items():
        total, before = np.zeros(seeds), shape[0]
        for width in shape:
            h = np.maximum(random.standard_normal((seeds, width)), 0)
            with np.errstate(divide="ignore"):
                total += np.log(2 * np.sum(h**2, axis=1) / before)
            before = width
        log_square = total - math.log(before / shape[0])
        frames.append(pd.DataFrame({"shape": name, "beta": beta(shape), "seed": np.arange(seeds), "log_square": log_square}))
    return {"norms": pd.concat(frames, ignore_index=True)}


def _variance(frames: Frames, name: str) -> Estimate:
    rows = frames["norms"]
    values = rows.loc[rows["shape"] == name, "log_square"].to_numpy(float)
    return variance_over_seeds(values[np.isfinite(values)])


def ratio(first: str, second: str) -> Any:
    """Variance of ln ‖h‖² of one shape over that of another."""

    def measured(frames: Frames) -> Estimate:
        return quotient(_variance(frames, first), _variance(frames, second))

    return measured


def a_beta(frames: Frames) -> Estimate:
    """Variance over Σ 1/n."""
    name = "equal, 40 layers"
    return Estimate(*(np.array(_variance(frames, name)) / beta(SHAPES[name])))


def plot_hanin2018(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Figs. 1 and 2: the spread of networks of several shapes, and its variance against Σ 1/n."""
    rows = frames["norms"]
    with panels(2, axes, width=6.2) as (spread, line):
        for place, (name, shape) in enumerate(SHAPES.items()):
            values = rows.loc[rows["shape"] == name, "log_square"].to_numpy(float)
            values = np.sort(values[np.isfinite(values)]) / math.log(10)
            words: Any = look(place) | {"label": name}
            spread.plot(values, np.arange(1, len(values) + 1) / len(values), **words | {"marker": None})
            found = _variance(frames, name)
            bars = [[found.value - found.low], [found.high - found.value]]
            hollow = {"linestyle": "none", "markerfacecolor": "none", "markersize": 4 + place}  # both of two at one place
            line.errorbar([beta(shape)], [found.value], bars, **words | hollow)
        line.axline((0, 0), slope=5, label="5 Σ 1/n", **THEORY)
        spread.set(xlabel=r"$\log_{10}\,\Vert h_L\Vert^2 / n$", ylabel="share of networks below")
        line.set(xlabel="Σ 1/n", ylabel=r"variance of $\ln\,\Vert h_L\Vert^2$", xlim=(0, None), ylim=(0, None))
        name_panels((spread, line), ("spread over networks", "its variance"))
        spread.get_legend().remove()
        return spread.figure


PAPER = Paper(
    name="hanin2018",
    authors="Hanin",
    year=2018,
    title="Which Neural Net Architectures Give Rise To Exploding and Vanishing Gradients?",
    arxiv="1801.03744",
    computed=computed,
    plot=plot_hanin2018,
    claims=(
        Claim(
            name="exponential in β",
            sentence="Fluctuations are exponential in β = Σ 1/n: the logarithm's variance grows as β",
            where="Thm. 1",
            published="exponential in β; 5 β from Hanin & Nica 2019",
            sure=SEEN,
            quantity="variance of ln ‖h_L‖² over β, 40 layers of 40",
            measure=a_beta,
            accepts=Range(4.0, 6.0),
            theory=lambda: 5.0,
        ),
        Claim(
            name="not depth",
            sentence="Depth alone does no harm: with layers 2.5 times as wide, 40 layers are as 16",
            where="sec. 3",
            published="1",
            sure=SEEN,
            quantity="variance of 40 layers of 100 over that of 16 of 40",
            measure=ratio("wide, 40 layers", "equal, 16 layers"),
            accepts=Range(0.75, 1.33),
            theory=lambda: 1.0,
        ),
        Claim(
            name="equal widths",
            sentence="For the same number of units, layers of equal width are best",
            where="sec. 3.2",
            published="above 1",
            sure=SEEN,
            quantity="variance of 10, 70, 10, … over that of 40, 40, 40, …",
            measure=ratio("10 and 70, 40 layers", "equal, 40 layers"),
            accepts=Range(1.2, math.inf),
            theory=lambda: beta(SHAPES["10 and 70, 40 layers"]) / beta(SHAPES["equal, 40 layers"]),
        ),
    ),
)
