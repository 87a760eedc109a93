"""The critical scale on a heatmap: where mean-field theory expects gradients neither to vanish nor to explode, χ₁ = 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from analysis.drawing.labels import plain
from analysis.numbers.columns import IMBALANCE, PARTS
from analysis.rows.select import Facet
from bench.theory import critical
from bench.theory.blocks import parsed
from bench.theory.ensembles import ensemble
from bench.theory.nonlinearities import NONLINEARITIES

LABEL = r"critical scale of mean-field theory ($\chi_1 = 1$)"
COLOUR = "#0b6623"
STYLE = (0, (7, 1.6, 1.2, 1.6))  # dash-dot: unlike the lines of number types without colour too
WIDTH = 1.1
SHOWN = 4  # names in a sentence of the legend
NO_POINT = "no mean-field critical point at this bias"
NOT_KNOWN = "none is known of such blocks"
SKIPS = "no scale is critical where blocks add"
NORMED = "normalization divides the scale out"
ZEROS = "zeros beyond the ends move it with the number of positions"
SCALE_FREE = "what is drawn does not depend on the scale"
# by the first of these that tell panels apart
NAMED = ("activation", "initializer", "architecture", "bias_std", "width", "input_norm")
HALO = withStroke(linewidth=WIDTH + 1.2, foreground="white", dashes={"dash_offset": 0, "dash_list": None})


class Edge(NamedTuple):
    """A panel's critical scale, or why it has none."""

    scale: float
    missing: str = ""


@cache
def critical_scale(facet: Facet) -> Edge:
    """The scale at which the scheme's σ_w is the activation's critical one at the facet's bias_std; NaN if there is none.

    Of plain networks, and convolutions on a ring, whose critical scale is the same. None have schemes without a law of
    their own (and users'), identity weights unless activations are linear, activations
    that theory does not know, and those without a critical point at this bias (GELU and SiLU at 0).
    """
    nan = float("nan")
    if unlike := _unlike_plain(facet.architecture):
        return Edge(nan, unlike)
    if facet.activation not in NONLINEARITIES:
        return Edge(nan, "theory does not know the activation")
    law = ensemble(facet.initializer, facet.activation, facet.bias_std)
    if law is None and ensemble(facet.initializer, facet.activation, critical(facet.activation).bias_std) is not None:
        return Edge(nan, NO_POINT)
    if law is None:
        return Edge(nan, "the scheme has no law")
    if law.kind == "identity" and not NONLINEARITIES[facet.activation].is_linear:
        return Edge(nan, "mean-field theory is of random weights")
    # the point where lengths are critical too (GELU, SiLU) is at the end of the edge: rounding takes it off
    own = critical(facet.activation)
    point = own if np.isclose(own.bias_std, facet.bias_std, rtol=1e-9) else critical(facet.activation, facet.bias_std)
    scale = point.weight_std / law.weight_std
    return Edge(scale) if np.isfinite(scale) else Edge(nan, NO_POINT)


def _unlike_plain(architecture: str) -> str:
    """Why such blocks have no critical scale, or another one than plain networks; nothing where it is theirs."""
    name, given = parsed(architecture)
    if given.get("skip") == "true" or name in ("residual", "residual2", "pre_layernorm", "post_layernorm", "transformer"):
        return SKIPS
    if name in ("normed", "batchnorm"):
        return NORMED
    if name == "conv":
        return ZEROS if given.get("padding") == "zero" else ""
    return "" if name == "plain" else NOT_KNOWN


def scale_free(facet: Facet, value: str, loss: str) -> bool:
    """Whether that column is the same at every scale, by Euler's ⟨∂y/∂W_l, W_l⟩ = y: then no scale is critical for it.

    The imbalance of relative gradients under any loss, relative gradients themselves under y, of homogeneous activations
    without a bias.
    """
    if facet.architecture != "plain":
        return False
    relative = value == IMBALANCE or (value in PARTS and loss == "output")
    phi = NONLINEARITIES.get(facet.activation)
    return relative and phi is not None and phi.negative_slope is not None and facet.bias_std == 0


def draw_edge(ax: Axes, facet: Facet) -> str:
    """Draw the critical scale across a panel whose limits are set; returns why there was none to draw, or nothing."""
    (scale, missing), (low, high) = critical_scale(facet), ax.get_ylim()
    if missing:
        return missing
    if not low < scale < high:
        return "the critical scale lies outside"
    ax.axhline(scale, color=COLOUR, linewidth=WIDTH, linestyle=STYLE, path_effects=[HALO], label=LABEL, zorder=2.5)
    return ""


def describe_missing(missing: Mapping[Facet, str], panels: Sequence[Facet], what: str = "critical line") -> list[str]:
    """Why panels have no such line, a sentence for each reason: which they are, in few names."""
    lines = []
    for reason in dict.fromkeys(missing.values()):
        found = [facet for facet in panels if missing.get(facet) == reason]
        others = [facet for facet in panels if facet not in missing]
        lines.append(f"no {what}{_which(found, others, panels) if len(found) < len(panels) else ''}: {reason}")
    return lines


def _which(found: Sequence[Facet], others: Sequence[Facet], panels: Sequence[Facet]) -> str:
    """Words for these panels and none of the others, by as few of the columns that panels differ in as tell them apart."""
    named = [name for name in NAMED if len({getattr(facet, name) for facet in panels}) > 1]
    for count in range(1, len(named) + 1):
        choices = list(combinations(named, count))
        for together, columns in product((True, False), choices):
            groups: dict[tuple, list[Facet]] = {}
            for facet in found:
                groups.setdefault(() if together else _values(facet, columns[:-1]), []).append(facet)
            known = [
                [set(values) for values in zip(*(_values(facet, columns) for facet in g), strict=True)]
                for g in groups.values()
            ]
            if not any(_among(_values(facet, columns), sets) for facet in others for sets in known):
                words = _shortened([_words(group, columns) for group in groups.values()], "; ")
                return f" {words}" if words.startswith("at ") else f" of {words}"
    return ""


def _values(facet: Facet, columns: Sequence[str]) -> tuple:
    return tuple(getattr(facet, column) for column in columns)


def _among(values: Sequence, known: Sequence[set]) -> bool:
    return all(value in of_column for value, of_column in zip(values, known, strict=True))


def _words(found: Sequence[Facet], columns: Sequence[str]) -> str:
    """The values of the columns: ``critical with gelu at bias std 0.1, 0.5 and n = 64``."""
    values = {name: list(dict.fromkeys(getattr(facet, name) for facet in found)) for name in columns}
    words = [column for column in ("architecture", "initializer", "activation") if column in values]
    names = [_shortened([plain(name) for name in values[column]]) for column in words]
    numbers = [
        words.replace(" ", "\N{NO-BREAK SPACE}").format(_shortened([f"{number:.4g}" for number in sorted(values[column])]))
        for column, words in (("bias_std", "bias std {}"), ("width", "n = {}"), ("input_norm", "inputs of {} √n"))
        if column in values
    ]
    at = f"at {' and '.join(numbers)}" if numbers else ""
    return f"{' with '.join(names)} {at}".strip()


def _shortened(words: Sequence[str], mark: str = ", ") -> str:
    more = [f"{len(words) - SHOWN} more"] if len(words) > SHOWN else []
    return mark.join([*words[:SHOWN], *more])


def edge_handle() -> Line2D:
    """The legend's entry."""
    return Line2D([], [], color=COLOUR, linewidth=WIDTH, linestyle=STYLE, label=LABEL)
