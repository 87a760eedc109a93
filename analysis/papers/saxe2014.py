"""Saxe, McClelland & Ganguli 2014: learning time of deep linear networks, and the spectra behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.numbers.reached import learning_times
from analysis.papers.claim import SECONDARY, Claim, Estimate, Frames, Range
from analysis.papers.estimates import by_seed, mean_over_seeds, median_over_seeds, wide
from analysis.papers.learning import at_others_best
from analysis.papers.panels import line_over_seeds, look, name_panels, panels
from analysis.papers.paper import Paper, sweep, training

TASK = "saxe:inputs=4,outputs=4,values=2/1.5/1/0.5"
NAMES = {"gaussian": "Gaussian, scaled", "orthogonal": "random orthogonal"}
LAYERS, WIDTH = (1, 10, 50), 64  # of products of matrices
DEEP = 400


def runs(size: str) -> Mapping[str, Any]:
    """Learning times of linear networks; activity of tanh networks with orthogonal weights around g = 1."""
    depths, steps, seeds, rates = {
        "smoke": ((2, 5), 40, 2, (0.1,)),
        "quick": ((2, 5, 20, 100), 300, 16, (0.003, 0.01, 0.03, 0.1, 0.3)),
        "full": ((2, 3, 5, 10, 20, 50, 100), 2000, 16, (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)),
    }[size]
    learning = training(
        task=TASK,
        initializers=tuple(NAMES),
        activations="linear",
        depths=depths,
        scales=1.0,
        widths=16,
        learning_rates=rates,
        steps=steps,
        batch=4,
        loss="mse",
        target="loss=0.05",
        seeds=seeds,
        curves=False,
    )
    depths = (2, 5, 10, 20, 50, 100) if size == "smoke" else (2, 5, 10, 20, 50, 100, 200, DEEP)
    activity = sweep(
        initializers="orthogonal",
        activations="tanh",
        depths=depths,
        scales=(0.9, 0.95, 1.0, 1.05, 1.1),
        widths=WIDTH,
        seeds=8,
    )
    return {"train": learning, "activity": activity}


def computed(size: str) -> Mapping[str, pd.DataFrame]:
    """Singular values of products of random matrices, Gaussian and orthogonal."""
    rows, random = [], np.random.default_rng(0)
    for seed in range(2 if size == "smoke" else 8):
        for name in NAMES:
            product = np.eye(WIDTH)
            for layer in range(1, LAYERS[-1] + 1):
                drawn = random.standard_normal((WIDTH, WIDTH)) / np.sqrt(WIDTH)
                if name == "orthogonal":
                    q, r = np.linalg.qr(drawn)
                    drawn = q * np.sign(np.diag(r))
                product = drawn @ product
                if layer in LAYERS:
                    rows += [(name, layer, seed, value) for value in np.linalg.svd(product, compute_uv=False).tolist()]
    return {"spectra": pd.DataFrame(rows, columns=["initializer", "layers", "seed", "value"])}


def growth(initializer: str) -> Any:
    """How many times longer the deepest network learns than the one of 5 layers, each at its best rate; inf: never."""

    def measured(frames: Frames) -> Estimate:
        best = at_others_best(frames["train"])
        best = best.loc[best["initializer"] == initializer]
        times = wide(best, "steps_to_target", "depth")
        with np.errstate(invalid="ignore"):  # inf / inf: where neither learns nothing is known
            return median_over_seeds(times[max(times)].to_numpy() / times[5].to_numpy())

    return measured


def near_one(initializer: str) -> Any:
    """The share of singular values of 50 matrices within a factor of 2 of 1."""

    def measured(frames: Frames) -> Estimate:
        rows = frames["spectra"]
        rows = rows.loc[(rows["initializer"] == initializer) & (rows["layers"] == LAYERS[-1])]
        return mean_over_seeds(by_seed(rows, lambda each: float(np.mean(np.abs(np.log2(each["value"])) < 1))))

    return measured


def activity_lost(scale: float) -> Any:
    """Decades that mean activity loses from the tenth layer of the deepest network to its last."""

    def measured(frames: Frames) -> Estimate:
        rows = frames["activity.layers"]
        rows = rows.loc[np.isclose(rows["scale"], scale) & (rows["depth"] == rows["depth"].max())]
        last = rows["depth"].max() - 1
        ends = [rows.loc[rows["layer"] == layer].set_index("seed")["log10_activation"].sort_index() for layer in (10, last)]
        return mean_over_seeds((ends[0] - ends[1]).to_numpy())

    return measured


def plot_saxe2014(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Figs. 6, 7 and 8: learning time against depth, singular values of products, and activity around g = 1."""
    times, spectra, layers = learning_times(frames["train"]), frames["spectra"], frames["activity.layers"]
    with panels(3, axes) as (learning, values, activity):
        top = 1.6 * np.nanmax(times["median"].replace(np.inf, np.nan))
        for place, (initializer, name) in enumerate(NAMES.items()):
            rows = times.loc[times["initializer"] == initializer].sort_values("depth")
            median = rows["median"].to_numpy(float)
            learning.plot(rows["depth"], np.where(np.isfinite(median), median, np.nan), **look(place))
            never = ~np.isfinite(median)
            hollow = look(place) | {"linestyle": "none", "markerfacecolor": "white"}
            learning.plot(rows["depth"].to_numpy()[never], np.full(never.sum(), top), **hollow)
            of_name = spectra.loc[(spectra["initializer"] == initializer) & (spectra["layers"] == LAYERS[-1]), "value"]
            ordered = np.sort(np.maximum(of_name.to_numpy(), 1e-16))
            style = look(place) | {"marker": None}
            values.plot(ordered, np.arange(1, len(ordered) + 1) / len(ordered), **style, label=name)
        deepest = layers.loc[(layers["depth"] == layers["depth"].max()) & (layers["layer"] < layers["depth"])]
        for place, (scale, rows) in enumerate(deepest.groupby("scale", sort=True)):
            line_over_seeds(activity, rows, "layer", "log10_activation", place, label=f"g = {scale:g}", marker=None)
        learning.set(xscale="log", yscale="log", xlabel="depth L", ylabel="steps to the target (hollow: never)")
        values.set(xscale="log", xlim=(1e-9, 10), xlabel=f"singular value of {LAYERS[-1]} matrices", ylabel="share below")
        activity.set(xlabel="layer", ylabel=r"$\log_{10}\,\Vert h_l\Vert$")
        name_panels((learning, values, activity), ("Fig. 6: learning time", "Fig. 7: spectra", "Fig. 8: tanh, orthogonal"))
        return learning.figure


