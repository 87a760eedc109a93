"""Yang et al. 2019: batch normalization makes gradients explode, whatever the weights' variance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import RECALLED, SEEN, Claim, Estimate, Frames, Range
from analysis.papers.estimates import mean_over_seeds, slopes
from analysis.papers.measures import of, slope, then, value
from analysis.papers.panels import THEORY, line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep
from bench.theory import block_trajectory

COUNT, WIDTH = 16, 128
DEPTHS = (2, 5, 10, 20, 30)
LEAST = 5  # layers after which examples are as far apart as they get
ACTIVATIONS = {"relu": "ReLU", "linear": "linear"}
SCALES = (0.5, 2.0)


def runs(size: str) -> Mapping[str, Any]:
    """Networks with batch normalization before the activation, at two variances of weights."""
    seeds = {"smoke": 4, "quick": 24, "full": 64}[size]
    kind: dict[str, Any] = {"architectures": "batchnorm", "initializers": "gaussian", "layers": False}
    width, count = (64, 8) if size == "smoke" else (WIDTH, COUNT)  # then as other papers have, for the same programs
    kind |= {"depths": DEPTHS, "widths": width, "batch": count, "seeds": seeds}
    return {
        "relu": sweep(**kind, activations="relu", scales=SCALES),
        "linear": sweep(**kind, activations="linear", scales=SCALES[1]),
    }


def overlap(c: float) -> float:
    """J(c): the cosine that a ReLU makes of c, in units of its own mean square at c = 1."""
    return (math.sqrt(1 - c * c) + (math.pi - math.acos(c)) * c) / math.pi


def relu_rate(count: int) -> float:
    """Theorem 8: the factor of the gradient's mean square a layer."""
    c = -1 / (count - 1)
    j = overlap(c)
    derivative = (math.pi - math.acos(c)) / math.pi
    return (derivative + count - 1) / ((count - 3) * (1 - j)) - 1 / (count - 3)


def linear_rate(count: int) -> float:
    """The same without an activation."""
    return (count - 2) / (count - 3)


def rate(activation: str) -> Any:
    """The factor of the squared gradient a layer."""
    decades = slope(activation, "log10_grad_first", least=LEAST, scale=SCALES[1])
    return then(decades, lambda each: 10 ** (2 * each))


def of_the_scale(frames: Frames) -> Estimate:
    """Decades a layer at the larger variance of weights less those at the smaller one."""
    small, large = (slopes(of(frames["relu"], scale=scale), "log10_grad_first") for scale in SCALES)
    return mean_over_seeds(large - small)


def _alike() -> float:
    found = block_trajectory("batchnorm", "relu", 1.0, DEPTHS[-1], WIDTH, batch=COUNT)
    return float(found.cosine[-1]) if found else math.nan


def plot_yang2019(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Fig. 2: gradients against depth, at two variances of weights; and how alike examples become."""
    with panels(2, axes, width=5.2) as (gradients, alike):
        for place, (activation, label) in enumerate(ACTIVATIONS.items()):
            of_one = of(frames[activation], scale=SCALES[1])
            line_over_seeds(gradients, of_one, "depth", "log10_grad_first", place, label=label)
            line_over_seeds(alike, of_one, "depth", "cosine", place, label=label)
            depth = np.array(DEPTHS, float)
            middle = of_one.groupby("depth")["log10_grad_first"].median()
            per_layer = math.log10((relu_rate, linear_rate)[place](COUNT)) / 2
            gradients.plot(depth, middle.loc[LEAST] + per_layer * (depth - LEAST), **THEORY)
        of_one = of(frames["relu"], scale=SCALES[0])
        line_over_seeds(gradients, of_one, "depth", "log10_grad_first", 2, label="ReLU, weights / 4")
        gradients.set(xlabel="depth L", ylabel=r"$\log_{10}\,\Vert\partial y/\partial W_1\Vert$")
        alike.set(xlabel="depth L", ylabel="cosine of two examples")
        alike.axhline(_alike(), **THEORY)
        name_panels((gradients, alike), (f"Fig. 2: gradients, {COUNT} examples", "their fixed point"))
        return gradients.figure


BELOW = "of finite width: typical networks lie below the mean square that theory speaks of"
PAPER = Paper(
    name="yang2019",
    authors="Yang, Pennington, Rao, Sohl-Dickstein & Schoenholz",
    year=2019,
    title="A Mean Field Theory of Batch Normalization",
    arxiv="1902.08129",
    runs=runs,
    plot=plot_yang2019,
    claims=(
        Claim(
            name="ReLU's rate",
            sentence="With batch normalization and ReLU squared gradients grow by π/(π-1) a layer, by more for few examples",
            where="Thm. 8, Fig. 2",
            published=f"{relu_rate(COUNT):.3f} for {COUNT} examples (π/(π-1) = 1.467 for many)",
            sure=SEEN,
            quantity="factor of ‖∂y/∂W₁‖² a layer",
            measure=rate("relu"),
            accepts=Range(0.93 * relu_rate(COUNT), 1.07 * relu_rate(COUNT)),
            theory=lambda: relu_rate(COUNT),
            because=BELOW,
        ),
        Claim(
            name="linear rate",
            sentence="Linear networks explode too, as (B-2)/(B-3) for B examples: the normalization is the cause",
            where="sec. 4, appendix",
            published=f"{linear_rate(COUNT):.4f} for {COUNT} examples",
            sure=RECALLED,
            quantity="factor of ‖∂y/∂W₁‖² a layer",
            measure=rate("linear"),
            accepts=Range(1 + (linear_rate(COUNT) - 1) * 0.7, 1 + (linear_rate(COUNT) - 1) * 1.3),
            theory=lambda: linear_rate(COUNT),
            because=BELOW,
        ),
        Claim(
            name="no variance helps",
            sentence="It cannot be avoided by the variance of the weights",
            where="abstract, sec. 4",
            published="0",
            sure=SEEN,
            quantity="decades a layer at σ_w = 2 less those at ½",
            measure=of_the_scale,
            accepts=Range(-0.005, 0.005),
            theory=lambda: 0.0,
            because="the 10⁻⁵ that is added to variances",
        ),
        Claim(
            name="fixed point",
            sentence="All pairs of examples come to have the same cosine",
            where="sec. 3: BSB1",
            published="J(-1/(B-1)) of theory",
            sure=SEEN,
            quantity=f"mean cosine of two examples after {DEPTHS[-1] - 1} layers",
            measure=value("relu", "cosine", scale=SCALES[1], depth=DEPTHS[-1]),
            accepts=Range(_alike() - 0.05, _alike() + 0.05),
            theory=_alike,
        ),
    ),
)
