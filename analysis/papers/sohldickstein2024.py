"""Sohl-Dickstein 2024: the boundary between learning rates that converge and that diverge is fractal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.boundary import boundary_dimensions, plot_boundary
from analysis.numbers.published import DIMENSIONS
from analysis.papers.claim import SECONDARY, Claim, Estimate, Frames, Range
from analysis.papers.panels import QUALITATIVE, THEORY, name_panels, panels
from analysis.papers.paper import Paper, training


def runs(size: str) -> Mapping[str, Any]:
    """One hidden layer of tanh, as many random examples as weights, a network for each pair of learning rates."""
    import bench

    side, steps = {"smoke": (64, 20), "quick": (64, 400), "full": (256, 500)}[size]
    rates = {"learning_rates": np.geomspace(10, 3000, side), "readout_learning_rates": np.geomspace(0.4, 2, side)}
    preset = bench.TRAININGS["boundary"].training
    fields = {name: getattr(preset, name) for name in ("task", "scales", "batch", "loss", "target")}
    return {"tanh": training(**fields, **rates, depths=2, widths=16, steps=steps, curves=False)}


def dimension(kind: str) -> Any:
    """Of the boundary, with the error that covers 95 % of curves of known dimension on such maps; no more than 2."""

    def measured(frames: Frames) -> Estimate:
        found = getattr(boundary_dimensions(frames["tanh"]), kind)
        return Estimate(found.slope, found.slope - found.error, min(found.slope + found.error, 2.0))

    return measured


def plot_sohldickstein2024(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Fig. 1: the map of convergence over both learning rates; and the boxes on its boundary."""
    found = boundary_dimensions(frames["tanh"])
    with panels(2, axes, width=5.8, height=2.7) as (plane, counts):
        plot_boundary(frames["tanh"], ax=plane)
        for place, (name, each) in enumerate(zip(("boxes", "pairs of pixels"), found, strict=True)):
            label = f"{name}: {each.slope:.2f} ± {each.error:.2f}"
            counts.plot(each.sizes, each.counts, "os"[place], color=QUALITATIVE[place], markersize=3.5, label=label)
        first = found[0]
        for slope in DIMENSIONS:
            counts.plot(first.sizes, first.counts[0] * (first.sizes / first.sizes[0]) ** -slope, **THEORY)
        counts.set(xscale="log", yscale="log", xlabel="side of a box (pixels)", ylabel="boxes on the boundary")
        plane.set(xlabel="learning rate of the hidden layer", ylabel="of the readout")
        name_panels((plane, counts), ("tanh: blue converges, red diverges", "dimension (dashed: 1.17, 1.98)"))
        return plane.figure


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
            sentence="The boundary is no line: its dimension is that of a fractal",
            where="abstract; Table 1",
            published="1.17 to 1.98 over six set-ups",
            sure=SECONDARY,
            quantity="dimension by pairs of pixels, tanh",
            measure=dimension("pairs"),
            accepts=Range(DIMENSIONS[0], 2.0),
            because="our window of learning rates is one at one resolution, and finer than its pixels nothing is seen",
        ),
        Claim(
            name="six set-ups",
            sentence="ReLU, linear, minibatches, one example and another initialization have dimensions of their own",
            where="Table 1",
            published="1.17 to 1.98",
            sure=SECONDARY,
            because="only tanh with full batches is among the suite's runs",
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
