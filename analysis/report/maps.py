"""A run's cells as a page holds them: medians, their intervals and theory on a lattice, and lines where number types end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.drawing.contours import range_limits
from analysis.drawing.edge import critical_scale, scale_free
from analysis.numbers.agreement import VALUE, VERDICTS
from analysis.numbers.columns import with_value
from analysis.numbers.depth_scales import depth_scales
from analysis.numbers.level import lines_at
from analysis.numbers.lost import Lost, Measured, lost_of
from analysis.numbers.median_ends import describe, high_end, low_end
from analysis.numbers.published import TRAINABLE
from analysis.report.lattice import Axis, Lattice
from analysis.report.packed import pack
from analysis.report.value import Value
from analysis.rows.select import Facet, facet_title

STATS = {"median": "median", "low": low_end, "high": high_end}
BYTES = 5.4  # of a float32 in base64


def to_map(frame: pd.DataFrame, lattice: Lattice, values: Sequence[Value], *, room: float) -> dict[str, Any]:
    """The lattice and as many of the values as fit into so many bytes, and at least the first."""
    first = lattice.columns[-1]
    counts = frame.groupby(lattice.columns, sort=True, observed=True)[first].size()
    seeds = lattice.fill(counts.index.to_frame(index=False), counts.to_numpy(), 0)
    fields = {}
    for value in values:
        rows = with_value(frame, value.column)
        if len(fields) < _most(lattice, room) and not np.isnan(rows[value.column].to_numpy(float)).all():
            fields[value] = [lattice.statistic(rows, value.column, stat) for stat in STATS.values()]
    return map_of(lattice, fields, seeds, describe(int(seeds.max())), room=room)


def map_of(
    lattice: Lattice, fields: Mapping[Value, Sequence[np.ndarray]], seeds: np.ndarray, interval: str, *, room: float
) -> dict[str, Any]:
    """A map of these medians and ends of intervals, [facets, y, x] each; of the first values that there is room for."""
    shown = {}
    for value, of_seeds in list(fields.items())[: _most(lattice, room)]:
        packed = {name: pack(found) for name, found in zip(STATS, of_seeds, strict=True)}
        shown[value.column] = {"words": value.words, "kind": value.kind, **value.colours(of_seeds[0]), **packed}
    return {
        "x": _axis(lattice.x),
        "y": _axis(lattice.y),
        "menus": [{"column": menu.column, "words": menu.words, "values": _named(menu)} for menu in lattice.menus],
        "facets": [
            [menu.points.index(value) for menu, value in zip(lattice.menus, facet, strict=True)] for facet in lattice.facets
        ],
        "start": 0,
        "seeds": pack(seeds, "uint16"),
        "interval": interval,
        "values": shown,
    }


def _most(lattice: Lattice, room: float) -> int:
    return max(1, int(room / (np.prod(lattice.shape) * len(STATS) * BYTES)))


def _axis(axis: Axis) -> dict[str, Any]:
    return {
        "column": axis.column,
        "words": axis.words,
        "values": _named(axis),
        "log": axis.is_log,
        "edges": [float(edge) for edge in axis.edges],
    }


def _named(axis: Axis) -> list[Any]:
    return [value if isinstance(value, (str, int)) else float(value) for value in axis.points]


def with_theory(lattice: Lattice, found: pd.DataFrame) -> dict[str, Any]:
    """What theory expects of each cell, and whether the measurement agrees. found: of ``agreement``."""
    number = {verdict: place for place, verdict in enumerate(VERDICTS)}
    fields = {name: pack(lattice.fill(found, found[name].to_numpy(float))) for name in ("predicted", "error", "z")}
    verdicts = lattice.fill(found, np.array([number[verdict] for verdict in found["verdict"]]), len(VERDICTS))
    return {"of": VALUE, **fields, "verdict": pack(verdicts, "uint8"), "verdicts": list(VERDICTS)}


def facet_frames(frame: pd.DataFrame, lattice: Lattice) -> list[pd.DataFrame]:
    """The rows of each facet, in the lattice's order."""
    if not lattice.menus:
        return [frame]
    groups: Any = frame.groupby([menu.column for menu in lattice.menus], sort=False, observed=True)
    rows = dict(iter(groups))
    return [rows[facet] for facet in lattice.facets]


def edges_of(frames: Sequence[pd.DataFrame], loss: str) -> list[dict[str, Any]]:
    """The critical scale of each facet, or why there is none."""
    found = []
    for rows in frames:
        facet = _facet(rows)
        edge = critical_scale(facet)
        missing = "" if not scale_free(facet, VALUE, loss) else "what is drawn does not depend on the scale"
        found.append({"scale": None, "missing": edge.missing} if edge.missing or missing else {"scale": edge.scale})
    return found


def limits_of(frames: Sequence[pd.DataFrame]) -> list[list[dict[str, Any]]]:
    """The lines of each facet beyond which number types lose the gradient of the first layer."""
    return [_limits(lost_of(rows, VALUE, "median")) for rows in frames]


def _limits(lost: Lost | Measured | None) -> list[dict[str, Any]]:
    if isinstance(lost, Measured):
        return [
            {"of": VALUE, "words": name, "dash": number, **line}
            for number, (name, grid) in enumerate(lost.shares.items())
            if min(grid.field.shape) > 1
            for line in _rounded(lines_at(grid, 0.5))
        ]
    if lost is None:
        return []
    found = []
    for number, limit in enumerate(range_limits()):
        for grid, level in zip((lost.half, lost.largest), limit.range, strict=True):
            if min(grid.field.shape) < 2:
                continue
            lines = _rounded(lines_at(grid, level))
            found += [{"of": VALUE, "words": limit.names, "dash": number, **line} for line in lines]
    return found


def _rounded(lines: Sequence[np.ndarray]) -> list[dict[str, list[float]]]:
    return [{"x": np.round(line[:, 0], 2).tolist(), "y": np.round(line[:, 1], 4).tolist()} for line in lines]


def depth_lines_of(frames: Sequence[pd.DataFrame], lattice: Lattice) -> list[list[dict[str, Any]]]:
    """Of each facet the line L = 6 ξ_c, up to which theory says that networks can be trained; none where it says nothing."""
    scales = [scale for scale in lattice.y.points if scale > 0]
    found = []
    for rows in frames:
        known = depth_scales(_facet(rows), scales)
        if known is None:
            found.append([])
            continue
        depths = np.where(np.isfinite(known[0]), TRAINABLE * known[0], 10 * lattice.x.points[-1])
        found.append([{"of": None, "words": "6 ξ_c", "dash": 1, "x": depths.round(3).tolist(), "y": scales}])
    return found


def _facet(rows: pd.DataFrame) -> Facet:
    known: Mapping[Any, Any] = rows.iloc[0].to_dict()
    return Facet(**{name: known[name] for name in Facet._fields if name in known})


def titles_of(frames: Sequence[pd.DataFrame], lattice: Lattice) -> list[str]:
    """What each facet is, in words."""
    named = [menu.column for menu in lattice.menus]
    return [facet_title(_facet(rows), named) for rows in frames]
