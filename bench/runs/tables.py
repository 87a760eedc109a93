"""Measured columns as tables of Arrow: what becomes a shard, and travels between processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa


def as_table(columns: pa.Table | Mapping[str, Any]) -> pa.Table:
    """The table of those columns: arrays, lists, or pairs (words, [rows] which of them)."""
    if isinstance(columns, pa.Table):
        return columns
    return pa.table({name: _column(values) for name, values in columns.items()})


def _column(values: Any) -> pa.Array:
    if isinstance(values, tuple):
        words, which = values
        return _words(words).take(_numbers(np.asarray(which)))
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
        return _numbers(values)
    return pa.array(values)  # which imports pandas, to find out what it is given: a quarter of a second


def _numbers(values: np.ndarray) -> pa.Array:
    packed = np.packbits(values, bitorder="little") if values.dtype == bool else np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(packed)])


def _words(words: Sequence[str]) -> pa.Array:
    written = [word.encode() for word in words]
    ends = np.cumsum([0, *map(len, written)], dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(words), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(written))])
