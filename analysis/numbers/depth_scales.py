"""The depths that theory says can be trained: multiples of mean-field theory's depth scales, against the weight scale."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.numbers.best_rate import best_rate
from analysis.numbers.grid import to_grid
from analysis.numbers.published import TRAINABLE
from analysis.rows.select import Facet, facet_title, facets, varying
from bench.theory import FixedPoint, fixed_point
from bench.theory.ensembles import ensemble
from bench.theory.nonlinearities import NONLINEARITIES


def depth_scales(facet: Facet, scales: Sequence[float]) -> np.ndarray | None:
    """[2, scales]: ξ_c and 1/|ln χ₁| in layers at each weight scale > 0; None without a theory.

    ξ_c: over how many layers two inputs' correlation comes a factor e nearer to its fixed point; 1/|ln χ₁|: over how many
    the mean squared gradient changes by a factor e (Schoenholz et al. 2017, arXiv 1611.01232). Both are inf where the fixed
    point is critical. Without bias lengths vanish in the ordered phase and nothing is left to correlate: there ξ_c is its
    limit for a vanishing bias, which is 1/|ln χ₁|. No theory: schemes without a law of independent or orthogonal weights,
    and a user's function.
    """
    if facet.activation not in NONLINEARITIES:
        return None
    law = ensemble(facet.initializer, facet.activation, facet.bias_std)
    if law is None or law.kind == "identity":
        return None
    points = [_fixed_point(facet.activation, scale * law.weight_std, facet.bias_std) for scale in scales]
    return np.array([[point.xi_c for point in points], [point.xi_grad for point in points]])


@cache
def _fixed_point(activation: str, weight_std: float, bias_std: float) -> FixedPoint:
    return fixed_point(activation, weight_std=weight_std, bias_std=bias_std)


class Threshold(NamedTuple):
    """L < multiple · ξ_c as a rule for which networks are trained, and how often it is right.

    ``right`` and ``paper``: the mean of the shares of trained networks below the threshold and of the others above it, with
    this multiple and with the paper's; 0.5 is chance. NaN where no multiple does better: where all are trained, or none.
    """

    multiple: float
    right: float
    paper: float


def best_threshold(depths_in_scales: np.ndarray, trained: np.ndarray) -> Threshold:
    """The multiple that separates best; of equal ones the middle. depths_in_scales: [networks] L / ξ_c; trained: bool."""
    if trained.all() or not trained.any():
        return Threshold(np.nan, np.nan, np.nan)

    def right(multiple: float) -> float:
        below = depths_in_scales < multiple
        return float((below[trained].mean() + (~below[~trained]).mean()) / 2)

    known = np.unique(depths_in_scales[np.isfinite(depths_in_scales) & (depths_in_scales > 0)])
    if not known.size:
        return Threshold(np.nan, np.nan, np.nan)
    between = np.concatenate([known[:1] / 2, np.sqrt(known[1:] * known[:-1]), known[-1:] * 2])
    shares = np.array([right(multiple) for multiple in between])
    if shares.max() <= 0.5:  # no better than chance
        return Threshold(np.nan, np.nan, np.nan)
    best = between[shares == shares.max()]
    multiple = float(best[(len(best) - 1) // 2])
    return Threshold(multiple, float(shares.max()), right(TRAINABLE))


def describe_thresholds(frame: pd.DataFrame) -> list[str]:
    """One line for each facet of a training's rows: which multiple of ξ_c is the limit of depth here, and in the paper."""
    lines = []
    for facet, rows in facets(frame):
        grid = to_grid(best_rate(rows), "steps_to_target", "median")
        found = depth_scales(facet, grid.scales[grid.scales > 0].tolist())
        if found is None:
            continue
        steps = grid.field[grid.scales > 0]
        with np.errstate(divide="ignore"):
            ratio = grid.depths[None, :] / found[0][:, None]
        known = ~np.isnan(steps) & ~np.isnan(ratio)
        threshold = best_threshold(ratio[known], np.isfinite(steps[known]))
        name = facet_title(facet, varying(frame))
        if np.isnan(threshold.multiple):
            lines.append(f"{name}: no limit of depth is seen that would be a multiple of ξ_c")
            continue
        lines.append(
            f"{name}: the target is reached up to L = {threshold.multiple:.2g} ξ_c (right for {threshold.right:.0%} of "
            f"networks, trained and not counted alike; Schoenholz et al. 2017: {TRAINABLE:g} ξ_c, here right for "
            f"{threshold.paper:.0%})"
        )
    return lines
