"""Sohl-Dickstein 2024: the boundary between learning rates that converge and that diverge is fractal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.boundary import Dimensions, boundary_dimensions, plot_boundary
from analysis.numbers.best_rate import RATES
from analysis.numbers.calibration import ERRORS
from analysis.numbers.published import DIMENSIONS
from analysis.papers.claim import RECALLED, SECONDARY, Claim, Estimate, Frames, Range
from analysis.papers.panels import QUALITATIVE, THEORY, name_panels, panels
from analysis.papers.paper import Paper, training

LARGEST, SMALLEST = 10.0, 0.01  # of a loss over the first one, as colours tell them apart
# The paper's network is f(x) = θ₁ · φ(√2 θ₀ x / √n) / n with θ ~ N(0, 1), its loss has no ½. Ours, u · φ(W x), ‖u‖ = 1,
# and W ~ N(0, 1/n), is 4 f for n = 16 where inputs are √2 as large (of linear units 1, as there). For targets 4 times as
# large it moves as f does where both of our rates are 1/128 of the paper's.
TARGETS, RATE = 4, 1 / 128


class Setup(NamedTuple):
    """One of the paper's six: its name, its dimension there, and what is trained, in the paper's own units."""

    title: str
    published: float
    x: tuple[float, float]  # learning rates of the hidden layer, from and to: a window that the boundary crosses
    y: tuple[float, float]  # those of the readout
    examples: int = 272  # as many as there are weights
    batch: int = 272
    activation: str = "tanh"
    input_std: float = 2**0.5
    means: bool = False  # x is the mean of the initial weights, and both layers have the rate y


SETUPS = {
    "tanh": Setup("tanh", 1.66, (40, 12_000), (50, 250)),
    "relu": Setup("ReLU", 1.20, (4, 80), (13, 130), activation="relu"),
    "linear": Setup("linear", 1.17, (1.6, 16), (26, 260), examples=16, batch=16, activation="linear", input_std=1.0),
    "minibatch": Setup("tanh, minibatches of 16", 1.55, (40, 12_000), (20, 110), batch=16),
    "one": Setup("tanh, one example", 1.41, (0.4, 40), (13, 65), examples=1, batch=1),
    "mean": Setup("tanh, mean of the weights", 1.98, (0.1, 100), (15, 200), means=True),
}
READING = ERRORS["boxes"][256]  # how far box counts, which the paper's numbers are, are off on maps of known curves
MEAN = "gaussian:mean="


def runs(size: str) -> Mapping[str, Any]:
    """One hidden layer, a network for each pixel; and a step on all examples, for the loss at the start."""
    sides, steps = {"smoke": ((64, 64), 4), "quick": ((128, 256), 200), "full": ((256, 256), 500)}[size]

    def trained(setup: Setup, **fields: Any) -> Any:
        numbers = f"input_std={setup.input_std:.9g},target_std={TARGETS}"
        return training(
            task=f"noise:inputs=16,outputs=1,examples={setup.examples},{numbers}",
            activations=setup.activation,
            scales=1.0,
            depths=2,
            widths=16,
            loss="mse",
            target="loss=0.1",
            **fields,
        )

    def mapped(setup: Setup) -> Any:
        side = sides[setup.activation == "linear"]  # which takes a fourth of the time
        x, y = np.geomspace(*setup.x, side), RATE * np.geomspace(*setup.y, side)
        axes: dict[str, Any] = {"learning_rates": RATE * x, "readout_learning_rates": y}
        if setup.means:
            axes = {"initializers": [f"{MEAN}{mean:.9g}" for mean in x], "learning_rates": y}
        return trained(setup, **axes, batch=setup.batch, steps=steps, curves=False)

    start = trained(SETUPS["tanh"], learning_rates=1.0, batch=SETUPS["tanh"].batch, steps=1)
    return {name: mapped(setup) for name, setup in SETUPS.items()} | {"start": start}


def mapped(frames: Frames, name: str) -> pd.DataFrame:
    """The rows of one map, over the paper's own axes.

    With minibatches, convergence is by the loss of all examples at the end over that at the start. The suite's own measure
    is of what each step sees, and the first minibatch alone would decide it. The paper has the loss of all examples too, and
    its mean over the last 20 steps.
    """
    rows = frames[name]
    if SETUPS[name].means:
        means = rows["initializer"].str.removeprefix(MEAN).astype(float)
        return rows.assign(learning_rate=means, readout_learning_rate=rows["learning_rate"] / RATE, initializer="gaussian")
    rows = rows.assign(**{rate: rows[rate] / RATE for rate in RATES})
    if name != "minibatch":
        return rows
    ratio = rows["final_train_loss"] / float(frames["start.curves"]["loss"].iloc[0])
    ratio = ratio.fillna(LARGEST).clip(SMALLEST, LARGEST)  # no number: it diverged
    return rows.assign(convergence=np.where(ratio < 1, -ratio, 1 / ratio))


def dimensions(frames: Frames, name: str) -> Dimensions:
    """Of the boundary of one map, by boxes and by pairs of pixels."""
    return boundary_dimensions(mapped(frames, name))


def by_pairs(name: str) -> Any:
    """With the error that covers 95 % of curves of known dimension on such maps."""

    def measured(frames: Frames) -> Estimate:
        found = dimensions(frames, name).pairs
        return Estimate(found.slope, found.slope - found.error, found.slope + found.error)

    return measured


def plot_sohldickstein2024(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Fig. 1: the maps of convergence over both learning rates; and Table 1: their dimensions beside the paper's."""
    with panels(len(SETUPS) + 1, axes, rows=2, height=4.0) as (*planes, table):
        for plane, (name, setup) in zip(planes, SETUPS.items(), strict=True):
            plot_boundary(mapped(frames, name), ax=plane)
            plane.set(xlabel="mean of the weights" if setup.means else "rate of the hidden layer")
            plane.set(ylabel="rate of both layers" if setup.means else "rate of the readout")
        for place, (title, marker, face) in enumerate((("boxes", "s", "white"), ("pairs of pixels", "o", None))):
            for name, setup in SETUPS.items():
                found = dimensions(frames, name)[place]
                table.errorbar(
                    setup.published + 0.012 * place,
                    found.slope,
                    found.error,
                    marker=marker,
                    markersize=4,
                    markerfacecolor=face,
                    color=QUALITATIVE[place],
                    linewidth=0.9,
                    linestyle="none",
                    label=title if name == "tanh" else None,
                )
        table.plot(DIMENSIONS, DIMENSIONS, **THEORY)
        table.set(xlabel="the paper's dimension", ylabel="ours", xlim=(1.1, 2.05), ylim=(0.6, 2.5))
        first, *others = (each.title for each in SETUPS.values())
        name_panels((*planes, table), (f"{first}: blue converges, red diverges", *others, "Table 1: dimensions"))
        table.get_legend().set_loc("upper left")  # where no error bar is
        return table.figure


