"""Roberts, Yaida & Hanin 2022: universality classes of activations at criticality."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import RECALLED, SECONDARY, Claim, Estimate, Frames, Range
from analysis.papers.estimates import exactly, mean_over_seeds, variance_over_seeds
from analysis.papers.panels import QUALITATIVE, THEORY, line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep
from bench.theory import critical, trajectory

DEEPEST, FROM, WIDTH = 64, 10, 256
HALF_STABLE = ("gelu", "silu")


def runs(size: str) -> Mapping[str, Any]:
    """Tanh networks at criticality, and ReLU networks for their fluctuations."""
    seeds, width = {"smoke": (3, 32), "quick": (200, WIDTH), "full": (400, 2 * WIDTH)}[size]
    decay = sweep(initializers="critical", activations="tanh", scales=1.0, depths=DEEPEST, widths=width, seeds=seeds)
    spread = sweep(initializers="he_gaussian", activations="relu", scales=1.0, depths=33, widths=32, seeds=20 * seeds)
    return {"tanh": decay, "relu": spread}


def computed(_: str) -> Mapping[str, pd.DataFrame]:
    """Critical points of GELU and SiLU, and how lengths near GELU's run."""
    points = {name: critical(name) for name in HALF_STABLE}
    rows = [(name, point.weight_std**2, point.bias_std**2, point.q) for name, point in points.items()]
    return {"points": pd.DataFrame(rows, columns=["activation", "C_W", "C_b", "K"])}


def at_point(activation: str, column: str) -> Any:
    """A number of that activation's critical point."""

    def measured(frames: Frames) -> Estimate:
        rows = frames["points"].set_index("activation")
        return exactly(rows.loc[activation, column])

    return measured


def _kernels(frames: Frames) -> pd.DataFrame:
    rows = frames["tanh.layers"]
    rows = rows.loc[rows["layer"] < rows["depth"]]
    return rows.assign(inverse=rows["width"] / 10 ** (2 * rows["log10_activation"]))


def tanh_decay(frames: Frames) -> Estimate:
    """The slope of 1/K_l against the layer, K_l the mean square of activations over networks; Student's, of a jackknife."""
    rows = _kernels(frames)
    kernels = 1 / rows.loc[rows["layer"] >= FROM].pivot_table(index="seed", columns="layer", values="inverse")
    without = (kernels.sum() - kernels) / (len(kernels) - 1)
    whole, *others = np.polyfit(kernels.columns, 1 / np.vstack([kernels.mean(), without]).T, 1)[0]
    return mean_over_seeds(len(kernels) * whole - (len(kernels) - 1) * np.array(others))


def relu_spread(frames: Frames) -> Estimate:
    """The slope against l/n of the variance of ln K_l over networks."""
    rows = frames["relu.layers"]
    rows = rows.loc[rows["layer"] == rows["depth"].max() - 1]
    values = 2 * math.log(10) * rows["log10_activation"].to_numpy(float)
    ratio = rows["layer"].iloc[0] / rows["width"].iloc[0]
    return Estimate(*(np.array(variance_over_seeds(values[np.isfinite(values)])) / ratio))


def _tanh_theory() -> float:
    log_q = trajectory("tanh", 1.0, 0.0, DEEPEST).log_q  # of pre-activations, which here are the kernel of the layer before
    layers = np.arange(len(log_q))
    return float(np.polyfit(layers[FROM:], np.exp(-log_q[FROM:]), 1)[0])


def plot_roberts2022(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Ch. 5: the kernel of tanh at criticality, 1/K_l against the layer; fluctuations of ReLU; the half-stable points."""
    rows = _kernels(frames)
    spread = frames["relu.layers"]
    spread = spread.loc[spread["layer"] < spread["depth"]]
    with panels(3, axes) as (decay, fluctuation, points):
        line_over_seeds(decay, rows, "layer", "inverse", marker=None, label="measured")
        decay.axline((0, 1), slope=2, label="2 l", **THEORY)
        logs = spread.assign(value=2 * math.log(10) * spread["log10_activation"]).groupby("layer")["value"].var()
        fluctuation.plot(logs.index / spread["width"].iloc[0], logs, color=QUALITATIVE[0], label="measured")
        fluctuation.axline((0, 0), slope=5, label="5 l / n", **THEORY)
        for place, (_, row) in enumerate(frames["points"].iterrows()):
            points.plot(
                row["C_W"],
                row["C_b"],
                "os"[place],
                color=QUALITATIVE[place],
                label=f"{row['activation']}, K* = {row['K']:.3g}",
            )
        decay.set(xlabel="layer l", ylabel=r"$1/K_l$ of tanh")
        fluctuation.set(xlabel="l / n", ylabel=r"variance of $\ln K_l$, ReLU")
        points.set(xlabel=r"$C_W$", ylabel=r"$C_b$", xlim=(1.97, 2.0), ylim=(0, 0.8))
        name_panels((decay, fluctuation, points), ("K* = 0 class", "fluctuations", "half-stable points"))
        return decay.figure


def _point(activation: str, column: str, published: float, digits: str, half: float) -> Claim:
    words = {"C_W": "weight variance", "C_b": "bias variance", "K": "kernel"}[column]
    symbol = {"C_W": "C_W", "C_b": "C_b", "K": "K*"}[column]
    return Claim(
        name=f"{activation} {symbol}",
        sentence=f"{'GELU' if activation == 'gelu' else 'SiLU'} is critical at a nonzero kernel alone: its {words} there",
        where="sec. 5.3.4",
        published=digits,
        sure=RECALLED,
        quantity=symbol,
        measure=at_point(activation, column),
        accepts=Range(published - half, published + half),
    )


PAPER = Paper(
    name="roberts2022",
    authors="Roberts, Yaida & Hanin",
    year=2022,
    title="The Principles of Deep Learning Theory",
    arxiv="2106.10165",
    runs=runs,
    computed=computed,
    plot=plot_roberts2022,
    claims=(
        _point("gelu", "C_W", 1.98305, "1.98305", 5e-4),
        _point("gelu", "C_b", 0.17292, "0.17292", 5e-4),
        _point("silu", "C_W", 1.988, "1.98800", 5e-4),
        _point("silu", "C_b", 0.55514, "0.55514", 5e-4),
        _point("silu", "K", 14.32, "14.32017", 0.01),
        Claim(
            name="tanh decay",
            sentence="At criticality the kernel of tanh falls as 1/(2 l)",
            where="sec. 5.3.3",
            published="1/K_l = 2 l",
            sure=SECONDARY,
            quantity="slope of 1/K_l against l, layers 10 to 63",
            measure=tanh_decay,
            accepts=Range(1.8, 2.2),
            theory=_tanh_theory,
            because="at width 256 the kernel has corrections of order l/n",
        ),
        Claim(
            name="relu fluctuations",
            sentence="Fluctuations of the kernel between networks grow linearly with depth over width, as 5 l/n of ReLU",
            where="sec. 5.4",
            published="5",
            sure=SECONDARY,
            quantity="variance of ln K_l over l/n, ReLU, l = n = 32",
            measure=relu_spread,
            accepts=Range(4.0, 6.5),
            theory=lambda: 5.0,
        ),
    ),
)
