"""Dong, Cordonnier & Loukas 2021: attention alone loses rank doubly exponentially with depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SECONDARY, Claim, Estimate, Frames, Range
from analysis.papers.estimates import by_seed, mean_over_seeds
from analysis.papers.measures import lines, of, then, value
from analysis.papers.panels import name_panels, panels
from analysis.papers.paper import Paper

ALONE, MLP, SKIP, BOTH = "attention", "attention, MLP", "attention, skip", "attention, MLP, skip"
KINDS = {kind: kind for kind in (ALONE, MLP, SKIP, BOTH)}
WIDTH, LENGTH, LAYERS = 64, 16, 12
NOISE = 1e-12  # of float64: below it a residual says nothing


def _softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def _distance(x: np.ndarray) -> np.ndarray:
    """‖X - 1 x̄ᵀ‖ / ‖X‖: how far positions are from being one, 0 of rank 1."""
    apart = x - x.mean(axis=-2, keepdims=True)
    return np.linalg.norm(apart, axis=(-2, -1)) / np.linalg.norm(x, axis=(-2, -1))


def computed(size: str) -> Mapping[str, pd.DataFrame]:
    """Distances from rank 1 layer by layer, of Xavier's weights; a sweep has no attention without a skip."""
    seeds, random, rows = {"smoke": 4, "quick": 24, "full": 200}[size], np.random.default_rng(0), []
    shape = (seeds, WIDTH, WIDTH)
    for kind in KINDS:
        x = random.standard_normal((seeds, LENGTH, WIDTH))
        for layer in range(LAYERS + 1):
            rows += [(kind, layer, seed, each) for seed, each in enumerate(np.log10(np.maximum(_distance(x), 1e-300)))]
            query, key, mix, first, second = random.standard_normal((5, *shape)) / np.sqrt(WIDTH)
            normal = x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True))  # as a normalization hands it on
            logits = (normal @ query) @ np.swapaxes(normal @ key, -1, -2) / np.sqrt(WIDTH)
            branch = _softmax(logits) @ (normal @ mix)
            x = x + branch if "skip" in kind else branch
            if "MLP" in kind:
                normal = x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True))
                branch = np.sqrt(2) * np.maximum(normal @ first, 0) @ second
                x = x + branch if "skip" in kind else branch
    return {"rank": pd.DataFrame(rows, columns=["kind", "layer", "seed", "log10_distance"])}


def power(kind: str) -> Any:
    """The mean power of one layer's distance that the next one's is: 3 of a doubly exponential collapse, 1 of none."""

    def one(rows: pd.DataFrame) -> float:
        decades = rows.sort_values("layer")["log10_distance"].to_numpy()
        decades = decades[decades > np.log10(NOISE)]
        decades = decades[decades < -0.3]  # asymptotic: distances below one half
        return float(np.polyfit(decades[:-1], decades[1:], 1)[0]) if len(decades) > 2 else np.nan

    def measured(frames: Frames) -> Estimate:
        found = by_seed(of(frames["rank"], kind=kind), one)
        return mean_over_seeds(found[np.isfinite(found)])

    return measured


def layers_to(decades: float, kind: str) -> Any:
    """Layers until the distance is so many decades below 1; one more than there are where it never is."""

    def one(rows: pd.DataFrame) -> float:
        below = rows.loc[rows["log10_distance"] < -decades, "layer"]
        return float(below.min()) if len(below) else LAYERS + 1.0

    return lambda frames: mean_over_seeds(by_seed(of(frames["rank"], kind=kind), one))


def plot_dong2021(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Fig. 2: distance from rank 1 against depth, with and without MLP and skip."""
    rows = frames["rank"]
    with panels(2, axes, width=5.6) as (far, near):
        for ax in (far, near):
            lines(ax, rows, "layer", "log10_distance", KINDS, "kind")
            ax.set(xlabel="layer")
        far.set(ylim=(-16.5, 0.5), ylabel=r"$\log_{10}$ distance from rank 1")
        near.set(ylim=(-1.5, 0.05))
        name_panels((far, near), ("Fig. 2: collapse (float64 ends at -16)", "the same, enlarged"))
        near.get_legend().remove()
        return far.figure


PAPER = Paper(
    name="dong2021",
    authors="Dong, Cordonnier & Loukas",
    year=2021,
    title="Attention is Not All You Need: Pure Attention Loses Rank Doubly Exponentially with Depth",
    arxiv="2103.03404",
    computed=computed,
    plot=plot_dong2021,
    claims=(
        Claim(
            name="doubly exponential",
            sentence="Attention alone takes the distance from rank 1 to its third power in every layer",
            where="Thm. 2.2",
            published="3 (an upper bound)",
            sure=SECONDARY,
            quantity="power of a layer's distance that the next one's is, distances ½ to 10⁻¹²",
            measure=power(ALONE),
            accepts=Range(2.5, 3.5),
            theory=lambda: 3.0,
        ),
        Claim(
            name="soon",
            sentence="… so that a few layers are enough",
            where="Fig. 2",
            published="a few layers",
            sure=SECONDARY,
            quantity="layers until the distance is 10⁻⁶",
            measure=layers_to(6, ALONE),
            accepts=Range(1.0, 8.0),
        ),
        Claim(
            name="skips prevent it",
            sentence="Skip connections prevent the collapse",
            where="sec. 3.1, Fig. 2",
            published="they prevent it",
            sure=SECONDARY,
            quantity=f"distance from rank 1 after {LAYERS} layers, with skips",
            measure=then(value("rank", "log10_distance", kind=SKIP, layer=LAYERS), lambda each: 10.0**each),
            accepts=Range(0.1, 1.0),
            because="positions become alike with skips too, as a power of 1/2 a layer (Noci et al. 2022)",
        ),
        Claim(
            name="MLPs slow it",
            sentence="MLPs slow it, to an exponential rate at worst",
            where="sec. 3.2, Cor. 3.2",
            published="3 λ, slower",
            sure=SECONDARY,
            quantity="layers until the distance is 10⁻⁶, with MLPs",
            measure=layers_to(6, MLP),
            accepts=Range(8.0, np.inf),
            because="random He-ReLU MLPs bring inputs together too; slowing a third power takes a large Lipschitz constant",
        ),
    ),
)
