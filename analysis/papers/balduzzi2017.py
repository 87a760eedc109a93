"""Balduzzi et al. 2017: gradients of deep rectifier networks are white noise, unless there are skips."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SECONDARY, Claim, Estimate, Frames, Range
from analysis.papers.estimates import mean_over_seeds, slopes
from analysis.papers.measures import factor, lines, of, value
from analysis.papers.panels import QUALITATIVE, THEORY, name_panels, panels
from analysis.papers.paper import Paper
from bench.theory import gradient_correlation

PLAIN, RESIDUAL, NORMALIZED = "feed-forward", "residual", "residual, branches / √l"
NAMES = {PLAIN: PLAIN, RESIDUAL: RESIDUAL, NORMALIZED: NORMALIZED}
WIDTH, LAYERS = 100, (1, 2, 4, 7, 10, 15, 24, 50)
GROUPS = 6
GRID, SHOWN = 256, {PLAIN: 24, RESIDUAL: 24}


def _gradients(kind: str, layers: int, h: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """∂y/∂h_0 [seeds, inputs, n] of He-ReLU networks, the same for all inputs of a seed. h: [seeds, inputs, n]."""
    seeds, _, width = h.shape
    drawn, active = [], []
    for _ in range(layers):
        weights = random.standard_normal((seeds, width, width)) * math.sqrt(2 / width)
        if kind == NORMALIZED:  # what batch normalization does: the branch has variance 1 beside one of l
            weights = weights / math.sqrt(np.mean(h**2))
        # pre-activation as in He et al. 2016: h + W relu(h); without a skip W relu(h)
        on = h > 0
        drawn.append(weights)
        active.append(on)
        branch = np.where(on, h, 0) @ weights
        h = branch if kind == PLAIN else h + branch
    back = np.broadcast_to(random.standard_normal((seeds, 1, width)) / math.sqrt(width), h.shape)
    for weights, on in zip(reversed(drawn), reversed(active), strict=True):
        branch = np.where(on, back @ np.swapaxes(weights, 1, 2), 0)
        back = branch if kind == PLAIN else back + branch
    return back


def computed(size: str) -> Mapping[str, pd.DataFrame]:
    """Correlations of gradients of two orthogonal inputs against depth; gradients along a line of inputs."""
    few, many = {"smoke": (8, 8), "quick": (60, 480), "full": (500, 2000)}[size]
    random, rows, noise = np.random.default_rng(0), [], []
    for kind in NAMES:
        for layers in LAYERS:
            seeds = many if layers <= 10 else few
            pair = random.standard_normal((seeds, 2, WIDTH))
            first, second = np.moveaxis(_gradients(kind, layers, pair, random), 1, 0)
            norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
            rows += list(
                zip([kind] * seeds, [layers] * seeds, range(seeds), np.sum(first * second, axis=1) / norms, strict=True)
            )
    x = np.linspace(-2, 2, GRID)
    for kind, layers in ((PLAIN, 1), *SHOWN.items()):
        scale, shift = random.standard_normal((2, 1, 1, WIDTH))
        gradient = (_gradients(kind, layers, scale * x[:, None] + shift, random) * scale).sum(axis=-1)[0]
        normal = (gradient - gradient.mean()) / gradient.std()
        noise += list(zip([f"{kind}, {layers}"] * GRID, x, normal, strict=True))
    return {
        "pairs": pd.DataFrame(rows, columns=["kind", "layers", "seed", "correlation"]),
        "noise": pd.DataFrame(noise, columns=["kind", "x", "gradient"]),
    }


def _in_groups(frames: Frames, kind: str, *, most: int) -> pd.DataFrame:
    """Log10 of mean correlations of groups of seeds, each of which stands for a seed: single ones may be negative."""
    rows = of(frames["pairs"], kind=kind)
    rows = rows.loc[rows["layers"] <= most]
    means = rows.assign(seed=rows["seed"] % GROUPS).groupby(["seed", "layers"], as_index=False)["correlation"].mean()
    return means.assign(log=np.log10(np.maximum(means["correlation"], 1e-3)))


def first_factor(frames: Frames) -> Estimate:
    """The factor a layer of feed-forward networks' correlation, 1 to 4 layers."""
    return factor(lambda _: mean_over_seeds(slopes(_in_groups(frames, PLAIN, most=4), "log", "layers")))(frames)


def normalized_power(frames: Frames) -> Estimate:
    """The power of the number of layers, of networks with a skip and branches over √l."""
    rows = _in_groups(frames, NORMALIZED, most=LAYERS[-1])
    return mean_over_seeds(slopes(rows, "log", "layers", log_x=True))


