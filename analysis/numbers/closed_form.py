"""The lecture's example in closed form: W_l = scale · E for every hidden layer, linear activations, no bias.

    |y| = scale^(L-1) · |u·x|        ‖∂y/∂W_1‖_F = scale^(L-2) · ‖x‖

L: depth; u: the readout, of norm 1; x: the input, of norm √n times the column ``input_norm``, where there is one; n: width.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.rows.select import check_name

VALUES = ("log10_output", "log10_grad_first")


def closed_form(frame: pd.DataFrame, value: str) -> np.ndarray:
    """log10 of |y| or ‖∂y/∂W_1‖_F for every row, by the formula above, in double precision.

    |u·x| is drawn, not chosen: it is taken, for each seed, width and input's norm, from the shallowest network (at the
    scale nearest to 1), so that every other row is a prediction. Raises SelectionError for another ``value``.
    """
    check_name("value", value, VALUES)
    depth, scale = frame["depth"].to_numpy(), frame["scale"].to_numpy()
    norm = frame["input_norm"].to_numpy() if "input_norm" in frame else np.ones(len(frame))
    if value == "log10_grad_first":
        return _log_power(scale, depth - 2) + np.log10(frame["width"].to_numpy()) / 2 + np.log10(norm)
    growth = _log_power(scale, depth - 1)
    measured = frame[value].to_numpy()
    with np.errstate(divide="ignore"):
        distance = np.abs(np.log10(scale))
    readout = np.full(len(frame), np.nan)
    for rows in frame.groupby([frame["seed"], frame["width"], norm]).indices.values():
        first = rows[np.lexsort((distance[rows], depth[rows]))[0]]
        if np.isfinite(growth[first]):  # at scale 0 nothing of u·x is left in y
            readout[rows] = measured[first] - growth[first]
    return growth + readout


def relative_deviation(frame: pd.DataFrame, value: str) -> np.ndarray:
    """|measured / closed form - 1| for every row; 0 where both are exactly zero, NaN where either is undefined.

    In float32 expect about L · 2^-25: the scale itself is rounded once, and its power L times that.
    """
    measured, expected = frame[value].to_numpy(), closed_form(frame, value)
    with np.errstate(invalid="ignore", over="ignore"):
        decades = np.where(np.isneginf(measured) & np.isneginf(expected), 0.0, measured - expected)
        return np.abs(np.expm1(np.log(10.0) * decades))


def _log_power(scale: np.ndarray, power: np.ndarray) -> np.ndarray:
    """log10(scale^power), where 0^0 = 1: a product of no matrices."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(power == 0, 0.0, power * np.log10(scale))
