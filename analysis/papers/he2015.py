"""He, Zhang, Ren & Sun 2015: the variance that rectifiers need, and the depth at which Xavier's stalls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SECONDARY, Claim, Estimate, Frames, Range
from analysis.papers.estimates import mean_over_seeds, slopes
from analysis.papers.learning import FEW, MOST, at_others_best, fail, learn
from analysis.papers.panels import line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep, training
from bench.theory import predict

HE, XAVIER = "he_gaussian", "gaussian"  # variance 2/n and 1/n, of square matrices
NAMES = {HE: "He, variance 2/n", XAVIER: "Xavier, variance 1/n"}
WIDTH, DEEPEST = 128, 30


def runs(size: str) -> Mapping[str, Any]:
    """Gradients against depth, and training of 22 and 30 layers."""
    seeds, steps, rates = {
        "smoke": (4, 20, (0.01,)),
        "quick": (32, 400, (0.01, 0.1)),
        "full": (64, 3000, (0.003, 0.01, 0.03, 0.1)),
    }[size]
    depths = (2, 5, 10, 15, 22, DEEPEST)
    kind: dict[str, Any] = {"initializers": (XAVIER, HE), "activations": "relu", "scales": 1.0}
    learning: dict[str, Any] = {"learning_rates": rates, "target": "accuracy=0.5", "steps": steps, "batch": 32}
    return {
        "depth": sweep(**kind, depths=depths, widths=WIDTH, seeds=seeds, layers=False),
        "train": training(**kind, **learning, depths=(22, 30), widths=64, seeds=2 if size == "smoke" else 16),
    }


def _factor(initializer: str) -> Any:
    def measured(frames: Frames) -> Estimate:
        rows = frames["depth"]
        rows = rows.loc[rows["initializer"] == initializer]
        return Estimate(*(10 ** np.array(mean_over_seeds(slopes(rows, "log10_grad_first")))))

    return measured


def _theory(initializer: str) -> Any:
    def predicted() -> float:
        law = predict(initializer=initializer, activation="relu", width=WIDTH, depth=DEEPEST, scale=1.0)
        return 10**law.log10_grad_slope.mean

    return predicted


def plot_he2015(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Figs. 2 and 3: training error against steps, for 22 and 30 layers; and ‖∂y/∂W_1‖ against depth."""
    cells, chosen = frames["depth"], ["initializer", "depth", "seed", "learning_rate"]
    best = frames["train.curves"].merge(at_others_best(frames["train"])[chosen], on=chosen)
    best = best.assign(error=1 - best["accuracy"])
    with panels(3, axes) as (shallow, deep, gradients):
        for place, (initializer, name) in enumerate(NAMES.items()):
            for ax, depth in ((shallow, 22), (deep, 30)):
                rows = best.loc[(best["initializer"] == initializer) & (best["depth"] == depth)]
                line_over_seeds(ax, rows, "step", "error", place, marker=None)
                ax.set(xlabel="step", ylim=(0, 1))
            of_name = cells.loc[cells["initializer"] == initializer]
            line_over_seeds(gradients, of_name, "depth", "log10_grad_first", place, label=name)
        depth = np.arange(2, DEEPEST + 1)
        start = cells.loc[cells["depth"] == 2, "log10_grad_first"].median()
        gradients.plot(depth, start - (depth - 2) * np.log10(2) / 2, color="black", linewidth=0.8, label=r"$2^{-L/2}$")
        shallow.set_ylabel("training error")
        gradients.set(xlabel="depth L", ylabel=r"$\log_{10}\,\Vert\partial y/\partial W_1\Vert$")
        name_panels((shallow, deep, gradients), ("Fig. 2: 22 layers", "Fig. 3: 30 layers", "eq. 14: gradients"))
        return shallow.figure


PAPER = Paper(
    name="he2015",
    authors="He, Zhang, Ren & Sun",
    year=2015,
    title="Delving Deep into Rectifiers",
    arxiv="1502.01852",
    runs=runs,
    plot=plot_he2015,
    claims=(
        Claim(
            name="xavier's factor",
            sentence="With Xavier's variance a rectifier network's gradient shrinks by 1/√2 a layer",
            where="sec. 2.2, after eq. 14",
            published="1/√2^L",
            sure=SECONDARY,
            quantity="factor of ‖∂y/∂W₁‖ a layer, 2 to 30 layers",
            measure=_factor(XAVIER),
            accepts=Range(0.98 * 0.5**0.5, 1.02 * 0.5**0.5),
            theory=_theory(XAVIER),
            because="a typical network of finite width is below the root mean square, by 5/(4n) a layer",
        ),
        Claim(
            name="he's factor",
            sentence="With variance 2/n it neither grows nor shrinks",
            where="eqs. 10, 14",
            published="1",
            sure=SECONDARY,
            quantity="factor of ‖∂y/∂W₁‖ a layer, 2 to 30 layers",
            measure=_factor(HE),
            accepts=Range(0.98, 1.02),
            theory=_theory(HE),
            because="a typical network of finite width is below the root mean square, by 5/(4n) a layer",
        ),
        Claim(
            name="he trains 30",
            sentence="A 30-layer network with the new initialization converges",
            where="Fig. 3",
            published="converges",
            sure=SECONDARY,
            quantity="share of networks that learn, at the rate that is best for others",
            measure=learn("plain", 30, initializer=HE),
            accepts=MOST,
            because="our budget of steps is small beside theirs",
        ),
        Claim(
            name="xavier stalls at 30",
            sentence="A 30-layer network with Xavier's stalls completely",
            where="Fig. 3",
            published="stalls",
            sure=SECONDARY,
            quantity="share of networks that learn, at the rate that is best for others, where He's do",
            measure=fail(learn("plain", 30, initializer=XAVIER), learn("plain", 30, initializer=HE)),
            accepts=FEW,
        ),
        Claim(
            name="xavier trains 22",
            sentence="A 22-layer network converges with Xavier's too, later",
            where="Fig. 2",
            published="converges",
            sure=SECONDARY,
            quantity="share of networks that learn, at the rate that is best for others",
            measure=learn("plain", 22, initializer=XAVIER),
            accepts=MOST,
            because="theirs has 10⁵ steps on images, ours some hundred on digits, and 2^(-22/2) is 1/2000 of a gradient",
        ),
    ),
)
