"""Schoenholz, Gilmer, Ganguli & Sohl-Dickstein 2017: depth scales of signals and gradients, and of training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import RECALLED, SECONDARY, Claim, Estimate, Frames, Range
from analysis.papers.estimates import by_seed, exactly, mean_over_seeds, median_over_seeds, slopes
from analysis.papers.learning import at_others_best
from analysis.papers.panels import THEORY, line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep, training
from bench.theory import fixed_point, predict

BIAS = 0.05  # σ_b²
ORDERED, CHAOTIC = 1.3, 2.5  # σ_w² of the measurements
WIDTH, DEPTHS = 256, (6, 12, 24, 48)
START = 5  # layers after which lengths are at their fixed point
TRAINED = {  # learning rates and σ_w² of trained networks; first the ends of the paper's Fig. 5, where ξ_c is shortest
    "ordered": ((0.003, 0.01, 0.03), (1.0, 1.2)),
    "chaotic": ((0.001, 0.003, 0.01), (4.0, 3.2)),
}
LEARNT = 0.8  # training accuracy
BECAUSE = {
    "ordered": "networks are narrow, steps and learning rates few",
    "chaotic": "networks are narrow and steps few: at width 128 (for 32), or with 3,200 steps (for 400), 4 ξ_c are trained",
}


def _std(variance: float) -> float:
    return float(f"{math.sqrt(variance):.12g}")


def _point(variance: float) -> Any:
    return fixed_point("tanh", weight_std=math.sqrt(variance), bias_std=math.sqrt(BIAS))


def runs(size: str) -> Mapping[str, Any]:
    """Two inputs and gradients at random weights, and training over depth in units of ξ_c, in both phases."""
    seeds, steps, trained, width, multiples = {
        "smoke": (3, 20, 2, 32, (2, 4)),
        "quick": (128, 400, 8, 32, range(2, 10)),
        "full": (256, 3000, 8, 128, range(2, 13)),
    }[size]
    kind: dict[str, Any] = {"activations": "tanh", "bias_stds": _std(BIAS)}
    signals = sweep(
        **kind,
        scales=[_std(ORDERED), _std(CHAOTIC)],
        depths=DEPTHS,
        widths=WIDTH,
        seeds=seeds,
        correlations=0.6,
        layers=False,
    )
    learning: dict[str, Any] = {"optimizers": "momentum", "batch": 32, "target": f"accuracy={LEARNT:g}"}
    learning |= {"widths": width, "steps": steps, "seeds": trained}
    found = {"signals": signals}
    for phase, (rates, variances) in TRAINED.items():
        variances = variances if size == "full" else variances[:1]
        depths = {max(2, round(multiple * _point(each).xi_c)) for each in variances for multiple in multiples}
        scales = [_std(each) for each in variances]
        found[phase] = training(**kind, **learning, scales=scales, depths=sorted(depths), learning_rates=rates)
    return found


def _at(frame: pd.DataFrame, variance: float) -> pd.DataFrame:
    return frame.loc[np.isclose(frame["scale"] ** 2, variance, rtol=1e-6)]


def correlation_scale(frames: Frames) -> Estimate:
    """ξ_c of the ordered phase, from the decay of 1 - c, over the theory's."""
    rows = _at(frames["signals.pairs"], ORDERED)
    rows = rows.loc[rows["depth"] >= START].assign(apart=lambda each: np.log(1 - each["cosine_last"]))
    return mean_over_seeds(-1 / slopes(rows, "apart") / _point(ORDERED).xi_c)


def gradient_scale(variance: float) -> Any:
    """1/|ln χ₁| of squared gradients, over the theory's, at that σ_w²."""

    def measured(frames: Frames) -> Estimate:
        rows = _at(frames["signals"], variance)
        rows = rows.loc[rows["depth"] >= START]
        growth = 2 * np.log(10) * slopes(rows, "log10_grad_first")
        return mean_over_seeds(growth / math.log(_point(variance).chi1))

    return measured


def gradient_theory(variance: float) -> Any:
    """The same number of a typical network of that width: the slope of mean logarithms, to leading order in 1/width."""

    def predicted() -> float:
        cell: dict[str, Any] = {"initializer": "gaussian", "activation": "tanh", "width": WIDTH, "bias_std": math.sqrt(BIAS)}
        ends = [
            predict(**cell, depth=each, scale=math.sqrt(variance)).log10_grad_first.mean for each in (DEPTHS[0], DEPTHS[-1])
        ]
        decades = (ends[1] - ends[0]) / (DEPTHS[-1] - DEPTHS[0])
        return 2 * math.log(10) * decades / math.log(_point(variance).chi1)

    return predicted


def _trained(rows: pd.DataFrame) -> list[tuple[float, pd.DataFrame]]:
    """For each σ_w² its ξ_c, and its networks at the rates that are best for others."""
    groups: Any = at_others_best(rows).groupby("scale", sort=True)
    return [(_point(scale**2).xi_c, of_scale) for scale, of_scale in groups]


def trainable(phase: str) -> Any:
    """The largest depth that is trained, over ξ_c; inf if it is the largest of all. The median over seeds and σ_w²."""

    def measured(frames: Frames) -> Estimate:
        found = []
        for xi, of_scale in _trained(frames[phase]):
            reached = of_scale["depth"].where(np.isfinite(of_scale["steps_to_target"]), 0.0)
            limits = by_seed(of_scale.assign(reached=reached), lambda rows: rows["reached"].max())
            found.extend(np.where(limits == of_scale["depth"].max(), np.inf, limits / xi))
        return median_over_seeds(found)

    return measured


