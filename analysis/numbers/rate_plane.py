"""One network over its two learning rates: a matrix of pixels, each of them trained, and windows of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from analysis.numbers.best_rate import RATES
from analysis.rows.select import SelectionError, distinct, one_facet


class Plane(NamedTuple):
    """field[i, j] at readout rate y[i] and rate x[j]; NaN also where nothing was trained, which ``measured`` tells apart."""

    x: np.ndarray
    y: np.ndarray
    field: np.ndarray
    measured: np.ndarray


def rate_plane(frame: pd.DataFrame) -> Plane:
    """The column ``convergence`` of one network and seed over both rates, ascending; missing pixels are NaN.

    ::

        convergence = -Σ_t v_t if it converged (the mean of the last 20 v_t is below 1), else Σ_t 1/v_t

    v_t: loss at step t over the loss at step 0, at most 10^6; after Sohl-Dickstein (2024), arXiv 2402.06184. Raises
    SelectionError for several networks or seeds, and for rates that span no plane.
    """
    one_facet(frame)
    for column in ("depth", "scale", "seed"):
        known = distinct(frame, column)
        if len(known) > 1:
            accepted = f"one for a map, of {', '.join(f'{value:g}' for value in known)}"
            raise SelectionError(column if column == "seed" else f"{column}s", len(known), accepted)
    x, y = (np.array(distinct(frame, rate), dtype=float) for rate in RATES)
    for rate, values in zip(RATES, (x, y), strict=True):
        if len(values) < 2:
            raise SelectionError(f"{rate}s", f"{values[0]:g}", "two or more, for a map to be drawn over them")
    field, measured = np.full((len(y), len(x)), np.nan), np.zeros((len(y), len(x)), dtype=bool)
    pixels = np.searchsorted(y, frame[RATES[1]]), np.searchsorted(x, frame[RATES[0]])
    field[pixels] = frame["convergence"]
    measured[pixels] = True
    return Plane(x, y, field, measured)


def ranked(field: np.ndarray) -> np.ndarray:
    """Each pixel's place among those of its sign: -1 learns fastest … 0 slowest, on either side … 1 diverges fastest.

    ::

        converged (≤ 0): -1 + F(|c|)        diverged (> 0): 1 - F(|c|)

    F is the empirical distribution function of |c| in that half, at the middle of its steps: equally many pixels have each
    shade, as in Sohl-Dickstein (2024). NaN stays.
    """
    places = np.full(field.shape, np.nan)
    for half, sign in ((field <= 0, -1.0), (field > 0, 1.0)):
        if half.any():
            places[half] = sign * (1 - (rankdata(np.abs(field[half])) - 0.5) / half.sum())
    return places


def in_log(values: np.ndarray) -> bool:
    """Whether three or more ascending positive numbers are spaced more evenly in their logarithm than themselves."""
    if len(values) < 3 or values[0] <= 0:
        return False
    ratios, differences = np.diff(np.log(values)), np.diff(values)
    return bool(np.std(ratios) * np.mean(differences) < np.std(differences) * np.mean(ratios))


def zoomed(frame: pd.DataFrame, window: Sequence[float]) -> pd.DataFrame:
    """The rows with rates in the window (x_low, x_high, y_low, y_high), ends included.

    Raises SelectionError where it holds fewer than two values of either rate.
    """
    keep = np.ones(len(frame), dtype=bool)
    for rate, low, high in zip(RATES, window[::2], window[1::2], strict=True):
        values = frame[rate].to_numpy(float)
        inside = (values >= low) & (values <= high)
        if len(np.unique(values[inside])) < 2:
            accepted = f"a window with two or more {rate}s, which go from {values.min():g} to {values.max():g}"
            raise SelectionError("zoom", " ".join(f"{end:g}" for end in window), accepted)
        keep &= inside
    return frame.loc[keep]


def zoom_arguments(frame: pd.DataFrame, window: Sequence[float]) -> str:
    """Options of ``python -m bench train`` that train that window, with as many pixels as the whole frame has.

    Only what the frame's own rates span: beyond them :func:`zoomed` draws nothing, and a range in log has no place for 0.
    """
    words = []
    for rate, low, high in zip(RATES, window[::2], window[1::2], strict=True):
        values = np.array(distinct(frame, rate), dtype=float)
        first, last = max(low, values[0]), min(high, values[-1])
        words.append(f"--{rate.replace('_', '-')}s {first:.12g}:{last:.12g}:{len(values)}{'log' * in_log(values)}")
    return " ".join(words)
