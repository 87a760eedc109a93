"""Noci et al. 2022: transformers lose rank with skips too, and branches over √L prevent it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SEEN, Claim, Estimate, Frames, Range
from analysis.papers.estimates import mean_over_seeds
from analysis.papers.measures import lines, of, value
from analysis.papers.panels import THEORY, line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep
from bench.theory import block_trajectory

ONE, ROOT = "transformer:norm=none", "transformer:branch=1/sqrt(L),norm=none"
NAMES = {ONE: "branches as they are", ROOT: "branches / √L"}
WIDTH, LENGTH, DEPTHS = 32, 8, (2, 5, 9, 17)
DEEPEST = DEPTHS[-1]
LAYERS = 16  # of uniform attention


def runs(size: str) -> Mapping[str, Any]:
    """Both transformers without a normalization, at several depths; small queries and keys are not separate there."""
    seeds = {"smoke": 4, "quick": 24, "full": 100}[size]
    kind: dict[str, Any] = {"architectures": tuple(NAMES), "activations": "relu", "initializers": "gaussian", "scales": 1.0}
    return {"depth": sweep(**kind, depths=DEPTHS, widths=WIDTH, length=LENGTH, seeds=seeds)}


def computed(size: str) -> Mapping[str, pd.DataFrame]:
    """Uniform attention with a skip: cosines of positions, and gradients of y by queries and by values, layer by layer.

    At logits of 0 a query's gradient is Σ over positions of Δ_t ⊗ x_t with Δ = A′ of the softmax; it takes differences of
    positions, and so vanishes as they do. Rows: seed, layer, cosine, log10_query, log10_value.
    """
    seeds, random, rows = {"smoke": 4, "quick": 24, "full": 200}[size], np.random.default_rng(0), []
    for seed in range(seeds):
        x, states, drawn = random.standard_normal((LENGTH, WIDTH)), [], []
        for _ in range(LAYERS):
            key, mix = random.standard_normal((2, WIDTH, WIDTH)) / math.sqrt(WIDTH)
            states.append(x)
            drawn.append((key, mix))
            x = x + np.mean(x, axis=0) @ mix
        back = np.zeros_like(x)
        back[-1] = random.standard_normal(WIDTH)
        back /= np.linalg.norm(back)
        for layer in range(LAYERS, 0, -1):
            x, (key, mix) = states[layer - 1], drawn[layer - 1]
            values = x @ mix
            pull = back @ values.T / LENGTH  # ∂y/∂A of position t by position s, over T
            logits = pull - pull.mean(axis=1, keepdims=True)  # through the softmax at uniform weights
            query = x.T @ logits @ (x @ key) / math.sqrt(WIDTH)
            mean = x.mean(axis=0)
            of_value = np.outer(mean, back.sum(axis=0))
            gram = x @ x.T
            lengths = np.sqrt(np.diag(gram))
            cosines = (gram / np.outer(lengths, lengths))[np.triu_indices(LENGTH, 1)]
            sizes = [math.log10(max(float(np.linalg.norm(each)), 1e-300)) for each in (query, of_value)]
            rows.append((seed, layer, float(cosines.mean()), *sizes))
            back = back + np.tile(back.sum(axis=0) @ mix.T / LENGTH, (LENGTH, 1))
    frame = pd.DataFrame(rows, columns=["seed", "layer", "cosine", "log10_query", "log10_value"])
    return {"uniform": frame.assign(apart=lambda each: each["log10_query"] - each["log10_value"])}


def collapse(frames: Frames) -> Estimate:
    """Decades by which 1 - cosine falls over the last layers of uniform attention, a layer."""
    rows = frames["uniform"].assign(log=lambda each: np.log10(np.maximum(1 - each["cosine"], 1e-15)))
    ends = [of(rows, layer=layer).set_index("seed")["log"].sort_index() for layer in (8, LAYERS)]
    return mean_over_seeds(((ends[1] - ends[0]) / (LAYERS - 8)).to_numpy())


def deep_queries(frames: Frames) -> Estimate:
    """Decades that gradients of queries, over those of values, lose from layer 4 to layer 14."""
    ends = [of(frames["uniform"], layer=layer).set_index("seed")["apart"].sort_index() for layer in (4, 14)]
    return mean_over_seeds((ends[1] - ends[0]).to_numpy())


def _alike(architecture: str) -> Any:
    def predicted() -> float:
        found = block_trajectory(architecture, "relu", 1.0, DEEPEST, WIDTH, length=LENGTH)
        return float(found.cosine[-1]) if found else math.nan

    return predicted


def plot_noci2022(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Fig. 1: cosines of positions against depth; and gradients of queries and values, layer by layer."""
    uniform = frames["uniform"]
    with panels(3, axes) as (alike, attention, gradients):
        lines(alike, frames["depth"], "depth", "cosine", NAMES)
        apart = uniform.assign(apart=np.log10(np.maximum(1 - uniform["cosine"], 1e-15)))
        line_over_seeds(attention, apart, "layer", "apart", 0, label="measured")
        layers = np.arange(LAYERS)
        attention.plot(layers + 1, -np.log10(1 + (2.0**layers - 1) / LENGTH), label=r"1 / (1 + ($2^l$ - 1)/T)", **THEORY)
        line_over_seeds(gradients, uniform, "layer", "log10_query", 0, label="queries")
        line_over_seeds(gradients, uniform, "layer", "log10_value", 1, label="values")
        alike.set(xlabel="depth L", ylabel="cosine of two positions", ylim=(0, 1))
        attention.set(xlabel="layer", ylabel=r"$\log_{10}$ (1 - cosine)")
        gradients.set(xlabel="layer", ylabel=r"$\log_{10}$ gradient")
        name_panels((alike, attention, gradients), ("Fig. 1: transformers", "uniform attention, skip", "its gradients"))
        return alike.figure


