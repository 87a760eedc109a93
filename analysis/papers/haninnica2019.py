"""Hanin & Nica 2019: products of many large random matrices and gradients in deep networks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SECONDARY, Claim, Estimate, Frames, Range
from analysis.papers.estimates import mean_over_seeds, quotient, share, variance_over_seeds
from analysis.papers.panels import QUALITATIVE, THEORY, name_panels, panels
from analysis.papers.paper import Paper, sweep
from bench.theory import predict

NARROW, WIDE = (32, 33), (64, 65)  # width and depth, of the same β = 5 · hidden layers / width = 5
SQUARED = 2 * math.log(10)  # from decades of a norm to ln of its square


def runs(size: str) -> Mapping[str, Any]:
    """He-ReLU networks, narrow and shallow or wide and deep, and others."""
    seeds = {"smoke": 60, "quick": 3000, "full": 10_000}[size]
    kind: dict[str, Any] = {"initializers": "he_gaussian", "activations": "relu", "scales": 1.0, "seeds": seeds}
    depths = (17, NARROW[1], WIDE[1])
    return {"norms": sweep(**kind, widths=(NARROW[0], WIDE[0]), depths=depths, layers=False)}


def log_squares(frames: Frames, width: int, depth: int) -> np.ndarray:
    """[seeds that live]: ln ‖∂y/∂W_1‖² - ln n, which is ln ‖Jᵀu‖² for a unit vector u."""
    rows = frames["norms"]
    rows = rows.loc[(rows["width"] == width) & (rows["depth"] == depth)]
    values = rows["log10_grad_first"].to_numpy(float)
    return SQUARED * values[np.isfinite(values)] - math.log(width)


def beta(width: int, depth: int) -> float:
    """5 Σ 1/n over the hidden layers."""
    return 5 * (depth - 1) / width


def _over_beta(estimate: Estimate, factor: float) -> Estimate:
    ends = sorted((estimate.low / factor, estimate.high / factor))
    return Estimate(estimate.value / factor, *ends)


def variance(frames: Frames) -> Estimate:
    """Var ln ‖·‖² over β, wide networks."""
    return _over_beta(variance_over_seeds(log_squares(frames, *WIDE)), beta(*WIDE))


def mean(frames: Frames) -> Estimate:
    """Its mean over -β/2. The mean square itself is halved, since the first layer's units are on or off."""
    return _over_beta(mean_over_seeds(log_squares(frames, *WIDE) + math.log(2)), -beta(*WIDE) / 2)


def only_the_ratio(frames: Frames) -> Estimate:
    """Var of the narrow and shallow over that of the wide and deep, which have the same β."""
    return quotient(*(variance_over_seeds(log_squares(frames, *each)) for each in (NARROW, WIDE)))


def within_one(frames: Frames) -> Estimate:
    """The share within one standard deviation of the mean."""
    values = log_squares(frames, *WIDE)
    return share(int(np.sum(np.abs(values - values.mean()) < values.std())), len(values))


def _theory_variance() -> float:
    law = predict(initializer="he_gaussian", activation="relu", width=WIDE[0], depth=WIDE[1], scale=1.0)
    return (SQUARED * law.log10_grad_first.std) ** 2 / beta(*WIDE)


def plot_haninnica2019(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Fig. 1: ln ‖Jᵀu‖² of random networks beside the normal law; and its variance against β."""
    with panels(2, axes, width=5.6) as (law, line):
        for place, (width, depth) in enumerate((NARROW, WIDE)):
            values = log_squares(frames, width, depth)
            words = {
                "histtype": "step",
                "color": QUALITATIVE[place],
                "linewidth": 1.2,
                "linestyle": ("solid", "dashed")[place],
            }
            law.hist(values, bins=40, density=True, label=f"n = {width}, {depth - 1} hidden layers", **words)
        b = beta(*WIDE)
        x = np.linspace(-b / 2 - math.log(2) - 4 * b**0.5, -b / 2 - math.log(2) + 4 * b**0.5, 200)
        law.plot(
            x, np.exp(-((x + b / 2 + math.log(2)) ** 2) / (2 * b)) / math.sqrt(2 * math.pi * b), label="N(-β/2, β)", **THEORY
        )
        rows = frames["norms"]
        for place, (width, of_width) in enumerate(rows.groupby("width", sort=True)):
            depths = sorted(set(of_width["depth"]))
            betas = [beta(int(width), depth) for depth in depths]
            found = [variance_over_seeds(log_squares(frames, int(width), depth)) for depth in depths]
            bars = np.abs(np.array([[e.value - e.low, e.high - e.value] for e in found]).T)
            line.errorbar(
                betas,
                [e.value for e in found],
                bars,
                fmt="os"[place],
                color=QUALITATIVE[place],
                markersize=3,
                label=f"n = {width}",
            )
        line.axline((0, 0), slope=1, label="β", **THEORY)
        law.set(xlabel=r"$\ln\,\Vert J^T u\Vert^2$", ylabel="density", ylim=(0, 0.34))
        line.set(xlabel=r"$\beta = 5\,\Sigma\,1/n$", ylabel="its variance")
        name_panels((law, line), ("the law at β = 5", "variance against β"))
        return law.figure


PAPER = Paper(
    name="haninnica2019",
    authors="Hanin & Nica",
    year=2019,
    title="Products of Many Large Random Matrices and Gradients in Deep Neural Networks",
    arxiv="1812.05994",
    runs=runs,
    plot=plot_haninnica2019,
    claims=(
        Claim(
            name="variance",
            sentence="The logarithm of a He-ReLU network's squared gradient has variance β = 5 Σ 1/n",
            where="Thm. 1",
            published="β",
            sure=SECONDARY,
            quantity="variance over β, n = 64, 64 hidden layers",
            measure=variance,
            accepts=Range(0.85, 1.15),
            theory=_theory_variance,
            because="β is the leading order in 1/n",
        ),
        Claim(
            name="mean",
            sentence="… and mean -β/2, so that a typical network is far below the mean square",
            where="Thm. 1",
            published="-β/2",
            sure=SECONDARY,
            quantity="mean over -β/2, n = 64, 64 hidden layers",
            measure=mean,
            accepts=Range(0.8, 1.2),
            because="β is the leading order in 1/n",
        ),
        Claim(
            name="only the ratio",
            sentence="Only the ratio of depth to width matters",
            where="Thm. 1",
            published="1",
            sure=SECONDARY,
            quantity="variance at n = 32 over that at n = 64, both β = 5",
            measure=only_the_ratio,
            accepts=Range(0.8, 1.25),
            theory=lambda: 1.0,
            because="the next order in 1/n: at n = 32 it is a twentieth",
        ),
        Claim(
            name="normal",
            sentence="It is nearly normal",
            where="Thm. 1, Fig. 1",
            published="normal",
            sure=SECONDARY,
            quantity="share within one standard deviation of the mean",
            measure=within_one,
            accepts=Range(0.64, 0.73),
            theory=lambda: math.erf(math.sqrt(0.5)),
        ),
    ),
)
