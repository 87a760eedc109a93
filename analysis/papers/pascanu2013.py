"""Pascanu, Mikolov & Bengio 2013: the difficulty of training recurrent networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SEEN, Claim, Frames, Range
from analysis.papers.measures import factor, slope, then
from analysis.papers.panels import THEORY, line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep

RADII = (0.9, 1.1)  # of W, which is drawn with 1 and times the scale
ALONE, DRIVEN = "rnn:inputs=0,spectral_radius=1", "rnn:spectral_radius=1"
WIDTH, DEEPEST, LEAST = 64, 121, 60  # steps, and after how many the largest eigenvalue alone is left


def runs(size: str) -> Mapping[str, Any]:
    """Recurrent networks whose matrix has a given spectral radius: linear, tanh with inputs, sigmoid."""
    seeds = {"smoke": 4, "quick": 24, "full": 100}[size]
    kind: dict[str, Any] = {"initializers": "gaussian", "depths": DEEPEST, "widths": WIDTH, "seeds": seeds}
    return {
        "linear": sweep(**kind, architectures=ALONE, activations="linear", scales=RADII),
        "tanh": sweep(**kind, architectures=DRIVEN, activations="tanh", scales=RADII),
        "sigmoid": sweep(**kind, architectures=ALONE, activations="sigmoid", scales=(2.0, 4.0)),
    }


def rate(table: str, **columns: Any) -> Any:
    """The factor of ‖∂y/∂h_t‖ a step back in time, over the steps farthest from the loss."""
    along = slope(f"{table}.layers", "log10_delta", "layer", most=DEEPEST - LEAST, **columns)
    return factor(then(along, lambda each: -each))


def plot_pascanu2013(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Gradients against the steps they have come back through: linear, tanh, sigmoid."""
    with panels(3, axes) as (linear, saturating, sigmoid):
        steps = np.arange(DEEPEST - 1)
        for ax, name in ((linear, "linear"), (saturating, "tanh"), (sigmoid, "sigmoid")):
            rows = frames[f"{name}.layers"]
            rows = rows.loc[rows["layer"] < DEEPEST].assign(ago=lambda each: DEEPEST - 1 - each["layer"])
            for place, (scale, of_one) in enumerate(rows.groupby("scale", sort=True)):
                line_over_seeds(ax, of_one, "ago", "log10_delta", place, label=f"λ = {scale:g}", marker=None)
        for radius in RADII:
            linear.plot(steps, steps * np.log10(radius), **THEORY)
        for ax in (linear, saturating, sigmoid):
            ax.set(xlabel="steps back in time")
        linear.set(ylabel=r"$\log_{10}\,\Vert\partial y/\partial h_t\Vert$")
        name_panels((linear, saturating, sigmoid), (r"linear (dashed: $\lambda^t$)", "tanh, with inputs", "sigmoid"))
        return linear.figure


QUANTITY = "factor of ‖∂y/∂h_t‖ a step back in time"
PAPER = Paper(
    name="pascanu2013",
    authors="Pascanu, Mikolov & Bengio",
    year=2013,
    title="On the difficulty of training Recurrent Neural Networks",
    arxiv="1211.5063",
    runs=runs,
    plot=plot_pascanu2013,
    claims=(
        Claim(
            name="linear vanishes",
            sentence="Linear networks' gradients vanish as the largest eigenvalue to the number of steps, if it is below 1",
            where="sec. 2.1",
            published="λ₁: 0.9",
            sure=SEEN,
            quantity=QUANTITY,
            measure=rate("linear", scale=0.9),
            accepts=Range(0.88, 0.92),
            theory=lambda: 0.9,
            because="other eigenvalues of nearly that size still count",
        ),
        Claim(
            name="linear explodes",
            sentence="… and explode so if it is above 1",
            where="sec. 2.1",
            published="λ₁: 1.1",
            sure=SEEN,
            quantity=QUANTITY,
            measure=rate("linear", scale=1.1),
            accepts=Range(1.08, 1.12),
            theory=lambda: 1.1,
            because="other eigenvalues of nearly that size still count",
        ),
        Claim(
            name="tanh vanishes",
            sentence="With tanh an eigenvalue below 1 is enough for vanishing",
            where="sec. 2.1, γ = 1",
            published="below 1",
            sure=SEEN,
            quantity=QUANTITY + ", λ₁ = 0.9",
            measure=rate("tanh", scale=0.9),
            accepts=Range(0.0, 0.95),
        ),
        Claim(
            name="not sufficient",
            sentence="One above 1 is necessary for exploding, not sufficient: saturated units damp it",
            where="sec. 2.1",
            published="may be below 1",
            sure=SEEN,
            quantity=QUANTITY + ", tanh, λ₁ = 1.1, with inputs",
            measure=rate("tanh", scale=1.1),
            accepts=Range(0.0, 0.99),
        ),
        Claim(
            name="sigmoid's quarter",
            sentence="With sigmoid units λ₁ below 4 is enough for vanishing",
            where="sec. 2.1, γ = ¼",
            published="below 1",
            sure=SEEN,
            quantity=QUANTITY + ", λ₁ = 2",
            measure=rate("sigmoid", scale=2.0),
            accepts=Range(0.0, 0.55),
            theory=lambda: 0.5,
        ),
    ),
)
