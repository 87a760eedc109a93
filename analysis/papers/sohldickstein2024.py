"""Sohl-Dickstein 2024: the boundary between learning rates that converge and that diverge is fractal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.boundary import Dimensions, boundary_dimensions, plot_boundary
from analysis.numbers.calibration import ERRORS
from analysis.numbers.published import DIMENSIONS
from analysis.papers.claim import RECALLED, SECONDARY, Claim, Estimate, Frames, Range
from analysis.papers.panels import QUALITATIVE, THEORY, name_panels, panels
from analysis.papers.paper import Paper, training

LARGEST, SMALLEST = 10.0, 0.01  # of a loss over the first one, as colours tell them apart


class Setup(NamedTuple):
    """One of the paper's six: its name, its dimension there, and what is trained."""

    title: str
    published: float
    rates: tuple[float, float]  # of the hidden layer, from and to: a window that the boundary crosses
    readout_rates: tuple[float, float]
    examples: int = 272  # as many as there are weights
    batch: int = 272
    activation: str = "tanh"
    scale: float = 2**0.5


SETUPS = {
    "tanh": Setup("tanh", 1.66, (10, 3000), (0.4, 2)),
    "relu": Setup("ReLU", 1.20, (1, 20), (0.1, 1), activation="relu"),
    "linear": Setup("linear", 1.17, (0.2, 2), (0.2, 2), examples=16, batch=16, activation="linear", scale=1.0),
    "minibatch": Setup("tanh, minibatches of 16", 1.55, (10, 3000), (0.4, 2), batch=16),
    "one": Setup("tanh, one example", 1.41, (0.1, 10), (0.1, 0.5), examples=1, batch=1),
}
READING = ERRORS["boxes"][256]  # how far box counts, which the paper's numbers are, are off on maps of known curves


def runs(size: str) -> Mapping[str, Any]:
    """One hidden layer, a network for each pair of learning rates; and a step on all examples, for the loss at the start."""
    side, steps = {"smoke": (64, 20), "quick": (128, 200), "full": (256, 500)}[size]

    def trained(setup: Setup, **fields: Any) -> Any:
        return training(
            task=f"noise:inputs=16,outputs=1,examples={setup.examples}",
            activations=setup.activation,
            scales=setup.scale,
            depths=2,
            widths=16,
            loss="mse",
            target="loss=0.1",
            **fields,
        )

    maps = {
        name: trained(
            setup,
            learning_rates=np.geomspace(*setup.rates, side),
            readout_learning_rates=np.geomspace(*setup.readout_rates, side),
            batch=setup.batch,
            steps=steps,
            curves=False,
        )
        for name, setup in SETUPS.items()
    }
    return maps | {"start": trained(SETUPS["tanh"], learning_rates=1.0, batch=SETUPS["tanh"].batch, steps=1)}


def mapped(frames: Frames, name: str) -> pd.DataFrame:
    """The rows of one map. With minibatches, convergence is by the loss of all examples at the end over that at the start.

    The suite's own measure is of what each step sees, and the first minibatch alone would decide it. The paper has the loss
    of all examples too, and its mean over the last 20 steps.
    """
    rows = frames[name]
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
    with panels(len(SETUPS) + 1, axes, rows=2, height=4.6) as (*planes, table):
        for plane, name in zip(planes, SETUPS, strict=True):
            plot_boundary(mapped(frames, name), ax=plane)
            plane.set(xlabel="rate of the hidden layer", ylabel="rate of the readout")
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
        table.set(xlabel="the paper's dimension", ylabel="ours", xlim=(1.1, 1.75), ylim=(0.6, 2.5))
        first, *others = (each.title for each in SETUPS.values())
        name_panels((*planes, table), (f"{first}: blue converges, red diverges", *others, "Table 1: dimensions"))
        table.get_legend().set_loc("upper left")  # where no error bar is
        return table.figure


def has_dimension(name: str) -> Claim:
    """The claim on one set-up, accepted within what box counts are off."""
    title, published = SETUPS[name][:2]
    last = "; it averages losses over 20 steps, here the last one decides" * (name == "minibatch")
    return Claim(
        name=title,
        sentence=f"The boundary of {title} has about the dimension {published:.2f}",
        where="Table 1",
        published=f"{published:.2f}; read as ± {READING:.2f}",
        sure=RECALLED,
        quantity="dimension by pairs of pixels",
        measure=by_pairs(name),
        accepts=Range(published - READING, published + READING),
        because=f"one window of one network, seen no finer than its pixels; the paper has the median over many zooms{last}",
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
            name="another initialization",
            sentence="So has that over the learning rate and the mean of the initial weights",
            where="Table 1",
            published="1.98",
            sure=RECALLED,
            because="the suite's initial weights have a scale and no mean to sweep",
        ),
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