def exact(layers: int) -> float:
    """The correlation of a feed-forward network's gradients, of infinite width: Π (1 - θ_l/π), θ_l the angle at layer l."""
    return float(gradient_correlation("relu", math.sqrt(2), 0.0, layers + 1, 0.0)[1][0])


def _first_factor() -> float:
    layers = [each for each in LAYERS if each <= 4]
    return 10 ** float(np.polyfit(layers, [math.log10(exact(each)) for each in layers], 1)[0])


def plot_balduzzi2017(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Fig. 1: gradients along a line of inputs; Fig. 2 and Thms. 1 to 3: their correlation against depth."""
    noise, pairs = frames["noise"], frames["pairs"]
    with panels(2, axes, width=6.2) as (white, shattered):
        for place, (kind, rows) in enumerate(noise.groupby("kind", sort=False)):
            white.plot(
                rows["x"],
                rows["gradient"] - 6 * place,
                color=QUALITATIVE[place],
                linewidth=0.7,
                label=f"{kind} layer{'s' * (place > 0)}",
            )
        means = pairs.groupby(["kind", "layers", pairs["seed"] % GROUPS], as_index=False)["correlation"].mean()
        lines(shattered, means.assign(seed=0), "layers", "correlation", NAMES, "kind")
        layers = np.array(LAYERS, float)
        shattered.plot(layers, [exact(each) for each in LAYERS], color="black", linewidth=0.9, label="exact, feed-forward")
        shattered.plot(layers, 0.5**layers, label=r"$2^{-L}$, $(3/4)^L$", **THEORY)
        shattered.plot(layers, 0.75**layers, **THEORY)
        white.set(xlabel="input along a line", ylabel="gradient (each shifted)", yticks=[], ylim=(-16, 9))
        shattered.set(xscale="log", xlabel="layers L", ylabel="correlation of two gradients", ylim=(-0.05, 1))
        name_panels((white, shattered), ("Fig. 1: gradients", "Thms. 1 to 3: two orthogonal inputs"))
        return white.figure


PAPER = Paper(
    name="balduzzi2017",
    authors="Balduzzi, Frean, Leary, Lewis, Ma & McWilliams",
    year=2017,
    title="The Shattered Gradients Problem: If resnets are the answer, then what is the question?",
    arxiv="1702.08591",
    computed=computed,
    plot=plot_balduzzi2017,
    claims=(
        Claim(
            name="halves",
            sentence="In feed-forward rectifier networks the correlation of two inputs' gradients halves in every layer",
            where="Thm. 1",
            published="1/2",
            sure=SECONDARY,
            quantity="factor of the mean correlation a layer, 1 to 4 layers",
            measure=first_factor,
            accepts=Range(0.45, 0.6),
            theory=_first_factor,
            because="1/2 is of inputs that share a quarter of active units in each layer; they become alike, and share more",
        ),
        Claim(
            name="white noise",
            sentence="… as 1/2^L: at 10 layers a thousandth is left",
            where="Thm. 1, Fig. 1",
            published=f"2^-10 = {0.5**10:.0e}",
            sure=SECONDARY,
            quantity="mean correlation of two orthogonal inputs' gradients, 10 layers",
            measure=value("pairs", "correlation", kind=PLAIN, layers=10),
            accepts=Range(-0.01, 0.01),
            theory=lambda: exact(10),
            because="the exact law is Π (1 - θ_l/π): angles θ_l close as 1/l, so that it falls as a power of L in the end",
        ),
        Claim(
            name="skips help",
            sentence="Residual networks lose a quarter a layer",
            where="Thm. 2",
            published=f"(3/4)^10 = {0.75**10:.3f}",
            sure=SECONDARY,
            quantity="mean correlation of two orthogonal inputs' gradients, 10 layers",
            measure=value("pairs", "correlation", kind=RESIDUAL, layers=10),
            accepts=Range(0.04, 0.08),
            because="3/4 assumes a quarter of shared active units in every layer, as 1/2 does",
        ),
        Claim(
            name="sublinear",
            sentence="With normalized branches it decays sublinearly",
            where="Thm. 3, abstract",
            published="slower than 1/L; 1/√L (recalled)",
            sure=SECONDARY,
            quantity="power of L of the mean correlation, 1 to 50 layers",
            measure=normalized_power,
            accepts=Range(-1.0, -0.02),
        ),
    ),
)
