"""What of a gradient number types lose: which measured numbers are held against their ends."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.numbers.grid import Grid, to_grid
from analysis.numbers.horizon import overflowed

# Of the entries |δ_i x_j| of ∂loss/∂W_1 that are not exactly zero.
ENTRIES = ("log10_entry_median", "log10_entry_tenth", "log10_entry_largest")
OF_FIRST = ("log10_grad_first", *ENTRIES)  # columns that are of ∂loss/∂W_1
NORMS = ("log10_grad_first", "log10_grad_last", "log10_grad_least", "log10_grad_largest", "log10_grad_global")

WORDS = "beyond these lines half of the entries that are not 0 are rounded to 0 (thin: a tenth), or one overflows"


MEASURED = "lost in "  # before a format's name: the column of what was measured in it
MEASURED_WORDS = (
    "beyond these lines networks that were computed in the format lose half of the entries of the first layer's gradient "
    "(thin: a tenth), rounded to 0, or a number overflows"
)


class Measured(NamedTuple):
    """A field for each format: the share of the entries of ∂loss/∂W_1 that it lost."""

    shares: dict[str, Grid]
    words: str = MEASURED_WORDS


class Lost(NamedTuple):
    """Fields, each of log10 of a number, and the words for what it is that a type loses.

    Beyond the line where ``half`` comes to a type's lower end the gradient is lost, and where ``largest`` comes to its
    upper end; where ``tenth`` does, a tenth of its entries.
    """

    half: Grid
    tenth: Grid | None
    largest: Grid
    words: str


def with_measured(cells: pd.DataFrame, formats: pd.DataFrame) -> pd.DataFrame:
    """The cells of a precision run with a column for each format: the share of ∂loss/∂W_1 that it lost, from 0 to 1.

    That is of the entries that are not exactly zero; 1 where one overflowed, or the output did, and where the gradient is
    exactly zero, NaN where it is undefined. formats: rows of ``load_formats``.
    """
    keys = [name for name in cells if not name.startswith("log10_")]
    share = np.where(overflowed(formats) | np.isneginf(formats["log10_grad_first"]), 1, formats["share_zero_first"])
    table = formats.assign(share=share).pivot_table("share", index=keys, columns="format", sort=False)
    return cells.merge(table.add_prefix(MEASURED), left_on=keys, right_index=True, how="left")


def lost_of(frame: pd.DataFrame, value: str, stat: str) -> Lost | Measured | None:
    """What is held against number types on a map of that column of a facet's rows; None where they mean nothing.

    Where networks were computed in formats (:func:`with_measured`), what those lost, on a map of medians of ∂loss/∂W_1. Else
    there the entries of that matrix: a type loses it where half of those that are not exactly zero are
    rounded to zero, or any overflows. The norms of other layers, and a run without columns of entries, are compared
    themselves: where that is, every entry is lost, and a matrix of n² entries loses most of them about log10 n decades
    before. Ratios of norms are kept in no number of a network's, and a standard deviation has no ends.
    """
    if stat == "std":
        return None
    measured = [name for name in frame if name.startswith(MEASURED)]
    if value in OF_FIRST and stat == "median" and measured:
        return Measured({name.removeprefix(MEASURED): to_grid(frame, name, stat) for name in measured})
    if value in OF_FIRST and all(name in frame and frame[name].notna().any() for name in ENTRIES):
        half, tenth, largest = (to_grid(frame, name, stat) for name in ENTRIES)
        return Lost(half, tenth, largest, WORDS)
    if value in NORMS or value == "log10_output":
        grid = to_grid(frame, value, stat)
        return Lost(grid, None, grid, "number" if value == "log10_output" else "norm")
    return None
