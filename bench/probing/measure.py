"""From gradients as extended numbers to a row for each parameter, in the order in which the forward pass uses them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import pandas as pd

from bench.arithmetic.number import LOG10_2, Extended
from bench.probing.leaves import name_of
from bench.probing.model import Model
from bench.probing.uses import Stack, Use

BY_INDEX = ("gather", "dynamic_slice")  # what is read so is zero where nothing was read, and not dead


class Part(NamedTuple):
    """A parameter, or one step's share of one that a scan reads: where it is in the list, and where in the program."""

    number: int
    step: int | None
    path: str
    use: Use | None


def parts_of(model: Model) -> list[Part]:
    """Every part, in the order of the forward pass; what it does not use comes last."""
    found = [part for index in range(len(model.parameters.arrays)) for part in _parts(model, index)]
    used = sorted((part for part in found if part.use), key=lambda part: (part.use.place, part.number))  # type: ignore[union-attr]
    return used + [part for part in found if not part.use]


def _parts(model: Model, index: int) -> Iterator[Part]:
    path, use = name_of(model.parameters.paths[index]), model.uses.first(index)
    stack = model.uses.stacked.get(index)
    shape = model.parameters.arrays[index].shape
    if use is None or stack is None or not shape or shape[0] != stack.length:
        yield Part(index, None, path, use)
        return
    for step in range(stack.length):
        yield Part(index, step, f"{path}[{step}]", use._replace(place=_at_step(use, stack, step)))


def _at_step(use: Use, stack: Stack, step: int) -> tuple[int, ...]:
    turn = stack.length - 1 - step if stack.reverse else step
    before, after = use.place[: stack.digit], use.place[stack.digit + 1 :]
    return (*before, turn, *after)


def layers_of(parts: Sequence[Part], ranks: Sequence[int]) -> list[int]:
    """The number of each part's layer, from 1: every matrix or kernel begins one; vectors beside it belong to it."""
    numbers: list[int] = []
    last: dict[tuple[str, int | None], int] = {}
    count = 0
    for part, rank in zip(parts, ranks, strict=True):
        around = _parent(part), part.step
        if rank >= 2 or around not in last:
            count += 1
            last[around] = count
        numbers.append(last[around])
    return numbers


def _parent(part: Part) -> str:
    path = part.path.removesuffix(f"[{part.step}]")
    return path[: max(path.rfind("."), path.rfind("["), 0)]


def rows_of(model: Model, parts: Sequence[Part], gradients: Sequence[Extended]) -> pd.DataFrame:
    """One row for each part, all numbers of the gradient and of the weights among them."""
    shapes = [_shape(model, part) for part in parts]
    layers = layers_of(parts, [len(shape) for shape in shapes])
    rows = [
        {"path": part.path, "shape": shape, "layer": layer} | _numbers(model, part, gradients[part.number])
        for part, shape, layer in zip(parts, shapes, layers, strict=True)
    ]
    return pd.DataFrame(rows)


def _shape(model: Model, part: Part) -> tuple[int, ...]:
    shape = model.parameters.arrays[part.number].shape
    return shape if part.step is None else shape[1:]


def _numbers(model: Model, part: Part, gradient: Extended) -> dict[str, Any]:
    weight = np.asarray(model.parameters.arrays[part.number], np.float64)
    mantissa = np.asarray(gradient.mantissa, np.float64)
    exponent = np.broadcast_to(np.asarray(gradient.exponent, np.float64), mantissa.shape)
    if part.step is not None:
        weight, mantissa, exponent = weight[part.step], mantissa[part.step], exponent[part.step]
    dtype = str(part.use.dtype if part.use else model.parameters.arrays[part.number].dtype)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.log10(np.abs(mantissa)) + np.where(mantissa == 0, 0, exponent) * LOG10_2
        grad, of_weight = log10_norm(size), log10_norm(np.log10(np.abs(weight)))
        relative = grad - of_weight
    zero = mantissa == 0
    smallest, largest = ends_of(dtype)
    finite = np.isfinite(mantissa).all()
    return {
        "log10_grad": grad,
        "log10_weight": of_weight,
        "log10_relative": relative,
        "log10_grad_rms": grad - np.log10(max(mantissa.size, 1)) / 2,
        "zeros": float(np.mean(zero)) if zero.size else 0.0,
        "zero_slices": _zero_slices(zero) if part.use is None or part.use.primitive not in BY_INDEX else 0.0,
        "lost": float(np.mean(size[~zero] < smallest)) if not zero.all() and finite else 0.0,
        "too_large": float(np.mean(size > largest)) if finite and zero.size else 0.0,
        "dtype": dtype,
        "used_at": part.use.source if part.use else "",
    }


def log10_norm(sizes: np.ndarray) -> float:
    """log₁₀ of the root of the sum of squares of what these are log₁₀ of; NaN and infinity as they are."""
    largest = np.max(sizes, initial=-np.inf)
    if not np.isfinite(largest):
        return float(largest)
    return float(largest + np.log10(np.sum(10 ** (2 * (sizes - largest)))) / 2)


def median(values: np.ndarray) -> np.ndarray:
    """Over the first axis, the lower of two in the middle (of 0 and infinity there is no mean); NaN where there is one."""
    middle = np.sort(values, axis=0)[(len(values) - 1) // 2]
    return np.where(np.isnan(values).any(axis=0), np.nan, middle)


def percent(share: float) -> str:
    """A share as one reads it; what is not quite all or nothing never looks like it."""
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    return "> 99.9 %" if share > 0.999 else "< 0.1 %" if share < 0.001 else f"{100 * share:.3g} %"


def ends_of(dtype: str) -> tuple[float, float]:
    """log₁₀ of half the smallest number of a format, below which it has only zero, and of its largest."""
    info = ml_dtypes.finfo(dtype)
    return float(np.log10(float(info.smallest_subnormal)) - np.log10(2)), float(np.log10(float(info.max)))


def _zero_slices(zero: np.ndarray) -> float:
    """The share of rows, or of columns if it is larger, that are zero throughout: units without any gradient."""
    if zero.ndim == 0 or not zero.size:
        return float(zero.all() and zero.size > 0)
    axes = {0, zero.ndim - 1}
    return max(float(np.mean(zero.all(axis=tuple(i for i in range(zero.ndim) if i != axis)))) for axis in axes)