def has_dimension(name: str) -> Claim:
    """The claim on one set-up, accepted within what box counts are off."""
    title, published = SETUPS[name][:2]
    further = {
        "minibatch": "; it averages losses over 20 steps, here the last one decides",
        "mean": "; its published code adds the mean to the hidden layer's weights before every step, not once",
    }.get(name, "")
    return Claim(
        name=title,
        sentence=f"The boundary of {title} has about the dimension {published:.2f}",
        where="Table 1",
        published=f"{published:.2f}; read as ± {READING:.2f}",
        sure=RECALLED,
        quantity="dimension by pairs of pixels",
        measure=by_pairs(name),
        accepts=Range(published - READING, published + READING),
        because=f"one window of one network, no finer than its pixels; the paper has the median over many zooms{further}",
    )


PAPER = Paper(
    name="sohldickstein2024",
    authors="Sohl-Dickstein",
    year=2024,
    title="The boundary of neural network trainability is fractal",
    arxiv="2402.06184",
    runs=runs,
    plot=plot_sohldickstein2024,
    claims=(
        Claim(
            name="fractal",
            sentence="The boundary is a fractal: its dimension lies among the paper's, above a line's and below a plane's",
            where="abstract; Table 1",
            published="1.17 to 1.98 over six set-ups",
            sure=SECONDARY,
            quantity="dimension by pairs of pixels, tanh",
            measure=by_pairs("tanh"),
            accepts=Range(*DIMENSIONS),
            because="our window of learning rates is one at one resolution, and finer than its pixels nothing is seen",
        ),
        *(has_dimension(name) for name in SETUPS),
        Claim(
            name="ten decades",
            sentence="It stays so over ten decades of scale",
            where="Fig. 2",
            published="more than ten decades",
            sure=SECONDARY,
            because="it takes a map for each decade, in float64: depthscale plot boundary --zoom prints the next one",
        ),
    ),
)
