"""Klambauer, Unterthiner, Mayr & Hochreiter 2017: SELU's fixed point, and what gradients do there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SEEN, Claim, Estimate, Frames, Range
from analysis.papers.estimates import by_seed, mean_over_seeds, slopes
from analysis.papers.panels import THEORY, line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep
from bench.theory import fixed_point

DEEPEST, NORMS = 64, (0.5, 1.0, 2.0)


def runs(size: str) -> Mapping[str, Any]:
    """SELU networks at σ_w = 1, for inputs of three lengths."""
    seeds, width = {"smoke": (3, 64), "quick": (16, 512), "full": (64, 1024)}[size]
    kind: dict[str, Any] = {"activations": "selu", "scales": 1.0, "widths": width, "seeds": seeds}
    return {"selu": sweep(**kind, depths=(2, 8, 16, 32, DEEPEST), input_norms=NORMS)}


def squares(frames: Frames) -> pd.DataFrame:
    """Rows of the deepest networks with the mean square of activations."""
    rows = frames["selu.layers"]
    rows = rows.loc[(rows["depth"] == DEEPEST) & (rows["layer"] < DEEPEST)]
    return rows.assign(square=10 ** (2 * rows["log10_activation"]) / rows["width"])


def last_square(frames: Frames) -> Estimate:
    """Mean square of activations in the last ten layers, from inputs twice as long as those of the fixed point."""
    rows = squares(frames)
    rows = rows.loc[(rows["input_norm"] == 2) & (rows["layer"] >= DEEPEST - 10)]
    return mean_over_seeds(by_seed(rows, lambda each: each["square"].mean()))


def contraction(frames: Frames) -> Estimate:
    """The factor a layer by which the squares of inputs of norm 0.5 and 2 √n approach one another, layers 2 to 10."""
    rows = squares(frames)
    rows = rows.loc[(rows["layer"] >= 2) & (rows["layer"] <= 10)]
    table = rows.pivot_table(index=["seed", "layer"], columns="input_norm", values="square")
    apart = np.log(table[2.0] / table[0.5]).rename("apart").reset_index()
    apart["apart"] = np.log(np.maximum(apart["apart"], 1e-9))
    return Estimate(*np.exp(mean_over_seeds(slopes(apart, "apart", "layer"))))


def growth(frames: Frames) -> Estimate:
    """Decades that ‖∂y/∂W_1‖ gains in 100 layers, inputs of norm √n."""
    rows = frames["selu"]
    rows = rows.loc[(rows["input_norm"] == 1) & (rows["depth"] >= 8)]
    return mean_over_seeds(100 * slopes(rows, "log10_grad_first"))


def plot_klambauer2017(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Fig. 2's contraction to (0, 1), from inputs of three lengths; and the gradient, which the paper does not draw."""
    rows, cells = squares(frames), frames["selu"]
    point = fixed_point("selu", weight_std=1.0, bias_std=0.0)
    with panels(2, axes, width=5.6) as (length, gradient):
        for place, norm in enumerate(NORMS):
            of_norm = rows.loc[rows["input_norm"] == norm]
            line_over_seeds(length, of_norm, "layer", "square", place, label=f"input {norm:g} √n", marker=None)
        length.axhline(1.0, **THEORY)
        line_over_seeds(gradient, cells.loc[cells["input_norm"] == 1], "depth", "log10_grad_first", label="measured")
        depth = np.array([2.0, DEEPEST])
        start = cells.loc[(cells["input_norm"] == 1) & (cells["depth"] == 2), "log10_grad_first"].median()
        gradient.plot(depth, start + (depth - 2) * math.log10(point.chi1) / 2, label="χ₁ = 1.072 a layer", **THEORY)
        length.set(yscale="log", xlabel="layer", ylabel="mean square of activations")
        length.minorticks_off()
        length.set_yticks([0.3, 0.5, 1, 2, 3], ["0.3", "0.5", "1", "2", "3"])
        gradient.set(xlabel="depth L", ylabel=r"$\log_{10}\,\Vert\partial y/\partial W_1\Vert$")
        name_panels((length, gradient), ("contraction to (0, 1)", "gradients"))
        return length.figure


PAPER = Paper(
    name="klambauer2017",
    authors="Klambauer, Unterthiner, Mayr & Hochreiter",
    year=2017,
    title="Self-Normalizing Neural Networks",
    arxiv="1706.02515",
    runs=runs,
    plot=plot_klambauer2017,
    claims=(
        Claim(
            name="fixed point",
            sentence="Activations converge to mean square 1 from inputs of other lengths",
            where="Thm. 1",
            published="1",
            sure=SEEN,
            quantity="mean square of activations after 54 to 63 layers, from inputs of norm 2 √n",
            measure=last_square,
            accepts=Range(0.9, 1.1),
            theory=lambda: fixed_point("selu", weight_std=1.0, bias_std=0.0).q,
        ),
        Claim(
            name="contraction",
            sentence="Near the fixed point the variance's distance to 1 shrinks by 0.7826 a layer",
            where="eq. 6",
            published="0.782648",
            sure=SEEN,
            quantity="factor a layer on ln of the ratio of mean squares",
            measure=contraction,
            accepts=Range(0.74, 0.84),
            theory=lambda: math.exp(-1 / fixed_point("selu", weight_std=1.0, bias_std=0.0).xi_q),
            because="from so far away it is not the linear rate of the fixed point",
        ),
        Claim(
            name="no explosion",
            sentence="Vanishing and exploding gradients are impossible",
            where="abstract; Thms. 2, 3",
            published="impossible",
            sure=SEEN,
            quantity="decades of ‖∂y/∂W₁‖ in 100 layers, inputs of norm √n",
            measure=growth,
            accepts=Range(-0.5, 0.5),
            theory=lambda: 50 * math.log10(fixed_point("selu", weight_std=1.0, bias_std=0.0).chi1),
            because="the theorems bound variances of activations; at their fixed point χ₁ = 1.072 is in the chaotic phase",
        ),
    ),
)
