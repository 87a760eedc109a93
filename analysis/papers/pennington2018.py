"""Pennington, Schoenholz & Ganguli 2018: spectra of Jacobians fall into classes, by what slopes do near 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SEEN, Claim, Estimate, Frames, Range
from analysis.papers.estimates import mean_over_seeds
from analysis.papers.jacobians import singular_values
from analysis.papers.panels import look, name_panels, panels
from analysis.papers.paper import Paper
from bench.theory.moments import moments
from bench.theory.nonlinearities import nonlinearity

SPREAD, LAYERS = 0.25, 32  # variance over mean² of the squared singular values of all layers together
SMOOTH, CUT = ("tanh", "erf", "sine"), ("hard_tanh",)


def critical_length(activation: str, layers: int, spread: float) -> float:
    """The q at which orthogonal layers have that relative variance all together: layers (μ₂/μ₁² - 1) = spread."""
    grid = np.linspace(-8, 2, 2001)
    kurtosis = moments(nonlinearity(activation), grid).slope_kurtosis - 1
    return float(np.exp(np.interp(spread / layers, kurtosis, grid)))


def computed(size: str) -> Mapping[str, pd.DataFrame]:
    """Singular values of Jacobians whose mean and variance of squares are the same for all activations."""
    width, seeds = {"smoke": (40, 2), "quick": (128, 6), "full": (512, 8)}[size]
    frames = []
    for key, activation in enumerate((*SMOOTH, *CUT)):
        q = critical_length(activation, LAYERS, SPREAD)
        found = _at_constant_length(activation, q, width, seeds, key)
        frames.append(found.assign(activation=activation, q=q))
    return {"spectra": pd.concat(frames, ignore_index=True)}


def _at_constant_length(activation: str, q: float, width: int, seeds: int, key: int) -> pd.DataFrame:
    found = singular_values(activation, "orthogonal", width, (LAYERS,), std=1.0, seeds=seeds, length=q, key=key)
    scale = found.groupby("seed")["value"].transform(lambda each: np.sqrt(np.mean(each**2)))
    return found.assign(value=found["value"] / scale)


def distance(first: str, second: str) -> Any:
    """The largest distance of the distribution functions of two spectra (Kolmogorov), over pairs of seeds."""

    def measured(frames: Frames) -> Estimate:
        from scipy.stats import ks_2samp

        rows = frames["spectra"]
        one, other = (rows.loc[rows["activation"] == name].groupby("seed")["value"] for name in (first, second))
        tests: list[Any] = [ks_2samp(of_seed, other.get_group(seed)) for seed, of_seed in one]
        return mean_over_seeds([test.statistic for test in tests])

    return measured


def plot_pennington2018(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Figs. 2 and 3: distribution functions of singular values of the two classes, at the same mean and variance."""
    rows = frames["spectra"]
    with panels(1, axes, width=3.5) as (ax,):
        for place, (activation, of_kind) in enumerate(rows.groupby("activation", sort=False)):
            values = np.sort(of_kind["value"].to_numpy(float))
            words: Any = look(place) | {"marker": None}
            ax.plot(values, np.arange(1, len(values) + 1) / len(values), label=str(activation).replace("_", " "), **words)
        ax.set(xlabel=f"singular value, {LAYERS} layers", ylabel="share below", xlim=(0, 2.2))
        name_panels([ax], [rf"variance / mean² of squares: {SPREAD:g}"])
        return ax.figure


PAPER = Paper(
    name="pennington2018",
    authors="Pennington, Schoenholz & Ganguli",
    year=2018,
    title="The Emergence of Spectral Universality in Deep Networks",
    arxiv="1802.09979",
    computed=computed,
    plot=plot_pennington2018,
    claims=(
        Claim(
            name="tanh and erf",
            sentence="Deep orthogonal networks of smooth activations have one spectrum, whatever the activation",
            where="sec. 4, Fig. 3",
            published="the same law",
            sure=SEEN,
            quantity="Kolmogorov's distance of singular values, tanh and erf",
            measure=distance("tanh", "erf"),
            accepts=Range(0.0, 0.1),
        ),
        Claim(
            name="tanh and sine",
            sentence="… of others too",
            where="sec. 4, Fig. 3",
            published="the same law",
            sure=SEEN,
            quantity="Kolmogorov's distance of singular values, tanh and sine",
            measure=distance("tanh", "sine"),
            accepts=Range(0.0, 0.1),
        ),
        Claim(
            name="two classes",
            sentence="Activations whose slopes are 0 or 1 are of another class",
            where="sec. 4, Fig. 3",
            published="another law",
            sure=SEEN,
            quantity="Kolmogorov's distance of singular values, tanh and hard tanh",
            measure=distance("tanh", "hard_tanh"),
            accepts=Range(0.15, 1.0),
        ),
    ),
)
