"""Yang & Schoenholz 2017: residual networks stay at the edge of chaos."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.papers.claim import SEEN, Claim, Estimate, Frames, Range
from analysis.papers.estimates import mean_over_seeds, slopes
from analysis.papers.measures import of, slope, then
from analysis.papers.panels import line_over_seeds, name_panels, panels
from analysis.papers.paper import Paper, sweep
from bench.theory import block_trajectory

WIDTH, SCALE = 64, 2.0
DEPTHS, LEAST, LAST = (11, 41, 81, 161, 321), 41, 320


def runs(size: str) -> Mapping[str, Any]:
    """Sums of tanh or ReLU branches; plain tanh networks in their chaotic phase beside them."""
    seeds = {"smoke": 4, "quick": 16, "full": 64}[size]
    kind: dict[str, Any] = {"initializers": "gaussian", "depths": DEPTHS, "widths": WIDTH, "seeds": seeds}
    return {
        "tanh": sweep(**kind, architectures="residual", activations="tanh", scales=SCALE),
        "relu": sweep(**kind, architectures="residual", activations="relu", scales=1.0),
        "plain": sweep(**kind, activations="tanh", scales=SCALE, layers=False),
    }


def power_of_growth(table: str, column: str, start: float = 0.0, **columns: Any) -> Any:
    """How fast decades of a gradient grow with depth, as a power of it: 1 of exponential growth, ½ of exp √L.

    start: its decades where nothing has grown.
    """

    def measured(frames: Frames) -> Estimate:
        rows = of(frames[table], **columns)
        rows = rows.loc[rows["depth"] >= LEAST]
        rows = rows.assign(log_grown=np.log10(np.maximum(rows[column] - start, 1e-3)))
        return mean_over_seeds(slopes(rows, "log_grown", log_x=True))

    return measured


def _theory() -> float:
    depths = [each for each in DEPTHS if each >= LEAST]
    laws = [block_trajectory("residual", "tanh", SCALE, depth, WIDTH) for depth in depths]
    grown = [law.log10_delta[0] if law else math.nan for law in laws]
    return float(np.polyfit(np.log10(depths), np.log10(grown), 1)[0])


def plot_yang2017(frames: Frames, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Figs. 2 and 3: gradients against √L and L, and the stream's length block by block."""
    with panels(3, axes) as (roots, decades, stream):
        first = {name: of(frames[f"{name}.layers"], layer=1) for name in ("tanh", "relu")}
        root = first["tanh"].assign(root=lambda each: np.sqrt(each["depth"]))
        line_over_seeds(roots, root, "root", "log10_delta", 0, label="tanh, residual")
        line_over_seeds(decades, first["tanh"], "depth", "log10_delta", 0, label="tanh, residual")
        line_over_seeds(decades, first["relu"], "depth", "log10_delta", 1, label="ReLU, residual")
        line_over_seeds(decades, frames["plain"], "depth", "log10_grad_first", 2, label="tanh, plain")
        for place, (name, label) in enumerate(zip(first, ("tanh", "ReLU"), strict=True)):
            rows = of(frames[f"{name}.layers"], depth=DEPTHS[-1])
            rows = rows.loc[rows["layer"] <= LAST]
            line_over_seeds(stream, rows, "layer", "log10_activation", place, label=label, marker=None)
        roots.set(xlabel=r"$\sqrt{L}$", ylabel=r"$\log_{10}\,\Vert\partial y/\partial h_1\Vert$")
        decades.set(xlabel="depth L", ylabel=r"$\log_{10}$ of the first gradient")
        stream.set(xlabel="block l", ylabel=r"$\log_{10}\,\Vert h_l\Vert$", xscale="log")
        name_panels((roots, decades, stream), ("tanh: exp √L", "gradients against depth", "length of the stream"))
        return roots.figure


PAPER = Paper(
    name="yang2017",
    authors="Yang & Schoenholz",
    year=2017,
    title="Mean Field Residual Networks: On the Edge of Chaos",
    arxiv="1712.08969",
    runs=runs,
    plot=plot_yang2017,
    claims=(
        Claim(
            name="tanh's length",
            sentence="In residual tanh networks squared lengths grow linearly with depth",
            where="Thm. on tanh, Table 1",
            published="Θ(l)",
            sure=SEEN,
            quantity="power of l of ‖h_l‖², blocks 10 to 320",
            measure=then(
                slope("tanh.layers", "log10_activation", "layer", log_x=True, least=10, most=LAST, depth=DEPTHS[-1]),
                lambda each: 2 * each,
            ),
            accepts=Range(0.9, 1.1),
            theory=lambda: 1.0,
        ),
        Claim(
            name="tanh's gradient",
            sentence="… and gradients as exp(Θ(√L)), not exponentially",
            where="Thm. on tanh gradients, Table 1",
            published="½",
            sure=SEEN,
            quantity=f"power of L of the decades of ‖∂y/∂h₁‖, {LEAST} to {DEPTHS[-1]} layers",
            measure=power_of_growth("tanh.layers", "log10_delta", layer=1),
            accepts=Range(0.4, 0.7),
            theory=_theory,
            because="the first blocks, whose tanh is not saturated, grow faster",
        ),
        Claim(
            name="plain tanh",
            sentence="Without skips the same weights are chaotic, and gradients explode exponentially",
            where="sec. 1, after Schoenholz et al. 2017",
            published="1",
            sure=SEEN,
            quantity=f"power of L of the decades of ‖∂y/∂W₁‖ above √n, {LEAST} to {DEPTHS[-1]} layers",
            measure=power_of_growth("plain", "log10_grad_first", math.log10(WIDTH) / 2),
            accepts=Range(0.9, 1.15),
            theory=lambda: 1.0,
        ),
        Claim(
            name="ReLU's length",
            sentence="Of residual ReLU networks lengths grow exponentially",
            where="Thm. on ReLU, Table 1",
            published="exp(Θ(l))",
            sure=SEEN,
            quantity="factor of ‖h_l‖² a block, blocks 40 to 160",
            measure=then(
                slope("relu.layers", "log10_activation", "layer", least=40, most=160, depth=DEPTHS[-1]),
                lambda each: 10 ** (2 * each),
            ),
            accepts=Range(1.4, 3.0),
        ),
    ),
)
