"""What came out of a sweep, in sentences with numbers made from its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.drawing.labels import counted
from analysis.numbers.agreement import VALUE
from analysis.report.lattice import Axis, Lattice
from analysis.rows.select import distinct

KEPT = 3.0  # decades: a factor of 1000 to either side


def findings(frame: pd.DataFrame, lattice: Lattice, titles: Sequence[str], agreed: pd.DataFrame | None) -> list[str]:
    """How far gradients reach, which keep them, and whether theory agrees. agreed: of ``agreement``."""
    median = lattice.statistic(frame, VALUE)
    found = [_extremes(frame, median, lattice, titles), _kept(median, lattice, titles)]
    return [*found, *([_agreement(agreed)] if agreed is not None else [])]


def _extremes(frame: pd.DataFrame, median: np.ndarray, lattice: Lattice, titles: Sequence[str]) -> str:
    seeds = len(distinct(frame, "seed"))
    zero, undefined = np.isneginf(median).sum(), int(np.isnan(frame[VALUE].to_numpy(float)).sum())
    settings = int(np.isfinite(median).sum() + zero)
    each = f"{counted(seeds, 'seed')} of {'each of ' if settings != 1 else ''}{counted(settings, 'setting')}"
    of = f"{counted(len(frame), 'network')} ({each}) {'were' if len(frame) != 1 else 'was'} measured"
    finite = np.where(np.isfinite(median), median, np.nan)
    if np.isnan(finite).all():
        return f"{of}; no setting has a gradient of the first layer that is a number and not zero."
    ends = [np.unravel_index(place, median.shape) for place in (np.nanargmin(finite), np.nanargmax(finite))]
    low, high = (f"10^{median[end]:.1f} ({where(end, lattice, titles)})".replace("^-", "^−") for end in ends)
    others = [f"exactly zero in {zero:,} settings"] if zero else []
    others += [f"undefined in {undefined:,} networks"] if undefined else []
    rest = f"; it is {' and '.join(others)}" if others else ""
    return f"{of}: the gradient of the first layer (median over seeds) reaches from {low} to {high}{rest}."


def where(place: tuple, lattice: Lattice, titles: Sequence[str]) -> str:
    """A cell in words."""
    facet, row, column = place
    return f"{titles[facet]}, {_named(lattice.y, row)}, {_named(lattice.x, column)}"


def _named(axis: Axis, place: int) -> str:
    value = axis.points[place]
    name = {"depth": "L =", "scale": "scale"}.get(axis.column, axis.words)
    return f"{name} {value:g}" if isinstance(value, (int, float)) else str(value)


def _kept(median: np.ndarray, lattice: Lattice, titles: Sequence[str]) -> str:
    deepest = median[:, :, -1]
    with np.errstate(invalid="ignore"):
        kept = np.abs(deepest) <= KEPT
    measured = np.isfinite(deepest) | np.isneginf(deepest)
    at = f"At {_named(lattice.x, -1)}"
    words = f"{at}, {kept.sum():,} of {measured.sum():,} settings keep it within a factor of 1000 of 1"
    if not kept.any():
        return f"{words}."
    best = int(kept.sum(axis=1).argmax())
    rows = np.flatnonzero(kept[best])
    if lattice.y.column != "scale":
        return f"{words}, {', '.join(_named(lattice.y, row) for row in rows[:6])} among them."
    first, last = lattice.y.points[rows[0]], lattice.y.points[rows[-1]]
    scales = f"scales {first:g} to {last:g}" if first < last else f"scale {first:g}"
    most = "most of them" if len(titles) > 1 else "those"
    return f"{words}, {most} of {titles[best]} ({scales})."


def _agreement(agreed: pd.DataFrame) -> str:
    counts = Counter(agreed["verdict"])
    tested = counts["pass"] + counts["fail"]
    parts = []
    if tested:
        share = 100 * counts["pass"] / tested
        parts.append(
            f"theory, tested at 95 %, agrees with {share:.1f} % of {tested:,} settings "
            f"(where it is right, about 95 % are to be expected)"
        )
    if near := counts["mean field"]:
        z = agreed.loc[agreed["verdict"] == "mean field", ["mean", "predicted"]]
        away = float((z["mean"] - z["predicted"]).abs().median())
        parts.append(
            f"mean field theory, which is of infinite width, lies {away:.2g} decades (median) from {near:,} settings"
        )
    if none := counts["no theory"]:
        parts.append(f"of {none:,} settings there is no theory")
    text = "; ".join(parts) or "no setting has a theory"
    return f"{text[0].upper()}{text[1:]}."
