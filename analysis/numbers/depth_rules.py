"""Rules for which networks can be trained, "L < c · depth scale" and "L < D", scored on scales they were not fitted to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.numbers.best_rate import best_rate
from analysis.numbers.depth_scales import depth_scales
from analysis.numbers.grid import to_grid
from analysis.numbers.published import TRAINABLE
from analysis.rows.select import facet_title, facets, varying

CONFIDENCE = 0.95
RESAMPLES = 1999
STILL = 0.015  # of accuracy gained in the last tenth of the steps: three standard errors of 100 batches of 64 at chance
GAIN = "late_accuracy_gain"


class Rule(NamedTuple):
    """``below < threshold`` as a rule for which settings are trained. ``below``: [settings] depth in units of ``unit``.

    ``threshold`` is fitted to all settings, or given. ``predicted``: [settings] what it says of each, by a threshold that is
    fitted to all other weight scales, so that a setting is never scored by a threshold that has seen its scale. ``right``:
    the balanced accuracy of that, with the ends of its interval; ``fitted``: of the threshold that has seen all.
    """

    unit: str
    threshold: float
    fitted: float
    right: float
    low: float
    high: float
    predicted: np.ndarray

    def __str__(self) -> str:
        return f"L < {self.threshold:.2g}{self.unit}"


class Comparison(NamedTuple):
    """The rules for one panel's networks, and how many settings they are of, trained and not.

    ``lead``, ``lead_low``, ``lead_high``: balanced accuracy of the fitted multiple of ξ_c, less that of the constant depth.
    """

    rules: tuple[Rule, ...]
    trained: int
    settings: int
    lead: float
    lead_low: float
    lead_high: float


def balanced_accuracy(predicted: np.ndarray, trained: np.ndarray) -> np.ndarray:
    """Mean of the shares of trained settings that are called trained and of others that are not; of one kind, its share.

    predicted, trained: [..., settings]; 0.5 is chance.
    """
    right = predicted == trained
    counts = [np.asarray(kind.sum(axis=-1), float) for kind in (trained, ~trained)]
    hits = [np.asarray((right & kind).sum(axis=-1), float) for kind in (trained, ~trained)]
    shares = [np.where(count > 0, hit / np.maximum(count, 1), np.nan) for hit, count in zip(hits, counts, strict=True)]
    one, other = (np.where(np.isnan(shares[i]), shares[1 - i], shares[i]) for i in (0, 1))
    return (one + other) / 2


def best_threshold(below: np.ndarray, trained: np.ndarray) -> float:
    """The threshold that separates best, between two of the values; of equally good ones the middle.

    below: [settings] ≥ 0; trained: bool. NaN where no value is finite and above 0.
    """
    known = np.unique(below[np.isfinite(below) & (below > 0)])
    if not known.size:
        return float("nan")
    between = np.concatenate([known[:1] / 2, np.sqrt(known[1:] * known[:-1]), known[-1:] * 2])
    shares = balanced_accuracy(below < between[:, None], np.broadcast_to(trained, (len(between), len(trained))))
    best = between[shares == shares.max()]
    return float(best[(len(best) - 1) // 2])


def compare_rules(units: dict[str, np.ndarray], scales: np.ndarray, trained: np.ndarray) -> Comparison | None:
    """Every unit's best threshold, and the paper's 6 ξ_c, scored by cross-validation over weight scales.

    units: what a depth is measured in → [settings] depth in it, ξ_c first and layers (``""``) last; scales, trained:
    [settings]. Intervals are of 1999 resamples of settings, the same for every rule, with what each rule says of a setting
    kept. None where all settings are trained or none, so that there is no limit.
    """
    if trained.all() or not trained.any():
        return None
    draws = np.random.default_rng(0).integers(len(trained), size=(RESAMPLES, len(trained)))
    ends = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]

    def rule(unit: str, below: np.ndarray, given: float | None = None) -> tuple[Rule, np.ndarray]:
        threshold = best_threshold(below, trained) if given is None else given
        each = np.full(len(below), threshold)
        for scale in np.unique(scales) if given is None else ():
            each[scales == scale] = best_threshold(below[scales != scale], trained[scales != scale])
        predicted = below < each
        resampled = balanced_accuracy(predicted[draws], trained[draws])
        low, high = np.quantile(resampled, ends)
        fitted, right = (float(balanced_accuracy(says, trained)) for says in (below < threshold, predicted))
        return Rule(unit, threshold, fitted, right, float(low), float(high), predicted), resampled

    found = [rule(unit, below) for unit, below in units.items()]
    paper = rule(next(iter(units)), next(iter(units.values())), TRAINABLE)
    (first, of_first), (last, of_last) = found[0], found[-1]
    lead_low, lead_high = np.quantile(of_first - of_last, ends)
    rules = (first, paper[0], *(each for each, _ in found[1:]))
    return Comparison(rules, int(trained.sum()), len(trained), first.right - last.right, float(lead_low), float(lead_high))


def describe_rules(frame: pd.DataFrame, *, target: str, steps: int) -> list[str]:
    """Lines for each facet of a training's rows: the rules and how often each is right, and whose the limit is.

    A setting is a depth and weight scale, trained where the median of its seeds reaches the target at its best rate. target,
    steps: the training's.
    """
    lines = []
    for facet, rows in facets(frame):
        best = best_rate(rows)
        grid = to_grid(best, "steps_to_target", "median")
        use = grid.scales > 0
        found = depth_scales(facet, grid.scales[use].tolist())
        if found is None:
            continue
        with np.errstate(divide="ignore"):
            of_correlation, of_gradient = (grid.depths[None, :] / scale[:, None] for scale in found)
        layers, scales = np.broadcast_arrays(grid.depths[None, :], grid.scales[use][:, None])
        known = ~np.isnan(grid.field[use]) & ~np.isnan(of_correlation) & ~np.isnan(of_gradient)
        units = {" ξ_c": of_correlation[known], "/|ln χ₁|": of_gradient[known], "": layers[known]}
        name = facet_title(facet, varying(frame))
        if np.isnan(best_threshold(of_correlation[known], layers[known] > 0)):
            lines.append(f"{name}: theory has no finite ξ_c here, of which the limit of depth could be a multiple")
            continue
        compared = compare_rules(units, scales[known], np.isfinite(grid.field[use][known]))
        if compared is None:
            lines.append(f"{name}: no limit of depth is seen that would be a multiple of ξ_c")
            continue
        lines += _lines(name, compared, steps)
        lines += [_whose(best, steps)] if target.startswith("accuracy") else []
    return lines


def _lines(name: str, found: Comparison, steps: int) -> list[str]:
    words = {0: "", 1: ", as Schoenholz et al. 2017 have it", len(found.rules) - 1: ", which knows no theory"}
    head = (
        f"{name}: {found.trained} of {found.settings} settings are trained within {steps} steps. Rules for which, with "
        "their balanced accuracy on weight scales that they were not fitted to (95 % bootstrap over settings):"
    )
    lines = [head]
    for place, rule in enumerate(found.rules):
        seen = "" if place == 1 else f"; on those it was fitted to {rule.fitted:.1%}"
        interval = f"{rule.right:.1%} ({rule.low:.1%} to {rule.high:.1%}{seen})"
        lines.append(f"  {rule}{words.get(place, '')}: {interval}")
    lead = f"{100 * found.lead:+.1f} % ({100 * found.lead_low:+.1f} to {100 * found.lead_high:+.1f})"
    shown = "better" if found.lead_low > 0 else "worse" if found.lead_high < 0 else "not shown to differ"
    return [*lines, f"  the first less the last: {lead}: {shown}"]


def _whose(best: pd.DataFrame, steps: int) -> str:
    """Whether networks that missed the target were still learning. best: one facet's rows at their best rates."""
    missed = best.loc[np.isposinf(best["steps_to_target"].to_numpy(float))]
    if GAIN not in missed:
        return f"  whether the others were still learning is not known: the run is older than the column {GAIN}"
    still = missed[GAIN].to_numpy(float) >= STILL
    words = (
        f"  of {len(missed)} networks that missed the target, {still.sum()} ({still.mean():.0%}) still gained {STILL:.1%} "
    )
    words += f"of accuracy or more in the last tenth of the {steps} steps"
    shallow = missed.loc[still, "depth"]
    if len(shallow):
        words += f", from L = {shallow.min()} to {shallow.max()}: their limit is the budget's"
    return words
