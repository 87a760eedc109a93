"""How far a boundary's dimension is off, on curves of known dimension: ``python -m tests.perf.boundary [DRAWS]``.

``make calibration-boundary``, about 4 minutes: every curve is drawn 40 times on maps of 64, 128 and 256 pixels, turned and
shifted at random, and goes the way of a training's map: signs, their boundary pixels and boxes, or pairs of pixels. Printed
are the bias, the root mean square error, and what 95 % of the estimates are within; the largest of these for each side stand
in ``analysis/numbers/calibration.py``, and the last table says how often the printed error then covers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from tabulate import tabulate

from analysis.numbers.box_counting import boundary_pixels, box_dimension
from analysis.numbers.pairs import pair_dimension
from analysis.numbers.power_law import Dimension

SIDES, DRAWS = (64, 128, 256), 40
RABBIT = -0.122561166876654 + 0.744861766619744j  # z² + c has an attracting cycle of three
ESTIMATORS: Mapping[str, Callable[[np.ndarray], Dimension]] = {
    "boxes": lambda field: box_dimension(boundary_pixels(field)),
    "pairs": pair_dimension,
}


def plane(side: int, random: np.random.Generator) -> np.ndarray:
    """[side, side] complex: a square with sides of 1 about a point near 0, turned."""
    y, x = (np.indices((side, side)) + 0.5) / side - 0.5
    return (x + 1j * y) * np.exp(2j * np.pi * random.uniform()) + complex(*random.uniform(-0.05, 0.05, 2))


def line(side: int, random: np.random.Generator) -> np.ndarray:
    """A straight line."""
    return plane(side, random).real


def koch(side: int, random: np.random.Generator, levels: int = 6) -> np.ndarray:
    """Koch's snowflake: four thirds of every piece, again and again, finer than the pixels."""
    ends = np.exp(2j * np.pi * np.array([0, 2, 1, 0]) / 3) * random.uniform(0.35, 0.42)
    for _ in range(levels):
        start, third = ends[:-1], np.diff(ends) / 3
        pieces = [start, start + third, start + third * (1 + np.exp(1j * np.pi / 3)), start + 2 * third]
        ends = np.append(np.stack(pieces, axis=1).ravel(), ends[-1])
    return np.where(_inside(plane(side, random), ends), -1.0, 1.0)


def _inside(points: np.ndarray, ends: np.ndarray) -> np.ndarray:
    from matplotlib.path import Path

    path = Path(np.column_stack([ends.real, ends.imag]))
    return path.contains_points(np.column_stack([points.real.ravel(), points.imag.ravel()])).reshape(points.shape)


def rabbit(side: int, random: np.random.Generator, steps: int = 200) -> np.ndarray:
    """Douady's rabbit, the boundary of what z² + c keeps bounded (McMullen 1998, Hausdorff dimension and dynamics III)."""
    z = plane(side, random) * random.uniform(2.6, 2.9)
    escaped = np.zeros(z.shape, dtype=bool)
    for _ in range(steps):
        z = np.where(escaped, 4, z * z + RABBIT)
        escaped |= np.abs(z) > 2
    return np.where(escaped, 1.0, -1.0)


def brownian(side: int, random: np.random.Generator, within: int = 16) -> np.ndarray:
    """The graph of a Brownian path, whose standard deviation over the map is half of its height."""
    steps = random.normal(size=side * within) / np.sqrt(side * within)
    path = np.cumsum(steps)[within // 2 :: within]
    return (np.arange(side)[:, None] + 0.5) / side - 0.5 - 0.5 * (path - path.mean())


def level(hurst: float, within: int = 4) -> Callable[[int, np.random.Generator], np.ndarray]:
    """The level set of a fractional Brownian surface: dimension 2 - hurst."""

    def surface(side: int, random: np.random.Generator) -> np.ndarray:
        size = 2 * side * within  # periodic: a quarter of it is not; finer than the pixels, as Koch's snowflake is
        squares = np.fft.fftfreq(size)[:, None] ** 2 + np.fft.rfftfreq(size) ** 2
        squares[0, 0] = np.inf
        waves = np.fft.rfft2(random.normal(size=(size, size))) * squares ** (-(hurst + 1) / 2)
        heights = np.fft.irfft2(waves, s=(size, size))[: size // 2 : within, : size // 2 : within]
        return heights - np.median(heights)

    return surface


CURVES: Mapping[str, tuple[float, Callable[[int, np.random.Generator], np.ndarray]]] = {
    "line": (1.0, line),
    "Koch's snowflake": (np.log(4) / np.log(3), koch),
    "level set, H = 0.7": (1.3, level(0.7)),
    "Douady's rabbit": (1.3934, rabbit),
    "Brownian graph": (1.5, brownian),
    "level set, H = 0.5": (1.5, level(0.5)),
    "level set, H = 0.3": (1.7, level(0.3)),
    "level set, H = 0.1": (1.9, level(0.1)),
}


def measure(side: int, draws: int) -> pd.DataFrame:
    """One row for each curve, draw and estimator: ``known``, ``estimate``, ``error`` as it is printed, ``off``."""
    rows: list[dict[str, Any]] = []
    for curve, (known, draw) in CURVES.items():
        for seed in range(draws):
            field = draw(side, np.random.default_rng(seed))
            for name, estimate in ESTIMATORS.items():
                found = estimate(field)
                off = found.slope - known
                rows.append({"estimator": name, "side": side, "curve": curve, "known": known, "off": off})
                rows[-1] |= {"estimate": found.slope, "error": found.error}
    return pd.DataFrame(rows)


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """For each estimator, side and curve: mean estimate, bias, spread, root mean square error, 95 % quantile, coverage."""
    groups: Any = rows.groupby(["estimator", "side", "curve", "known"], sort=False)
    return groups.apply(
        lambda group: pd.Series(
            {
                "estimate": group.estimate.mean(),
                "bias": group.off.mean(),
                "spread": group.off.std(),
                "rms error": np.sqrt((group.off**2).mean()),
                "95 % within": group.off.abs().quantile(0.95),
                "covered": (group.off.abs() <= group.error).mean(),
            }
        ),
        include_groups=False,
    ).reset_index()


def main() -> None:
    """Measure and print."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS
    rows = pd.concat([measure(side, draws) for side in SIDES])
    found = summary(rows).sort_values(["estimator", "side"], kind="stable")
    print(tabulate(found, headers="keys", showindex=False, floatfmt=".3f"), end="\n\n")
    worst = (
        found.groupby(["estimator", "side"])[["95 % within"]].max().join(found.groupby(["estimator", "side"]).covered.min())
    )
    print(tabulate(worst.reset_index(), headers=["estimator", "side", "largest", "least covered"], floatfmt=".3f"))


if __name__ == "__main__":
    main()
