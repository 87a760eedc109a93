"""Poole, Lahiri, Raghu, Sohl-Dickstein & Ganguli 2016: lengths and correlations in random tanh networks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SEEN, Claim, Estimate, Frames, Range
from analysis.papers.estimates import mean_over_seeds, slopes
from analysis.papers.panels import THEORY, line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep
from bench.theory import fixed_point

BIAS = 0.3
STDS = (1.3, 2.5, 4.0)  # as in the paper
SHORT, LONG = 0.3, 3.0  # norms of inputs, in units of √n
FAR, NEAR = 0.6, 0.999999  # correlations of inputs
DEEPEST = 20


def runs(size: str) -> Mapping[str, Any]:
    """Inputs of three lengths, and pairs at two correlations, down 20 layers."""
    seeds, width = {"smoke": (3, 64), "quick": (10, 512), "full": (50, 1000)}[size]
    signals = sweep(
        activations="tanh",
        bias_stds=BIAS,
        scales=STDS,
        depths=(2, 3, 5, 7, 10, 14, DEEPEST),
        widths=width,
        input_norms=(SHORT, 1.0, LONG),
        correlations=(FAR, NEAR),
        seeds=seeds,
    )
    return {"signals": signals}


def lengths(frames: Frames) -> pd.DataFrame:
    """Rows of the deepest networks with q_l, the mean square of pre-activations, from the length of h_{l-1}."""
    rows = frames["signals.layers"]
    rows = rows.loc[(rows["depth"] == rows["depth"].max()) & (rows["layer"] < rows["depth"])]
    square = 10 ** (2 * rows["log10_activation"]) / rows["width"]
    return rows.assign(layer=rows["layer"] + 1, q=rows["scale"] ** 2 * square + BIAS**2)


def layers_to_meet(frames: Frames) -> Estimate:
    """The first layer in which short and long inputs have q within 10 % of one another, at the slowest of the three σ_w."""
    worst = []
    for _, rows in lengths(frames).groupby("scale"):
        q = rows.pivot_table(index=["seed", "layer"], columns="input_norm", values="q")
        met = q.loc[q[LONG] / q[SHORT] < 1.1].reset_index()
        worst.append(met.groupby("seed")["layer"].min().reindex(sorted(set(rows["seed"])), fill_value=rows["layer"].max()))
    return mean_over_seeds(np.max(worst, axis=0))


def correlation(std: float, start: float, depth: int) -> Any:
    """The correlation of two inputs after that many layers."""

    def measured(frames: Frames) -> Estimate:
        rows = _pairs(frames, std, start)
        return mean_over_seeds(rows.loc[rows["depth"] == depth, "cosine_last"])

    return measured


def stretching(frames: Frames) -> Estimate:
    """The factor a layer on 1 - c of two nearly equal inputs, σ_w = 2.5, from layer 4 on."""
    rows = _pairs(frames, 2.5, NEAR)
    rows = rows.loc[(rows["depth"] >= 5) & (rows["depth"] <= 14)]
    grown = slopes(rows.assign(apart=np.log(1 - rows["cosine_last"])), "apart")
    return Estimate(*np.exp(mean_over_seeds(grown)))


def _pairs(frames: Frames, std: float, start: float) -> pd.DataFrame:
    rows = frames["signals.pairs"]
    near = np.isclose(rows["scale"], std) & np.isclose(rows["correlation"], start, rtol=1e-9) & (rows["input_norm"] == 1)
    return rows.loc[near]


def plot_poole2016(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Figs. 1 and 2: lengths from long and short inputs, correlations, and the stretching of what is nearly equal."""
    q = lengths(frames)
    with panels(3, axes) as (length, far, near):
        for place, std in enumerate(STDS):
            of_std = q.loc[np.isclose(q["scale"], std)]
            for norm in (SHORT, LONG):
                line_over_seeds(length, of_std.loc[of_std["input_norm"] == norm], "layer", "q", place)
            line_over_seeds(far, _pairs(frames, std, FAR), "depth", "cosine_last", place)
            point = fixed_point("tanh", weight_std=std, bias_std=BIAS)
            length.axhline(point.q, **THEORY)
            far.axhline(point.c, **THEORY)
            rows = _pairs(frames, std, NEAR)
            rows = rows.assign(apart=np.log10(np.maximum(1 - rows["cosine_last"], 1e-15)))
            line_over_seeds(near, rows, "depth", "apart", place, label=rf"$\sigma_w$ = {std:g}")
            depth = np.array([3.0, 12.0])
            begin = rows.loc[rows["depth"] == 3, "apart"].median()
            near.plot(depth, np.minimum(begin + (depth - 3) * math.log10(point.chi1), 0), **THEORY)
        length.set(yscale="log", xlabel="layer", ylabel=r"length $q^l$")
        far.set(xlabel="depth L", ylabel=f"correlation, from {FAR:g}")
        near.set(xlabel="depth L", ylabel=r"$\log_{10}(1 - c)$, from $10^{-6}$")
        name_panels((length, far, near), ("Fig. 1: lengths", "Fig. 2: correlations", "stretching (dashed: theory)"))
        return length.figure


