"""Each layer's verdict and what it rests on, from its numbers and those of the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bench.probing.slopes import Usual, usual_of
from bench.probing.thresholds import Thresholds

HEALTHY, NON_FINITE = "healthy", "non-finite"
# from the gravest on
VERDICTS = (NON_FINITE, "exploding", "vanishing", "underflow", "dead", "gated", "disconnected", HEALTHY)
# what layers are compared by → its word, and whether it comes from the output
COMPARED = {
    "log10_grad_rms": ("gradient", True),
    "log10_cotangent": ("cotangent", True),
    "log10_value_rms": ("signal", False),
}
STEP = "decades per step"
FEWEST_STEPS = 8  # of a scan, for a trend over them


class Judged(NamedTuple):
    """A verdict, why, and by how many decades or how large a share."""

    verdict: str
    why: str = ""
    excess: float = 0.0


def judge(table: pd.DataFrame, reached: Sequence[bool], gated: Sequence[bool], thresholds: Thresholds) -> list[Judged]:
    """A verdict for each row. reached: whether there is a path to the loss; gated: whether it is zero by a gate alone."""
    rows = table.loc[compared(table)]
    usual = {name: usual_of(rows, name, thresholds, backward=back) for name, (_, back) in COMPARED.items()}
    ratios = rows["log10_relative"].dropna().to_numpy(float)
    relative = float(np.median(ratios)) if len(ratios) else np.nan  # of one alone it may be small by design
    found = []
    for row, path, gate in zip(table.itertuples(), reached, gated, strict=True):
        known = _known(row, path, gate)
        measured = sorted(_measured(row, usual, relative, thresholds), key=lambda j: VERDICTS.index(j.verdict))
        found.append(known or next(iter(measured), Judged(HEALTHY)))
    return _of_their_matrix(table, found)


def not_finite(log10: Any) -> Any:
    """Whether sizes are NaN or infinite, of which one is told by its logarithm."""
    return np.isnan(log10) | np.isposinf(log10)


def _known(row: Any, reached: bool, gated: bool) -> Judged | None:
    """What is not a matter of degree."""
    if not reached:
        return Judged("disconnected", "no path to the loss along which a gradient flows")
    if not_finite(row.log10_weight):
        return Judged(NON_FINITE, "it is not finite itself", np.inf)
    if not_finite(row.log10_grad):
        return Judged(NON_FINITE, "its gradient is not finite")
    if np.isneginf(row.log10_grad):
        why = "exactly zero, and not when the gates are open" if gated else "exactly zero"
        return Judged("gated" if gated else "dead", why)
    return None


def _measured(row: Any, usual: dict[str, Usual], relative: float, given: Thresholds) -> Iterator[Judged]:
    is_lost = max(row.lost, row.lost_cotangent) > given.lost
    for what, large, lost in (
        ("its gradient", row.too_large, row.lost),
        ("its cotangent", row.too_large_cotangent, row.lost_cotangent),
    ):
        if large > 0:
            yield Judged("exploding", f"{100 * large:.2g} % of {what} above the largest {row.dtype}", large)
        if lost > given.lost:
            yield Judged("underflow", f"{100 * lost:.2g} % of {what} below the smallest {row.dtype}", lost)
    for name, (word, _) in COMPARED.items():
        size, of = getattr(row, name), usual[name]
        if size > of.high or -np.inf < size < of.low:
            apart = abs(size - of.reference)
            side, verdict = ("above", "exploding") if size > of.high else ("below", "vanishing")
            yield Judged(verdict, f"{word} {apart:.3g} decades {side} that of the {of.where} layers", apart)
    if row.steps >= FEWEST_STEPS and abs(over := row.per_step * (row.steps - 1)) > given.apart:
        verdict = "vanishing" if row.per_step > 0 else "exploding"
        words = f"{abs(row.per_step):.3g} {STEP}, going back over {row.steps} steps"
        yield Judged(verdict, words, abs(over))
    if relative > given.large and row.log10_relative > given.large:
        yield Judged("exploding", f"gradient 10^{row.log10_relative:.3g} times its weight", row.log10_relative)
    if relative < -given.small and row.log10_relative < -given.small and not is_lost:  # which says more
        yield Judged("vanishing", f"gradient 10^{row.log10_relative:.3g} times its weight", -row.log10_relative)
    if row.zero_slices > given.zeros:
        yield Judged("dead", f"{row.zero_slices:.2g} of its rows or columns are exactly zero", row.zero_slices)


def _of_their_matrix(table: pd.DataFrame, found: list[Judged]) -> list[Judged]:
    """Vectors beside a matrix vanish or explode with it alone: biases of keys, say, have hardly a gradient at all."""
    matrix = _is_matrix(table)
    of_layer = {layer: each.verdict for layer, each, is_one in zip(table["layer"], found, matrix, strict=True) if is_one}
    settled = []
    for layer, each, is_one in zip(table["layer"], found, matrix, strict=True):
        alone = is_one or layer not in of_layer or each.verdict not in ("vanishing", "exploding")
        settled.append(each if alone or of_layer[layer] == each.verdict else Judged(HEALTHY))
    return settled


def compared(table: pd.DataFrame) -> np.ndarray:
    """Matrices and kernels with a gradient; where there are none, whatever has one."""
    live = np.isfinite(table["log10_grad_rms"].to_numpy(float))
    matrices = live & np.array(_is_matrix(table), bool)
    return matrices if matrices.any() else live


def _is_matrix(table: pd.DataFrame) -> list[bool]:
    return [len(shape) >= 2 for shape in table["shape"]]
