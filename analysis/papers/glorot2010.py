"""Glorot & Bengio 2010: activations and gradients layer by layer, standard and normalized initialization."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SEEN, Claim, Estimate, Frames, Range
from analysis.papers.estimates import by_seed, mean_over_seeds, slopes
from analysis.papers.panels import line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep

HIDDEN = 5
NAMES = {"standard_uniform": "standard", "glorot_uniform": "normalized"}
LIMITS = {"standard_uniform": 1.0, "glorot_uniform": math.sqrt(3.0)}  # of the uniform law, in units of 1/√n


def runs(size: str) -> Mapping[str, Any]:
    """Five hidden layers, as in the paper of 1000 units each."""
    seeds, width = {"smoke": (3, 100), "quick": (8, 1000), "full": (20, 1000)}[size]
    layers = sweep(initializers=tuple(NAMES), activations="tanh", depths=HIDDEN + 1, scales=1.0, widths=width, seeds=seeds)
    return {"layers": layers}


def computed(size: str) -> Mapping[str, pd.DataFrame]:
    """The mean singular value of the Jacobian diag(φ′) W from each hidden layer to the next, at random inputs."""
    random, width, rows = np.random.default_rng(0), 100 if size == "smoke" else 400, []
    for seed in range(8):
        for name, limit in LIMITS.items():
            h = random.standard_normal(width)
            h *= math.sqrt(width) / np.linalg.norm(h)
            for layer in range(1, HIDDEN + 1):
                weights = random.uniform(-limit, limit, (width, width)) / math.sqrt(width)
                h = np.tanh(weights @ h)
                if layer > 1:
                    values = np.linalg.svd((1 - h**2)[:, None] * weights, compute_uv=False)
                    rows.append((name, layer, seed, float(values.mean())))
    return {"jacobians": pd.DataFrame(rows, columns=["initializer", "layer", "seed", "singular"])}


def _of(rows: pd.DataFrame, initializer: str) -> pd.DataFrame:
    return rows.loc[rows["initializer"] == initializer]


def backward(initializer: str) -> Any:
    """The factor on ‖∂y/∂z_l‖ from one hidden layer down to the next."""

    def measured(frames: Frames) -> Estimate:
        rows = _of(frames["layers.layers"], initializer)
        downwards = -slopes(rows.loc[rows["layer"] <= HIDDEN], "log10_delta", "layer")
        return Estimate(*(10 ** np.array(mean_over_seeds(downwards))))

    return measured


def weight_gradients(frames: Frames) -> Estimate:
    """The same of ‖∂y/∂W_l‖, hidden layers after the first, standard initialization."""
    rows = _of(frames["layers.layers"], "standard_uniform")
    rows = rows.loc[(rows["layer"] >= 2) & (rows["layer"] <= HIDDEN)]
    return Estimate(*(10 ** np.array(mean_over_seeds(-slopes(rows, "log10_grad", "layer")))))


def singular(initializer: str) -> Any:
    """The mean singular value over layers."""

    def measured(frames: Frames) -> Estimate:
        return mean_over_seeds(by_seed(_of(frames["jacobians"], initializer), lambda rows: rows["singular"].mean()))

    return measured


def plot_glorot2010(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Figs. 6 and 7, and the text after Fig. 7: activations, back-propagated gradients and weight gradients by layer."""
    layers = frames["layers.layers"]
    hidden = layers.loc[layers["layer"] <= HIDDEN]
    with panels(3, axes) as shown:
        columns = ("log10_activation", "log10_delta", "log10_grad")
        names = (r"\Vert h_l\Vert", r"\Vert\partial y/\partial z_l\Vert", r"\Vert\partial y/\partial W_l\Vert")
        for ax, column, name in zip(shown, columns, names, strict=True):
            for place, (initializer, word) in enumerate(NAMES.items()):
                line_over_seeds(ax, _of(hidden, initializer), "layer", column, place, label=word)
            ax.set(xlabel="hidden layer", ylabel=rf"$\log_{{10}}\,{name}$")
        name_panels(shown, ("Fig. 6: activations", "Fig. 7: back-propagated", "Fig. 8: weight gradients"))
        return shown[0].figure


PAPER = Paper(
    name="glorot2010",
    authors="Glorot & Bengio",
    year=2010,
    title="Understanding the difficulty of training deep feedforward neural networks",
    runs=runs,
    computed=computed,
    plot=plot_glorot2010,
    claims=(
        Claim(
            name="standard backward",
            sentence="With the standard initialization back-propagated gradients get smaller from layer to layer",
            where="sec. 4.3, Fig. 7, top; eqs. 6, 15",
            published="smaller; √(1/3) where units are linear",
            sure=SEEN,
            quantity="factor of ‖∂y/∂z_l‖ a layer downwards",
            measure=backward("standard_uniform"),
            accepts=Range(0.45, 0.7),
            theory=lambda: 1 / math.sqrt(3),
        ),
        Claim(
            name="normalized backward",
            sentence="With the normalized initialization they keep their size",
            where="sec. 4.3, Fig. 7, bottom",
            published="no such decrease",
            sure=SEEN,
            quantity="factor of ‖∂y/∂z_l‖ a layer downwards",
            measure=backward("glorot_uniform"),
            accepts=Range(0.9, 1.1),
            because="units at unit variance are not linear: tanh′ takes a part of the gradient in each layer",
        ),
        Claim(
            name="weight gradients",
            sentence="With the standard one the gradients of weights nevertheless have the same size in all layers",
            where="sec. 4.3, Fig. 8; eq. 14",
            published="roughly constant",
            sure=SEEN,
            quantity="factor of ‖∂y/∂W_l‖ a layer downwards",
            measure=weight_gradients,
            accepts=Range(0.9, 1.1),
            theory=lambda: 1.0,
        ),
        Claim(
            name="normalized jacobian",
            sentence="Layers' Jacobians have an average singular value near 0.8 with the normalized initialization",
            where="sec. 4.2.2, after eq. 17",
            published="around 0.8",
            sure=SEEN,
            quantity="mean singular value of ∂h_{l+1}/∂h_l",
            measure=singular("glorot_uniform"),
            accepts=Range(0.75, 0.85),
            theory=lambda: 8 / (3 * math.pi),
            because="8/(3π) is of linear units: tanh′ takes a part of it, and less of it from inputs shorter than ours",
        ),
        Claim(
            name="standard jacobian",
            sentence="… and near 0.5 with the standard one",
            where="sec. 4.2.2, after eq. 17",
            published="0.5",
            sure=SEEN,
            quantity="mean singular value of ∂h_{l+1}/∂h_l",
            measure=singular("standard_uniform"),
            accepts=Range(0.45, 0.55),
            theory=lambda: 8 / (3 * math.pi) / math.sqrt(3),
        ),
    ),
)
