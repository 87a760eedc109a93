"""The lesson: from the lecture's four lines to its 852 layers, with three runs to play with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.numbers.agreement import VALUE
from analysis.numbers.statistics import seed_statistic
from analysis.report.page import ALL_ROOM, SCRIPTS, render, write_text
from analysis.report.run import part_of
from analysis.report.swept_words import KEPT
from analysis.rows.manifest import kind_at
from analysis.rows.select import distinct
from bench.runs.errors import LoadError

SCALES: Mapping[str, Sequence[float]] = {"lecture": (0.5, 1.5), "atlas": (), "remedies": (1.0,)}  # that sentences are about
RUNS = tuple(SCALES)
HEADINGS = ("The lecture's networks, measured", "Random networks, measured", "Remedies, measured")
TITLE = "What depth does to gradients"


def write_lesson(results: Path, target: Path, *, theory: bool, written: str) -> None:
    """The lesson about these runs of a results folder, as one file. Raises LoadError where one is not there."""
    room = ALL_ROOM / (2 * len(RUNS))
    parts = [_swept(results / name, number, room, theory=theory) for number, name in enumerate(RUNS)]
    shown = [{**part, "heading": heading} for part, heading in zip(parts, HEADINGS, strict=True)]
    facts = facts_of([part["frame"] for part in parts])
    script = ("data", "lesson", *SCRIPTS[1:])
    write_text(render(shown, written=written, template="lesson.html", scripts=script, title=TITLE, facts=facts), target)


def _swept(folder: Path, number: int, room: float, *, theory: bool) -> dict[str, Any]:
    """What the page says of a run. Raises LoadError with the command that makes it for one that is not what it should be."""
    makes = f"expected the run that `depthscale sweep {folder.name}` makes"
    try:
        kind = kind_at(folder)
    except LoadError:
        raise LoadError(f"{str(folder)!r} is not a run; {makes}") from None
    if kind != "sweep":
        raise LoadError(f"{str(folder)!r} is a {kind}; {makes}")
    part = part_of(folder, number, room, theory=theory)
    lacking = [scale for scale in SCALES[folder.name] if scale not in distinct(part["frame"], "scale")]
    if lacking:
        raise LoadError(f"{str(folder)!r} has no scale {lacking[0]:g}; {makes}")
    return part


def facts_of(frames: Sequence[pd.DataFrame]) -> Mapping[str, Any]:
    """The numbers of its sentences, from the rows of the three runs."""
    deep = [_deepest(frame) for frame in frames]
    ends = [_said(float(np.median(deep[0].loc[deep[0]["scale"] == scale, VALUE]))) for scale in (0.5, 1.5)]
    kept = seed_statistic(deep[1], VALUE, by=["initializer", "activation", "scale"]).abs() <= KEPT
    at_one = deep[2].loc[deep[2]["scale"] == 1]
    sizes = {str(name): float(size) for name, size in seed_statistic(at_one, VALUE, by=["architecture"]).items()}
    best = min(sizes, key=lambda name: abs(sizes[name]))
    return {
        "lecture_low": ends[0],
        "lecture_high": ends[1],
        "atlas_all": len(kept),
        "atlas_kept": int(kept.sum()),
        "remedies": [(name, _power(sizes[name])) for name in dict.fromkeys(frames[2]["architecture"])],
        "best": best,
        "best_size": _power(sizes[best]),
    }


def _deepest(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.loc[frame["depth"] == distinct(frame, "depth")[-1]]


def _said(decades: float) -> str:
    return f"{decades:.1f}".replace("-", "−")


def _power(decades: float) -> str:
    return "0" if np.isneginf(decades) else f"10^{_said(decades)}"
