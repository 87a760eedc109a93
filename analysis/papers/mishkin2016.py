"""Mishkin & Matas 2016: layer-sequential unit variance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import RECALLED, Claim, Estimate, Frames, Range
from analysis.papers.estimates import by_seed, mean_over_seeds, slopes
from analysis.papers.panels import line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep
from bench.theory.moments import moments
from bench.theory.nonlinearities import nonlinearity

ACTIVATIONS, DEEPEST = ("relu", "tanh"), 20


def runs(size: str) -> Mapping[str, Any]:
    """LSUV networks, whose variances are then those of an input that they were not set by."""
    seeds, width = {"smoke": (3, 32), "quick": (24, 192), "full": (32, 256)}[size]
    kind: dict[str, Any] = {"initializers": ("lsuv", "gaussian"), "activations": ACTIVATIONS, "scales": 1.0}
    return {"lsuv": sweep(**kind, depths=(4, 8, DEEPEST), widths=width, seeds=seeds)}


def expected(activation: str) -> float:
    """E φ(z)² at unit variance of z."""
    return float(np.exp(moments(nonlinearity(activation), np.zeros(1)).log_value[0]))


def variance(activation: str) -> Any:
    """Mean over all layers of E h² over its value at unit variance of pre-activations."""

    def measured(frames: Frames) -> Estimate:
        rows = _of(frames["lsuv.layers"], "lsuv", activation)
        rows = rows.loc[(rows["depth"] == DEEPEST) & (rows["layer"] < DEEPEST)]
        square = rows.assign(square=10 ** (2 * rows["log10_activation"]) / rows["width"])
        return mean_over_seeds(by_seed(square, lambda each: each["square"].mean()) / expected(activation))

    return measured


def factor(activation: str) -> Any:
    """The factor of ‖∂y/∂W_1‖ a layer."""

    def measured(frames: Frames) -> Estimate:
        rows = _of(frames["lsuv"], "lsuv", activation)
        return Estimate(*(10 ** np.array(mean_over_seeds(slopes(rows, "log10_grad_first")))))

    return measured


def _of(rows: pd.DataFrame, initializer: str, activation: str) -> pd.DataFrame:
    return rows.loc[(rows["initializer"] == initializer) & (rows["activation"] == activation)]


def plot_mishkin2016(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Fig. 2's quantities at the start of training: variance of activations and size of gradients, layer by layer."""
    rows = frames["lsuv.layers"]
    rows = rows.loc[(rows["depth"] == DEEPEST) & (rows["layer"] < DEEPEST)]
    rows = rows.assign(square=2 * rows["log10_activation"] - np.log10(rows["width"]))
    with panels(2, axes, width=5.6) as (activations, gradients):
        for place, activation in enumerate(ACTIVATIONS):
            for initializer in ("lsuv", "gaussian"):
                words: Any = {"label": f"{initializer}, {activation}", "marker": None}
                words |= {"linestyle": "solid" if initializer == "lsuv" else "dotted"}
                of_kind = _of(rows, initializer, activation)
                line_over_seeds(activations, of_kind, "layer", "square", place, **words)
                line_over_seeds(gradients, of_kind, "layer", "log10_grad", place, **words)
        activations.set(xlabel="layer", ylabel=r"$\log_{10}\,\Vert h_l\Vert^2 / n$", ylim=(-8, 1))
        gradients.set(xlabel="layer", ylabel=r"$\log_{10}\,\Vert\partial y/\partial W_l\Vert$")
        name_panels((activations, gradients), ("activations", "gradients"))
        gradients.get_legend().remove()
        return activations.figure


PAPER = Paper(
    name="mishkin2016",
    authors="Mishkin & Matas",
    year=2016,
    title="All you need is a good init",
    arxiv="1511.06422",
    runs=runs,
    plot=plot_mishkin2016,
    claims=(
        *(
            Claim(
                name=f"unit variance, {activation}",
                sentence=f"After LSUV every layer has unit variance, {activation}",
                where="Algorithm 1",
                published="1 ± 0.1",
                sure=RECALLED,
                quantity=f"E h² over its value at unit variance, mean of {DEEPEST - 1} layers, new inputs",
                measure=variance(activation),
                accepts=Range(0.8, 1.2),
                theory=lambda: 1.0,
                because="variances are set on a batch; another input has a length of its own in a deep network",
            )
            for activation in ACTIVATIONS
        ),
        Claim(
            name="relu gradients",
            sentence="It works with rectifiers, as well as schemes that are made for them",
            where="Table 2",
            published="as He's",
            sure=RECALLED,
            quantity="factor of ‖∂y/∂W₁‖ a layer, ReLU",
            measure=factor("relu"),
            accepts=Range(0.97, 1.03),
            because="unit variance on a batch counts means too, and keeps less of a gradient than He's",
        ),
        Claim(
            name="tanh gradients",
            sentence="Unit variance in every layer is all that is needed, with tanh as well",
            where="title; Table 3",
            published="all you need",
            sure=RECALLED,
            quantity="factor of ‖∂y/∂W₁‖ a layer, tanh",
            measure=factor("tanh"),
            accepts=Range(0.97, 1.03),
            because="unit variance is not criticality: the factor is √(E φ′² / E φ²) at q = 1, for tanh 1.085",
        ),
    ),
)
