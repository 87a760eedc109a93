"""One model drawn several times: medians over seeds, from the smallest to the largest of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from bench.probing.formats import formats_over
from bench.probing.measure import median
from bench.probing.report import Report
from bench.probing.slopes import Slope
from bench.probing.verdicts import VERDICTS
from bench.settings.errors import SweepError

SPREAD = ("log10_grad", "log10_weight", "log10_relative", "log10_grad_rms", "log10_value_rms", "log10_cotangent")
SHARES = ("zeros", "zero_slices", "lost", "too_large", "per_step", "lost_cotangent", "too_large_cotangent", "excess")


def over_seeds(reports: Sequence[Report]) -> Report:
    """One report for all: medians, the verdict of most seeds (the graver of two), and ``…_low`` and ``…_high``.

    Raises SweepError for models whose parameters differ.
    """
    first = reports[0]
    if len(reports) == 1:
        return first
    tables = [report.table for report in reports]
    if any(list(table["path"]) != list(first.table["path"]) for table in tables):
        raise SweepError("seeds", len(reports), "a model with the same parameters for every key")
    table = first.table.copy()
    for name in (*SPREAD, *SHARES):
        values = np.stack([each[name].to_numpy(float) for each in tables])
        table[name] = median(values)
        if name in SPREAD:
            table[f"{name}_low"], table[f"{name}_high"] = values.min(axis=0), values.max(axis=0)
    table["verdict"] = [_most(votes) for votes in zip(*(each["verdict"] for each in tables), strict=True)]
    table["why"] = [_why(i, verdict, tables) for i, verdict in enumerate(table["verdict"])]
    wrong = next((report for report in reports if report.origin is not None), first)
    return replace(
        first,
        table=table,
        loss=float(np.median([report.loss for report in reports])),
        log10_loss=float(median(np.array([[report.log10_loss] for report in reports]))[0]),
        slopes={word: _slope([report.slopes[word] for report in reports]) for word in first.slopes},
        origin=wrong.origin,
        origin_path=wrong.origin_path,
        seeds=len(reports),
        in_formats=formats_over([each for report in reports if (each := report.in_formats) is not None]),
    )


def _most(votes: Sequence[str]) -> str:
    return max(votes, key=lambda vote: (votes.count(vote), -VERDICTS.index(vote)))


def _why(row: int, verdict: str, tables: Sequence[pd.DataFrame]) -> str:
    """The first seed's reason for it."""
    return next(table["why"].iloc[row] for table in tables if table["verdict"].iloc[row] == verdict)


def _slope(slopes: Sequence[Slope]) -> Slope:
    """The median of slopes, and their smallest and largest."""
    found = [each.slope for each in slopes]
    return Slope(float(np.median(found)), min(found), max(found), slopes[0].layers)
