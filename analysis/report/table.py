"""Tables as the template writes them: cells with a text and a number to sort by, and intervals that are drawn."""

from __future__ import annotations

import math
from typing import Any

WIDTH = 220.0  # pixels of a drawn interval
LINEAR = 0.1  # up to there the axis of drawn intervals is linear, beyond it logarithmic, as in the figure


def text(value: Any) -> dict[str, Any]:
    """A cell of words."""
    return {"text": str(value), "sort": None, "drawn": None}


def number(value: float, digits: int = 4) -> dict[str, Any]:
    """A cell of a number; – where there is none."""
    words = "–" if math.isnan(value) else "never" if value == math.inf else "exactly zero" if value == -math.inf else None
    return {"text": words or f"{value:.{digits}g}".replace("-", "−"), "sort": _sortable(value), "drawn": None}


def interval(value: float, low: float, high: float, theory: float, reach: float) -> dict[str, Any]:
    """A cell in which a number, its interval and theory's number are drawn, from -reach to reach."""
    places = {
        name: _place(each, reach)
        for name, each in {"low": low, "value": value, "high": high, "theory": theory, "zero": 0.0}.items()
    }
    said = f"{value:.3g} ({low:.3g} to {high:.3g})".replace("-", "−")
    drawn = {**places, "width": WIDTH, "words": said} if math.isfinite(value) else None
    return {"text": "" if drawn else "–", "sort": _sortable(value), "drawn": drawn}


def _place(value: float, reach: float) -> float | None:
    if not math.isfinite(value):
        return None
    size = math.copysign(_symlog(abs(value)) / _symlog(reach), value)
    return round(WIDTH * (0.5 + 0.47 * max(-1.0, min(1.0, size))), 1)


def _symlog(size: float) -> float:
    return size / LINEAR if size <= LINEAR else 1 + math.log10(size / LINEAR)


def _sortable(value: float) -> float | None:
    return None if math.isnan(value) else max(-1e300, min(1e300, value))
