"""What a comparison's table says beside its numbers: their meaning, why nothing is ranked, and where numbers disagree."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from bench.comparison.arguments import NUMBERS
from bench.comparison.columns import COLUMNS, LAYERS, Row
from bench.comparison.power import MOST

OF_NUMBER = {
    "slope": "and then by how near to 0 their slopes are",
    "imbalance": "and then by how near to 0 first/last is, decades between the gradients of first and last hidden layer",
    "relative_imbalance": "and then by how near to 0 rel. first/last is, decades of gradients in units of weights",
    "spread": "and then by how near to their median over seeds the networks are, by mean distance in decades",
    "dead": "alone",
}
OF_DEPTHS = {"all layers": "the gradients of all layers stay", "first layer": "the first layer's gradient stays"}
OF_FORMATS = {
    "entries": "they round less than half of the first gradient's entries to 0 in that type, and none beyond its largest",
    "norm": "they keep the first gradient's norm, not its entries, within the normal numbers of that type",
}


def legend(table: pd.DataFrame) -> tuple[str, ...]:
    """The meaning of the columns of this table, in lines."""
    first, verdicts = table.iloc[0], set(table["verdict"])
    by = first["rank_by"]
    blocks = []
    if "mean field" in verdicts:
        blocks.append("mean field: theory at infinite width, lowered by what the measured spread takes off; not a test;")
    if "gated" in verdicts:
        blocks.append("gated: a branch is multiplied by 0 at the start, its gradient is 0 by design, and nothing is ranked;")
    return (
        f"by {COLUMNS[by].heading}: the rank, 1 + the number of schemes shown to be better by their shares of dead networks",
        f"{OF_NUMBER[by]}, at 5 % for all pairs of a table together; –: no two are told apart;",
        f"slope: decades of the first layer's gradient norm per {LAYERS} layers, mean over seeds; low, high: its 95 %",
        "interval (Student's t over seeds); theory: what theory predicts for it; verdict: agrees where |z| ≤ 1.96 (95 %);",
        f"to 1e3: the depth up to which in 90 % of the networks {OF_DEPTHS[first['depth_1e3_of']]} within 10^3 of",
        f"the one at depth 2; float32, ...: up to which {OF_FORMATS[first['depth_format_of']]};",
        *blocks,
        "stretch: how much the Jacobian's stretches of different directions differ, in decades per "
        f"{LAYERS} layers (0: an isometry); cond: its condition number.",
    )


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of one activation and width: by rank, share of dead networks and number; undefined schemes last."""
    by = rows["rank_by"].iloc[0]
    undefined = rows["slope"].isna() & (rows["dead"] == 0)
    keys = {"undefined": undefined, "last": rows["rank"].fillna(np.inf), "died": rows["dead"], "size": rows[by].abs()}
    return rows.loc[pd.DataFrame(keys).sort_values(list(keys), kind="stable").index]


def notes(rows: pd.DataFrame) -> Iterator[str]:
    """Lines below the table of one activation and width."""
    records: Any = in_order(rows).to_dict("records")
    ranked = [row for row in records if row["dead"] > 0 or not math.isnan(row["slope"])]
    if len(ranked) == 1:
        yield f"– {'only one scheme is defined' if len(records) > 1 else 'there is one scheme'}: none to tell it from."
    if len(ranked) < 2:
        return
    if all(math.isnan(row["rank"]) for row in ranked):
        yield f"– no two schemes are told apart: {_more_seeds(ranked)}."
    by = ranked[0]["rank_by"]
    others = [_reversed(ranked, by, other) for other in NUMBERS if other != by]
    if any(others):
        yield f"Other numbers order some pairs of schemes the other way round: {'; '.join(filter(None, others))}."


def _more_seeds(ranked: list[Row]) -> str:
    needed = ranked[0]["seeds_needed"]
    if ranked[0]["rank_by"] == "dead" and not any(row["dead"] for row in ranked):
        return "no network is dead"
    if all(row["dead"] == 1 for row in ranked):
        return "every network is dead"
    if math.isnan(needed):
        of_spreads = ", and it takes 4 to tell spreads apart" if ranked[0]["rank_by"] == "spread" else ""
        return f"so few seeds do not say how far others are from them{of_spreads}"
    ends = f"{_name(ranked[0])} from {_name(ranked[-1])}"
    if math.isinf(needed):
        return f"{MOST:,} seeds would not tell {ends}"
    return f"about {needed:.0f} seeds would tell {ends} (80 % power, at a level that is kept for all pairs)"


def _reversed(ranked: list[Row], by: str, other: str) -> str:
    """How many pairs two ranks order in opposite ways, and who is first by the other one; empty where none is."""
    ours, theirs = (np.array([row[f"rank_{name}"] for row in ranked]) for name in (by, other))
    opposite = np.subtract.outer(ours, ours) * np.subtract.outer(theirs, theirs) < 0
    if not opposite.any():
        return ""
    first = [_name(row) for row, rank in zip(ranked, theirs, strict=True) if rank == 1]
    shown = ", ".join(first[:3]) + (f" and {len(first) - 3} more" if len(first) > 3 else "")
    pairs = len(ranked) * (len(ranked) - 1) // 2
    return f"{COLUMNS[other].heading} {opposite.sum() // 2} of {pairs} (first: {shown})"


def _name(row: Row) -> str:
    others = row.get("architecture", "plain")
    name = str(row["initializer"]) if others == "plain" else f"{others} {row['initializer']}"
    return f"{name} × {row['scale']:g}" if row["scale"] != 1 else name