def computed(_: str) -> Mapping[str, pd.DataFrame]:
    """The factor χ₁ along σ_w²."""
    variances = np.linspace(1.2, 2.4, 25)
    return {"factors": pd.DataFrame({"variance": variances, "chi1": [_point(float(each)).chi1 for each in variances]})}


def edge(frames: Frames) -> Estimate:
    """σ_w² where χ₁ = 1, between the points of the line."""
    rows = frames["factors"].sort_values("chi1")
    return exactly(np.interp(1.0, rows["chi1"], rows["variance"]))


def plot_schoenholz2017(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Figs. 2, 4 and 5: decay of correlations, gradients against depth, and trained accuracy against depth / ξ_c."""
    pairs, cells = frames["signals.pairs"], frames["signals"]
    with panels(3, axes) as (signals, gradients, training):
        for place, (variance, name) in enumerate(((ORDERED, "ordered"), (CHAOTIC, "chaotic"))):
            label = rf"{name}, $\sigma_w^2$ = {variance:g}"
            line_over_seeds(signals, _at(pairs, variance), "depth", "cosine_last", place)
            rows = _at(cells, variance)
            line_over_seeds(gradients, rows, "depth", "log10_grad_first", place, label=label)
            depth = np.array(sorted(set(rows["depth"])), float)
            slope = math.log10(_point(variance).chi1) / 2
            middle = rows.groupby("depth")["log10_grad_first"].median()
            gradients.plot(depth, middle.iloc[-1] + slope * (depth - depth[-1]), **THEORY)
            signals.axhline(_point(variance).c, **THEORY)
        for place, phase in enumerate(TRAINED):
            for xi, rows in _trained(frames[phase]):
                label = rf"$\sigma_w^2$ = {rows['scale'].iloc[0] ** 2:.2g}"
                rows = rows.assign(units=rows["depth"] / xi)
                line_over_seeds(training, rows, "units", "final_train_accuracy", place, label=label)
        training.axvline(6, label=r"6 $\xi_c$", **THEORY)
        signals.set(xlabel="depth L", ylabel="correlation of two inputs")
        label = r"$\log_{10}\,\Vert\partial y/\partial W_1\Vert$"
        gradients.set(xlabel="depth L", ylabel=label, ylim=(-1.7, None))
        training.set(xlabel=r"depth L / $\xi_c$", ylabel="training accuracy", ylim=(0, 1.02))
        name_panels((signals, gradients, training), ("Fig. 2: correlations", "Fig. 4: gradients", "Fig. 5: trained"))
        return signals.figure


PAPER = Paper(
    name="schoenholz2017",
    authors="Schoenholz, Gilmer, Ganguli & Sohl-Dickstein",
    year=2017,
    title="Deep Information Propagation",
    arxiv="1611.01232",
    runs=runs,
    computed=computed,
    plot=plot_schoenholz2017,
    claims=(
        Claim(
            name="correlation depth",
            sentence="Correlations of two inputs approach their fixed point as exp(-l/ξ_c)",
            where="eq. 9, Fig. 2",
            published="ξ_c of theory",
            sure=SECONDARY,
            quantity=f"measured ξ_c over theory's, ordered phase, σ_w² = {ORDERED:g}",
            measure=correlation_scale,
            accepts=Range(0.9, 1.1),
            theory=lambda: 1.0,
            because="at finite width lengths and cosines fluctuate, and the mean of a logarithm is not that of theory",
        ),
        Claim(
            name="gradients vanish",
            sentence="In the ordered phase squared gradients vanish as χ₁^L",
            where="eq. 18, Fig. 4",
            published="χ₁ of theory",
            sure=SECONDARY,
            quantity=f"measured ln of the factor a layer over ln χ₁, σ_w² = {ORDERED:g}",
            measure=gradient_scale(ORDERED),
            accepts=Range(0.9, 1.1),
            theory=gradient_theory(ORDERED),
            because="a typical network of finite width is below the root mean square that theory speaks of",
        ),
        Claim(
            name="gradients explode",
            sentence="In the chaotic phase they explode as χ₁^L",
            where="eq. 18, Fig. 4",
            published="χ₁ of theory",
            sure=SECONDARY,
            quantity=f"measured ln of the factor a layer over ln χ₁, σ_w² = {CHAOTIC:g}",
            measure=gradient_scale(CHAOTIC),
            accepts=Range(0.9, 1.1),
            theory=gradient_theory(CHAOTIC),
            because="a typical network of finite width is below the root mean square that theory speaks of",
        ),
        Claim(
            name="edge of chaos",
            sentence="At σ_b² = 0.05 ordered and chaotic phase meet near σ_w² = 1.76",
            where="Figs. 1, 5",
            published="1.76",
            sure=RECALLED,
            quantity="σ_w² with χ₁ = 1, of theory",
            measure=edge,
            accepts=Range(1.71, 1.81),
        ),
        *(
            Claim(
                name=f"trainable to 6 ξ_c, {phase}",
                sentence=f"Networks are trained to a depth of about 6 ξ_c, and no further, {phase} phase",
                where="Fig. 5",
                published="6",
                sure=SECONDARY,
                quantity=f"deepest trained network (to {LEARNT:.0%}), in units of ξ_c",
                measure=trainable(phase),
                accepts=Range(4.0, 9.0),
                because=because,
            )
            for phase, because in BECAUSE.items()
        ),
    ),
)
