"""A recommendation in words: a table that one reads, a verdict, and what it does not say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from tabulate import tabulate

from bench.comparison.columns import COLUMNS
from bench.comparison.recommend import DEFAULTS, Case

Row = Mapping[str, Any]

CAVEAT = (
    "This is how signals propagate at initialization through plain fully connected layers of one width, without residual "
    "connections or normalization, which change the answer; it says whether depth can be trained at all, not which network "
    "ends up most accurate. lsuv, scaled_identity and your own package.module:init are ranked too if you name them with "
    "--initializers."
)
KEY = (
    "Rank: 1 + the number of schemes that are shown to be better, by dead networks and then by how near to 0 the change "
    "with depth is, at 5 % for all pairs together; –: no two are told apart. A decade is a factor of 10. Per 100 layers: "
    "decades by which the first layer's gradient grows with depth, ± half of its 95 % interval over networks; 0 keeps it "
    "as it is. Theory: the same, predicted; empty where there is no theory. First/last: decades between the gradients of "
    "the first and the last hidden layer. Spread: standard deviation of the first one over networks, in decades. Dead: "
    "networks whose gradient is exactly zero. float16, float32: the depth from which on the type loses the gradient of "
    "more than a tenth of the networks."
)
HEADERS = (
    *("rank", "scheme", "decades per\n100 layers", "theory", "first/\nlast", "spread", "dead"),
    *("float16\nloses", "float32\nloses", "default of"),
)
LOSING = ("float16", "float32")
REMEDY = "Change the activation, widen the network, or add residual connections."
HOPELESS = 3.0  # decades over the whole depth


def table_text(table: pd.DataFrame, case: Case) -> str:
    """One line for each scheme; :data:`KEY` says what the columns mean."""
    cells = [
        [
            COLUMNS["rank"].words(row),
            row["initializer"],
            _per_hundred(row),
            "" if math.isnan(row["predicted"]) else f"{100 * row['predicted']:+.2f}",
            _signed(row["imbalance"]),
            "" if math.isnan(row["spread"]) else f"{row['spread']:.2f}",
            "" if row["verdict"] == "undefined" and row["dead"] == 0 else f"{row['dead']:.0%}",
            _depth(row["depth_float16"], case),
            _depth(row["depth_float32"], case),
            DEFAULTS.get(row["initializer"], ""),
        ]
        for row in _rows(table)
    ]
    head = f"{case.depth} layers of {case.activation}, width {case.width}; {int(table['seeds'].iloc[0])} networks a scheme"
    if case.is_smaller:
        smaller = f"depth {case.measured_depth} and width {case.measured_width}"
        head += f"\nmeasured at {smaller}, to be quick; theory at what is asked for"
    alignment = ("right", "left", *["right"] * 7, "left")
    return f"{head}\n\n{tabulate(cells, headers=HEADERS, disable_numparse=True, colalign=alignment)}"


def verdict(table: pd.DataFrame, case: Case, chosen: str | None) -> str:
    """What the table says, in a few sentences. ``chosen``: the scheme whose lines follow."""
    rows = _rows(table)
    ranked = [row for row in rows if row["dead"] > 0 or not math.isnan(row["slope"])]
    if not ranked:
        return f"No scheme is defined for {case.activation}."
    best = _best(ranked)
    names = [row["initializer"] for row in best]
    if len(best) == len(ranked) > 1:
        said = "no scheme is shown to be better than another"
    elif len(names) > 1:
        said = f"{', '.join(names[:-1])} and {names[-1]} are the best and cannot be told apart"
    else:
        said = f"{names[0]} is the best of them"
    for_what = f"{case.depth} layers of {case.activation} at width {case.width}"
    if all(row["dead"] == 1 for row in best):
        return f"For {for_what} no scheme leaves a gradient: every network is dead. {REMEDY}"
    sentences = [f"For {for_what}, {said}."]
    if case.is_smaller:
        sentences.append(
            f"What follows is of the {case.measured_depth} layers of width {case.measured_width} that were measured."
        )
    if chosen is not None and chosen not in names:
        sentences.append(f"The best that can be written in a line is {chosen}.")
    (taken,) = (row for row in ranked if row["initializer"] == (chosen or names[0]))
    drift = _drift(taken, case)
    sentences.append(f"With {taken['initializer']} {_change(drift)}.")
    if taken["dead"] > 0:
        sentences.append(f"{taken['dead']:.0%} of its networks are dead from the start.")
    sentences += _of_defaults([row for row in ranked if row is not taken], best, case)
    if not abs(drift) <= HOPELESS or taken["dead"] > 0.5:
        sentences.append(f"No scheme here keeps gradients to this depth. {REMEDY}")
    return " ".join(sentences)


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows: Any = table.to_dict("records")
    return rows


def _best(ranked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that no scheme is shown to be better than."""
    return [row for row in ranked if not row["rank"] > 1]


def _of_defaults(others: list[dict[str, Any]], best: list[dict[str, Any]], case: Case) -> Iterator[str]:
    """What the user has today."""
    defaults = [row for row in others if row["initializer"] in DEFAULTS]
    as_good = [_name(row) for row in defaults if row in best]
    if as_good:
        yield f"Not shown to be worse: {'; '.join(as_good)}."
    worse = [f"{_name(row)}, {_cost(row, case)}{_lost(row)}" for row in defaults if row not in best]
    if worse:
        yield f"Over the same depth: {'; '.join(worse)}."


def _per_hundred(row: Row) -> str:
    if math.isnan(row["slope"]):
        return "all dead" if row["dead"] == 1 else "undefined"
    half = "" if math.isnan(row["slope_low"]) else f" ± {50 * (row['slope_high'] - row['slope_low']):.2f}"
    return f"{100 * row['slope']:+.2f}{half}"


def _signed(value: float) -> str:
    return "" if math.isnan(value) else f"{value:+.1f}"


def _depth(value: float, case: Case) -> str:
    return "" if math.isnan(value) else f"> {case.measured_depth}" if math.isinf(value) else f"{value + 1:.0f}"


def _drift(row: Row, case: Case) -> float:
    return row["slope"] * (case.measured_depth - 2)


def _change(drift: float) -> str:
    if math.isnan(drift):
        return "no gradient is left"
    if abs(drift) < 0.05:
        return "the first layer's gradient keeps its size over the whole depth"
    by = f"a factor of {10 ** abs(drift):.2g}" if abs(drift) < HOPELESS else f"{abs(drift):.0f} decades"
    return f"the first layer's gradient {'grows' if drift > 0 else 'shrinks'} by {by} over the whole depth"


def _cost(row: Row, case: Case) -> str:
    drift = _drift(row, case)
    return "all dead" if math.isnan(drift) else f"{drift:+.1f} decades"


def _name(row: Row) -> str:
    return f"the default of {DEFAULTS[row['initializer']]} ({row['initializer']})"


def _lost(row: Row) -> str:
    lost = [f"{name} from depth {row[f'depth_{name}'] + 1:.0f} on" for name in LOSING if math.isfinite(row[f"depth_{name}"])]
    return f" (lost in {' and '.join(lost)})" if lost else ""