PAPER = Paper(
    name="saxe2014",
    authors="Saxe, McClelland & Ganguli",
    year=2014,
    title="Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
    arxiv="1312.6120",
    runs=runs,
    computed=computed,
    plot=plot_saxe2014,
    claims=(
        Claim(
            name="orthogonal depth",
            sentence="From random orthogonal weights learning time does not depend on depth",
            where="Fig. 6",
            published="a finite delay at any depth",
            sure=SECONDARY,
            quantity="steps at the deepest network over steps at 5 layers",
            measure=growth("orthogonal"),
            accepts=Range(0.0, 2.0),
        ),
        Claim(
            name="gaussian depth",
            sentence="From scaled Gaussian weights learning time grows with depth",
            where="Fig. 6",
            published="grows with depth",
            sure=SECONDARY,
            quantity="steps at the deepest network over steps at 5 layers (inf: never)",
            measure=growth("gaussian"),
            accepts=Range(2.0, np.inf),
        ),
        Claim(
            name="gaussian spectrum",
            sentence="Products of scaled Gaussian matrices have nearly all singular values near 0",
            where="Fig. 7",
            published="highly non-isotropic",
            sure=SECONDARY,
            quantity=f"share of the singular values of {LAYERS[-1]} matrices within a factor 2 of 1",
            measure=near_one("gaussian"),
            accepts=Range(0.0, 0.1),
        ),
        Claim(
            name="orthogonal spectrum",
            sentence="Products of orthogonal matrices have them all at 1",
            where="Fig. 7",
            published="1",
            sure=SECONDARY,
            quantity=f"share of the singular values of {LAYERS[-1]} matrices within a factor 2 of 1",
            measure=near_one("orthogonal"),
            accepts=Range(0.99, 1.0),
            theory=lambda: 1.0,
        ),
        Claim(
            name="below g = 1",
            sentence="With orthogonal weights below g_c = 1 the activity of a tanh network decays to 0",
            where="Fig. 8",
            published="g_c = 1",
            sure=SECONDARY,
            quantity="decades of activity lost from layer 10 to the last, g = 0.95",
            measure=activity_lost(0.95),
            accepts=Range(1.0, np.inf),
        ),
        Claim(
            name="above g = 1",
            sentence="Above it the activity stays finite at any depth",
            where="Fig. 8",
            published="g_c = 1",
            sure=SECONDARY,
            quantity="decades of activity lost from layer 10 to the last, g = 1.05",
            measure=activity_lost(1.05),
            accepts=Range(-1.0, 0.3),
        ),
    ),
)
