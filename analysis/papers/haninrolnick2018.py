"""Hanin & Rolnick 2018: how to start training: two failures, of the mean length and of its spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SEEN, Claim, Estimate, Frames, Range
from analysis.papers.estimates import mean_over_seeds, quotient
from analysis.papers.panels import THEORY, line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep

SCHEMES = {"he_gaussian": "He, 2/n", "gaussian": "1/n", "standard_uniform": "uniform, 1/(3n)"}
DEPTH, WIDTHS = 20, (16, 64)


def runs(size: str) -> Mapping[str, Any]:
    """Lengths of outputs, layer by layer."""
    seeds = {"smoke": 40, "quick": 500, "full": 5000}[size]
    kind: dict[str, Any] = {"activations": "relu", "scales": 1.0, "depths": DEPTH + 1, "seeds": seeds}
    return {"lengths": sweep(**kind, initializers=tuple(SCHEMES), widths=WIDTHS)}


def lengths(frames: Frames, initializer: str, width: int) -> pd.DataFrame:
    """[seeds, layers]: the mean squared activation M_l, over that of the input."""
    rows = frames["lengths.layers"]
    rows = rows.loc[(rows["initializer"] == initializer) & (rows["width"] == width) & (rows["layer"] <= DEPTH)]
    return 10 ** (2 * rows.pivot_table(index="seed", columns="layer", values="log10_activation")) / width


def factor(initializer: str) -> Any:
    """The factor on the mean of M_l over networks, from the first layer to the last, a layer."""

    def measured(frames: Frames) -> Estimate:
        found = lengths(frames, initializer, max(WIDTHS))
        mean = np.array(mean_over_seeds(found[DEPTH] / found[1].mean()))
        return Estimate(*(np.maximum(mean, 1e-300) ** (1 / (DEPTH - 1))))

    return measured


def spread(frames: Frames) -> Estimate:
    """How many times as much M_l varies between layers at n = 16 as at 64: the variance of ln M_{l+1} - ln M_l."""
    narrow, wide = (_steps(lengths(frames, "he_gaussian", width)).var(axis=1, ddof=1) for width in WIDTHS)
    return quotient(mean_over_seeds(narrow), mean_over_seeds(wide))


def _steps(found: pd.DataFrame) -> np.ndarray:
    """[seeds that live, layers - 1]: differences of ln M_l."""
    living = found.loc[(found > 0).all(axis=1)]
    return np.diff(np.log(living.to_numpy(float)), axis=1)


def step_variance(width: int) -> float:
    """The variance of ln M_{l+1} - ln M_l, which is 5/n for wide layers.

    Given h, n M_{l+1} / (2 M_l) is χ² with as many degrees of freedom as units are on: k, of the binomial law of n and ½.
    The variance is E ψ₁(k/2) + Var ψ(k/2), of k > 0.
    """
    from scipy.special import polygamma, psi
    from scipy.stats import binom

    on = np.arange(1, width + 1)
    weights = binom.pmf(on, width, 0.5)
    means, weights = psi(on / 2), weights / weights.sum()
    return float(weights @ (polygamma(1, on / 2) + (means - weights @ means) ** 2))


def plot_haninrolnick2018(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Figs. 1 and 3: output length against depth for several schemes, and its spread at two widths."""
    rows = frames["lengths.layers"]
    rows = rows.loc[rows["layer"] <= DEPTH]
    rows = rows.assign(square=2 * rows["log10_activation"] - np.log10(rows["width"]))
    with panels(2, axes, width=5.6) as (mean, fluctuating):
        for place, (scheme, name) in enumerate(SCHEMES.items()):
            of_scheme = rows.loc[(rows["initializer"] == scheme) & (rows["width"] == max(WIDTHS))]
            line_over_seeds(mean, of_scheme, "layer", "square", place, label=name, marker=None)
        for place, width in enumerate(WIDTHS):
            of_width = rows.loc[(rows["initializer"] == "he_gaussian") & (rows["width"] == width)]
            line_over_seeds(fluctuating, of_width, "layer", "square", place, label=f"He, n = {width}", marker=None)
        for ax in (mean, fluctuating):
            ax.axhline(0.0, **THEORY)
            ax.set(xlabel="layer", ylabel=r"$\log_{10}\,\Vert h_l\Vert^2 / n$")
        name_panels((mean, fluctuating), ("Fig. 1: lengths, medians", "their spread: bands, 10 to 90 %"))
        return mean.figure


PAPER = Paper(
    name="haninrolnick2018",
    authors="Hanin & Rolnick",
    year=2018,
    title="How to Start Training: The Effect of Initialization and Architecture",
    arxiv="1803.01719",
    runs=runs,
    plot=plot_haninrolnick2018,
    claims=(
        Claim(
            name="he keeps",
            sentence="The mean squared length of a rectifier network's output is kept at variance 2/n",
            where="Thm. 5 (i)",
            published="1",
            sure=SEEN,
            quantity="factor of the mean of ‖h_l‖² a layer",
            measure=factor("he_gaussian"),
            accepts=Range(0.97, 1.03),
            theory=lambda: 1.0,
        ),
        Claim(
            name="others vanish",
            sentence="At variance 1/n it vanishes exponentially, as 2^-L",
            where="Thm. 5 (i), Fig. 1",
            published="1/2",
            sure=SEEN,
            quantity="factor of the mean of ‖h_l‖² a layer",
            measure=factor("gaussian"),
            accepts=Range(0.48, 0.52),
            theory=lambda: 0.5,
        ),
        Claim(
            name="spread",
            sentence="Lengths vary from layer to layer by Σ 1/n: four times as much at a quarter of the width",
            where="Thm. 5 (ii)",
            published="4",
            sure=SEEN,
            quantity="variance of ln ‖h_{l+1}‖²/‖h_l‖² over layers, n = 16 over n = 64",
            measure=spread,
            accepts=Range(3.2, 5.0),
            theory=lambda: step_variance(WIDTHS[0]) / step_variance(WIDTHS[1]),
            because="Σ 1/n is the leading order: at n = 16 the next one is seen",
        ),
    ),
)
