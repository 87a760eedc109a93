"""Numbers and ranges as people write them: ``2 10 150``, ``2,10,150``, ``0.5:1.5:41``, ``2:852:32log``."""

from __future__ import annotations

import math
import re

from bench.settings.errors import SweepError

MOST = 1_000_000
# fields whose numbers may be written as ranges → whether they are whole
RANGED = {
    "depths": True,
    "scales": False,
    "widths": True,
    "bias_stds": False,
    "input_norms": False,
    "correlations": False,
    "learning_rates": False,
    "readout_learning_rates": False,
}
ACCEPTED = "numbers and ranges first:last:count or first:last:countlog"


def spaced(first: float, last: float, count: int) -> list[float]:
    """``count`` evenly spaced numbers, both ends included, without the last digits' rounding noise."""
    import numpy as np  # here and below: help and ``list`` do without it

    return [float(f"{value:.12g}") for value in np.linspace(first, last, count)]


def log_spaced(first: float, last: float, count: int) -> list[float]:
    """``count`` numbers evenly spaced in their logarithm, both ends included, without the last digits' rounding noise."""
    import numpy as np

    return [float(f"{value:.12g}") for value in np.geomspace(first, last, count)]


def logarithmic(first: int, last: int, count: int) -> list[int]:
    """``count`` whole numbers evenly spaced in their logarithm, both ends included; those that coincide appear once."""
    import numpy as np

    return np.unique(np.rint(np.geomspace(first, last, count)).astype(int)).tolist()


def parse(field: str, text: str, *, whole: bool) -> list[float]:
    """One token as numbers; ranges of whole numbers are rounded and made unique. Raises SweepError."""
    if "," in text:
        return [number for part in text.split(",") for number in parse(field, part, whole=whole)]
    parts = text.split(":")
    if len(parts) == 1:
        return [_number(field, text, text, whole=whole)]
    match = re.fullmatch(r"(\d{1,9})(log)?", parts[-1])
    if len(parts) != 3 or match is None or int(match[1]) < 1:
        raise SweepError(field, text, ACCEPTED)
    first, last = (_number(field, part, text, whole=False) for part in parts[:2])
    count = int(match[1])
    if count > MOST:
        raise SweepError(field, text, f"a range of at most {MOST} numbers")
    if not (math.isfinite(first) and math.isfinite(last)) or first > last or (count == 1 and first != last):
        raise SweepError(field, text, "a range whose first number is at most its last, with a count ≥ 2")
    if match[2]:
        if first <= 0:
            raise SweepError(field, text, "a logarithmic range that begins above 0")
        values = log_spaced(first, last, count)
    else:
        values = spaced(first, last, count)
    return sorted({round(value) for value in values}) if whole else values


def _number(field: str, part: str, text: str, *, whole: bool) -> float:
    try:
        return int(part) if whole else float(part)
    except ValueError:
        wholes = "whole numbers, or ranges" if field in RANGED else "a whole number"
        raise SweepError(field, text, wholes if whole else ACCEPTED) from None
