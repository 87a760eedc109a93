"""A comparison's table on the page: initializers ranked, with their slopes drawn."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.drawing.labels import counted
from analysis.report.table import interval, number, text
from analysis.rows.load import load_table
from analysis.rows.select import distinct

LAYERS = 100  # slopes are per so many layers
NAMES = ("architecture", "initializer", "activation", "width", "bias_std", "input_norm", "scale")
SLOPES = ("slope", "slope_low", "slope_high", "predicted")
DEPTHS = {"depth_1e3": "factor 1000 lost at L", "depth_float16": "float16 lost at L", "depth_bfloat16": "bfloat16 lost at L"}


def add_table(part: dict[str, Any], folder: Path) -> None:
    """The table, and sentences with its numbers."""
    frame = load_table(folder)
    named = [name for name in NAMES if name in frame and len(distinct(frame, name)) > 1] or ["initializer"]
    depths = {name: words for name, words in DEPTHS.items() if name in frame}
    slopes = LAYERS * frame[list(SLOPES)].to_numpy(float)
    reach = float(np.max(np.abs(slopes[np.isfinite(slopes)]), initial=1.0))
    rows = []
    order = frame.assign(size=frame["slope"].abs()).sort_values(["rank", "size"], na_position="last", kind="stable")
    for row in order.to_dict("records"):
        slope = [LAYERS * row[name] for name in SLOPES]
        cells = [number(row["rank"]), *(_name(row[name]) for name in named), number(slope[0], 3)]
        cells += [interval(slope[0], slope[1], slope[2], slope[3], reach), number(slope[3], 3)]
        cells += [text(row["verdict"]), number(row["dead"], 2)]
        rows.append([*cells, *(number(row[name]) for name in depths)])
    head = ["rank", *(name.replace("_", " ") for name in named), f"decades per {LAYERS} layers", "drawn (◇ theory)"]
    head += ["theory", "verdict", "share of dead seeds", *depths.values()]
    caption = (
        f"Slopes of the first layer's gradient in decades per {LAYERS} layers, with 95 % intervals over seeds: below 0 it "
        "vanishes with depth, above 0 it explodes. Drawn on an axis that is linear up to ±0.1 and logarithmic beyond."
    )
    part["tables"].append({"name": "ranking", "caption": caption, "head": head, "rows": rows})
    part["findings"] = [*_findings(frame), *part["findings"]]


def _name(value: Any) -> dict[str, Any]:
    return text(value) if isinstance(value, str) else number(float(value))


def _findings(frame: pd.DataFrame) -> list[str]:
    slopes = (LAYERS * frame["slope"].to_numpy(float)).tolist()
    finite = [(abs(slope), place) for place, slope in enumerate(slopes) if np.isfinite(slope)]
    if not finite:
        return ["No initializer of the comparison has gradients whose slope is a number."]
    best, worst = (pick(finite)[1] for pick in (min, max))
    names = [f"{row['initializer']}, {row['activation']}" for row in frame.to_dict("records")]
    first, verdicts = frame["rank"].tolist().count(1), Counter(frame["verdict"])
    schemes, functions = (len(distinct(frame, name)) for name in ("initializer", "activation"))
    tested = verdicts["agrees"] + verdicts["differs"]
    found = [
        f"{schemes} initializers were ranked with {counted(functions, 'activation')}: {first} of {len(frame)} settings have "
        "rank 1, which is that none is shown to be better.",
        f"The smallest slope is {slopes[best]:.2g} decades per {LAYERS} layers ({names[best]}), "
        f"the largest {slopes[worst]:.3g} ({names[worst]}).".replace(" -", " −"),
    ]
    if tested:
        found.append(f"Theory agrees with {verdicts['agrees']} of {tested} slopes that it predicts, at 95 %.")
    return found