PAPER = Paper(
    name="poole2016",
    authors="Poole, Lahiri, Raghu, Sohl-Dickstein & Ganguli",
    year=2016,
    title="Exponential expressivity in deep neural networks through transient chaos",
    arxiv="1606.05340",
    runs=runs,
    plot=plot_poole2016,
    claims=(
        Claim(
            name="lengths converge",
            sentence="The length of a signal converges to its fixed point within a few layers, whatever it is at first",
            where="sec. 2, Fig. 1",
            published="about 4 layers",
            sure=SEEN,
            quantity="layer at which inputs of norm 3 and 0.3 √n are within 10 %, slowest of three σ_w",
            measure=layers_to_meet,
            accepts=Range(1.0, 6.0),
            because="σ_w = 1.3 is the slowest, and 10 % is our reading of a picture; theory has ξ_q = 1.3 there",
        ),
        Claim(
            name="ordered",
            sentence="At σ_w = 1.3 all inputs become alike",
            where="Fig. 2",
            published="c* = 1",
            sure=SEEN,
            quantity=f"correlation after {DEEPEST} layers, from {FAR:g}",
            measure=correlation(1.3, FAR, DEEPEST),
            accepts=Range(0.85, 1.0),
            theory=lambda: fixed_point("tanh", weight_std=1.3, bias_std=BIAS).c,
        ),
        Claim(
            name="chaotic",
            sentence="At σ_w = 2.5 inputs come to a correlation far below 1",
            where="Fig. 2",
            published="c* < 1, of theory",
            sure=SEEN,
            quantity=f"correlation after {DEEPEST} layers, from {FAR:g}",
            measure=correlation(2.5, FAR, DEEPEST),
            accepts=Range(-0.5, 0.5),
            theory=lambda: fixed_point("tanh", weight_std=2.5, bias_std=BIAS).c,
        ),
        Claim(
            name="stretching",
            sentence="In the chaotic phase nearly equal inputs part by χ₁ a layer",
            where="eq. 6",
            published="χ₁ of theory",
            sure=SEEN,
            quantity="factor a layer on 1 - c, from 10⁻⁶, σ_w = 2.5",
            measure=stretching,
            accepts=Range(1.48, 1.69),
            theory=lambda: fixed_point("tanh", weight_std=2.5, bias_std=BIAS).chi1,
            because="at finite width a typical network is below the mean, by a factor of order 1/n a layer",
        ),
        Claim(
            name="curvature",
            sentence="The global curvature of a curve of inputs grows exponentially with depth",
            where="Fig. 4",
            published="exponential",
            sure=SEEN,
            because="the suite follows two inputs, and no curve of them",
        ),
    ),
)
