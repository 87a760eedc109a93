"""The critical scale on a heatmap: where mean-field theory expects gradients neither to vanish nor to explode, χ₁ = 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from analysis.drawing.labels import plain
from analysis.rows.select import Facet
from bench.theory import critical
from bench.theory.ensembles import ensemble
from bench.theory.nonlinearities import NONLINEARITIES

LABEL = r"critical scale of mean-field theory ($\chi_1 = 1$)"
COLOUR = "#0b6623"
STYLE = (0, (7, 1.6, 1.2, 1.6))  # dash-dot: unlike the lines of number types without colour too
WIDTH = 1.1
SHOWN = 4  # names in a sentence of the legend
HALO = withStroke(linewidth=WIDTH + 1.2, foreground="white", dashes={"dash_offset": 0, "dash_list": None})


class Edge(NamedTuple):
    """A panel's critical scale, or why it has none."""

    scale: float
    missing: str = ""


@cache
def critical_scale(facet: Facet) -> Edge:
    """The scale at which the scheme's σ_w is the activation's critical one at the facet's bias_std; NaN if there is none.

    None have schemes without a law of their own (and users'), identity weights unless activations are linear, activations
    that theory does not know, and those without a critical point at this bias (GELU and SiLU at 0).
    """
    nan = float("nan")
    if facet.activation not in NONLINEARITIES:
        return Edge(nan, "theory does not know the activation")
    law = ensemble(facet.initializer, facet.activation, facet.bias_std)
    if law is None:
        return Edge(nan, "the scheme has no law")
    if law.kind == "identity" and not NONLINEARITIES[facet.activation].is_linear:
        return Edge(nan, "mean-field theory is of random weights")
    # the point where lengths are critical too (GELU, SiLU) is at the end of the edge: rounding takes it off
    own = critical(facet.activation)
    point = own if np.isclose(own.bias_std, facet.bias_std, rtol=1e-9) else critical(facet.activation, facet.bias_std)
    scale = point.weight_std / law.weight_std
    return Edge(scale) if np.isfinite(scale) else Edge(nan, "no mean-field critical point at this bias")


def draw_edge(ax: Axes, facet: Facet) -> str:
    """Draw the critical scale across a panel whose limits are set; returns why there was none to draw, or nothing."""
    (scale, missing), (low, high) = critical_scale(facet), ax.get_ylim()
    if missing:
        return missing
    if not low < scale < high:
        return "the critical scale lies outside"
    ax.axhline(scale, color=COLOUR, linewidth=WIDTH, linestyle=STYLE, path_effects=[HALO], label=LABEL, zorder=2.5)
    return ""


def describe_missing(missing: Mapping[Facet, str], panels: Sequence[Facet]) -> list[str]:
    """Why panels have no critical line, a sentence for each reason: which they are, in few names."""
    lines = []
    for reason in dict.fromkeys(missing.values()):
        found = [facet for facet in panels if missing.get(facet) == reason]
        rest = [facet for facet in panels if facet not in missing]
        for column in ("activation", "initializer"):
            names = list(dict.fromkeys(getattr(facet, column) for facet in found))
            if not set(names) & {getattr(facet, column) for facet in rest}:
                break
        else:
            names = list(dict.fromkeys(f"{facet.initializer} with {facet.activation}" for facet in found))
        shown = [*names[:SHOWN], *([f"{len(names) - SHOWN} more"] if len(names) > SHOWN else [])]
        of = f" of {', '.join(map(plain, shown))}" if len(found) < len(panels) else ""
        lines.append(f"no critical line{of}: {reason}")
    return lines


def edge_handle() -> Line2D:
    """The legend's entry."""
    return Line2D([], [], color=COLOUR, linewidth=WIDTH, linestyle=STYLE, label=LABEL)
