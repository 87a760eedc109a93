"""The boundary of a set of pixels, and its dimension by counting boxes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.numbers.power_law import Dimension, fitted


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
    of the shorter side). Sohl-Dickstein (2024) reports a median of local slopes. Pixels do not see what is finer than they
    are, so that the counts of small boxes are too low and so is the dimension: by up to 0.3 on maps of 256 pixels, which
    :data:`analysis.numbers.calibration.ERRORS` and with it the error say; :func:`analysis.numbers.pairs.pair_dimension` has
    a third of that. NaN where no box is marked or there is one size.
    """
    chosen = np.array(box_sizes(min(pixels.shape)) if sizes is None else sizes, dtype=int)
    counts = box_counts(pixels, chosen.tolist()) if len(chosen) else chosen
    return fitted(chosen, counts, "boxes", min(pixels.shape))
