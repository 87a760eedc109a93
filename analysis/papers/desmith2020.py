"""De & Smith 2020: batch normalization biases residual blocks towards the identity, and one number can do that too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SEEN, Claim, Estimate, Frames, Range
from analysis.papers.deep_training import HE, fails, learns, trained
from analysis.papers.estimates import mean_over_seeds
from analysis.papers.learning import times_against_depth
from analysis.papers.measures import lines, of, slope, then
from analysis.papers.panels import THEORY, name_panels, panels
from analysis.papers.paper import Paper, sweep

NORMALIZED, ONE, ROOT, SKIPINIT = "batchnorm:skip=true", "residual2", "residual2:alpha=1/sqrt(L)", "residual2:init=skipinit"
SIGNALS = {NORMALIZED: "batch normalization", ONE: "none, α = 1"}
TRAINED = {SKIPINIT: "SkipInit, α = 0", ROOT: "α = 1/√L", ONE: "α = 1"}
DEPTHS, DEEP = (8, 48), 48
WIDTH, COUNT, DEEPEST = 64, 8, 41
BLOCKS = DEEPEST - 1


def runs(size: str) -> Mapping[str, Any]:
    """The stream block by block, with and without batch normalization; training without, with three factors on branches."""
    seeds = 4 if size == "smoke" else 16
    signals = sweep(**HE, architectures=tuple(SIGNALS), depths=DEEPEST, widths=WIDTH, batch=COUNT, seeds=seeds)
    return {"signals": signals, "train": trained(size, tuple(TRAINED), DEPTHS)}


def stream(frames: Frames) -> Estimate:
    """(V_l - 1)/l at the last normalized block."""
    rows = of(frames["signals.layers"], architecture=NORMALIZED, layer=BLOCKS)
    square = 10 ** (2 * rows["log10_activation"].to_numpy(float)) / (WIDTH * COUNT)
    return mean_over_seeds((square - 1) / BLOCKS)


def plot_desmith2020(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Fig. 1: the stream's variance block by block; and Table 1: who learns at which depth."""
    rows = frames["signals.layers"]
    rows = rows.loc[rows["layer"] <= BLOCKS].assign(
        variance=lambda each: 2 * each["log10_activation"] - np.log10(WIDTH * COUNT)
    )
    with panels(2, axes, width=5.2) as (variance, learning):
        lines(variance, rows, "layer", "variance", SIGNALS)
        block = np.arange(1, DEEPEST)
        variance.plot(block, np.log10(1 + block), **THEORY)
        variance.plot(block, block * np.log10(3), **THEORY)
        variance.set(xlabel="block l", ylabel=r"$\log_{10}$ variance of the stream", ylim=(0, 8))
        times_against_depth(learning, frames["train"], TRAINED)
        name_panels((variance, learning), (r"Fig. 1: 1 + l, $3^l$", "Table 1: learning time"))
        return variance.figure


PAPER = Paper(
    name="desmith2020",
    authors="De & Smith",
    year=2020,
    title="Batch Normalization Biases Residual Blocks Towards the Identity Function in Deep Networks",
    arxiv="2002.10444",
    runs=runs,
    plot=plot_desmith2020,
    claims=(
        Claim(
            name="normalized stream",
            sentence="With batch normalization each block adds 1 to the variance of the skip path, and so is 1/(l+1) of it",
            where="sec. 2, Fig. 1",
            published="l + 1",
            sure=SEEN,
            quantity=f"(variance - 1)/l after {BLOCKS} blocks",
            measure=stream,
            accepts=Range(0.85, 1.15),
            theory=lambda: 1.0,
        ),
        Claim(
            name="stream without it",
            sentence="Without normalization the variance grows exponentially",
            where="sec. 2, Fig. 1",
            published="2^l; 3^l where branches are of two He matrices",
            sure=SEEN,
            quantity="factor of the variance a block",
            measure=then(
                slope("signals.layers", "log10_activation", "layer", architecture=ONE, most=BLOCKS),
                lambda each: 10 ** (2 * each),
            ),
            accepts=Range(2.7, 3.3),
            theory=lambda: 3.0,
            because="typical networks of finite width lie below the mean square that theory speaks of",
        ),
        learns(
            SKIPINIT,
            DEEP,
            name="SkipInit trains",
            sentence="Branches times a number that begins at 0 make networks trainable that are as deep",
            where="Table 1 (1,000 layers)",
            published="they learn",
            sure=SEEN,
        ),
        learns(
            ROOT,
            DEEP,
            name="1/√L trains",
            sentence="1/√L is enough too",
            where="Table 1",
            published="they learn",
            sure=SEEN,
        ),
        fails(
            ONE,
            DEPTHS,
            name="1 does not",
            sentence="1 is not: deep networks fail",
            where="Table 1",
            published="they fail at 100 layers",
            sure=SEEN,
        ),
    ),
)
