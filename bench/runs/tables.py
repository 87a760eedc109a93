"""Measured columns as tables of Arrow: what becomes a shard, and travels between processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa


def as_table(columns: pa.Table | Mapping[str, Any]) -> pa.Table:
    """The table of those columns: arrays, or pairs (words, [rows] which of them)."""
    if isinstance(columns, pa.Table):
        return columns
    return pa.table({name: _column(values) for name, values in columns.items()})


def _column(values: Any) -> pa.Array:
    if isinstance(values, tuple):
        words, which = values
        return pa.array(words).take(pa.array(which))
    return pa.array(np.ascontiguousarray(values))
