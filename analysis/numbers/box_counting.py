"""The boundary of a set of pixels, and its dimension by counting boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import linregress


class Dimension(NamedTuple):
    """Slope of log N against -log s over all sizes, its standard error, the median of local slopes, and the counts."""

    slope: float
    error: float
    median: float
    sizes: np.ndarray
    counts: np.ndarray

    def __str__(self) -> str:
        if np.isnan(self.slope):
            return "undefined"
        error = "" if np.isnan(self.error) else f" ± {self.error:.2f}"
        return f"{self.slope:.2f}{error} (median of local slopes {self.median:.2f})"


def boundary_pixels(field: np.ndarray) -> np.ndarray:
    """Which pixels [rows, columns] lie on the boundary: their 2 × 2 neighbourhood, towards higher indices, has both signs.

    Positive is one side, zero and negative the other; a neighbourhood with a NaN, a pixel that is not known, is none. At the
    far edges the last row and column are repeated, so that the result has the shape of ``field``. After Sohl-Dickstein
    (2024), arXiv 2402.06184, as its code has it.
    """
    padded = np.pad(field, ((0, 1), (0, 1)), mode="edge")
    corners = [padded[i : i + len(field), j : j + field.shape[1]] for i in (0, 1) for j in (0, 1)]
    positive = np.array([corner > 0 for corner in corners])
    known = ~np.isnan(corners).any(axis=0)
    return np.asarray(known & positive.any(axis=0) & ~positive.all(axis=0))


def box_sizes(side: int) -> list[int]:
    """Powers of two from one pixel to a quarter of the side."""
    return [2**power for power in range(max(side // 4, 0).bit_length())]


def box_counts(pixels: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """[sizes]: N(s), how many of the boxes of s × s pixels that tile the map from its first corner hold a marked pixel.

    Only complete boxes are counted, and for every size those of one region: the whole boxes of the largest size, which the
    others must divide for the counts to be comparable. Without that, larger boxes would cover less, and slopes be too steep.
    """
    rows, columns = (side // max(sizes) * max(sizes) for side in pixels.shape)
    region = pixels[:rows, :columns]
    return np.array([region.reshape(rows // s, s, columns // s, s).any(axis=(1, 3)).sum() for s in sizes])


def box_dimension(pixels: np.ndarray, sizes: Sequence[int] | None = None) -> Dimension:
    """The box-counting dimension of the marked pixels [rows, columns].

    ::

        N(s) ∝ s^(-dimension)

    N(s) boxes of side s. The slope is fitted to log N by least squares over all sizes (by default powers of two to a quarter
    of the shorter side), with the standard error of that fit: how far N is from a power law, not what another map would
    give. Local slopes are those between neighbouring sizes; Sohl-Dickstein (2024) reports a median of such. NaN where no box
    is marked or there is one size, and the error with two.
    """
    chosen = np.array(box_sizes(min(pixels.shape)) if sizes is None else sizes, dtype=int)
    if len(chosen) == 0:
        return Dimension(np.nan, np.nan, np.nan, chosen, chosen)
    counts = box_counts(pixels, chosen.tolist())
    if len(chosen) < 2 or not counts.all():
        return Dimension(np.nan, np.nan, np.nan, chosen, counts)
    size, count = np.log(chosen), np.log(counts)
    fit: Any = linregress(size, count)
    local = -np.diff(count) / np.diff(size)
    error = fit.stderr if len(chosen) > 2 else np.nan
    return Dimension(float(-fit.slope), float(error), float(np.median(local)), chosen, counts)
