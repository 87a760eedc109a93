"""What number formats make of a probed model's gradients, on its page: a table of formats, and one of parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.report.table import number, text

SHARES = {"share_zero": "% rounded to zero", "share_subnormal": "% subnormal", "share_overflow": "% too large"}
FIRST = {"beyond": "first too large", "lost_forward": "first to lose, forward", "lost_backward": "first to lose, backward"}
PARAMETER = ["layer", "path"]


def add_formats(part: dict[str, Any], frame: pd.DataFrame) -> None:
    """Two tables and a sentence for each format. frame: rows of ``load_probed_formats``."""
    formats = {name: frame.loc[(frame["format"] == name).to_numpy()] for name in dict.fromkeys(frame["format"])}
    part["tables"] += [_by_format(formats), _by_parameter(frame, list(formats))]
    part["findings"] += [_finding(name, rows) for name, rows in formats.items()]


def _by_format(formats: dict[str, pd.DataFrame]) -> dict[str, Any]:
    rows = [
        [text(name), number(float(np.median(rows["loss"])), 6), text(_scale(rows))]
        + [number(100 * _whole(rows, share), 3) for share in SHARES]
        + [number(100 * _farthest(rows["norm_error"]), 3), number(_farthest(rows["angle"]), 3), text(_saving(rows))]
        + [number(100 * float(np.median(rows["lost_at_best"])), 3)]
        + [text(next(filter(None, rows[first]), "–")) for first in FIRST]
        for name, rows in formats.items()
    ]
    head = ["format", "loss", "loss scale", *SHARES.values(), "worst error of a norm, %", "worst angle, °"]
    head += ["loss scales that save most", "% lost at these", *FIRST.values()]
    caption = "The whole step computed in each format, beside the exact gradients; shares are of entries that are not zero."
    return {"name": "formats", "caption": caption, "head": head, "rows": rows}


def _by_parameter(frame: pd.DataFrame, formats: list[str]) -> dict[str, Any]:
    frame = frame.assign(lost=100 * np.minimum(frame["share_zero"] + frame["share_overflow"], 1))
    medians = frame.groupby([*PARAMETER, "format"])[["lost", "angle"]].median()
    rows = [
        [number(layer), text(path), *(number(each, 3) for name in formats for each in medians.loc[layer, path, name])]
        for layer, path in sorted(set(zip(frame["layer"], frame["path"], strict=True)))
    ]
    head = ["layer", "parameter", *(f"{name}: {words}" for name in formats for words in ("% lost", "angle, °"))]
    caption = (
        "Of each parameter's gradient: the share of entries that a format rounds to zero or finds too large, and the angle "
        "of what is left to the exact gradient. Medians over seeds; – where nothing is left."
    )
    return {"name": "parameters-in-formats", "caption": caption, "head": head, "rows": rows}


def _whole(rows: pd.DataFrame, share: str) -> float:
    """A share of the entries of all parameters together."""
    entries = rows["entries"].to_numpy(float)
    return float(np.average(rows[share].to_numpy(float), weights=entries)) if entries.any() else float("nan")


def _scale(rows: pd.DataFrame) -> str:
    """Of the first seed."""
    return f"2^{np.log2(rows['loss_scale'].iloc[0]):.3g}"


def _farthest(values: Any) -> float:
    """The one that is farthest from 0, NaN without any."""
    there = np.asarray(values, float)
    there = there[~np.isnan(there)]
    return float(there[np.argmax(np.abs(there))]) if there.size else float("nan")


def _saving(rows: pd.DataFrame) -> str:
    """The range that serves all seeds."""
    low, high = np.max(rows["log2_scale_low"].to_numpy(float)), np.min(rows["log2_scale_high"].to_numpy(float))
    return f"2^{low:g} to 2^{high:g}" if low <= high else "none"


def _finding(name: str, rows: pd.DataFrame) -> str:
    lost = 100 * min(1.0, _whole(rows, "share_zero") + _whole(rows, "share_overflow"))
    angle, scale = _farthest(rows["angle"]), _scale(rows)
    turned = "of no parameter is anything left" if np.isnan(angle) else f"what is left is turned by at most {angle:.3g}°"
    return f"{name}, at a loss scale of {scale}, loses {lost:.3g} % of the entries; {turned}."
