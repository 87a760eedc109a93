"""Le, Jaitly & Hinton 2015: recurrent networks of rectified units that begin with the identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import RECALLED, SECONDARY, Claim, Frames, Range
from analysis.papers.measures import factor, of, slope, then
from analysis.papers.panels import line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep

CELL = "rnn:inputs=0"
WIDTH, DEEPEST, LEAST = 64, 151, 20
KINDS = {
    "identity": ("identity", "relu", 1.0),
    "0.5 × identity": ("identity", "relu", 0.5),
    "Gaussian, tanh": ("gaussian", "tanh", 0.5),
}


def runs(size: str) -> Mapping[str, Any]:
    """Identity and ReLU, and small Gaussian matrices with tanh, on their own: what is seen is W alone."""
    seeds = {"smoke": 4, "quick": 16, "full": 64}[size]
    kind: dict[str, Any] = {"architectures": CELL, "depths": DEEPEST, "widths": WIDTH, "seeds": seeds}
    return {
        "identity": sweep(**kind, initializers="identity", activations="relu", scales=(0.5, 1.0)),
        "gaussian": sweep(**kind, initializers="gaussian", activations="tanh", scales=(0.5, 1.0)),
    }


def rate(table: str, scale: float) -> Any:
    """The factor of ‖∂y/∂h_t‖ a step back in time."""
    along = slope(f"{table}.layers", "log10_delta", "layer", scale=scale, least=1, most=DEEPEST - LEAST)
    return factor(then(along, lambda each: -each))


def plot_le2015(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Gradients against the steps they have come back through."""
    with panels(1, axes, width=3.6) as (ax,):
        for place, (name, (scheme, _, scale)) in enumerate(KINDS.items()):
            rows = of(frames[f"{scheme}.layers"], scale=scale)
            rows = rows.loc[rows["layer"] < DEEPEST].assign(ago=lambda each: DEEPEST - 1 - each["layer"])
            line_over_seeds(ax, rows, "ago", "log10_delta", place, label=name, marker=None)
        ax.set(xlabel="steps back in time", ylabel=r"$\log_{10}\,\Vert\partial y/\partial h_t\Vert$")
        name_panels([ax], ["gradients through time"])
        return ax.figure


QUANTITY = "factor of ‖∂y/∂h_t‖ a step back in time"
PAPER = Paper(
    name="le2015",
    authors="Le, Jaitly & Hinton",
    year=2015,
    title="A Simple Way to Initialize Recurrent Networks of Rectified Linear Units",
    arxiv="1504.00941",
    runs=runs,
    plot=plot_le2015,
    claims=(
        Claim(
            name="identity",
            sentence="From the identity error derivatives stay constant through time",
            where="sec. 3",
            published="they remain constant",
            sure=SECONDARY,
            quantity=QUANTITY,
            measure=rate("identity", 1.0),
            accepts=Range(1 - 1e-6, 1 + 1e-6),
            theory=lambda: 1.0,
        ),
        Claim(
            name="small identity",
            sentence="A fraction of the identity forgets, as forget gates do",
            where="sec. 3, sec. 4.4 (0.01 I for speech)",
            published="the fraction: 0.5",
            sure=RECALLED,
            quantity=QUANTITY + ", ½ × identity",
            measure=rate("identity", 0.5),
            accepts=Range(0.5 - 1e-6, 0.5 + 1e-6),
            theory=lambda: 0.5,
        ),
        Claim(
            name="tanh vanishes",
            sentence="Tanh networks of small Gaussian matrices vanish",
            where="sec. 4, baselines",
            published="below 1; no number",
            sure=RECALLED,
            quantity=QUANTITY + ", σ = ½",
            measure=rate("gaussian", 0.5),
            accepts=Range(0.0, 0.7),
            theory=lambda: 0.5,
        ),
        Claim(
            name="adding problem",
            sentence="It solves the adding problem at 300 steps as LSTMs do",
            where="Fig. 1",
            published="as LSTMs",
            sure=RECALLED,
            because="the suite has no task of sequences",
        ),
    ),
)
