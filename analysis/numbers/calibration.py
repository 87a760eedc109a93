"""How far estimates of a boundary's dimension are off, by maps of curves whose dimension is known."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Estimator → pixels of the map's side → what 95 % of its estimates are within, of the curve that it is worst at: lines,
# Koch's snowflake (1.26), Douady's rabbit (1.39), Brownian graphs (1.5), level sets of fractional Brownian surfaces (1.3,
# 1.5, 1.7, 1.9). From `make calibration-boundary`, which prints all of them.
ERRORS: Mapping[str, Mapping[int, float]] = MappingProxyType(
    {
        "boxes": MappingProxyType({64: 0.35, 128: 0.32, 256: 0.29}),
        "pairs": MappingProxyType({64: 0.27, 128: 0.20, 256: 0.13}),
    }
)


def calibrated(kind: str, side: int) -> float:
    """The error at the largest calibrated map that is not larger; NaN below the smallest."""
    known = [pixels for pixels in ERRORS[kind] if pixels <= side]
    return ERRORS[kind][max(known)] if known else float("nan")
