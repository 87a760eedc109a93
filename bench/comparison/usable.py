"""The depths up to which most networks' gradients can be used: near their start, and inside a number format."""

from __future__ import annotations

from collections.abc import Mapping

import ml_dtypes
import numpy as np

DECADES = 3.0  # from the value at depth 2
FORMATS = ("float32", "bfloat16", "float16")


def depth_of_most(depths: np.ndarray) -> float:
    """The depth that 90 % of the networks reach; depths: [networks], NaN left out."""
    known = np.sort(depths[~np.isnan(depths)])
    return float(known[len(known) // 10]) if known.size else np.nan


def depth_near_start(depths: np.ndarray, least: np.ndarray, largest: np.ndarray) -> float:
    """The depth up to which, in 90 % of networks, the gradients of all layers stay within 10^±3 of that at depth 2.

    depths: [depths], ascending from 2. least, largest: [networks, depths], log10 of the norm of the layer that has the least
    and the largest; -inf is a dead network, which has left; NaN networks are left out.
    """
    with np.errstate(invalid="ignore"):  # dead from the start
        falls, grows = least - least[:, :1], largest - largest[:, :1]
    falls = np.where(np.isneginf(least), -np.inf, falls)
    grows = np.where(np.isneginf(largest), -np.inf, grows)
    return depth_of_most(np.minimum(_crossings(depths, falls, low=-DECADES), _crossings(depths, grows, high=DECADES)))


def depths_of_formats(depths: np.ndarray, median: np.ndarray, largest: np.ndarray) -> Mapping[str, float]:
    """For each number format, ``depth_float32``, …: the depth up to which, in 90 % of networks, it holds the gradient.

    depths: [depths]. median, largest: [networks, depths], log10 of the median of the entries of ∂loss/∂W_1 that are not
    zero, and of its largest entry. A format loses a gradient where it rounds half of those entries to zero, below half of
    its smallest subnormal number, or where the largest is beyond its largest number.
    """
    found = {}
    for name in FORMATS:
        limits = ml_dtypes.finfo(name)
        low, high = np.log10(float(limits.smallest_subnormal) / 2), np.log10(float(limits.max))
        found[f"depth_{name}"] = _inside(depths, median, largest, low, high)
    return found


def depths_of_norms(depths: np.ndarray, norms: np.ndarray) -> Mapping[str, float]:
    """The same where no entries were measured: the depth up to which the norm itself is a normal number of the format."""
    found = {}
    for name in FORMATS:
        limits = ml_dtypes.finfo(name)
        low, high = np.log10(float(limits.smallest_normal)), np.log10(float(limits.max))
        found[f"depth_{name}"] = _inside(depths, norms, norms, low, high)
    return found


def _inside(depths: np.ndarray, lower: np.ndarray, upper: np.ndarray, low: float, high: float) -> float:
    return depth_of_most(np.minimum(_crossings(depths, lower, low=low), _crossings(depths, upper, high=high)))


def _crossings(depths: np.ndarray, curves: np.ndarray, *, low: float = -np.inf, high: float = np.inf) -> np.ndarray:
    """Of each curve, [curves, depths]: the largest whole depth before it, linear in between, leaves [low, high].

    inf where it never does, 0 where it begins outside, NaN where it has NaN.
    """
    outside = (curves < low) | (curves > high) | np.isneginf(curves)
    rows, after = np.arange(len(curves)), outside.argmax(axis=1)
    before = np.maximum(after - 1, 0)
    limit = np.where(curves[rows, after] < low, low, high)
    with np.errstate(invalid="ignore", divide="ignore"):  # of curves that never leave
        share = (limit - curves[rows, before]) / (curves[rows, after] - curves[rows, before])
        share = np.where(np.isneginf(curves[rows, after]), 0.0, share)
        found = np.floor(depths[before] + share * (depths[after] - depths[before]) + 1e-9)
    found = np.where(outside.any(axis=1), np.where(after == 0, 0.0, found), np.inf)
    return np.where(np.isnan(curves).any(axis=1), np.nan, found)
