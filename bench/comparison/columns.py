"""What a comparison's table shows, column by column, under the names that its CSV file has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from bench.settings.errors import SweepError
from bench.settings.registry import nearest

Row = Mapping[str, Any]
LAYERS = 100  # slopes are shown per so many layers
ALL = "all"
BRIEF = (
    *("rank", "architecture", "initializer", "scale", "bias_std", "slope", "slope_low", "slope_high", "predicted"),
    *("dead", "depth_1e3", "lyapunov_spread"),
)
WHERE_SEVERAL = ("architecture", "scale", "bias_std")  # are shown by default only if the table has several


class Column(NamedTuple):
    """Its heading, what kind of cells it has, and the words of one: of a ``power`` those of the exponent of 10."""

    heading: str
    kind: Literal["text", "number", "power"]
    words: Callable[[Row], str]


def check_columns(wanted: Sequence[str] | None) -> tuple[str, ...] | None:
    """The names, each once; ``all`` is all of them. Raises SweepError for what is none."""
    if wanted is None:
        return None
    known = (ALL, *COLUMNS)
    for name in wanted:
        if name not in known:
            raise SweepError("columns", name, f"some of {', '.join(known)}{nearest(name, known)}")
    return tuple(COLUMNS) if ALL in wanted else tuple(dict.fromkeys(wanted))


def brief(table: pd.DataFrame) -> tuple[str, ...]:
    """What fits on a page, of this table."""
    shown = {name: name in table and len(set(table[name])) > 1 for name in WHERE_SEVERAL}
    shown["dead"] = bool(table["dead"].any())
    return tuple(name for name in BRIEF if shown.get(name, True))


def whole(table: pd.DataFrame) -> tuple[str, ...]:
    """All columns; that of architectures only if the table has several."""
    several = "architecture" in table and len(set(table["architecture"])) > 1
    return tuple(name for name in COLUMNS if several or name != "architecture")


def columns_of(table: pd.DataFrame, names: Sequence[str]) -> list[Column]:
    """Those columns; the rank's heading says what it is by."""
    by = COLUMNS[table["rank_by"].iloc[0]].heading
    return [COLUMNS[name]._replace(heading=f"by {by}") if name == "rank" else COLUMNS[name] for name in names]


def _number(name: str, digits: str, factor: float = 1.0) -> Callable[[Row], str]:
    return lambda row: "" if np.isnan(row[name]) else format(factor * row[name], digits)


def _depth(name: str) -> Callable[[Row], str]:
    def words(row: Row) -> str:
        value = row[name]
        return "" if np.isnan(value) else f"> {row['depth']}" if np.isinf(value) else f"{value:.0f}"

    return words


def _rank(row: Row) -> str:
    undefined = np.isnan(row["slope"]) and not row["dead"]
    return f"{row['rank']:.0f}" if not np.isnan(row["rank"]) else "" if undefined else "–"


def _slope(row: Row) -> str:
    if row["verdict"] == "gated":
        return "gated"
    if np.isnan(row["slope"]):
        return "all dead" if row["dead"] == 1 else "undefined"
    return f"{LAYERS * row['slope']:+.3f}"


def _stretch(row: Row) -> str:
    return "inf" if np.isposinf(row["lyapunov_spread"]) else _number("lyapunov_spread", ".2f", LAYERS)(row)


COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "rank": Column("rank", "number", _rank),
        "architecture": Column("architecture", "text", lambda row: str(row.get("architecture", "plain"))),
        "initializer": Column("initializer", "text", lambda row: str(row["initializer"])),
        "scale": Column("scale", "number", _number("scale", "g")),
        "bias_std": Column("bias", "number", _number("bias_std", ".3g")),
        "input_norm": Column("inputs", "number", lambda row: f"{row.get('input_norm', 1.0):g}"),
        "slope": Column("slope", "number", _slope),
        "slope_low": Column("low", "number", _number("slope_low", "+.3f", LAYERS)),
        "slope_high": Column("high", "number", _number("slope_high", "+.3f", LAYERS)),
        "predicted": Column("theory", "number", _number("predicted", "+.3f", LAYERS)),
        "verdict": Column("verdict", "text", lambda row: str(row["verdict"])),
        "z": Column("z", "number", _number("z", "+.1f")),
        "depth_1e3": Column("to 1e3", "number", _depth("depth_1e3")),
        "depth_float32": Column("float32", "number", _depth("depth_float32")),
        "depth_bfloat16": Column("bfloat16", "number", _depth("depth_bfloat16")),
        "depth_float16": Column("float16", "number", _depth("depth_float16")),
        "imbalance": Column("first/last", "number", _number("imbalance", "+.2f")),
        "relative_imbalance": Column("rel. first/last", "number", _number("relative_imbalance", "+.2f")),
        "spread": Column("spread", "number", _number("spread", ".2f")),
        "predicted_spread": Column("its theory", "number", _number("predicted_spread", ".2f")),
        "lyapunov_spread": Column("stretch", "number", _stretch),
        "log10_condition": Column("cond", "power", _number("log10_condition", ".1f")),
        "dead": Column("dead", "number", lambda row: f"{100 * row['dead']:.0f} %" if row["dead"] else ""),
    }
)
