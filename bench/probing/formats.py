"""What number formats make of a model's gradients: how much of each is lost, where first, and which loss scale saves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bench.arithmetic.formats import Format
from bench.arithmetic.loss_scale import Scales, Step, overflowed
from bench.arithmetic.mixed import Mixed
from bench.arithmetic.number import LOG10_2, Extended
from bench.arithmetic.policy import Policy
from bench.probing.first_losses import FirstLosses, Firsts
from bench.probing.measure import Part, log10_norm, median
from bench.probing.model import Model

SHARES = ("share_zero", "share_subnormal", "share_overflow")
ERRORS = ("norm_error", "angle")


@dataclass(frozen=True)
class InFormat:
    """One policy: the loss that it computes, its loss scale, those that save most, and where it first goes wrong."""

    policy: Policy
    loss: float
    loss_scale: float
    scales: Scales | None  # None where every one overflows
    firsts: Firsts


@dataclass(frozen=True)
class Formats:
    """A row for each policy and parameter, and what is true of each policy as a whole."""

    table: pd.DataFrame
    found: tuple[InFormat, ...]

    def whole(self) -> pd.DataFrame:
        """The table with what is true of each policy in every of its rows; powers of two as they are, NaN for none."""
        whole = {str(each.policy): each for each in self.found}
        given = [whole[name] for name in self.table["format"]]
        scales = [each.scales for each in given]
        return self.table.assign(
            loss=[each.loss for each in given],
            loss_scale=[each.loss_scale for each in given],
            log2_scale_low=[float(each.low) if each else np.nan for each in scales],
            log2_scale_high=[float(each.high) if each else np.nan for each in scales],
            lost_at_best=[each.lost if each else np.nan for each in scales],
            **{name: [str(getattr(each.firsts, name) or "") for each in given] for name in Firsts._fields},
        )


def measure_formats(
    model: Model,
    parts: Sequence[Part],
    layers: pd.DataFrame,
    exact: Sequence[Extended],
    policies: Sequence[Policy],
    lost: float,
) -> Formats:
    """Gradients under each policy beside the exact ones.

    layers: ``path``, ``shape`` and ``layer`` of each part; lost: the share of its entries above which an equation is named.
    """
    tables, found = [], []
    for policy in policies:
        mixed, losing = model.once(_mixed, policy), model.once(_losing, policy)
        step = Step(mixed, list(model.parameters.arrays), model.data, model.program.consts)
        scale = step.scale()
        scaled, unscaled = step.scaled(scale), step.unscaled(scale)
        rows = []
        for part in parts:
            own, held = (_of(part, each[part.number]) for each in (unscaled, scaled))
            rows.append(compared(_log2_and_sign(part, exact[part.number]), own, held, scale, step.held))
        table = pd.concat([layers[["path", "shape", "layer"]], pd.DataFrame(rows)], axis=1)
        tables.append(table.assign(format=str(policy)))
        zeros = [np.asarray(each.mantissa) == 0 for each in exact]
        firsts = losing(model, scale, lost)
        found.append(InFormat(policy, float(step.value), scale, step.saving(zeros), firsts))
    return Formats(pd.concat(tables, ignore_index=True), tuple(found))


def _mixed(model: Model, policy: Policy) -> Mixed:
    return Mixed(model.loss, policy)


def _losing(model: Model, policy: Policy) -> FirstLosses:
    return FirstLosses(model, model.once(_mixed, policy))


def compared(
    exact: tuple[np.ndarray, np.ndarray], unscaled: np.ndarray, scaled: np.ndarray, scale: float, held: Format
) -> dict[str, Any]:
    """Shares of a gradient's entries, the relative error of its norm, and its angle to the exact one in degrees.

    exact: log₂ of the sizes of the exact entries, and their signs. Of the entries that are not exactly zero (entries),
    share_zero are so here, and share_subnormal are below the smallest normal number as the backward pass leaves them, with
    the loss scale; share_overflow of all are not finite, or, of a format without infinity, too large. The angle is NaN where
    there is none: one of both is zero, or not finite.
    """
    size, sign = exact
    there = sign != 0
    too_large = overflowed(scaled, held) & (~np.isfinite(scaled) | (size + np.log2(scale) > np.log2(held.largest)))
    with np.errstate(divide="ignore"):
        own = np.log2(np.abs(unscaled))
        norm, exact_norm = log10_norm(own * LOG10_2), log10_norm(size * LOG10_2)
    with np.errstate(over="ignore", invalid="ignore"):
        error = np.power(10, np.float64(norm) - exact_norm) - 1
    small = there & (scaled != 0) & (np.abs(scaled) < 2.0**held.least)
    return {
        "entries": int(np.sum(there)),
        "share_zero": _share(there & (unscaled == 0), there),
        "share_subnormal": _share(small, there),
        "share_overflow": _share(too_large & ~np.isnan(size) & (size < np.inf), np.ones_like(there)),
        "norm_error": float(error) if np.isfinite(exact_norm) else np.nan,
        "angle": angle(sign * _relative(size), np.sign(unscaled) * _relative(own)),
    }


def angle(a: np.ndarray, b: np.ndarray) -> float:
    """Between two arrays as vectors, in degrees, to the last digit of small ones too: 2 arctan(‖â - b̂‖ / ‖â + b̂‖)."""
    lengths = np.linalg.norm(a.ravel()), np.linalg.norm(b.ravel())
    if not np.isfinite(lengths).all() or 0 in lengths:
        return float("nan")
    a, b = a / lengths[0], b / lengths[1]
    return float(np.degrees(2 * np.arctan2(np.linalg.norm((a - b).ravel()), np.linalg.norm((a + b).ravel()))))


def _relative(size: np.ndarray) -> np.ndarray:
    """2^size with the largest 1, so that no square leaves the range of float64."""
    largest = np.max(size, initial=-np.inf)
    return np.exp2(size - largest) if np.isfinite(largest) else np.exp2(size)


def _share(which: np.ndarray, of: np.ndarray) -> float:
    return float(np.sum(which) / max(np.sum(of), 1))


def _log2_and_sign(part: Part, gradient: Extended) -> tuple[np.ndarray, np.ndarray]:
    mantissa = np.asarray(gradient.mantissa, np.float64)
    exponent = np.broadcast_to(np.asarray(gradient.exponent, np.float64), mantissa.shape)
    mantissa, exponent = _of(part, mantissa), _of(part, exponent)
    with np.errstate(divide="ignore"):
        return np.log2(np.abs(mantissa)) + np.where(mantissa == 0, 0, exponent), np.sign(mantissa)


def _of(part: Part, array: np.ndarray) -> np.ndarray:
    """A part's share of a parameter's array."""
    return array if part.step is None else array[part.step]


def formats_over(seeds: Sequence[Formats]) -> Formats | None:
    """One for all seeds: medians, loss scales that serve every seed, and the first seed's first losses."""
    if not seeds:
        return None
    table = seeds[0].table.copy()
    for name in (*SHARES, *ERRORS):
        table[name] = median(np.stack([each.table[name].to_numpy(float) for each in seeds]))
    return Formats(table, tuple(_over(each) for each in zip(*(each.found for each in seeds), strict=True)))


def _over(found: Sequence[InFormat]) -> InFormat:
    scales = [each.scales for each in found if each.scales is not None]
    low, high = max((each.low for each in scales), default=0), min((each.high for each in scales), default=0)
    serve = len(scales) == len(found) and low <= high
    firsts = [[getattr(each.firsts, name) for each in found] for name in Firsts._fields]
    return replace(
        found[0],
        loss=float(np.median([each.loss for each in found])),
        loss_scale=float(np.min([each.loss_scale for each in found])),
        scales=Scales(low, high, max(each.lost for each in scales)) if serve else None,
        firsts=Firsts(*(next(filter(None, each), None) for each in firsts)),
    )
