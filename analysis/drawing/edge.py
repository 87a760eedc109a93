"""The critical scale on a heatmap: where mean-field theory expects gradients neither to vanish nor to explode, χ₁ = 1."""

from __future__ import annotations

from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from analysis.rows.select import Facet
from bench.theory import critical
from bench.theory.ensembles import ensemble
from bench.theory.nonlinearities import NONLINEARITIES

LABEL = r"critical scale of mean-field theory ($\chi_1 = 1$)"
COLOUR = "#0b6623"
STYLE = (0, (7, 1.6, 1.2, 1.6))  # dash-dot: unlike the lines of number types without colour too
WIDTH = 1.1
HALO = withStroke(linewidth=WIDTH + 1.2, foreground="white", dashes={"dash_offset": 0, "dash_list": None})


@cache
def critical_scale(facet: Facet) -> float:
    """The scale at which the scheme's σ_w is the activation's critical one at the facet's bias_std; NaN if there is none.

    None have schemes without a law of their own (and users'), identity weights unless activations are linear, activations
    that theory does not know, and those without a critical point at this bias (GELU and SiLU at 0).
    """
    if facet.activation not in NONLINEARITIES:
        return float("nan")
    law = ensemble(facet.initializer, facet.activation, facet.bias_std)
    if law is None or (law.kind == "identity" and not NONLINEARITIES[facet.activation].is_linear):
        return float("nan")
    return critical(facet.activation, facet.bias_std).weight_std / law.weight_std


def draw_edge(ax: Axes, facet: Facet) -> bool:
    """Draw the critical scale across a panel whose limits are set; whether there was one to draw."""
    scale, (low, high) = critical_scale(facet), ax.get_ylim()
    if not (np.isfinite(scale) and low < scale < high):
        return False
    ax.axhline(scale, color=COLOUR, linewidth=WIDTH, linestyle=STYLE, path_effects=[HALO], label=LABEL, zorder=2.5)
    return True


def edge_handle() -> Line2D:
    """The legend's entry."""
    return Line2D([], [], color=COLOUR, linewidth=WIDTH, linestyle=STYLE, label=LABEL)
