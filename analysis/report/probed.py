"""A probe's part of the page: a model of one's own, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.report.in_formats import add_formats
from analysis.report.plots import as_json, dots_plot
from analysis.report.table import number, text
from analysis.rows.load import load_probed, load_probed_formats
from analysis.rows.select import distinct

COLOURS = {
    "healthy": "#1b7837",
    "vanishing": "#2166ac",
    "exploding": "#b2182b",
    "underflow": "#67a9cf",
    "dead": "#4d4d4d",
    "gated": "#999999",
    "disconnected": "#c7c7c7",
    "non-finite": "#e08214",
}
NUMBERS = {"log10_grad": "log10 gradient", "log10_grad_rms": "per entry", "log10_weight": "log10 weight", "zeros": "zeros"}
BY = ["layer", "path"]


def add_probe(part: dict[str, Any], folder: Path, manifest: Mapping[str, Any], room: float, *, theory: bool) -> None:
    """A picture of all parameters, tables, and sentences. Nothing is left out for want of room; theory is not of models."""
    del room, theory
    frame = load_probed(folder)
    rows = _parameters(frame)
    part["tables"].append(_table(rows))
    name = f"{part['id']}-probe"
    there = [verdict for verdict in COLOURS if verdict in set(rows["verdict"])]
    key = {verdict: COLOURS[verdict] for verdict in there}
    part["pictures"].append(("probe", "gradient of each parameter, per entry (RMS), in the order of the forward pass", key))
    part["plots"][name] = as_json(dots_plot(name, _drawn(rows), "layer, in the order of the forward pass"), name)
    part["findings"] = _findings(frame, rows)
    if manifest["probe"].get("formats"):
        add_formats(part, load_probed_formats(folder))


def _parameters(frame: pd.DataFrame) -> pd.DataFrame:
    """One row for each parameter: medians over seeds, the extremes of its gradient, and the commonest verdict."""
    groups: Any = frame.groupby(BY, sort=True)
    found = groups.agg(
        shape=("shape", "first"),
        low=("log10_grad_rms", "min"),
        high=("log10_grad_rms", "max"),
        verdict=("verdict", lambda each: each.mode().iloc[0]),
        why=("why", "first") if "why" in frame else ("verdict", "first"),
        **{name: (name, "median") for name in NUMBERS if name in frame},
    )
    return found.reset_index()


def _table(rows: pd.DataFrame) -> dict[str, Any]:
    numbers = {name: words for name, words in NUMBERS.items() if name in rows}
    cells = [
        [number(row["layer"]), text(row["path"]), text(row["shape"]), text(row["verdict"])]
        + [number(row[name]) for name in numbers]
        + [text(row["why"])]
        for row in rows.to_dict("records")
    ]
    head = ["layer", "parameter", "shape", "verdict", *numbers.values(), "why"]
    return {"name": "parameters", "caption": "Every parameter, by its median over seeds.", "head": head, "rows": cells}


def _drawn(rows: pd.DataFrame) -> dict[str, list[Any]]:
    """Points; what is exactly zero stands at the bottom, as a triangle."""
    size = rows["log10_grad_rms"].to_numpy(float)
    finite = np.isfinite(size)
    bottom = float(size[finite].min()) - 1 if finite.any() else 0.0
    ends = {name: rows[name].where(np.isfinite(rows[name].to_numpy(float)), bottom).tolist() for name in ("low", "high")}
    words = np.where(np.isneginf(size), "exactly zero", np.where(np.isnan(size), "undefined", "10^"))
    return {
        "x": rows["layer"].tolist(),
        "y": np.where(finite, size, bottom).tolist(),
        **ends,
        "colour": [COLOURS.get(verdict, "#4d4d4d") for verdict in rows["verdict"]],
        "marker": ["circle" if each else "inverted_triangle" for each in finite],
        "path": rows["path"].tolist(),
        "verdict": rows["verdict"].tolist(),
        "size": [f"{word}{number:.2f}" if word == "10^" else word for word, number in zip(words, size, strict=True)],
    }


def _findings(frame: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    counts = rows["verdict"].value_counts().to_dict()
    seeds = len(distinct(frame, "seed"))
    found = [
        f"{frame['model'].iloc[0]} has {len(rows)} parameters, probed with {seeds} seed{'s' if seeds > 1 else ''}: "
        f"{', '.join(f'{count} {verdict}' for verdict, count in counts.items())}."
    ]
    finite = rows.loc[np.isfinite(rows["log10_grad_rms"].to_numpy(float))]
    if len(finite):
        ends = [finite.sort_values("log10_grad_rms").iloc[place] for place in (0, -1)]
        low, high = (f"10^{end['log10_grad_rms']:.1f} ({end['path']})".replace("^-", "^−") for end in ends)
        found.append(f"Gradients per entry reach from {low} to {high}.")
    worst = rows.loc[rows["verdict"] != "healthy"]
    if len(worst):
        found.append(f"The first that is not healthy is {worst.iloc[0]['path']}: {worst.iloc[0]['why']}.")
    return found
