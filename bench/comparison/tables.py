"""A comparison as files that people paste: CSV with every number, Markdown and LaTeX with what one reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from tabulate import tabulate

from bench.runs.files import write_whole

GROUP = ("activation", "width")
Row = Mapping[str, Any]


def _count(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.0f}"


def _decades(value: float) -> str:
    return "" if np.isnan(value) else f"{value:+.2f}"


def _slope(row: Row) -> str:
    if np.isnan(row["slope"]):
        return "undefined"
    interval = "" if np.isnan(row["slope_low"]) else f" [{row['slope_low']:+.5f}, {row['slope_high']:+.5f}]"
    return f"{row['slope']:+.5f}{interval}"


def _predicted(row: Row) -> str:
    if np.isnan(row["predicted"]):
        return str(row["verdict"])
    return f"{row['predicted']:+.5f} ({row['verdict']}, z = {row['z']:+.1f})"


def _depth(column: str) -> Callable[[Row], str]:
    def words(row: Row) -> str:
        value = row[column]
        return "" if np.isnan(value) else f"> {row['depth']}" if np.isinf(value) else f"{value:.0f}"

    return words


def _spread(row: Row) -> str:
    expected = "" if np.isnan(row["predicted_spread"]) else f" ({row['predicted_spread']:.2f})"
    return "" if np.isnan(row["spread"]) else f"{row['spread']:.2f}{expected}"


COLUMNS: Mapping[str, Callable[[Row], str]] = MappingProxyType(
    {
        "rank": lambda row: _count(row["rank"]),
        "initializer": lambda row: str(row["initializer"]),
        "scale": lambda row: f"{row['scale']:g}",
        "bias std": lambda row: f"{row['bias_std']:.3g}",
        "decades per layer [95 %]": _slope,
        "theory": _predicted,
        "depth to 10^±3": _depth("depth_1e3"),
        "float32": _depth("depth_float32"),
        "bfloat16": _depth("depth_bfloat16"),
        "float16": _depth("depth_float16"),
        "first/last": lambda row: _decades(row["imbalance"]),
        "spread (theory)": _spread,
        "max/rms": lambda row: "" if np.isnan(row["sigma_ratio"]) else f"{row['sigma_ratio']:.2f}",
        "log10 cond": lambda row: "" if np.isnan(row["log10_condition"]) else f"{row['log10_condition']:.2f}",
        "dead": lambda row: f"{row['dead']:.0%}" if row["dead"] else "",
    }
)


def as_text(table: pd.DataFrame, style: str) -> str:
    """The table in a style of :mod:`tabulate` (``github``, ``latex_booktabs``, ``simple``), a part for each activation."""
    parts = []
    for _, rows in table.groupby(list(GROUP), sort=False):
        records = rows.assign(size=rows["slope"].abs()).sort_values(["rank", "size"], kind="stable").to_dict("records")
        cells = [[words(row) for words in COLUMNS.values()] for row in records]
        head = "{activation}, width {width}, depth {depth}, seeds: {seeds}".format(**records[0])
        title = {"github": f"### {head}", "latex_booktabs": f"% {head}"}.get(style, head)
        headers = [name.replace("±", "+-") if style.startswith("latex") else name for name in COLUMNS]
        parts.append(f"{title}\n\n{tabulate(cells, headers=headers, tablefmt=style, disable_numparse=True)}\n")
    return "\n".join(parts)


def write_table(table: pd.DataFrame, folder: Path) -> list[Path]:
    """``table.csv``, ``table.md`` and ``table.tex`` in a run's folder, each complete or absent. Raises OSError."""
    texts = {
        "table.csv": table.to_csv(index=False),
        "table.md": as_text(table, "github"),
        "table.tex": as_text(table, "latex_booktabs"),
    }
    for name in texts:
        if (folder / name).is_dir():
            raise IsADirectoryError(f"{folder / name} is a folder")
    for name, text in texts.items():
        write_whole(folder / name, lambda path, text=text: path.write_text(text, encoding="utf-8"))
    return [folder / name for name in texts]
