"""Philipp, Song & Carbonell 2018: the gradient scale coefficient of networks of 50 layers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import RECALLED, SECONDARY, Claim, Estimate, Frames, Range
from analysis.papers.estimates import mean_over_seeds
from analysis.papers.measures import of
from analysis.papers.panels import line_over_seeds, look, name_panels, panels
from analysis.papers.paper import Paper, sweep
from bench.theory import block_trajectory

LAYER, BATCH, SKIP = "normed", "batchnorm", "batchnorm:skip=true"
RUNS = {LAYER: "layer", BATCH: "batch", SKIP: "skip"}
WIDTH, DEEPEST, COUNT = 100, 51, 32
HIDDEN = DEEPEST - 1
KINDS = {  # architecture and activation: its name, and the coefficient in the paper's table
    (BATCH, "relu"): ("batch-ReLU", 5728.0),
    (BATCH, "tanh"): ("batch-tanh", 93.6),
    (LAYER, "tanh"): ("layer-tanh", 72.2),
    (SKIP, "relu"): ("batch-ReLU, skip", 4.11),
}


def runs(size: str) -> Mapping[str, Any]:
    """Fifty layers of 100 units: normalized over examples or units, without and with a skip."""
    few, many = {"smoke": (3, 6), "quick": (6, 48), "full": (50, 200)}[size]
    width, count = (64, 8) if size == "smoke" else (WIDTH, COUNT)  # then as other papers have, for the same programs
    kind: dict[str, Any] = {"scales": 1.0, "depths": DEEPEST, "widths": width, "initializers": "gaussian"}
    return {
        "layer": sweep(**kind, architectures=LAYER, activations="tanh", seeds=many),
        "batch": sweep(**kind, architectures=BATCH, activations=("relu", "tanh"), batch=count, seeds=few),
        "skip": sweep(**kind, architectures=SKIP, activations="relu", batch=count, seeds=few),
    }


def coefficients(frames: Frames, architecture: str, activation: str) -> pd.DataFrame:
    """Rows (seed, layer, gsc): log10 of GSC(l, L) = ‖J‖ ‖h_l‖ / ‖h_L‖, J of h_L by h_l and ‖J‖ its quadratic mean.

    The readout u is a unit vector of random direction, so that ‖Jᵀu‖ has that mean.
    """
    rows = of(frames[f"{RUNS[architecture]}.layers"], activation=activation)
    rows = rows.loc[rows["layer"] <= HIDDEN]
    last = rows.loc[rows["layer"] == HIDDEN].set_index("seed")["log10_activation"]
    return rows.assign(gsc=rows["log10_delta"] + rows["log10_activation"] - last.loc[rows["seed"]].to_numpy())


def gsc(architecture: str, activation: str) -> Any:
    """Log10 of GSC(1, L)."""
    return lambda frames: mean_over_seeds(of(coefficients(frames, architecture, activation), layer=1)["gsc"])


def theory(architecture: str, activation: str) -> Any:
    """The same, of infinite width."""

    def predicted() -> float:
        examples = 1 if architecture == LAYER else COUNT
        law = block_trajectory(architecture, activation, 1.0, DEEPEST, WIDTH, batch=examples)
        return float(law.log10_delta[0] + law.log10_activation[0] - law.log10_activation[-1]) if law else math.nan

    return predicted


def saved(frames: Frames) -> Estimate:
    """Decades of it that a skip saves."""
    without, with_skip = (
        of(coefficients(frames, name, "relu"), layer=1).set_index("seed")["gsc"].sort_index() for name in (BATCH, SKIP)
    )
    return mean_over_seeds((without - with_skip).to_numpy())


def plot_philipp2018(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Fig. 1: the coefficient from each layer to the last."""
    with panels(1, axes, width=4.4, height=2.6) as (ax,):
        for place, ((architecture, activation), (name, published)) in enumerate(KINDS.items()):
            rows = coefficients(frames, architecture, activation)
            line_over_seeds(ax, rows, "layer", "gsc", place, label=name, marker=None)
            ax.plot([0], [np.log10(published)], marker="<", color=look(place)["color"], markersize=4, linestyle="none")
        ax.set(xlabel="layer l", ylabel=r"$\log_{10}$ GSC(l, L)")
        name_panels([ax], ["Fig. 1 A; left: the paper's, from layer 1"])
        return ax.figure


def of_table(architecture: str, activation: str, factor: float, because: str = "") -> Claim:
    """The claim of one line of the table, which holds up to that factor."""
    name, published = KINDS[architecture, activation]
    middle, half = math.log10(published), math.log10(factor)
    return Claim(
        name=name,
        sentence=f"Fifty layers of 100 units, {name}, have a gradient scale coefficient of {published:g}",
        where="Table 1",
        published=f"log10 {published:g} = {middle:.2f}",
        sure=RECALLED,
        quantity="log10 of GSC(1, L)",
        measure=gsc(architecture, activation),
        accepts=Range(middle - half, middle + half),
        theory=theory(architecture, activation),
        because=because,
    )


FEW = f"batches are of {COUNT} examples here, and fewer explode faster"
PAPER = Paper(
    name="philipp2018",
    authors="Philipp, Song & Carbonell",
    year=2018,
    title="Gradients explode - Deep Networks are shallow - ResNet explained",
    arxiv="1712.05577",
    runs=runs,
    plot=plot_philipp2018,
    claims=(
        of_table(BATCH, "relu", 3.0, FEW),
        of_table(BATCH, "tanh", 2.0, FEW),
        of_table(LAYER, "tanh", 2.0),
        Claim(
            name="skips reduce it",
            sentence="Skip connections reduce it by orders of magnitude",
            where="abstract, Table 1",
            published="5728 to 4.11: 3.1 decades",
            sure=SECONDARY,
            quantity="decades of GSC(1, L) less than without, batch-ReLU",
            measure=saved,
            accepts=Range(2.0, np.inf),
            theory=lambda: theory(BATCH, "relu")() - theory(SKIP, "relu")(),
        ),
    ),
)