PAPER = Paper(
    name="noci2022",
    authors="Noci, Anagnostidis, Biggio, Orvieto, Singh & Lucchi",
    year=2022,
    title="Signal Propagation in Transformers: Theoretical Perspectives and the Role of Rank Collapse",
    arxiv="2206.03126",
    runs=runs,
    computed=computed,
    plot=plot_noci2022,
    claims=(
        Claim(
            name="collapse with skips",
            sentence="With skips and uniform attention positions become alike as 2^-l",
            where="Lemma 3.2",
            published="log10 ½ = -0.30",
            sure=SEEN,
            quantity="decades of 1 - cosine a layer, layers 8 to 16",
            measure=collapse,
            accepts=Range(-0.33, -0.27),
            theory=lambda: -math.log10(2.0),
        ),
        Claim(
            name="queries vanish",
            sentence="Where they are alike the gradients of queries and keys vanish, those of values do not",
            where="Thm. 3.1",
            published="0 in the limit",
            sure=SEEN,
            quantity="decades that queries' gradients, over values', lose from layer 4 to 14",
            measure=deep_queries,
            accepts=Range(-np.inf, -1.0),
            because="without a normalization positions' differences stay and what they share grows: neither falls",
        ),
        Claim(
            name="transformers collapse",
            sentence="Transformers with skips and no further factor lose rank with depth",
            where="Fig. 1",
            published="cosine → 1",
            sure=SEEN,
            quantity=f"cosine of two positions after {DEEPEST - 1} blocks",
            measure=value("depth", "cosine", architecture=ONE, depth=DEEPEST),
            accepts=Range(0.85, 1.01),  # a mean's interval may pass the largest cosine
            theory=_alike(ONE),
            because="their attention is not uniform: with large activations each position looks at one other",
        ),
        Claim(
            name="1/√L keeps rank",
            sentence="Branches over √L keep the rank at any depth",
            where="Thm. 3.3, Fig. 1",
            published="below 1",
            sure=SEEN,
            quantity=f"cosine of two positions after {DEEPEST - 1} blocks",
            measure=value("depth", "cosine", architecture=ROOT, depth=DEEPEST),
            accepts=Range(0.0, 0.8),
            theory=_alike(ROOT),
        ),
    ),
)
