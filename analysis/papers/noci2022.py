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
from analysis.papers.panels import THEORY, name_panels, panels
from analysis.papers.paper import Paper, sweep
from bench.theory import block_trajectory

ONE, ROOT = "transformer:norm=post", "transformer:branch=1/sqrt(L),norm=post"
NAMES = {ONE: "branches as they are", ROOT: "branches / √L"}
WIDTH, LENGTH, DEPTHS = 32, 8, (2, 5, 9, 17)
DEEPEST = DEPTHS[-1]
LAYERS, MEAN_WIDTH = 22, 128  # of uniform attention: so wide and from its tenth layer on, the theorem's limit is near
NONE, POST = "none", "post"
NORMS = {NONE: "no normalization", POST: "post-LN"}


def runs(size: str) -> Mapping[str, Any]:
    """Post-LN transformers, as theirs of Fig. 1, with branches as they are and over √L, at several depths."""
    seeds = {"smoke": 4, "quick": 24, "full": 100}[size]
    length = 4 if size == "smoke" else LENGTH  # then as other papers have, so that the same programs serve them
    kind: dict[str, Any] = {"architectures": tuple(NAMES), "activations": "relu", "initializers": "gaussian", "scales": 1.0}
    return {"depth": sweep(**kind, depths=DEPTHS, widths=WIDTH, length=length, seeds=seeds)}


def uniform_attention(
    x: np.ndarray, keys: np.ndarray, mixes: np.ndarray, readout: np.ndarray, *, normalized: bool
) -> list[tuple[float, float, float]]:
    """(mean cosine of two positions, log10 ‖∂y/∂W_Q‖, log10 ‖∂y/∂W_V‖) of every layer, where queries are zero.

    ::

        x ← N(x + softmax(x W_Q (x W_K)ᵀ / √n) x W_V),   y = u · x at the last position,   N: LN of the sum, or none

    x [T, n] and the readout u [n]; keys W_K and mixes W_V [layers, n, n]. With W_Q = 0 every position attends to all of them
    alike; W_Q's gradient takes their differences, and so vanishes as these do.
    """
    length, width = x.shape
    states, scales = [x], []
    for mix in mixes:
        total = x + x.mean(axis=0) @ mix
        scale = total.std(axis=1, keepdims=True) if normalized else 1.0
        x = (total - total.mean(axis=1, keepdims=True)) / scale if normalized else total
        states.append(x)
        scales.append(scale)
    back, rows = np.zeros_like(x), []
    back[-1] = readout
    for layer in reversed(range(len(mixes))):
        x, after, key, mix = states[layer], states[layer + 1], keys[layer], mixes[layer]
        if normalized:
            along = after * (back * after).mean(axis=1, keepdims=True)
            back = (back - back.mean(axis=1, keepdims=True) - along) / scales[layer]
        weights = back @ (x @ mix).T / length  # ∂y/∂A of position t by position s, over T
        logits = weights - weights.mean(axis=1, keepdims=True)  # through the softmax at uniform weights
        query = x.T @ logits @ (x @ key) / math.sqrt(width)
        of_values = np.outer(x.mean(axis=0), back.sum(axis=0))
        lengths = np.linalg.norm(x, axis=1)
        cosines = (x @ x.T / np.outer(lengths, lengths))[np.triu_indices(length, 1)]
        rows.append((float(cosines.mean()), *(math.log10(np.linalg.norm(each)) for each in (query, of_values))))
        back = back + back.sum(axis=0) @ mix.T / length
    return rows[::-1]


def computed(size: str) -> Mapping[str, pd.DataFrame]:
    """Uniform attention with a skip, without and with post-LN. Rows: seed, norm, layer, cosine, and queries over values."""
    seeds, random, rows = {"smoke": 4, "quick": 100, "full": 400}[size], np.random.default_rng(0), []
    for seed in range(seeds):
        x, readout = random.standard_normal((LENGTH, MEAN_WIDTH)), random.standard_normal(MEAN_WIDTH)
        keys, mixes = random.standard_normal((2, LAYERS, MEAN_WIDTH, MEAN_WIDTH)) / math.sqrt(MEAN_WIDTH)
        for norm in NORMS:
            found = uniform_attention(x, keys, mixes, readout, normalized=norm == POST)
            rows += [(seed, norm, layer, cosine, q - v) for layer, (cosine, q, v) in enumerate(found, 1)]
    return {"uniform": pd.DataFrame(rows, columns=["seed", "norm", "layer", "cosine", "apart"])}


def collapse(frames: Frames) -> Estimate:
    """Decades by which 1 - cosine falls over eight layers of uniform attention, a layer."""
    rows = of(frames["uniform"], norm=NONE).assign(log=lambda each: np.log10(np.maximum(1 - each["cosine"], 1e-15)))
    ends = [of(rows, layer=layer).set_index("seed")["log"].sort_index() for layer in (8, 16)]
    return mean_over_seeds(((ends[1] - ends[0]) / 8).to_numpy())


def deep_queries(frames: Frames) -> Estimate:
    """Decades that gradients of queries, over those of values, lose from layer 10 to layer 20 with post-LN."""
    ends = [of(frames["uniform"], norm=POST, layer=layer).set_index("seed")["apart"].sort_index() for layer in (10, 20)]
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
        apart = uniform.assign(log=np.log10(np.maximum(1 - uniform["cosine"], 1e-15)))
        lines(attention, apart, "layer", "log", NORMS, "norm")
        lines(gradients, uniform, "layer", "apart", NORMS, "norm")
        layers = np.arange(LAYERS)
        attention.plot(layers + 1, -np.log10(1 + (2.0**layers - 1) / LENGTH), label=r"1 / (1 + ($2^l$ - 1)/T)", **THEORY)
        alike.set(xlabel="depth L", ylabel="cosine of two positions", ylim=(-0.05, 1.3), yticks=np.linspace(0, 1, 6))
        attention.set(xlabel="layer l", ylabel=r"$\log_{10}$ (1 - cosine)")
        gradients.set(xlabel="layer l", ylabel=r"$\log_{10}$ queries / values")
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
            published="0 in the limit; by Lemma 3.2 as 2^-l",
            sure=SEEN,
            quantity="decades that queries' gradients, over values', lose from layer 10 to 20, uniform attention, post-LN",
            measure=deep_queries,
            accepts=Range(-3.3, -2.7),
            theory=lambda: -10 * math.log10(2.0),
            because="2^-l is of wide networks whose positions are nearly alike",
        ),
        Claim(
            name="transformers collapse",
            sentence="Post-LN transformers with no further factor lose rank with depth",
            where="Fig. 1",
            published="cosine → 1",
            sure=SEEN,
            quantity=f"cosine of two positions after {DEEPEST - 1} blocks",
            measure=value("depth", "cosine", architecture=ONE, depth=DEEPEST),
            accepts=Range(0.85, 1.01),  # a mean's interval may pass the largest cosine
            theory=_alike(ONE),
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
