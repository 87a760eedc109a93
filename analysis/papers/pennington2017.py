"""Pennington, Schoenholz & Ganguli 2017: dynamical isometry, which sigmoidal networks can have and rectifiers cannot."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SEEN, Claim, Estimate, Frames, Range
from analysis.papers.estimates import by_seed, mean_over_seeds
from analysis.papers.jacobians import singular_values
from analysis.papers.panels import THEORY, look, name_panels, panels
from analysis.papers.paper import Paper
from bench.theory import jacobian_spectrum

ROOT2 = math.sqrt(2)
KINDS = {  # activation, initializer, σ_w
    "linear, Gaussian": ("linear", "gaussian", 1.0),
    "ReLU, Gaussian": ("relu", "gaussian", ROOT2),
    "ReLU, orthogonal": ("relu", "orthogonal", ROOT2),
    "tanh, orthogonal": ("tanh", "orthogonal", 1.0),
}
DEPTHS = (2, 5, 10, 20)  # hidden layers
TANH_INPUT = 0.05  # norm of the input of tanh networks, in units of √n: a small q*


def computed(size: str) -> Mapping[str, pd.DataFrame]:
    """Squared singular values of Jacobians ∂h_L/∂h_0 of random networks."""
    width, seeds = {"smoke": (40, 2), "quick": (128, 48), "full": (512, 8)}[size]
    frames = []
    for kind, (activation, initializer, std) in KINDS.items():
        norm = TANH_INPUT if activation == "tanh" else 1.0
        found = singular_values(activation, initializer, width, DEPTHS, std=std, input_norm=norm, seeds=seeds)
        frames.append(found.assign(kind=kind))
    return {"spectra": pd.concat(frames, ignore_index=True)}


def relative_variance(kind: str, layers: int = DEPTHS[-1]) -> Any:
    """The variance of squared singular values over their squared mean."""

    def measured(frames: Frames) -> Estimate:
        rows = frames["spectra"]
        rows = rows.loc[(rows["kind"] == kind) & (rows["layers"] == layers)]
        return mean_over_seeds(by_seed(rows, _relative))

    return measured


def _relative(rows: pd.DataFrame) -> float:
    squares = rows["value"].to_numpy(float) ** 2
    return float(squares.var() / squares.mean() ** 2)


def _theory(kind: str) -> Any:
    activation, initializer, std = KINDS[kind]
    return lambda: jacobian_spectrum(activation, initializer, DEPTHS[-1] + 1, scale=std).relative


def plot_pennington2017(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Figs. 1 and 2: the spread of singular values against depth, and their law at the deepest."""
    rows = frames["spectra"]
    with panels(2, axes, width=6.2) as (growth, law):
        for place, (kind, (activation, initializer, std)) in enumerate(KINDS.items()):
            of_kind = rows.loc[rows["kind"] == kind]
            found = [float(np.mean(by_seed(of_kind.loc[of_kind["layers"] == each], _relative))) for each in DEPTHS]
            style = look(place) | {"linestyle": "none"}
            growth.plot(DEPTHS, np.maximum(found, 1e-9), **style, label=kind)
            if activation != "tanh":
                predicted = [jacobian_spectrum(activation, initializer, each + 1, scale=std).relative for each in DEPTHS]
                growth.plot(DEPTHS, predicted, **THEORY)
            values = np.sort(np.maximum(of_kind.loc[of_kind["layers"] == DEPTHS[-1], "value"].to_numpy(float), 1e-12))
            style = look(place) | {"marker": None}
            law.plot(values, np.arange(1, len(values) + 1) / len(values), **style)
        growth.set(xscale="log", yscale="log", xlabel="hidden layers", ylabel="variance / mean² of squared\nsingular values")
        growth.set_xticks(DEPTHS, [f"{each}" for each in DEPTHS])
        growth.minorticks_off()
        law.set(
            xscale="log",
            xlim=(1e-8, 20),
            xlabel=f"singular value of the Jacobian, {DEPTHS[-1]} layers",
            ylabel="share below",
        )
        name_panels((growth, law), ("spread against depth (dashed: theory)", "the law"))
        return growth.figure


PAPER = Paper(
    name="pennington2017",
    authors="Pennington, Schoenholz & Ganguli",
    year=2017,
    title="Resurrecting the sigmoid in deep learning through dynamical isometry",
    arxiv="1711.04735",
    computed=computed,
    plot=plot_pennington2017,
    claims=(
        Claim(
            name="gaussian",
            sentence="With Gaussian weights the spread of squared singular values grows as L, even in linear networks",
            where="eq. 17",
            published="L",
            sure=SEEN,
            quantity="variance over mean², linear, 20 layers",
            measure=relative_variance("linear, Gaussian"),
            accepts=Range(17.0, 23.0),
            theory=_theory("linear, Gaussian"),
            because="at finite width the few largest singular values of a network carry the variance",
        ),
        Claim(
            name="relu",
            sentence="Rectifier networks have no isometry, even with orthogonal weights",
            where="sec. 2.5.3",
            published="L",
            sure=SEEN,
            quantity="variance over mean², ReLU, orthogonal, 20 layers",
            measure=relative_variance("ReLU, orthogonal"),
            accepts=Range(17.0, 23.0),
            theory=_theory("ReLU, orthogonal"),
            because="at finite width the few largest singular values of a network carry the variance",
        ),
        Claim(
            name="tanh",
            sentence="Sigmoidal networks with orthogonal weights have, where pre-activations are small",
            where="sec. 2.5.3, Fig. 2",
            published="0 as q* → 0",
            sure=SEEN,
            quantity=f"variance over mean², tanh, orthogonal, 20 layers, inputs of {TANH_INPUT:g} √n",
            measure=relative_variance("tanh, orthogonal"),
            accepts=Range(0.0, 0.1),
        ),
        Claim(
            name="learning time",
            sentence="With isometry learning time grows as √L, and faster without",
            where="Fig. 3",
            published="√L",
            because="it needs learning rates searched at depths of hundreds of layers",
        ),
    ),
)
